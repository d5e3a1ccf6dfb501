package reactors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"holdfast/domain"
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
	of := map[domain.PaymentID][]watchview.Transfer{}
	for _, t := range transfers {
		marks = append(marks, markOf(t.Evidence))
		of[t.Payment.ID] = append(of[t.Payment.ID], t)
	}
	standings, err := f.standings(ctx, marks)
	problems := []error{err}
	var depths []Depth
	var mu sync.Mutex
	group := new(errgroup.Group)
	group.SetLimit(streamsAtOnce)
	for _, its := range of {
		group.Go(func() error {
			for _, t := range its {
				s, known := standings[markOf(t.Evidence)]
				if !known {
					continue
				}
				err := f.judgeTransfer(ctx, t, s)
				mu.Lock()
				problems = append(problems, err)
				if s.Canonical && !t.Confirmed {
					depths = append(depths, depthOf(t, s))
				}
				mu.Unlock()
			}
			return nil
		})
	}
	_ = group.Wait()
	f.detail("confirming", len(depths))
	if len(depths) > 0 {
		problems = append(problems, f.o.Notes.Deep(ctx, depths))
	}
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

func (f *ChainFollower) judgeTransfer(ctx context.Context, t watchview.Transfer, s network.Standing) error {
	switch {
	case !s.Canonical:
		return f.undo(ctx, t, "its block is not part of the chain any more")
	case t.Confirmed || !t.Payment.Threshold.Reached(s.Depth, s.Safe, s.Finalized):
		return nil
	}
	switch shown, err := f.attested(ctx, t); {
	case err != nil:
		return fmt.Errorf("attest %s: %w", t.Evidence.Key(), err)
	case !shown:
		return f.undo(ctx, t, "the chain does not show this transfer")
	}
	_, err := f.deposits.run(ctx, "chain", fmt.Sprintf("block:%d/%d", f.id, s.Head), func(i domain.Issue) flow {
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

// attested reports whether every node shows the transfer as it was recorded: one node told of
// it, and what it says must not be money before the others say the same.
func (f *ChainFollower) attested(ctx context.Context, t watchview.Transfer) (bool, error) {
	s, _, err := eventstore.State(ctx, f.o.Executor, payment.Decider, string(t.Payment.ID))
	if err != nil {
		return false, err
	}
	seen, known := s.Transfers[t.Evidence.Key()]
	if !known || seen.Confirmed {
		return true, nil // the view lags; the flow knows what to do
	}
	all, err := f.chain.Attest(ctx, t.Evidence.Tx)
	if err != nil {
		return false, err
	}
	for _, d := range all {
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
