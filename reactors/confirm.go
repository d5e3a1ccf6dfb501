package reactors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/eventstore"
	"holdfast/projections/watchview"
)

// confirm looks at every transfer that is not final: its block may be gone, or deep enough now.
func (f *ChainFollower) confirm(ctx context.Context, head network.Head) error {
	transfers, err := f.o.Watch.Transfers(ctx, f.id, f.oldest(head))
	if err != nil || len(transfers) == 0 {
		return err
	}
	marks := make([]network.Mark, 0, len(transfers))
	for _, t := range transfers {
		marks = append(marks, markOf(t.Evidence))
	}
	standings, err := f.standings(ctx, marks)
	problems := []error{err}
	var depths []Depth
	var gone, ready []watchview.Transfer
	for _, t := range transfers {
		s, known := standings[markOf(t.Evidence)]
		if !known {
			continue
		}
		if s.Canonical && !t.Confirmed {
			depths = append(depths, depthOf(t, s))
		}
		switch {
		case !s.Canonical:
			gone = append(gone, t)
		case !t.Confirmed && t.Payment.Threshold.Reached(s.Depth, s.Safe, s.Finalized):
			ready = append(ready, t)
		}
	}
	problems = append(problems, eachPayment(gone, looksAtOnce, func(t watchview.Transfer) error {
		return f.undo(ctx, t, "its block is not part of the chain any more")
	}))
	for part := range slices.Chunk(ready, confirmAtOnce) {
		problems = append(problems, f.confirmAll(ctx, part, standings))
	}
	f.detail("confirming", len(depths))
	if len(depths) > 0 {
		problems = append(problems, f.o.Notes.Deep(ctx, depths))
	}
	return errors.Join(problems...)
}

// confirmAtOnce bounds what one round of confirmations holds in memory.
const confirmAtOnce = 500

// eachPayment works on transfers of many payments at once; those of one stay in their order. What
// goes wrong with one keeps no other waiting.
func eachPayment(all []watchview.Transfer, atOnce int, do func(watchview.Transfer) error) error {
	of := map[domain.PaymentID][]watchview.Transfer{}
	for _, t := range all {
		of[t.Payment.ID] = append(of[t.Payment.ID], t)
	}
	var mu sync.Mutex
	var problems []error
	group := new(errgroup.Group)
	group.SetLimit(atOnce)
	for _, its := range of {
		group.Go(func() error {
			for _, t := range its {
				if err := do(t); err != nil {
					mu.Lock()
					problems = append(problems, err)
					mu.Unlock()
				}
			}
			return nil
		})
	}
	_ = group.Wait()
	return errors.Join(problems...)
}

func markOf(e payment.Evidence) network.Mark { return network.Mark{Number: e.Block, Hash: e.BlockHash} }

// standings asks about each block once.
func (f *ChainFollower) standings(ctx context.Context, marks []network.Mark) (map[network.Mark]network.Standing, error) {
	slices.SortFunc(marks, func(a, b network.Mark) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Hash, b.Hash))
	})
	return f.chain.Standings(ctx, slices.Compact(marks))
}

// oldest is the lowest block at which a confirmed fact is looked at again.
func (f *ChainFollower) oldest(head network.Head) uint64 {
	lowest := head.Number - min(head.Number, f.deepest+f.o.Reorg)
	final := head.Finalized + min(head.Finalized, 1)
	if f.lost > 0 {
		final = min(final, f.lost)
	}
	return max(lowest, final)
}

func depthOf(t watchview.Transfer, s network.Standing) Depth {
	th := t.Payment.Threshold
	return Depth{
		Payment: t.Payment.ID, Evidence: t.Evidence.Key(), Chain: t.Evidence.Chain, Tx: t.Evidence.Tx, Block: t.Evidence.Block,
		Have: s.Depth, Need: max(th.Need, th.Floor, 1), Finalized: s.Finalized,
	}
}

// confirmAll confirms transfers that are deep enough, once every node shows them as they were
// recorded: one node told of them, and what it says must not be money before the others say the same.
func (f *ChainFollower) confirmAll(ctx context.Context, ready []watchview.Transfer, standings map[network.Mark]network.Standing) error {
	now, err := f.o.Executor.Store().Now(ctx)
	if err != nil {
		return err
	}
	var payments, holds, destinations, txs []string
	for _, t := range ready {
		payments, holds = append(payments, string(t.Payment.ID)), append(holds, string(t.Payment.Hold))
		destinations, txs = append(destinations, string(t.Payment.Destination)), append(txs, t.Evidence.Tx)
	}
	if err := errors.Join(
		eventstore.Warm(ctx, f.o.Executor, payment.Decider, payments),
		eventstore.Warm(ctx, f.o.Executor, escrow.Decider, holds),
		eventstore.Warm(ctx, f.o.Executor, destination.Decider, destinations),
	); err != nil {
		return err
	}
	slices.Sort(txs)
	moved, unsure := f.chain.Attest(ctx, slices.Compact(txs))
	if unsure != nil {
		unsure = fmt.Errorf("attest transfers: %w", unsure)
	}
	return errors.Join(unsure, eachPayment(ready, streamsAtOnce, func(t watchview.Transfer) error {
		deposits, known := moved[t.Evidence.Tx]
		if !known {
			return nil // unsure speaks of it
		}
		switch shown, err := f.shown(ctx, t, deposits); {
		case err != nil:
			return err
		case !shown:
			return f.undo(ctx, t, "the chain does not show this transfer")
		}
		return f.confirmTransfer(ctx, now, t, standings[markOf(t.Evidence)])
	}))
}

