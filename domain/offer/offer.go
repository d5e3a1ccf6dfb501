package offer

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/machine"
)

// The phases.
const (
	SubmittedPhase  = "Submitted"
	CounteredPhase  = "Countered"
	AcceptedPhase   = "Accepted"
	RejectedPhase   = "Rejected"
	SupersededPhase = "Superseded"
	WithdrawnPhase  = "Withdrawn"
	ExpiredPhase    = "Expired"
	FulfilledPhase  = "Fulfilled"
	VoidedPhase     = "Voided"
)

// State is what the rules need to know of an offer.
type State struct {
	ID       domain.OfferID   `json:"id"`
	Request  domain.RequestID `json:"request"`
	Buyer    domain.UserID    `json:"buyer"`
	Seller   domain.UserID    `json:"seller"`
	Revision int              `json:"revision"`
	Terms    Terms            `json:"terms"`
	Counter  *Countered       `json:"counter,omitempty"`
	Hold     domain.HoldID    `json:"hold,omitempty"`
	Quote    domain.QuoteID   `json:"quote,omitempty"` // the newest
	Phase    string           `json:"phase"`
	Legacy   domain.Snapshot  `json:"legacy,omitzero"`
}

// Expired reports that the offer's time is over, whether or not its timer has fired.
func (s State) Expired(now time.Time) bool {
	return !s.Terms.ValidUntil.IsZero() && !now.Before(s.Terms.ValidUntil)
}

// Decider is the offer.
var Decider = domain.Decider[State, Event]{Category: "seller_offer", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	s = evolve(s, e)
	s.Legacy = s.Legacy.After(e)
	return s
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Imported:
		s = imported(s, e)
	case Submitted:
		s = State{ID: e.Offer, Request: e.Request, Buyer: e.Buyer, Seller: e.Seller, Revision: 1, Terms: e.Terms, Phase: SubmittedPhase}
	case Revised:
		s.Revision, s.Terms = e.Revision, e.Terms
	case Countered:
		s.Counter, s.Phase = &e, CounteredPhase
	case CounterAccepted:
		s.Counter, s.Revision, s.Terms, s.Phase = nil, e.Revision, e.Terms, SubmittedPhase
	case CounterDeclined, CounterLapsed:
		s.Counter, s.Phase = nil, SubmittedPhase
	case Accepted:
		s.Phase, s.Hold = AcceptedPhase, e.Hold
	case AcceptanceReverted:
		s.Phase, s.Hold = SubmittedPhase, ""
	case Rejected:
		s.Phase = RejectedPhase
	case Superseded:
		s.Phase, s.Counter = SupersededPhase, nil
	case Revived:
		s.Phase = SubmittedPhase
	case Withdrawn:
		s.Phase, s.Counter = WithdrawnPhase, nil
	case Expired:
		s.Phase, s.Counter = ExpiredPhase, nil
	case Quoted:
		s.Quote = e.Quote
	case Fulfilled:
		s.Phase = FulfilledPhase
	case Voided:
		s.Phase = VoidedPhase
	}
	return s
}

