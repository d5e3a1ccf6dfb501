package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
	"holdfast/eventstore"
	"holdfast/projections/bookview"
	"holdfast/projections/breakview"
)

// Statement reads from a chain what stands and what happened, many things at once.
type Statement interface {
	Head(ctx context.Context) (network.Head, error)
	BalancesAt(ctx context.Context, block uint64, of []network.Holder) ([]money.Units, error)
	Look(ctx context.Context, txs []string) (map[string]network.Looked, error)
	Scan(ctx context.Context, from, to uint64, w network.Watch) (network.Scanned, error)
}

// Statements lists what the provider has seen.
type Statements interface {
	Provider
	// Paid lists payments of a time, page by page.
	Paid(ctx context.Context, from, to time.Time, offset int) (hints []network.Hint, more bool, err error)
}

// ErrReconciling: a reconciliation is under way; there is one at a time.
var ErrReconciling = fault.New(fault.Conflict, "RECONCILIATION_RUNNING", "a reconciliation is under way")

// ReconcilerOptions join a Reconciler. Those without a comment are required.
type ReconcilerOptions struct {
	Pool      *pgxpool.Pool // of the jobs; one connection is held while a run is worked on
	Executor  *eventstore.Executor
	Books     bookview.Queries
	Breaks    breakview.Queries
	Positions Positions
	Chains    func() map[uint64]Statement        // those there are at this moment
	Tokens    func(chain uint64) []network.Token // that may stand at an address, native coin included
	Treasury  string                             // address
	Gas       string                             // that pays for gas; the treasury's when empty
	Provider  Statements                         // nil: it is not asked
	Log       *slog.Logger

	// Hour is when the nightly run begins (UTC); below 0: never.
	Hour int
	// Page is how many payments are compared at once; 500 when 0.
	Page int
	// Tries is how often a difference must be seen, Settle how long to wait between; 3 and 5 s
	// when 0. What the followers are booking at this moment is no difference.
	Tries  int
	Settle time.Duration
	// PendingLimit is the longest that a pending entry may be open; 24 h when 0.
	PendingLimit time.Duration
	// Lookback is how many blocks are searched for transfers nobody booked; 100,000 when 0.
	Lookback uint64
	// Window is how far back the provider's list is read; 48 h when 0.
	Window time.Duration
}

// Reconciler compares the ledger with the chains and the provider: every payment and derived
// address, the treasury, what is under way, pending entries, each asset as a whole.
//
// It goes through them in pages and notes after each how far it is, so that any process can go
// on with a run; a lock lets one at a time. A difference is looked at again, with fresh books
// and at a newer block, before it is a break. It never books anything: that is for operators.
type Reconciler struct {
	*loop
	o    ReconcilerOptions
	rows runRows
}

// NewReconciler makes it. As a loop it works on runs that were asked for or left unfinished, and
// begins one every night.
func NewReconciler(o ReconcilerOptions) *Reconciler {
	o.Page, o.Tries, o.Settle = orDefault(o.Page, 500), orDefault(o.Tries, 3), orDefault(o.Settle, 5*time.Second)
	o.PendingLimit, o.Lookback, o.Window = orDefault(o.PendingLimit, 24*time.Hour), orDefault(o.Lookback, 100_000), orDefault(o.Window, 48*time.Hour)
	r := &Reconciler{o: o, rows: runRows{o.Pool}}
	r.loop = newLoop("reconciliation", 30*time.Second, o.Log, r.pass)
	return r
}

// budget is how long one pass works on a run: less than what a pass may take.
const budget = passDeadline * 2 / 3

func (r *Reconciler) pass(ctx context.Context) (more bool, err error) {
	open, err := r.rows.open(ctx)
	if err != nil {
		return false, err
	}
	if open == nil {
		return r.night(ctx)
	}
	r.detail("run", open.ID)
	finished, err := r.work(ctx, budget, nil)
	if errors.Is(err, ErrReconciling) {
		return false, nil // another process is at it
	}
	return err == nil && !finished, err
}

