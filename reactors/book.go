package reactors

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/domain/suspense"
	"holdfast/eventstore"
	"holdfast/projections/watchview"
)

// How many payments are written to at the same time: the log's group commit makes one write of
// them. What concerns one payment stays in its order.
const (
	streamsAtOnce = 256
	// looksAtOnce is for work that asks a node about each.
	looksAtOnce = 16
)

// book records what a scan found.
func (f *ChainFollower) book(ctx context.Context, list watchList, found []network.Deposit) error {
	type share struct {
		payment  watchview.Payment
		deposits []network.Deposit
	}
	var order []*share
	shares := map[domain.PaymentID]*share{}
	for _, d := range found {
		p, ours := list.owner(d)
		if !ours {
			f.log.WarnContext(ctx, "our reference was used to pay somebody else", "tx", d.Tx, "log", d.Log, "reference", d.Reference, "to", d.To)
			continue
		}
		if shares[p.ID] == nil {
			shares[p.ID] = &share{payment: p}
			order = append(order, shares[p.ID])
		}
		shares[p.ID].deposits = append(shares[p.ID].deposits, d)
	}
	if len(order) == 0 {
		return nil
	}
	now, err := f.o.Executor.Store().Now(ctx)
	if err != nil {
		return err
	}
	var payments, evidence []string
	for _, s := range order {
		payments = append(payments, string(s.payment.ID))
		for _, d := range s.deposits {
			evidence = append(evidence, evidenceOf(d).Key())
		}
	}
	if err := eventstore.Warm(ctx, f.o.Executor, payment.Decider, payments); err != nil {
		return err
	}
	if err := eventstore.Warm(ctx, f.o.Executor, suspense.Decider, evidence); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(streamsAtOnce)
	for _, s := range order {
		group.Go(func() error {
			for _, d := range s.deposits {
				if err := f.deposits.recordAt(ctx, now, s.payment, d, "chain", fmt.Sprintf("block:%d/%d", f.id, d.Block)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// recheckDeposits undoes deposits that belong to no payment when their block is gone, and looks
// at once whether another block carries them.
func (f *ChainFollower) recheckDeposits(ctx context.Context, head network.Head) error {
	all, err := f.o.Watch.Deposits(ctx, f.id, f.oldest(head))
	if err != nil || len(all) == 0 {
		return err
	}
	marks := make([]network.Mark, 0, len(all))
	for _, d := range all {
		marks = append(marks, markOf(d.Evidence))
	}
	standings, err := f.standings(ctx, marks)
	if err != nil {
		f.log.WarnContext(ctx, "deposits cannot be looked at again", "error", err)
	}
	for _, d := range all {
		s, known := standings[markOf(d.Evidence)]
		if !known || s.Canonical {
			continue
		}
		if undone := f.undoDeposit(ctx, d); undone != nil {
			return undone
		}
	}
	return err
}

func (f *ChainFollower) undoDeposit(ctx context.Context, d watchview.Deposit) error {
	cause := fmt.Sprintf("reorg:%d/%d", f.id, d.Evidence.Block)
	f.log.WarnContext(ctx, "block of a deposit is gone", "evidence", d.Evidence.Key(), "block", d.Evidence.Block)
	_, err := f.deposits.run(ctx, "chain", cause, func(i domain.Issue) flow {
		return funding.UndoDeposit{Issue: i, Evidence: d.Evidence, Reason: "its block is not part of the chain any more"}
	})
	if judge(err) == final {
		f.log.ErrorContext(ctx, "reorganisation refused", "evidence", d.Evidence.Key(), "code", code(err))
		return nil
	}
	if err != nil || d.Payment == "" {
		return err
	}
	p, ok, err := f.o.Watch.Payment(ctx, d.Payment)
	if err != nil || !ok {
		return err
	}
	_, err = f.deposits.look(ctx, f.chain, p, d.Evidence.Tx, "chain", cause)
	return err
}
