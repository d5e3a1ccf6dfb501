package dispute

import (
	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

func closeAppealWindow(s State, c CloseAppealWindow) ([]Event, error) {
	if !s.Outcome.Final && !c.At.After(s.AppealUntil) {
		return nil, due(c.At, s.AppealUntil.Add(1))
	}
	e := AppealWindowClosed{Dispute: s.Dispute}
	if s.Outcome.Action == ReturnThenRefund {
		by := c.At.Add(s.Terms.ReturnWindow)
		e.ReturnBy = &by
	}
	return []Event{e}, nil
}

func confirmReturn(s State, c ConfirmReturn) ([]Event, error) {
	return []Event{ReturnConfirmed{Dispute: s.Dispute, By: c.By}}, nil
}

func lapseReturn(s State, c LapseReturn) ([]Event, error) {
	if err := due(c.At, s.ReturnBy); err != nil {
		return nil, err
	}
	return []Event{ReturnLapsed{Dispute: s.Dispute}}, nil
}

func defaultSplit(s State, c Default) ([]Event, error) {
	if err := due(c.At, s.MaxAgeAt); err != nil {
		return nil, err
	}
	return []Event{Defaulted{Dispute: s.Dispute, SellerBPS: s.Terms.DefaultSellerBPS}}, nil
}

func resolve(s State, c Resolve) ([]Event, error) {
	if err := within(s, c.Parts.sum()); err != nil {
		return nil, err
	}
	if !c.Parts.Buyer.IsZero() && c.Refund == "" {
		return nil, fault.ErrValidation.At("refund", "is missing")
	}
	return []Event{Resolved{
		Dispute: s.Dispute, Hold: s.Hold, Request: s.Request, Buyer: s.Buyer, Seller: s.Seller,
		Refund: c.Refund, Parts: c.Parts, CheckCloseAt: c.At.Add(s.Terms.CloseCheck),
	}}, nil
}

// within: no more leaves the dispute than it contested. That it is exactly what is still
// frozen, the hold checks.
func within(s State, u money.Units) error {
	if s.Amount().Units.Less(u) {
		return ErrInvalidSplit.With("have", s.Amount().Units).With("need", u)
	}
	return nil
}

// sum is what the parts make up together.
func (p Parts) sum() money.Units {
	sum := money.Zero
	for _, a := range []money.Amount{p.Buyer, p.PlatformFee, p.DisputeFee, p.Seller, p.Reserve, p.Held, p.Releasable} {
		sum = sum.Plus(a.Units)
	}
	return sum
}

func closeDispute(s State, c Close) ([]Event, error) {
	if c.Settled {
		return []Event{Closed{Dispute: s.Dispute}}, nil
	}
	if c.By.Kind != string(domain.Timer) {
		return nil, fault.ErrInvalidState.Because("the money has not arrived yet")
	}
	return []Event{CloseDeferred{Dispute: s.Dispute, CheckCloseAt: c.At.Add(s.Terms.CloseCheck)}}, nil
}
