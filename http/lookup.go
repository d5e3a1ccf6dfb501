package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

func (s *Server) holdOf(ctx context.Context, c *call, request string) (escrow.State, error) {
	return escrow.State{}, fault.ErrNotFound
}

func (s *Server) payoutsOf(ctx context.Context, hold domain.HoldID) []domain.PayoutID { return nil }

func (s *Server) holdsPaidTo(ctx context.Context, seller domain.UserID, asset money.Asset) []domain.HoldID {
	return nil
}
