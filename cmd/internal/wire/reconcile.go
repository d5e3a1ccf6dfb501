package wire

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/requestnetwork"
	"holdfast/cmd/internal/config"
	"holdfast/domain"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
	"holdfast/projections"
	"holdfast/projections/bookview"
	"holdfast/projections/breakview"
	"holdfast/projections/views"
	"holdfast/reactors"
)

// NewReconciler joins the comparison of books, chains and provider; provider may be nil.
func (c *Core) NewReconciler(chains *Chains, positions reactors.Positions, provider *requestnetwork.Client) *reactors.Reconciler {
	o := reactors.ReconcilerOptions{
		Pool: c.Jobs, Executor: c.Executor, Books: bookview.New(c.Jobs), Breaks: breakview.New(c.Jobs, c.Codec), Positions: positions,
		Chains: func() map[uint64]reactors.Statement { return clientsAs[reactors.Statement](chains) }, Tokens: chains.Registry.Tokens,
		Treasury: chains.Treasury, Gas: chains.Gas, Log: c.Log, Hour: c.Config.NightlyHour(),
	}
	if chains.Dev != nil {
		o.Settle = time.Second // blocks come every half second
	}
	if provider != nil {
		o.Provider = statements{provider}
	}
	return reactors.NewReconciler(o)
}

// providerClient makes the client of Request Network's API; nil without a key.
func (c *Core) providerClient(registry network.Book) (*requestnetwork.Client, error) {
	if c.Config.RequestNetworkKey == "" {
		return nil, nil
	}
	return requestnetwork.New(requestnetwork.Options{BaseURL: c.Config.RequestNetworkURL, APIKey: c.Config.RequestNetworkKey, Registry: registry})
}

// statements lists what the provider has seen.
type statements struct{ *requestnetwork.Client }

func (s statements) Paid(ctx context.Context, from, to time.Time, offset int) ([]network.Hint, bool, error) {
	return s.Payments(ctx, requestnetwork.Query{From: from, To: to, Offset: offset})
}

// reconciler is the comparison as the server asks for it.
type reconciler struct{ *reactors.Reconciler }

func (r reconciler) Payment(ctx context.Context, id domain.PaymentID) (json.RawMessage, error) {
	picture, err := r.Reconciler.Payment(ctx, id)
	if err != nil {
		return nil, err
	}
	return json.Marshal(picture)
}

// Reconciled is what the operator's verb gives.
type Reconciled struct {
	Run    string                      `json:"run"`
	OK     bool                        `json:"ok"`
	Result reconciliation.RunCompleted `json:"result"`
	// Breaks are those that stand after the run, at most a thousand.
	Breaks []StandingBreak `json:"breaks"`
}

// StandingBreak is a break with what is known of it.
type StandingBreak struct {
	reconciliation.Break
	State      string                        `json:"state"`
	Resolution *reconciliation.BreakResolved `json:"resolution,omitempty"`
}

// Reconcile is the operator's verb: one whole run, here or joined where it is under way. It uses
// the development chain of a running service, or connects to the configured ones. progress,
// which may be nil, is told how far it is.
func Reconcile(ctx context.Context, cfg *config.Config, log *slog.Logger, progress func(done, total int64)) (r Reconciled, err error) {
	core, err := Open(ctx, cfg, log)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, core.Close(context.WithoutCancel(ctx))) }()
	chains, err := core.outside(ctx)
	if err != nil {
		return r, err
	}
	runner, _, err := core.NewRunner()
	if err != nil {
		return r, err
	}
	if err := runner.Register(ctx); err != nil {
		return r, err
	}
	provider, err := core.providerClient(chains.Registry)
	if err != nil {
		return r, err
	}
	// Without a running service nobody else keeps the read models; with one, they take turns.
	background, stop := context.WithCancel(ctx)
	var group errgroup.Group
	group.Go(func() error { return runner.Run(background) })
	defer func() {
		stop()
		err = errors.Join(err, group.Wait())
	}()
	by := domain.Machine(domain.Process, "holdfast reconcile")
	if r.Run, r.Result, err = core.NewReconciler(chains, runner, provider).Reconcile(ctx, by, progress); err != nil {
		return r, err
	}
	r.OK = r.Result.OK()
	r.Breaks, err = core.standing(ctx, runner)
	return r, err
}

// standing lists the breaks that are not gone.
func (c *Core) standing(ctx context.Context, positions reactors.Positions) ([]StandingBreak, error) {
	head, err := c.Store.Head(ctx)
	if err != nil {
		return nil, err
	}
	if err := positions.WaitFor(ctx, breakview.Name, head.Position); err != nil {
		return nil, err
	}
	all, queries := []StandingBreak{}, views.New(c.Jobs, c.Codec)
	for cursor := ""; ; {
		page, err := queries.Breaks.List(ctx, breakview.Filter{Standing: true}, projections.Page{Cursor: cursor, Limit: 100})
		if err != nil {
			return nil, err
		}
		for _, row := range page.Rows {
			f := row.Doc.Finding
			all = append(all, StandingBreak{
				Break: reconciliation.Break{ID: row.ID, Finding: f, Advice: reconciliation.AdviceOn(f.Kind)}, State: row.Doc.Phase, Resolution: row.Doc.Resolution,
			})
		}
		if cursor = page.Next; cursor == "" || len(all) >= reconciliation.MaxBreaks {
			return all, nil
		}
	}
}

// outside gives the chains for a verb: those of a running service, or the configured ones.
func (c *Core) outside(ctx context.Context) (*Chains, error) {
	url, err := RunningDevChain(ctx, c.Config)
	if err != nil || len(c.Config.EVMRPCURLs) > 0 {
		return c.openChains(ctx)
	}
	client, err := devClient(url)
	if err != nil {
		return nil, err
	}
	c.onClose(func(context.Context) error { client.Close(); return nil })
	registry, err := network.New(devchain.Network())
	if err != nil {
		return nil, err
	}
	return ChainsOf(registry, map[uint64]*evm.Client{devchain.ChainID: client}, devchain.Treasury), nil
}