// Table is the offer's state machine.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	phases := []string{"", SubmittedPhase, CounteredPhase, AcceptedPhase, RejectedPhase, SupersededPhase, WithdrawnPhase, ExpiredPhase, FulfilledPhase, VoidedPhase}
	live := []string{SubmittedPhase, CounteredPhase, AcceptedPhase}
	seller, buyer, timer, process := []domain.Capacity{domain.Seller}, []domain.Capacity{domain.Buyer}, []domain.Capacity{domain.Timer, domain.Process}, []domain.Capacity{domain.Process}
	return machine.Table[State, Event]{
		Name:   "SellerOffer",
		Phases: phases,
		Phase:  func(s State) string { return s.Phase }, As: parties, Refuse: refuse,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: []string{""}, By: []domain.Capacity{domain.Seller, domain.Process}, To: []string{SubmittedPhase},
				Guard: "buyer ≠ seller → OWN_REQUEST; price above zero; valid later than now; texts within limits → VALIDATION_FAILED", Events: []string{"offer.submitted"},
			}, submit),
			machine.On(line{
				From: []string{SubmittedPhase}, By: seller, To: []string{SubmittedPhase},
				Guard: "not expired → OFFER_EXPIRED", Events: []string{"offer.revised"},
			}, revise),
			machine.On(line{
				From: []string{SubmittedPhase}, By: buyer, To: []string{CounteredPhase},
				Guard: "not expired → OFFER_EXPIRED; ends later than now", Events: []string{"offer.countered"},
			}, counter),
			machine.On(line{
				From: []string{CounteredPhase}, By: seller, To: []string{SubmittedPhase},
				Guard: "in time → COUNTER_EXPIRED", Events: []string{"offer.counter_accepted"},
			}, acceptCounter),
			machine.On(line{From: []string{CounteredPhase}, By: seller, To: []string{SubmittedPhase}, Events: []string{"offer.counter_declined"}},
				func(s State, _ DeclineCounter) ([]Event, error) {
					return []Event{CounterDeclined{Counter: s.Counter.Counter}}, nil
				}),
			machine.On(line{From: []string{CounteredPhase}, By: timer, To: []string{SubmittedPhase}, Guard: "after its end", Events: []string{"offer.counter_lapsed"}}, lapseCounter),
			machine.On(line{
				From: []string{SubmittedPhase, CounteredPhase}, By: []domain.Capacity{domain.Buyer, domain.Process}, To: []string{AcceptedPhase},
				Guard:  "this very revision, of the request's revision now → OFFER_REVISION_STALE; not expired → OFFER_EXPIRED; no open counter → COUNTER_OPEN",
				Events: []string{"offer.accepted"},
			}, accept),
			machine.On(line{From: []string{AcceptedPhase}, By: process, To: []string{SubmittedPhase}, Events: []string{"offer.acceptance_reverted"}},
				func(_ State, c RevertAcceptance) ([]Event, error) {
					return []Event{AcceptanceReverted{Reason: c.Reason}}, nil
				}),
			machine.On(line{From: live, By: []domain.Capacity{domain.Buyer, domain.Process}, To: live, Guard: "the offer is alive", Events: []string{"offer.quoted"}},
				func(s State, c Quote) ([]Event, error) {
					if s.Quote == c.ID {
						return nil, nil
					}
					return []Event{Quoted{Quote: c.ID}}, nil
				}),
			machine.On(line{From: []string{SubmittedPhase}, By: buyer, To: []string{RejectedPhase}, Events: []string{"offer.rejected"}},
				func(s State, c Reject) ([]Event, error) {
					return []Event{Rejected{Request: s.Request, Seller: s.Seller, Reason: c.Reason}}, nil
				}),
			machine.On(line{From: []string{SubmittedPhase, CounteredPhase}, By: seller, To: []string{WithdrawnPhase}, Events: []string{"offer.withdrawn"}},
				func(s State, c Withdraw) ([]Event, error) {
					return []Event{Withdrawn{Request: s.Request, Seller: s.Seller, Reason: c.Reason}}, nil
				}),
			machine.On(line{From: []string{SubmittedPhase, CounteredPhase, SupersededPhase}, By: timer, To: []string{ExpiredPhase}, Guard: "after valid_until", Events: []string{"offer.expired"}}, expire),
			machine.On(line{From: []string{SubmittedPhase, CounteredPhase}, By: process, To: []string{SupersededPhase}, Events: []string{"offer.superseded"}},
				func(_ State, c Supersede) ([]Event, error) { return []Event{Superseded{By: c.Winner}}, nil }),
			machine.On(line{From: []string{SupersededPhase}, By: process, To: []string{SubmittedPhase}, Guard: "not expired", Events: []string{"offer.revived"}}, revive),
			machine.On(line{From: []string{AcceptedPhase}, By: process, To: []string{FulfilledPhase}, Events: []string{"offer.fulfilled"}},
				func(State, Fulfil) ([]Event, error) { return []Event{Fulfilled{}}, nil }),
			machine.On(line{From: []string{AcceptedPhase}, By: process, To: []string{VoidedPhase}, Events: []string{"offer.voided"}},
				func(_ State, c Void) ([]Event, error) { return []Event{Voided{Reason: c.Reason}}, nil }),
			machine.On(line{
				From: phases, By: []domain.Capacity{domain.Import}, To: phases[1:], Aside: true,
				Guard:  "the same document changes nothing; nothing else has happened here → LEGACY_CONFLICT; buyer ≠ seller → OWN_REQUEST; one live offer a request and seller → OFFER_EXISTS (a claim)",
				Events: []string{"offer.imported"},
			}, importing),
		},
	}
}

func parties(s State, a domain.Actor) []domain.Capacity {
	if a.User() == "" {
		return nil
	}
	if s.ID == "" {
		return []domain.Capacity{domain.Seller}
	}
	var cs []domain.Capacity
	if a.Is(s.Buyer) {
		cs = append(cs, domain.Buyer)
	}
	if a.Is(s.Seller) {
		cs = append(cs, domain.Seller)
	}
	return cs
}