// night begins the run of this night when its hour has come. One that was missed while nothing
// ran is made up for.
func (r *Reconciler) night(ctx context.Context) (more bool, err error) {
	if r.o.Hour < 0 {
		return false, nil
	}
	now, err := r.o.Executor.Store().Now(ctx)
	if err != nil || now.Hour() < r.o.Hour {
		return false, err
	}
	day := now.UTC().Truncate(24 * time.Hour)
	if done, err := r.rows.nightDone(ctx, day); err != nil || done {
		return false, err
	}
	_, err = r.start(ctx, domain.Machine(domain.Process, r.name), &day)
	if errors.Is(err, ErrReconciling) {
		return false, nil
	}
	return err == nil, err
}

// Start asks for a run and gives its id; the loop works on it, here or in another process.
// ErrReconciling when there is one already, with its id.
func (r *Reconciler) Start(ctx context.Context, by domain.Actor) (string, error) {
	id, err := r.start(ctx, by, nil)
	if err == nil {
		r.Wake()
	}
	return id, err
}

func (r *Reconciler) start(ctx context.Context, by domain.Actor, night *time.Time) (string, error) {
	head, err := r.o.Executor.Store().Head(ctx)
	if err != nil {
		return "", err
	}
	run, err := r.rows.begin(ctx, runState{By: by, From: head.Position}, night)
	if err != nil {
		return "", err
	}
	return run.ID, r.announce(ctx, run)
}

// announce writes the run's first event, once: a process may have died between row and event.
func (r *Reconciler) announce(ctx context.Context, run *runRow) error {
	return r.do(ctx, run, "start", func(i domain.Issue) flow {
		i.By = run.State.By
		return funding.StartReconciliation{Issue: i, ID: run.ID, Position: run.State.From}
	})
}

// do runs a flow of a run under a key, so that a repeat by another process changes nothing.
func (r *Reconciler) do(ctx context.Context, run *runRow, what string, make func(domain.Issue) flow) error {
	now, err := r.o.Executor.Store().Now(ctx)
	if err != nil {
		return err
	}
	i := domain.Issue{By: domain.Machine(domain.Process, r.name), At: now}
	id := domain.DeriveID(run.ID, what)
	meta := eventstore.Metadata{Actor: i.By, CommandID: id, CorrelationID: run.ID, Source: "job"}
	_, err = r.o.Executor.Execute(ctx, meta, &eventstore.Key{Actor: r.name, Key: id, Fingerprint: []byte(what)}, make(i).Run)
	return err
}

// Reconcile makes a run from beginning to end, or joins the one that is under way, and gives its
// result. report, which may be nil, is told how far it is.
func (r *Reconciler) Reconcile(ctx context.Context, by domain.Actor, report func(done, total int64)) (string, reconciliation.RunCompleted, error) {
	if report == nil {
		report = func(int64, int64) {}
	}
	id, err := r.start(ctx, by, nil)
	if f, ok := fault.From(err); ok && errors.Is(err, ErrReconciling) {
		id, err = f.Fields["run"], nil
	}
	if err != nil {
		return "", reconciliation.RunCompleted{}, err
	}
	for {
		run, err := r.rows.get(ctx, id)
		if err != nil {
			return id, reconciliation.RunCompleted{}, err
		}
		if run.State.Result != nil {
			return id, *run.State.Result, nil
		}
		report(run.State.Done, run.State.Total)
		_, err = r.work(ctx, time.Hour, report)
		if errors.Is(err, ErrReconciling) {
			r.sleep(ctx, time.Second, nil)
			err = ctx.Err()
		}
		if err != nil {
			return id, reconciliation.RunCompleted{}, err
		}
	}
}

// work goes on with the open run for a while, if nobody else does. finished is true when there is
// nothing left to do.
func (r *Reconciler) work(ctx context.Context, limit time.Duration, report func(done, total int64)) (finished bool, err error) {
	unlock, err := r.rows.lock(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	run, err := r.rows.open(ctx)
	if err != nil || run == nil {
		return err == nil, err
	}
	if err := r.announce(ctx, run); err != nil {
		return false, err
	}
	c := &comparer{Reconciler: r, run: run, pins: map[uint64]pin{}}
	for until := time.Now().Add(limit); run.Stage != stageDone; {
		if err := c.step(ctx); err != nil {
			return false, fmt.Errorf("reconciliation %s, %s: %w", run.ID, run.Stage, err)
		}
		if report != nil {
			report(run.State.Done, run.State.Total)
		}
		r.detail("stage", run.Stage)
		if time.Now().After(until) {
			return false, nil
		}
	}
	return true, nil
}
