package http

import (
	"cmp"
	"context"
	"slices"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/payment"
	"holdfast/eventstore"
)

// ledgerOfPayment gives the entries of the hold's own accounts, in order.
func (s *Server) ledgerOfPayment(ctx context.Context, c *call, in *paymentInput) (reply, error) {
	row, err := s.paymentRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	hold := row.Doc.Hold
	all := []LedgerEntry{}
	for _, account := range []ledger.Account{ledger.Held(hold), ledger.Releasable(hold), ledger.Disputed(hold)} {
		entries, err := s.deps.Executor.Store().Entries(ctx, account, row.Doc.Due.Asset, 0, 1000)
		if err != nil {
			return reply{}, err
		}
		for _, e := range entries {
			all = append(all, entryOf(e))
		}
	}
	slices.SortStableFunc(all, func(a, b LedgerEntry) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Line, b.Line))
	})
	return reply{data: all}, nil
}

func (s *Server) eventsOfPayment(ctx context.Context, c *call, in *timelineInput) (reply, error) {
	row, err := s.paymentRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	after, err := readPositionCursor("timeline", in.Cursor)
	if err != nil {
		return reply{}, err
	}
	events, err := s.deps.Views.Timeline.OfStream(ctx, domain.Stream{Type: payment.Decider.Category, ID: in.ID}, after, in.Limit)
	if err != nil {
		return reply{}, err
	}
	return happenings(events, in.Limit, row.Doc.Buyer, row.Doc.Seller, func(eventstore.Recorded) bool { return true }), nil
}

func (s *Server) proofOfPayment(ctx context.Context, c *call, in *paymentInput) (reply, error) {
	row, err := s.paymentRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	return s.inclusion(ctx, c, &inclusionInput{Position: row.Pos})
}

func (s *Server) reconcilePayment(ctx context.Context, c *call, in *paymentInput) (reply, error) {
	if s.deps.Reconciler == nil {
		return reply{}, errNotConfigured
	}
	p, err := s.paymentFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	report, err := s.deps.Reconciler.Payment(ctx, p.ID)
	return reply{data: report}, err
}
