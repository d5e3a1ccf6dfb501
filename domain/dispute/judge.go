package dispute

import (
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// Who decides, the settlement, the decision, the appeal, and carrying the outcome out.

func assignResolver(s State, c AssignResolver) ([]Event, error) {
	if c.Resolver == "" {
		return nil, fault.ErrValidation.At("resolver", "is missing")
	}
	if !c.By.Has(domain.Admin) && (!c.By.Is(c.Resolver) || (s.Resolver != "" && s.Resolver != c.Resolver)) {
		return nil, ErrNotAssigned
	}
	if err := impartial(s, c.Resolver, c.PayoutApprovers); err != nil {
		return nil, err
	}
	if s.Resolver == c.Resolver {
		return nil, nil
	}
	return []Event{ResolverAssigned{Dispute: s.Dispute, Resolver: c.Resolver, Round: s.Round, By: c.By}}, nil
}

// impartial: neither a party, nor who decided before, nor who approved money of this order.
func impartial(s State, u domain.UserID, approvers []domain.UserID) error {
	if u == s.Buyer || u == s.Seller || slices.Contains(s.PastResolvers, u) || slices.Contains(approvers, u) {
		return ErrResolverConflict
	}
	return nil
}

func proposeSettlement(s State, c ProposeSettlement) ([]Event, error) {
	if c.Settlement == "" {
		return nil, fault.ErrValidation.At("settlement", "is missing")
	}
	if c.SellerBPS > money.All {
		return nil, ErrInvalidSplit
	}
	expires := c.ExpiresAt
	if expires.IsZero() {
		expires = c.At.Add(s.Terms.SettlementWindow)
	}
	if !expires.After(c.At) || expires.After(c.At.Add(s.Terms.SettlementWindow)) {
		return nil, fault.ErrValidation.At("expires_at", "must lie within the settlement window")
	}
	return []Event{SettlementProposed{
		Dispute: s.Dispute, Settlement: c.Settlement, By: c.By.User(), SellerBPS: c.SellerBPS,
		Message: c.Message, At: c.At, ExpiresAt: expires,
	}}, nil
}

func acceptSettlement(s State, c AcceptSettlement) ([]Event, error) {
	if c.Settlement != s.Settlement.ID || c.At.After(s.Settlement.ExpiresAt) {
		return nil, ErrSettlementExpired
	}
	if c.By.Is(s.Settlement.By) {
		return nil, fault.ErrForbidden
	}
	return []Event{SettlementAccepted{
		Dispute: s.Dispute, Settlement: c.Settlement, By: c.By.User(), SellerBPS: s.Settlement.SellerBPS,
	}}, nil
}

func declineSettlement(s State, c DeclineSettlement) ([]Event, error) {
	if c.Settlement != s.Settlement.ID {
		return nil, ErrSettlementExpired
	}
	return []Event{SettlementDeclined{
		Dispute: s.Dispute, Settlement: c.Settlement, By: c.By.User(), EvidenceDue: resumed(s, c.At),
	}}, nil
}

func lapseSettlement(s State, c LapseSettlement) ([]Event, error) {
	if err := due(c.At, s.Settlement.ExpiresAt); err != nil {
		return nil, err
	}
	return []Event{SettlementLapsed{Dispute: s.Dispute, Settlement: s.Settlement.ID, EvidenceDue: resumed(s, c.At)}}, nil
}

// resumed is the evidence's due date after the clock stood still for the proposal.
func resumed(s State, at time.Time) time.Time {
	return s.EvidenceDue.Add(at.Sub(s.Settlement.At))
}

func decide(s State, c Decide) ([]Event, error) {
	if err := assigned(s, c.By); err != nil {
		return nil, err
	}
	if err := impartial(s, c.By.User(), c.PayoutApprovers); err != nil {
		return nil, err
	}
	bps, err := split(c.Action, c.SellerBPS)
	if err != nil {
		return nil, err
	}
	payer := c.FeePayer
	switch payer {
	case "":
		payer = SellerPays
	case SellerPays, BuyerPays, NobodyPays:
	default:
		return nil, fault.ErrValidation.At("fee_payer", "must be seller, buyer or none")
	}
	e := Decided{
		Dispute: s.Dispute, Round: s.Round, Action: c.Action, SellerBPS: bps, FeePayer: payer,
		Reason: c.Reason, By: c.By.User(), AppealUntil: c.At.Add(s.Terms.AppealWindow), Final: s.Round >= LastRound,
	}
	if e.Final {
		e.AppealUntil = c.At
	}
	return []Event{e}, nil
}

// split is the seller's share an action implies; a given share must fit it.
func split(a Action, given *money.BPS) (money.BPS, error) {
	var implied money.BPS
	switch a {
	case Refund, ReturnThenRefund:
		implied = 0
	case Release, Replacement:
		implied = money.All
	case Split:
		if given == nil || *given > money.All {
			return 0, ErrInvalidSplit
		}
		return *given, nil
	default:
		return 0, fault.ErrValidation.At("action", "must be refund, release, split, replacement or return_then_refund")
	}
	if given != nil && *given != implied {
		return 0, ErrInvalidSplit.With("action", a).With("implied", implied)
	}
	return implied, nil
}

func appeal(s State, c Appeal) ([]Event, error) {
	switch {
	case s.Outcome.Final:
		return nil, ErrAppealLimit
	case c.At.After(s.AppealUntil):
		return nil, ErrAppealClosed.With("appeal_until", s.AppealUntil.UTC().Format(time.RFC3339))
	case c.By.Is(s.Buyer) && s.Outcome.Action == Refund, c.By.Is(s.Seller) && s.Outcome.Action == Release:
		return nil, fault.ErrForbidden.Because("the decision gave you everything")
	case c.Grounds.Text != "" && c.Grounds.Subject == "":
		return nil, fault.ErrValidation.At("grounds", "names no data subject")
	}
	events := []Event{Appealed{
		Dispute: s.Dispute, By: c.By.User(), Grounds: c.Grounds, Round: s.Round + 1,
		ReviewBy: c.At.Add(s.Terms.ReviewWindow), MaxAgeAt: c.At.Add(s.Terms.MaxAge),
	}}
	return appendEvidence(events, s, c)
}

// appendEvidence adds what the appeal brings along: it counts for the new round, and is due
// with the appeal itself.
func appendEvidence(events []Event, s State, c Appeal) ([]Event, error) {
	if len(c.Evidence) > s.Terms.EvidenceLimit {
		return nil, ErrEvidenceLimit.With("limit", s.Terms.EvidenceLimit)
	}
	for n, e := range c.Evidence {
		if err := e.validate(); err != nil {
			return nil, err
		}
		if slices.Contains(s.EvidenceIDs, e.ID) {
			return nil, fault.ErrValidation.At("evidence.id", "was submitted before")
		}
		events = append(events, EvidenceSubmitted{
			Dispute: s.Dispute, Evidence: e, By: c.By.User(), At: c.At, DueBy: s.AppealUntil, Round: s.Round + 1, Count: n + 1,
		})
	}
	return events, nil
}

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
	for _, a := range []money.Amount{p.Buyer, p.PlatformFee, p.DisputeFee, p.Seller, p.Held, p.Releasable} {
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
