package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/refund"
	"holdfast/domain/safety"
)

// Screener says what is known of an address. It has no error: what cannot be known is
// safety.Unanswered, and nothing is sent there. Nil: nobody is screened.
type Screener interface {
	Screen(ctx context.Context, chain uint64, address string) safety.Verdict
}

// payable screens an address that money is about to be sent to, records what was said, and
// refuses what is not clean: ADDRESS_SCREENED, or SCREENING_UNAVAILABLE when nobody could say.
// It runs before the command, so that no transaction waits for a screening service.
func (s *Server) payable(ctx context.Context, c *call, asset money.Asset, address, purpose string) error {
	if s.deps.Screener == nil || address == "" {
		return nil
	}
	token, ok := s.deps.Registry.Token(asset)
	if !ok {
		return errNoSuchAsset.With("asset", asset)
	}
	v := s.deps.Screener.Screen(ctx, token.Chain, address)
	f := funding.RecordScreening{Issue: domain.Issue{By: domain.Machine(domain.Process, "screening"), At: c.issue().At}, Verdict: v, For: purpose}
	if _, err := s.deps.Executor.Execute(ctx, c.metadata(), nil, f.Run); err != nil {
		return err
	}
	return v.Payable()
}

// screening says of a refund's recipient what the refund wants to know: "clean" or nothing. The
// refusal of an address that is not clean is the refund's own.
func (s *Server) screening(ctx context.Context, c *call, asset money.Asset, a *refund.Address, purpose string) error {
	if a == nil || a.Text == "" || a.Screening == string(safety.Flagged) {
		return nil
	}
	err := s.payable(ctx, c, asset, a.Text, purpose)
	if f, ok := fault.From(err); ok && f.Code == safety.ErrAddress.Code {
		a.Screening = string(safety.Flagged)
		return nil
	}
	return err
}
