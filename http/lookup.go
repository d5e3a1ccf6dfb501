package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/projections"
	"holdfast/projections/escrowview"
)

// payoutsOf names the payouts that paid an order's proceeds: whoever approved one of them
// cannot judge the order. A view that is behind shows a few less; the resolver's own checks
// are in the dispute's stream.
func (s *Server) payoutsOf(ctx context.Context, hold domain.HoldID) []domain.PayoutID {
	if s.deps.Views == nil {
		return nil
	}
	rows, err := s.deps.Views.Payouts.OfHold(ctx, hold)
	if err != nil {
		s.log.WarnContext(ctx, "payouts of an order could not be read", "hold", hold, "error", err)
	}
	var ids []domain.PayoutID
	for _, row := range rows {
		ids = append(ids, row.Doc.Payout)
	}
	return ids
}

// holdsPaidTo names the seller's newest orders in an asset whose proceeds a payout takes.
// Those that a release hold stops are named first: one of them stops the payout.
func (s *Server) holdsPaidTo(ctx context.Context, seller domain.UserID, asset money.Asset) ([]domain.HoldID, error) {
	if s.deps.Views == nil {
		return nil, nil
	}
	list, err := s.deps.Views.Holds.List(ctx, escrowview.Filter{Seller: seller, Asset: asset}, projections.Page{Limit: 100})
	if err != nil {
		return nil, err
	}
	var stopped, free []domain.HoldID
	for _, row := range list.Rows {
		switch {
		case len(row.Doc.ReleaseHolds) > 0:
			stopped = append(stopped, row.Doc.ID)
		case !row.Doc.Released.IsZero():
			free = append(free, row.Doc.ID)
		}
	}
	all := append(stopped, free...)
	return all[:min(len(all), 20)], nil
}
