package reactors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/refund"
	"holdfast/domain/settlement"
	"holdfast/eventstore"
	"holdfast/projections/watchview"
)

// surfaceFor is how long a transaction of ours that failed is looked for.
const surfaceFor = 14 * 24 * time.Hour

// surface looks whether the chain has carried out what had failed: the transaction that took its
// nonce, or the block in which it reverted, went in a reorganisation that was deeper than we wait
// for. The money is gone then, whatever was given back. It looks once in as many blocks as make a
// transaction firm, since what it looks for takes as long.
func (f *ChainFollower) surface(ctx context.Context, head network.Head) error {
	if head.Number < f.surfaced+max(f.rule.Need, f.rule.Floor, 1) && head.Number >= f.surfaced {
		return nil
	}
	now, err := f.o.Executor.Store().Now(ctx)
	if err != nil {
		return err
	}
	all, err := f.o.Watch.Failed(ctx, f.id, now.Add(-surfaceFor))
	if err != nil {
		return err
	}
	var problems []error
	for _, t := range all {
		if err := f.resurface(ctx, t); err != nil {
			problems = append(problems, fmt.Errorf("%s %s, given up: %w", t.Kind, t.ID, err))
		}
	}
	f.surfaced = head.Number // also after problems: what cannot be read is asked again as rarely
	return errors.Join(problems...)
}

func (f *ChainFollower) resurface(ctx context.Context, t watchview.Transaction) error {
	tx, raw, err := f.transaction(ctx, t)
	if err != nil {
		return err
	}
	out, err := f.outcome(ctx, t, tx, raw)
	if err != nil || out.State != network.Mined || !f.rule.Reached(out.Depth, out.Safe, out.Finalized) {
		return err
	}
	available, err := f.leftOf(ctx, t)
	if err != nil {
		return err
	}
	f.log.ErrorContext(ctx, "the chain has carried out what had failed", "kind", t.Kind, "id", t.ID, "tx", t.Hash, "block", out.Block)
	return f.ended(ctx, t, out, func(i domain.Issue) flow { return surfaceOf(i, t, out, available) })
}

// leftOf is what the one who got the money back has of it; nothing for a sweep, whose money never
// was anybody else's.
func (f *ChainFollower) leftOf(ctx context.Context, t watchview.Transaction) (money.Units, error) {
	switch t.Kind {
	case watchview.Payout:
		s, _, err := eventstore.FreshState(ctx, f.o.Executor, payout.Decider, t.ID)
		if err != nil {
			return money.Zero, err
		}
		return f.available(ctx, ledger.SellerAvailable(s.Seller), s.Amount.Asset)
	case watchview.Refund:
		s, _, err := eventstore.FreshState(ctx, f.o.Executor, refund.Decider, t.ID)
		if err != nil || s.Buyer == "" {
			return money.Zero, err
		}
		return f.available(ctx, ledger.BuyerAvailable(s.Buyer), s.Net.Asset)
	}
	return money.Zero, nil
}

func surfaceOf(i domain.Issue, t watchview.Transaction, out network.Outcome, available money.Units) flow {
	mined := outgoing.Mined{Chain: t.Chain, Tx: t.Hash, Block: out.Block, BlockHash: out.BlockHash}
	switch t.Kind {
	case watchview.Payout:
		return settlement.SurfacePayout{Issue: i, Payout: domain.PayoutID(t.ID), Evidence: mined, Available: available}
	case watchview.Refund:
		return settlement.SurfaceRefund{Issue: i, Refund: domain.RefundID(t.ID), Evidence: mined, Available: available}
	}
	return confirmOf(i, t, out)
}
