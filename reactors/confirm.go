package reactors

import (
	"context"
	"errors"
	"fmt"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/projections/watchview"
)

// confirm looks at every transfer that is not final: its block may be gone, or deep enough now.
func (f *ChainFollower) confirm(ctx context.Context, head network.Head) error {
	transfers, err := f.o.Watch.Transfers(ctx, f.id, f.oldest(head))
	if err != nil {
		return err
	}
	standings := map[Block]network.Standing{}
	var depths []Depth
	var problems []error
	for _, t := range transfers {
		at := Block{Number: t.Evidence.Block, Hash: t.Evidence.BlockHash}
		s, known := standings[at]
		if !known {
			if s, err = f.chain.Standing(ctx, at.Number, at.Hash); err != nil {
				problems = append(problems, fmt.Errorf("transfer %s: %w", t.Evidence.Key(), err))
				continue
			}
			standings[at] = s
		}
		problems = append(problems, f.judgeTransfer(ctx, t, s))
		if s.Canonical && !t.Confirmed {
			depths = append(depths, depthOf(t, s))
		}
	}
	f.detail("confirming", len(depths))
	if len(depths) > 0 {
		problems = append(problems, f.o.Notes.Deep(ctx, depths))
	}
	return errors.Join(problems...)
}

// oldest is the lowest block at which a confirmed fact is looked at again.
func (f *ChainFollower) oldest(head network.Head) uint64 {
	lowest := head.Number - min(head.Number, f.o.Reorg)
	return max(lowest, head.Finalized+min(head.Finalized, 1))
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
		return f.undo(ctx, t)
	case t.Confirmed || !t.Payment.Threshold.Reached(s.Depth, s.Safe, s.Finalized):
		return nil
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

// undo books that a transfer's block is gone, and looks at once whether another block carries
// it: that one may be below the point up to which the chain was scanned.
func (f *ChainFollower) undo(ctx context.Context, t watchview.Transfer) error {
	p := t.Payment
	f.log.WarnContext(ctx, "block of a transfer is gone", "evidence", t.Evidence.Key(), "block", t.Evidence.Block, "payment", p.ID, "confirmed", t.Confirmed)
	available, err := f.available(ctx, ledger.SellerAvailable(p.Seller), p.Asset)
	if err != nil {
		return err
	}
	cause := fmt.Sprintf("reorg:%d/%d", f.id, t.Evidence.Block)
	_, err = f.deposits.run(ctx, "chain", cause, func(i domain.Issue) flow {
		return funding.ObserveReorg{Issue: i, Payment: p.ID, Evidence: t.Evidence, Reason: "its block is not part of the chain any more", SellerAvailable: available}
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
