package wire

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast/adapters/evm"
	"holdfast/domain/money"
	apihttp "holdfast/http"
	"holdfast/reactors"
)

// payIns tells how the parts do that payments come in through.
type payIns struct{ s *Service }

// Limits beyond which a chain is said to be degraded or down.
const (
	chainSlow   = 30 * time.Second
	chainDown   = 2 * time.Minute
	chainBehind = 100 // blocks
)

// State implements apihttp.PayIns.
func (p payIns) State(ctx context.Context) apihttp.PayInState {
	state := apihttp.PayInState{Chains: []apihttp.ChainHealth{}, Provider: apihttp.ProviderHealth{Status: "off"}}
	loops := map[string]reactors.Status{}
	for _, l := range p.s.allLoops() {
		st := l.Status()
		loops[st.Name] = st
	}
	for id, client := range p.s.Chains.All() {
		state.Chains = append(state.Chains, chainHealth(client.State(), loops["chain:"+strconv.FormatUint(id, 10)], time.Now()))
	}
	if st, polled := loops["provider"]; polled {
		state.Provider = apihttp.ProviderHealth{Configured: true, Status: "ok"}
		if st.Failures > 0 {
			state.Provider.Status = "degraded"
		}
	}
	if assets, ok := loops["solvency"].Detail["insolvent"].([]money.Asset); ok {
		for _, a := range assets {
			state.Insolvent = append(state.Insolvent, string(a))
		}
	}
	if all, err := p.s.Runner.Status(ctx); err == nil {
		for _, v := range all {
			state.Projections = append(state.Projections, apihttp.ViewLag{Name: v.Name, State: v.State, Lag: v.Lag, LagSeconds: v.Behind.Seconds()})
		}
	}
	if at, ok, err := p.s.Records.Inbox.Newest(ctx); err == nil && ok {
		state.LastWebhookAt = &at
	}
	return state
}

// chainHealth joins what the client knows of its nodes with what the follower has seen.
func chainHealth(c evm.State, follower reactors.Status, now time.Time) apihttp.ChainHealth {
	number := func(name string) (n uint64) { n, _ = follower.Detail[name].(uint64); return n }
	h := apihttp.ChainHealth{
		ChainID: c.Chain, Status: "ok", Head: number("head"), Scanned: number("scanned"), Safe: number("safe"), Finalized: number("finalized"),
		Contradicted: c.Contradictions, FinalityBroke: number("finality_broken_at"),
	}
	h.Confirming, _ = follower.Detail["confirming"].(int)
	if h.Head > h.Scanned {
		h.Behind = h.Head - h.Scanned
	}
	if !follower.LastGood.IsZero() {
		h.LagSeconds = now.Sub(follower.LastGood).Seconds()
	}
	up := 0
	for _, n := range c.Nodes {
		if n.State == "ok" {
			up++
		}
		h.Endpoints = append(h.Endpoints, apihttp.NodeHealth{
			Node: n.Node, State: n.State, Failures: n.Failures, LastError: n.LastError, ErrorAt: timeOrNil(n.ErrorAt), LastGood: timeOrNil(n.LastGood), Head: n.Head,
		})
	}
	since := time.Duration(h.LagSeconds * float64(time.Second))
	degraded := func(format string, args ...any) { h.Status, h.Reason = "degraded", fmt.Sprintf(format, args...) }
	switch {
	case up == 0 || follower.LastGood.IsZero() || since > chainDown:
		h.Status, h.Reason = "down", fmt.Sprintf("%d of %d endpoints work; no look went well for %.0f s", up, len(c.Nodes), since.Seconds())
	case since > chainSlow:
		degraded("no look went well for %.0f s", since.Seconds())
	case h.Behind > chainBehind:
		degraded("%d blocks are not looked at yet", h.Behind)
	case now.Sub(c.LastContradiction) < time.Hour:
		degraded("the endpoints contradicted each other in the last hour")
	case up < len(c.Nodes):
		degraded("%d of %d endpoints work", up, len(c.Nodes))
	}
	return h
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() || t.Year() < 2000 {
		return nil
	}
	return &t
}

// chainMetrics shows the same to Prometheus, read when it asks.
type chainMetrics struct{ payIns }

var (
	chainHead           = prometheus.NewDesc("chain_head", "The newest block, by the most careful node.", []string{"chain"}, nil)
	chainScanned        = prometheus.NewDesc("chain_scanned", "The block up to which payments were looked for.", []string{"chain"}, nil)
	chainFinalized      = prometheus.NewDesc("chain_finalized", "The block that the chain calls finalized; 0 where it has no such tag.", []string{"chain"}, nil)
	chainLag            = prometheus.NewDesc("chain_lag_seconds", "Time since the last look at the chain that went well.", []string{"chain"}, nil)
	chainConfirming     = prometheus.NewDesc("chain_confirming", "Transfers that wait for confirmations.", []string{"chain"}, nil)
	chainContradictions = prometheus.NewDesc("chain_contradictions_total", "How often the nodes contradicted each other.", []string{"chain"}, nil)
	chainNodeUp         = prometheus.NewDesc("chain_endpoint_up", "1 when the endpoint works.", []string{"chain", "node"}, nil)
	chainNodeHead       = prometheus.NewDesc("chain_endpoint_head", "The endpoint's own newest block.", []string{"chain", "node"}, nil)
)

// Describe implements prometheus.Collector.
func (m chainMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{chainHead, chainScanned, chainFinalized, chainLag, chainConfirming, chainContradictions, chainNodeUp, chainNodeHead} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m chainMetrics) Collect(to chan<- prometheus.Metric) {
	for _, l := range m.s.allLoops() {
		st := l.Status()
		for id, client := range m.s.Chains.All() {
			chain := strconv.FormatUint(id, 10)
			if st.Name != "chain:"+chain {
				continue
			}
			h := chainHealth(client.State(), st, time.Now())
			gauge := func(d *prometheus.Desc, v float64, labels ...string) {
				to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{chain}, labels...)...)
			}
			gauge(chainHead, float64(h.Head))
			gauge(chainScanned, float64(h.Scanned))
			gauge(chainFinalized, float64(h.Finalized))
			gauge(chainLag, h.LagSeconds)
			gauge(chainConfirming, float64(h.Confirming))
			to <- prometheus.MustNewConstMetric(chainContradictions, prometheus.CounterValue, float64(h.Contradicted), chain)
			for _, n := range h.Endpoints {
				up := 0.0
				if n.State == "ok" {
					up = 1
				}
				gauge(chainNodeUp, up, n.Node)
				gauge(chainNodeHead, float64(n.Head), n.Node)
			}
		}
	}
}
