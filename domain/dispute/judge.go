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
