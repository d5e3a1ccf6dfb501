package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/money"
)

func (s *Server) payoutsOf(ctx context.Context, hold domain.HoldID) []domain.PayoutID { return nil }

func (s *Server) holdsPaidTo(ctx context.Context, seller domain.UserID, asset money.Asset) []domain.HoldID {
	return nil
}
