package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"strings"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/cmd/internal/config"
	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/eventstore"
	"holdfast/eventstore/audit"
	apihttp "holdfast/http"
	"holdfast/projections/views"
)

// ReconcileLine compares one custody account with the chain, in base units.
type ReconcileLine struct {
	Account    string `json:"account"`
	Asset      string `json:"asset"`
	Ledger     string `json:"ledger"` // posted, with what is pending on its way in or out
	Chain      string `json:"chain"`
	Difference string `json:"difference"` // chain − ledger
	Note       string `json:"note,omitempty"`
}

// ReconcileReport is one comparison of the books with the chains.
type ReconcileReport struct {
	Lines  []ReconcileLine `json:"lines"`
	Breaks int             `json:"breaks"`
}

// reconciler compares books and chains.
type reconciler struct {
	store  eventstore.Ledger
	chains *Chains
	views  *views.Queries
	runs   *records.Runs
}

// Run compares every custody account now and remembers the result.
func (r reconciler) Run(ctx context.Context) (apihttp.ReconciliationRun, error) {
	run, err := r.runs.Begin(ctx)
	if err != nil {
		return apihttp.ReconciliationRun{}, err
	}
	report, err := r.compare(ctx)
	if err != nil {
		return apihttp.ReconciliationRun{}, err
	}
	raw, err := json.Marshal(report)
	if err != nil {
		return apihttp.ReconciliationRun{}, err
	}
	run, err = r.runs.Finish(ctx, run, report.Breaks == 0, raw)
	return apihttp.ReconciliationRun(run), err
}

// Runs lists what earlier comparisons found.
func (r reconciler) Runs(ctx context.Context, limit int) ([]apihttp.ReconciliationRun, error) {
	rows, err := r.runs.List(ctx, limit)
	all := make([]apihttp.ReconciliationRun, len(rows))
	for i, row := range rows {
		all[i] = apihttp.ReconciliationRun(row)
	}
	return all, err
}

// Payment compares the destination of one payment.
func (r reconciler) Payment(ctx context.Context, id domain.PaymentID) (json.RawMessage, error) {
	d, err := r.views.Destinations.OfPayment(ctx, id)
	if err != nil {
		return nil, err
	}
	totals, err := r.store.Balances(ctx, string(ledger.Derived(d.Doc.ID)), 0)
	if err != nil {
		return nil, err
	}
	report, err := r.lines(ctx, totals)
	if err != nil {
		return nil, err
	}
	return json.Marshal(report)
}

func (r reconciler) compare(ctx context.Context) (ReconcileReport, error) {
	totals, err := r.store.Balances(ctx, "custody:", 0)
	if err != nil {
		return ReconcileReport{}, err
	}
	return r.lines(ctx, totals)
}

func (r reconciler) lines(ctx context.Context, totals []eventstore.Totals) (ReconcileReport, error) {
	report := ReconcileReport{Lines: []ReconcileLine{}}
	for _, t := range totals {
		line, ok, err := r.line(ctx, t)
		if err != nil {
			return report, fmt.Errorf("compare %s: %w", t.Account, err)
		}
		if !ok {
			continue
		}
		report.Lines = append(report.Lines, line)
		if line.Difference != "0" {
			report.Breaks++
		}
	}
	return report, nil
}

// line compares one account; ok is false for those that stand at no address of their own.
func (r reconciler) line(ctx context.Context, t eventstore.Totals) (ReconcileLine, bool, error) {
	address, err := r.address(ctx, t.Account)
	if err != nil || address == "" {
		return ReconcileLine{}, false, err
	}
	client, err := r.clientOf(t.Asset)
	if err != nil {
		return ReconcileLine{}, false, err
	}
	chain, err := client.Balance(ctx, t.Asset, address)
	if err != nil {
		return ReconcileLine{}, false, err
	}
	balance, err := audit.Balance(t)
	if err != nil {
		return ReconcileLine{}, false, err
	}
	// A transfer that is seen and not confirmed has moved on the chain already.
	books := new(big.Int).Add(balance.Balance, t.DebitsPending.Uint256().ToBig())
	books.Sub(books, t.CreditsPending.Uint256().ToBig())
	name, ok := r.chains.Registry.Alias(t.Asset)
	if !ok {
		name = string(t.Asset)
	}
	return ReconcileLine{
		Account: string(t.Account), Asset: name, Ledger: books.String(), Chain: chain.String(),
		Difference: new(big.Int).Sub(chain.Uint256().ToBig(), books).String(),
	}, true, nil
}

func (r reconciler) address(ctx context.Context, a ledger.Account) (string, error) {
	switch id, derived := strings.CutPrefix(string(a), "custody:derived:"); {
	case derived:
		d, err := r.views.Destinations.Get(ctx, domain.DestinationID(id))
		return d.Doc.Address, err
	case a == ledger.Treasury, strings.HasPrefix(string(a), "custody:gas:"):
		return r.chains.Treasury, nil
	}
	return "", nil
}

func (r reconciler) clientOf(asset money.Asset) (*evm.Client, error) {
	for id, client := range r.chains.All() {
		if strings.HasPrefix(string(asset), fmt.Sprintf("eip155:%d/", id)) {
			return client, nil
		}
	}
	return nil, errNoChain.With("asset", asset)
}

// Reconcile is the operator's verb: it joins the development chain of a running service, or
// connects to the configured ones.
func Reconcile(ctx context.Context, cfg *config.Config, log *slog.Logger) (report ReconcileReport, err error) {
	core, err := Open(ctx, cfg, log)
	if err != nil {
		return report, err
	}
	defer func() { _ = core.Close(context.WithoutCancel(ctx)) }()
	var chains *Chains
	if url, err := RunningDevChain(ctx, cfg); err == nil && len(cfg.EVMRPCURLs) == 0 {
		client, err := devClient(url)
		if err != nil {
			return report, err
		}
		registry, err := network.New(devchain.Network())
		if err != nil {
			return report, err
		}
		defer client.Close()
		chains = &Chains{Registry: registry, clients: map[uint64]*evm.Client{devchain.ChainID: client}, Treasury: devchain.Treasury}
	} else if chains, err = core.openChains(ctx); err != nil {
		return report, err
	}
	return reconciler{store: core.Store, chains: chains, views: views.New(core.HTTP, core.Codec)}.compare(ctx)
}
