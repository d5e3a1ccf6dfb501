package funding

import (
	"maps"
	"slices"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/ledger"
	"holdfast/domain/offer"
	"holdfast/domain/order"
	"holdfast/domain/payment"
	"holdfast/domain/quote"
	"holdfast/domain/request"
	"holdfast/domain/safety"
	"holdfast/domain/suspense"
)

// screening is the policy that the payment is opened with; nil where nobody is screened.
func (f InitiatePayment) screening(u *domain.Unit, h escrow.State) (*safety.Policy, error) {
	o, err := domain.StateOf(u, offer.Decider, string(h.Offer))
	if err != nil {
		return nil, err
	}
	p := f.Safety.For(o.Terms.RequireAML, o.Terms.AMLBlocks)
	if !p.Screen {
		return nil, nil
	}
	return &p, nil
}

// ScreeningHold names the release hold of a payment whose payers are not surely clean.
func ScreeningHold(id domain.PaymentID) string { return "screening-" + string(id) }

// stopRelease fits the release hold of a payment to what is known of its payers: it is placed in
// the very unit in which money is seen, so that there is no moment in which money of an unknown
// payer could be released, and lifted when every payer is clean or was cleared by two people.
func stopRelease(u *domain.Unit, i domain.Issue, id domain.PaymentID) error {
	s, err := existing(u, id)
	if err != nil || s.Safety == nil || !s.Safety.Block {
		return err
	}
	h, err := holdOf(u, s.Hold)
	if err != nil {
		return err
	}
	name := ScreeningHold(id)
	_, placed := h.ReleaseHolds[name]
	var c domain.Command
	switch doubt := s.Doubtful(); {
	case doubt && !placed:
		c = escrow.PlaceReleaseHold{Issue: own(i), ID: name, Kind: escrow.AMLHold, Reason: "a payer is not screened as clean"}
	case !doubt && placed:
		c = escrow.LiftReleaseHold{Issue: own(i), ID: name, Reason: "every payer is clean or was cleared by two people"}
	default:
		return nil
	}
	_, err = domain.Do(u, escrow.Decider, string(s.Hold), c)
	return err
}

// ScreenTransfer notes what screening says of a transfer's payer. A hit holds a payment on its way
// for review; a hit on money that comes after all was paid makes that money nobody's. A verdict
// on a transfer that is gone changes nothing.
type ScreenTransfer struct {
	domain.Issue
	Payment  domain.PaymentID
	Evidence payment.Evidence
	Verdict  safety.Verdict
}

// Run decides.
func (f ScreenTransfer) Run(u *domain.Unit) (any, error) {
	s, err := existing(u, f.Payment)
	if err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, payment.Decider, string(f.Payment), payment.Screen{Issue: f.Issue, Evidence: f.Evidence, Verdict: f.Verdict}); err != nil {
		return nil, err
	}
	t, known := s.Transfers[f.Evidence.Key()]
	extra := known && !t.Confirmed && s.Phase == payment.PaidPhase
	if extra && f.Verdict.Outcome == safety.Flagged && s.Safety != nil && s.Safety.Block {
		if err := refuseTransfer(u, f.Issue, s, f.Evidence.Key()); err != nil {
			return nil, err
		}
	}
	if err := stopRelease(u, f.Issue, f.Payment); err != nil {
		return nil, err
	}
	return paymentAnswer(u, f.Payment)
}

// RecordScreening notes what screening says of an address that is to be paid.
type RecordScreening struct {
	domain.Issue
	Verdict safety.Verdict
	For     string
}

// Run decides.
func (f RecordScreening) Run(u *domain.Unit) (any, error) {
	_, err := domain.Do(u, safety.Decider, safety.ID(f.Verdict.Chain, f.Verdict.Address), safety.Record{Issue: own(f.Issue), Verdict: f.Verdict, For: f.For})
	return f.Verdict, err
}

// ClearReview lets a payment go on that two people have looked at. Errors: SELF_APPROVAL.
type ClearReview struct {
	domain.Issue
	Payment  domain.PaymentID
	Approver domain.Actor // who has agreed before
	alone    bool         // see ClearReviewAlone
}

// Run decides.
func (f ClearReview) Run(u *domain.Unit) (any, error) {
	if _, err := onPayment(u, f.Payment, payment.ClearReview{Issue: f.Issue, Approver: f.Approver, Alone: f.alone}); err != nil {
		return nil, err
	}
	if err := stopRelease(u, f.Issue, f.Payment); err != nil {
		return nil, err
	}
	return paymentAnswer(u, f.Payment)
}

// RejectReview refuses a payment's money: what was seen and not confirmed goes to suspense, to be
// refunded from there, and the order is free for another selection. Errors: SELF_APPROVAL.
type RejectReview struct {
	domain.Issue
	Payment  domain.PaymentID
	Approver domain.Actor
}

// Run decides.
func (f RejectReview) Run(u *domain.Unit) (any, error) {
	s, err := existing(u, f.Payment)
	if err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, payment.Decider, string(f.Payment), payment.RejectReview{Issue: f.Issue, Approver: f.Approver}); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(s.Transfers)) {
		if s.Transfers[key].Confirmed {
			continue
		}
		if err := refuseTransfer(u, f.Issue, s, key); err != nil {
			return nil, err
		}
	}
	if err := endQuote(u, s.Quote, quote.Expire{Issue: own(f.Issue)}); err != nil {
		return nil, err
	}
	r, err := domain.StateOf(u, request.Decider, string(s.Request))
	if err != nil {
		return nil, err
	}
	if r.Phase == request.AwaitingPayment && r.Selected.Hold == s.Hold {
		if _, err := (order.ReleaseSelection{Issue: own(f.Issue), Request: s.Request, Reason: "the payment was rejected by review"}).Run(u); err != nil {
			return nil, err
		}
	}
	return paymentAnswer(u, f.Payment)
}

// refuseTransfer takes a transfer that is not confirmed out of its payment: it is nobody's, to be
// refunded from suspense.
func refuseTransfer(u *domain.Unit, i domain.Issue, s payment.State, key string) error {
	t := s.Transfers[key]
	if _, err := domain.Do(u, payment.Decider, string(s.ID), payment.Drop{Issue: own(i), Evidence: t.Evidence, Reason: "rejected by review"}); err != nil {
		return err
	}
	_, err := domain.Do(u, suspense.Decider, key, suspense.Record{
		Issue: own(i), Evidence: t.Evidence, Custody: ledger.Derived(s.Destination), Amount: t.Amount, From: t.From, Reason: suspense.Rejected, Payment: s.ID,
	})
	return err
}
