package escrow

import (
	"slices"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

func open(_ State, c Open) ([]Event, error) {
	switch {
	case c.Due.IsZero() || c.Due.Asset == "":
		return nil, fault.ErrValidation.At("due", "must be more than nothing")
	case c.Buyer == c.Seller:
		return nil, ErrOwnRequest
	case c.Terms.FeeBPS > money.All || c.Terms.ReserveBPS > money.All:
		return nil, fault.ErrValidation.At("terms.fee_bps", "must be at most 10000")
	case c.By.User() != "" && !c.By.Is(c.Buyer):
		return nil, fault.ErrForbidden
	}
	return []Event{Opened{Hold: c.Hold, Request: c.Request, Offer: c.Offer, Buyer: c.Buyer, Seller: c.Seller, Due: c.Due, Terms: c.Terms, At: c.At}}, nil
}

func credit(s State, c Credit) ([]Event, error) {
	if c.Amount.Asset != s.Due.Asset {
		return nil, money.ErrAssetMismatch
	}
	events := reopened(s, "payment")
	credited := Credited{Payment: c.Payment, Amount: c.Amount, Overpaid: c.Overpaid}
	events = append(events, credited)
	if after := Evolve(s, credited); !s.IsFunded && !s.IsCancelled && after.Missing().IsZero() {
		events = append(events, Funded{At: c.At})
	}
	return events, nil
}

func debit(s State, c Debit) ([]Event, error) {
	d := s.Undo(c.Amount.Units)
	d.Payment = c.Payment
	events := append(reopened(s, "reorganisation"), Event(d))
	if after := Evolve(s, d); s.IsFunded && !after.Missing().IsZero() {
		events = append(events, Unfunded{Reason: "reorganisation"})
	}
	return events, nil
}

// reopened wakes a closed hold that is concerned again.
func reopened(s State, why string) []Event {
	if s.IsClosed {
		return []Event{Reopened{Reason: why}}
	}
	return nil
}

func missing(s State, amount money.Amount) error {
	if s.Unpriced() {
		return ErrQuoteRequired
	}
	if amount.Asset != s.Due.Asset {
		return money.ErrAssetMismatch
	}
	lack := s.Missing()
	if lack.Less(amount.Units) || amount.IsZero() {
		return ErrAmountExceedsDue.With("missing", lack)
	}
	return nil
}

func absorb(s State, c AbsorbFee) ([]Event, error) {
	if err := missing(s, c.Amount); err != nil {
		return nil, err
	}
	e := FeeAbsorbed{Hold: s.ID, Amount: c.Amount, By: c.By}
	return funded(s, e, c.Issue), nil
}

func discount(s State, c FundDiscount) ([]Event, error) {
	if err := missing(s, c.Amount); err != nil {
		return nil, err
	}
	e := DiscountFunded{Hold: s.ID, Amount: c.Amount, Redemption: c.Redemption}
	return funded(s, e, c.Issue), nil
}

func funded(s State, e Event, by domain.Issue) []Event {
	if after := Evolve(s, e); after.Missing().IsZero() {
		return []Event{e, Funded{At: by.At}}
	}
	return []Event{e}
}

func placeHold(s State, c PlaceReleaseHold) ([]Event, error) {
	if c.ID == "" || c.Reason == "" || !slices.Contains([]HoldKind{DisputeHold, AMLHold, AdminHold, GuardHold}, c.Kind) {
		return nil, fault.ErrValidation.At("kind", "id, kind (dispute, aml, admin, guard) and reason are needed")
	}
	if _, there := s.ReleaseHolds[c.ID]; there {
		return nil, nil
	}
	return []Event{ReleaseHoldPlaced{ID: c.ID, Kind: c.Kind, Reason: c.Reason, PlacedBy: c.By}}, nil
}

func liftHold(s State, c LiftReleaseHold) ([]Event, error) {
	h, there := s.ReleaseHolds[c.ID]
	switch {
	case !there:
		return nil, ErrHoldNotFound
	case h.Kind == AMLHold && c.By.Kind == h.PlacedBy.Kind && c.By.ID == h.PlacedBy.ID && c.By.Kind == "user":
		return nil, ErrHoldOwner
	case h.Kind == AMLHold && h.PlacedBy.User() == "" && c.By.User() != "" && (c.Approver.User() == "" || c.Approver.ID == c.By.ID):
		return nil, ErrTwoPeople
	case h.Kind == DisputeHold && c.By.Kind == "user" && !s.orphaned(c.ID):
		return nil, ErrHoldOwner.Because("the hold of a dispute is lifted by the dispute's end")
	case c.By.Has(domain.Guard) && !c.By.Has(domain.Admin) && !c.By.Has(domain.Resolver) && h.Kind != GuardHold:
		return nil, ErrHoldOwner
	}
	return []Event{ReleaseHoldLifted{ID: c.ID, By: c.By, Reason: c.Reason}}, nil
}

func startInspection(s State, c StartInspection) ([]Event, error) {
	if !s.InspectionTo.IsZero() {
		return nil, nil
	}
	ends := c.At.Add(s.Terms.Inspection)
	return []Event{InspectionStarted{EndsAt: ends, ReleaseAt: ends.Add(s.Terms.AutoRelease)}}, nil
}

func extendInspection(s State, c ExtendInspection) ([]Event, error) {
	if s.InspectionTo.IsZero() || !c.EndsAt.After(s.InspectionTo) || !c.EndsAt.After(c.At) {
		return nil, fault.ErrValidation.At("endsAt", "must be later than the end that is set")
	}
	return []Event{InspectionExtended{EndsAt: c.EndsAt, ReleaseAt: c.EndsAt.Add(s.Terms.AutoRelease), By: c.By}}, nil
}

func markReleasable(s State, c MarkReleasable) ([]Event, error) {
	amount := c.Amount
	if amount.IsZero() {
		amount = s.Held
	}
	if amount.IsZero() {
		return nil, nil // all of it is releasable already
	}
	if s.Held.Less(amount) {
		return nil, ErrInsufficientHeld.With("have", s.Held).With("need", amount)
	}
	return []Event{MadeReleasable{Hold: s.ID, Amount: s.Amount(amount), Cause: c.Cause}}, nil
}

func revoke(s State, c RevokeRelease) ([]Event, error) {
	if s.Releasable.IsZero() {
		return nil, ErrNotReleasable
	}
	return []Event{ReleaseRevoked{Hold: s.ID, Amount: s.Amount(s.Releasable), Reason: c.Reason}}, nil
}

func release(s State, c Release) ([]Event, error) {
	gross := c.Amount
	if gross.IsZero() {
		gross = s.Releasable
	}
	switch {
	case len(s.ReleaseHolds) > 0:
		return nil, ErrReleaseHold.With("kinds", s.Stopped())
	case s.Releasable.IsZero():
		return nil, ErrNotReleasable.With("state", s.Phase())
	case s.Releasable.Less(gross):
		return nil, ErrInsufficientHeld.With("have", s.Releasable).With("need", gross)
	}
	if limit := s.Terms.ApprovalLimit; !limit.IsZero() && limit.Less(gross) {
		switch {
		case c.By.User() == "":
			return nil, ErrApprovalRequired
		case s.Approval == nil || s.Approved.Less(gross):
			return []Event{ReleaseApprovalRecorded{By: c.By, Amount: s.Amount(gross)}}, nil
		case s.Approval.ID == c.By.ID:
			return nil, ErrApprovalRequired
		}
	}
	fee := s.FeeFor(gross)
	proceeds := gross.Minus(fee)
	reserve := s.ReserveFor(proceeds)
	e := Released{
		Hold: s.ID, Seller: s.Seller, Gross: s.Amount(gross), Fee: s.Amount(fee), Net: s.Amount(proceeds.Minus(reserve)), Reserve: s.Amount(reserve), By: c.By,
	}
	if !reserve.IsZero() {
		e.ReserveUntil = c.At.Add(s.Terms.ReserveFor)
	}
	return []Event{e}, nil
}

func takeForRefund(s State, c TakeForRefund) ([]Event, error) {
	if slices.Contains(s.OpenRefunds, c.Refund) {
		return nil, nil
	}
	have := s.Held
	if c.From == Releasable {
		have = s.Releasable
	}
	switch {
	case c.From != Held && c.From != Releasable:
		return nil, fault.ErrValidation.At("source", "must be held or releasable")
	case c.Amount.Asset != s.Due.Asset:
		return nil, money.ErrAssetMismatch
	case s.Left().IsZero():
		return nil, ErrAlreadyRefunded
	case c.Amount.IsZero() || have.Less(c.Amount.Units):
		return nil, ErrRefundExceeds.With("have", have).With("need", c.Amount.Units)
	}
	return []Event{RefundTaken{Refund: c.Refund, From: c.From, Amount: c.Amount}}, nil
}

func returnFromRefund(s State, c ReturnFromRefund) ([]Event, error) {
	if !slices.Contains(s.OpenRefunds, c.Refund) {
		return nil, nil
	}
	return append(reopened(s, "refund cancelled"), RefundReturned{Refund: c.Refund, To: c.To, Amount: c.Amount}), nil
}

func settleRefund(s State, c SettleRefund) ([]Event, error) {
	if !slices.Contains(s.OpenRefunds, c.Refund) {
		return nil, nil
	}
	return []Event{RefundSettled{Refund: c.Refund}}, nil
}

func unsettleRefund(s State, c UnsettleRefund) ([]Event, error) {
	if slices.Contains(s.OpenRefunds, c.Refund) {
		return nil, nil
	}
	return append(reopened(s, "refund reorganised"), RefundUnsettled{Refund: c.Refund}), nil
}

func clawBack(s State, c ClawBack) ([]Event, error) {
	if slices.Contains(s.OpenRefunds, c.Refund) {
		return nil, nil
	}
	left, ok := s.Released.Sub(s.ClawedBack)
	if !ok || c.Amount.IsZero() || left.Less(c.Amount.Units) {
		return nil, ErrRefundExceeds.With("have", left).With("need", c.Amount.Units)
	}
	return append(reopened(s, "clawback"), ClawedBack{Refund: c.Refund, Amount: c.Amount}), nil
}

func returnClawback(s State, c ReturnClawback) ([]Event, error) {
	if !slices.Contains(s.OpenRefunds, c.Refund) {
		return nil, nil
	}
	if s.ClawedBack.Less(c.Amount.Units) {
		return nil, ErrRefundExceeds.With("have", s.ClawedBack).With("need", c.Amount.Units)
	}
	drawn := s.Drawn[c.Refund]
	e := ClawbackReturned{Refund: c.Refund, Amount: c.Amount, Lots: drawn}
	if sum := sumOf(drawn); !sum.IsZero() {
		e.Reserve = s.Amount(sum)
	}
	return []Event{e}, nil
}

func freeze(s State, c Freeze) ([]Event, error) {
	all := s.Held.Plus(s.Releasable)
	amount := c.Amount
	if amount.IsZero() {
		amount = all
	}
	if amount.IsZero() || all.Less(amount) {
		return nil, ErrNothingToDispute.With("have", all).With("need", amount)
	}
	fromHeld := s.Held.Min(amount)
	return []Event{Frozen{Dispute: c.Dispute, FromHeld: s.Amount(fromHeld), FromReleasable: s.Amount(amount.Minus(fromHeld))}}, nil
}

func unfreeze(s State, c Unfreeze) ([]Event, error) {
	if s.Contested == nil || s.Contested.Dispute != c.Dispute {
		return nil, fault.ErrInvalidState.With("dispute", c.Dispute)
	}
	return []Event{Unfrozen{Dispute: c.Dispute, ToHeld: s.Amount(s.Contested.FromHeld), ToReleasable: s.Amount(s.Contested.FromReleasable)}}, nil
}

func resolve(s State, c Resolve) ([]Event, error) {
	if s.Contested == nil || s.Contested.Dispute != c.Dispute {
		return nil, fault.ErrInvalidState.With("dispute", c.Dispute)
	}
	sum := money.Zero
	for _, part := range []money.Units{c.Buyer, c.PlatformFee, c.DisputeFee, c.Seller, c.Reserve, c.ToHeld, c.ToReleasable} {
		var err error
		if sum, err = sum.Add(part); err != nil {
			return nil, ErrInvalidSplit
		}
	}
	if sum != s.Disputed || (c.Buyer.IsZero() != (c.Refund == "")) {
		return nil, ErrInvalidSplit.With("have", s.Disputed).With("parts", sum)
	}
	if due := s.ReserveFor(c.Seller.Plus(c.Reserve)); c.Reserve != due {
		return nil, ErrInvalidSplit.With("reserve", due).With("given", c.Reserve)
	}
	e := DisputeSettled{
		Dispute: c.Dispute, Refund: c.Refund, Buyer: s.Amount(c.Buyer), PlatformFee: s.Amount(c.PlatformFee), DisputeFee: s.Amount(c.DisputeFee),
		Seller: s.Amount(c.Seller), ToHeld: s.Amount(c.ToHeld), ToReleasable: s.Amount(c.ToReleasable), Withholds: true,
	}
	if !c.Reserve.IsZero() {
		e.Reserve, e.ReserveUntil = s.Amount(c.Reserve), c.At.Add(s.Terms.ReserveFor)
	}
	return []Event{e}, nil
}

func cancel(_ State, c Cancel) ([]Event, error) {
	return []Event{Cancelled{Reason: c.Reason, By: c.By}}, nil
}

func closeHold(s State, c Close) ([]Event, error) {
	if !s.Left().IsZero() || len(s.OpenRefunds) > 0 {
		return nil, ErrNotEmpty.With("left", s.Left()).With("refunds", len(s.OpenRefunds))
	}
	return []Event{Closed{At: c.At}}, nil
}

func reopen(_ State, c Reopen) ([]Event, error) {
	return []Event{Reopened{Reason: c.Reason}}, nil
}