func (f *ChainFollower) confirmTransfer(ctx context.Context, now time.Time, t watchview.Transfer, s network.Standing) error {
	_, err := f.deposits.runAt(ctx, now, "chain", fmt.Sprintf("block:%d/%d", f.id, s.Head), "confirm "+t.Evidence.Key(), func(i domain.Issue) flow {
		return funding.ConfirmTransfer{Issue: i, Payment: t.Payment.ID, Evidence: t.Evidence, Depth: s.Depth, Finalized: s.Finalized, Safe: s.Safe}
	})
	if judge(err) == final {
		if !errors.Is(err, payment.ErrUnderReview) {
			f.log.WarnContext(ctx, "confirmation refused", "evidence", t.Evidence.Key(), "payment", t.Payment.ID, "code", code(err))
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("confirm %s: %w", t.Evidence.Key(), err)
	}
	f.log.InfoContext(ctx, "transfer confirmed", "evidence", t.Evidence.Key(), "payment", t.Payment.ID, "depth", s.Depth)
	return nil
}

// shown reports whether what a transaction moved holds the transfer as it was recorded.
func (f *ChainFollower) shown(ctx context.Context, t watchview.Transfer, moved []network.Deposit) (bool, error) {
	s, _, err := eventstore.State(ctx, f.o.Executor, payment.Decider, string(t.Payment.ID))
	if err != nil {
		return false, err
	}
	seen, known := s.Transfers[t.Evidence.Key()]
	if !known { // another process may have seen it since this one looked
		if s, _, err = eventstore.FreshState(ctx, f.o.Executor, payment.Decider, string(t.Payment.ID)); err != nil {
			return false, err
		}
		seen, known = s.Transfers[t.Evidence.Key()]
	}
	if !known || seen.Confirmed {
		return true, nil // the view lags; the flow knows what to do
	}
	for _, d := range moved {
		if d.Log == t.Evidence.Log && sameHash(d.BlockHash, t.Evidence.BlockHash) {
			return d.Amount == seen.Amount.Units && d.Asset == seen.Amount.Asset && strings.EqualFold(d.To, t.Payment.Address), nil
		}
	}
	return false, nil
}

// undo books that a transfer's block is gone, and looks at once whether another block carries
// it: that one may be below the point up to which the chain was scanned.
func (f *ChainFollower) undo(ctx context.Context, t watchview.Transfer, reason string) error {
	p := t.Payment
	f.log.WarnContext(ctx, "transfer is undone", "reason", reason, "evidence", t.Evidence.Key(), "block", t.Evidence.Block, "payment", p.ID, "confirmed", t.Confirmed)
	available, err := f.available(ctx, ledger.SellerAvailable(p.Seller), p.Asset)
	if err != nil {
		return err
	}
	cause := fmt.Sprintf("reorg:%d/%d", f.id, t.Evidence.Block)
	_, err = f.deposits.run(ctx, "chain", cause, func(i domain.Issue) flow {
		return funding.ObserveReorg{Issue: i, Payment: p.ID, Evidence: t.Evidence, Reason: reason, SellerAvailable: available}
	})
	if judge(err) == final {
		f.log.ErrorContext(ctx, "reorganisation refused", "evidence", t.Evidence.Key(), "payment", p.ID, "code", code(err))
		return nil
	}
	if err != nil {
		return fmt.Errorf("undo %s: %w", t.Evidence.Key(), err)
	}
	_, err = f.deposits.look(ctx, f.chain, p, t.Evidence.Tx, "chain", cause)
	return err
}

// available is what a decision may take from a credit account; nothing when facts have
// overdrawn it.
func (f *ChainFollower) available(ctx context.Context, a ledger.Account, asset money.Asset) (money.Units, error) {
	b, err := f.o.Executor.Store().Balance(ctx, a, asset)
	if err != nil {
		return money.Zero, fmt.Errorf("read the balance of %s: %w", a, err)
	}
	posted, ok := b.CreditsPosted.Sub(b.DebitsPosted)
	if !ok {
		return money.Zero, nil
	}
	left, _ := posted.Sub(b.DebitsPending)
	return left, nil
}
