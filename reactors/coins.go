package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
	"holdfast/eventstore"
	"holdfast/projections/watchview"
)

// CoinsOptions join Coins; Every, LateFor and Log may be left out.
type CoinsOptions struct {
	Reconciler *Reconciler
	Watch      watchview.Queries
	// Need is how deep a block of a chain must be where the chain calls none safe.
	Need    func(chain uint64) uint64
	Every   time.Duration // a minute when 0
	LateFor time.Duration // after a payment closed; 14 days when 0
	Log     *slog.Logger
}

// Coins compares what stands at addresses that wait for native coin with what is booked there.
// Coin that a contract sends on leaves no log and is in no transaction's value, so that the
// follower cannot see it. What is found is a break at once and not in the next night; nothing is
// booked by itself, since nobody knows whose transfer it was.
type Coins struct {
	*loop
	o CoinsOptions
	// before are the differences of the last look: one look alone may be ahead of the follower.
	before map[string]reconciliation.Finding
}

// NewCoins makes the loop.
func NewCoins(o CoinsOptions) *Coins {
	o.LateFor = orDefault(o.LateFor, 14*24*time.Hour)
	c := &Coins{o: o}
	c.loop = newLoop("coin balances", orDefault(o.Every, time.Minute), o.Log, c.round)
	return c
}

func (c *Coins) round(ctx context.Context) (more bool, err error) {
	found := map[string]reconciliation.Finding{}
	var problems []error
	for _, chain := range slices.Sorted(maps.Keys(c.o.Reconciler.o.Chains())) {
		problems = append(problems, c.onChain(ctx, chain, found))
	}
	for id, f := range found {
		if before, seen := c.before[id]; seen && before.Same(f) {
			problems = append(problems, c.report(ctx, f))
		}
	}
	c.before = found
	c.detail("over", len(found))
	return false, errors.Join(problems...)
}

// onChain compares the addresses of a chain as of the block below which nothing is undone: what
// stands there was to be seen by the follower long ago.
func (c *Coins) onChain(ctx context.Context, chain uint64, found map[string]reconciliation.Finding) error {
	r, coin := c.o.Reconciler, network.NativeAsset(chain)
	now, err := r.o.Executor.Store().Now(ctx)
	if err != nil {
		return err
	}
	payments, err := c.o.Watch.InCoin(ctx, chain, coin, now.Add(-c.o.LateFor))
	if err != nil || len(payments) == 0 {
		return err
	}
	head, err := r.o.Chains()[chain].Head(ctx)
	if err != nil {
		return err
	}
	head.Number = min(orDefault(head.Safe, head.Number), head.Number-min(head.Number, c.o.Need(chain)))
	look := &comparer{Reconciler: r, run: &runRow{State: runState{Heads: map[string]uint64{}, Unread: map[string]string{}}}}
	if err := look.caughtUp(ctx); err != nil {
		return err
	}
	for part := range slices.Chunk(payments, r.o.Page) {
		ids := make([]string, len(part))
		for i, p := range part {
			ids[i] = string(p)
		}
		places, err := r.o.Books.SomePayments(ctx, "", ids)
		if err != nil {
			return err
		}
		look.pins = map[uint64]pin{chain: {head: head, taken: time.Now()}}
		views, at, err := look.look(ctx, chain, places, false)
		if err != nil {
			return fmt.Errorf("compare coin on chain %d: %w", chain, err)
		}
		for _, v := range views {
			for _, f := range reconciliation.OfPayment(v, at, now) {
				if f.Kind == reconciliation.CustodyOver && f.Amount.Asset == coin {
					found[f.ID()] = f
				}
			}
		}
	}
	return nil
}

func (c *Coins) report(ctx context.Context, f reconciliation.Finding) error {
	x := c.o.Reconciler.o.Executor
	now, err := x.Store().Now(ctx)
	if err != nil {
		return err
	}
	i := domain.Issue{By: domain.Machine(domain.Process, c.name), At: now}
	meta := eventstore.Metadata{Actor: i.By, CommandID: domain.DeriveID(f.ID(), now.String()), Source: "job"}
	flow := funding.RecordBreak{Issue: i, ID: c.name, Finding: f}
	r, err := x.Execute(ctx, meta, nil, flow.Run)
	if err == nil && len(r.Events) > 0 {
		c.log.WarnContext(ctx, "coin that nobody booked", "payment", f.Subject.ID, "amount", f.Amount.Units, "block", f.At.Block)
	}
	return err
}
