package payment

import (
	"fmt"
	"maps"
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/safety"
)

// The phases.
const (
	CreatedPhase    = "Created"
	AwaitingPayment = "AwaitingPayment"
	Confirming      = "Confirming"
	PartlyPaid      = "PartiallyPaid"
	UnderReview     = "UnderReview"
	PaidPhase       = "Paid"
	ExpiredPhase    = "Expired"
	CancelledPhase  = "Cancelled"
	RejectedPhase   = "Rejected"
	ReversedPhase   = "Reversed"
)

// Exception is what is unusual about a payment, beside its phase.
type Exception string

// The exceptions.
const (
	NoException Exception = "none"
	Partial     Exception = "partial"
	Over        Exception = "over"
	Late        Exception = "late"
	ReorgedEx   Exception = "reorged"
	Review      Exception = "review"
)

// Transfer is one transfer of the payment as it stands.
type Transfer struct {
	Evidence  Evidence     `json:"evidence"`
	Amount    money.Amount `json:"amount"`
	From      string       `json:"from"`
	Pending   string       `json:"pending"`
	Confirmed bool         `json:"confirmed"`
	// Screening is what was said of its payer; Cleared, that two people took it all the same.
	Screening safety.Outcome `json:"screening,omitempty"`
	Cleared   bool           `json:"cleared,omitempty"`
}

// State is what the rules need to know of a payment.
type State struct {
	ID          domain.PaymentID     `json:"id"`
	Request     domain.RequestID     `json:"request"`
	Offer       domain.OfferID       `json:"offer"`
	Hold        domain.HoldID        `json:"hold"`
	Buyer       domain.UserID        `json:"buyer"`
	Seller      domain.UserID        `json:"seller"`
	Quote       domain.QuoteID       `json:"quote,omitempty"`
	Due         money.Amount         `json:"due"`
	Threshold   Threshold            `json:"threshold"`
	Safety      *safety.Policy       `json:"safety,omitempty"`
	ExpiresAt   time.Time            `json:"expires_at"`
	Destination domain.DestinationID `json:"destination,omitempty"`
	Address     string               `json:"address,omitempty"`
	Token       string               `json:"token,omitempty"`
	Intent      *IntentRegistered    `json:"intent,omitempty"`

	Phase     string              `json:"phase"`
	Exception Exception           `json:"exception"`
	Transfers map[string]Transfer `json:"transfers,omitempty"` // by evidence key
	Confirmed money.Units         `json:"confirmed"`           // sum of confirmed transfers
	Excess    money.Units         `json:"excess"`              // of it, given to the buyer's credit
	Used      map[string]int      `json:"used,omitempty"`      // pending keys by how often they were opened
	IsExpired bool                `json:"is_expired"`
	Reviewed  bool                `json:"reviewed"`         // a person has cleared it
	Claims    map[string]bool     `json:"claims,omitempty"` // transactions that the buyer says to have sent
	// ReviewKind is what the last review was about.
	ReviewKind string `json:"review_kind,omitempty"`
	// Failure is the code of the last failure that the provider told.
	Failure string `json:"failure,omitempty"`
	// Imported is what came from the old backend, and Legacy whether it still stands for this.
	Imported *Imported       `json:"imported,omitempty"`
	Legacy   domain.Snapshot `json:"legacy,omitzero"`
}

// Counted is what the confirmed transfers pay of the due.
func (s State) Counted() money.Units { return s.Confirmed.Minus(s.Excess) }

// Missing is what is still due.
func (s State) Missing() money.Units {
	m, _ := s.Due.Units.Sub(s.Counted())
	return m
}

// Open reports whether the payment may still become paid.
func (s State) Open() bool {
	switch s.Phase {
	case CreatedPhase, AwaitingPayment, Confirming, PartlyPaid, UnderReview, ReversedPhase:
		return true
	}
	return false
}

// Waiting counts the transfers that are seen and not confirmed.
func (s State) Waiting() int {
	n := 0
	for _, t := range s.Transfers {
		if !t.Confirmed {
			n++
		}
	}
	return n
}

// pendingKey is the ledger key of a transfer seen in a block; a transfer that a
// reorganisation brings back at the same height gets a new one.
func (s State) pendingKey(e Evidence) string {
	if n := s.Used[e.PendingKey()]; n > 0 {
		return fmt.Sprintf("%s#%d", e.PendingKey(), n+1)
	}
	return e.PendingKey()
}

// Decider is the payment.
var Decider = domain.Decider[State, Event]{Category: "payment", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	snapshot := s.Legacy.After(e)
	s = evolve(s, e)
	s.Legacy = snapshot
	return s
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Imported:
		s = imported(e)
	case Initiated:
		s = State{
			ID: e.Payment, Request: e.Request, Offer: e.Offer, Hold: e.Hold, Buyer: e.Buyer, Seller: e.Seller, Quote: e.Quote,
			Due: e.Due, Threshold: e.Threshold, Safety: e.Safety, ExpiresAt: e.ExpiresAt, Phase: CreatedPhase, Exception: NoException,
		}
	case DestinationAssigned:
		s.Destination, s.Address, s.Token, s.Phase = e.Destination, e.Address, e.Token, AwaitingPayment
	case IntentRegistered:
		s.Intent, s.Phase = &e, AwaitingPayment
	case TransactionReported:
		s.Claims = maps.Clone(s.Claims)
		if s.Claims == nil {
			s.Claims = map[string]bool{}
		}
		s.Claims[e.Tx] = true
	case Failed:
		s.Failure = e.Code
	case Detected:
		s = detected(s, e)
	case Dropped:
		s.Transfers = maps.Clone(s.Transfers)
		delete(s.Transfers, e.Evidence.Key())
		s.Phase = s.settled()
	case HeldForReview:
		s.Phase, s.Exception, s.ReviewKind = UnderReview, Review, e.Kind
	case Screened:
		s = screened(s, e)
	case ReviewCleared:
		if s = cleared(s); s.Phase == UnderReview {
			s.Phase, s.Exception = Confirming, NoException
		}
		s.Reviewed = true
	case ReviewRejected:
		s.Phase = RejectedPhase
	case Confirmed:
		s = confirmed(s, e)
	case PartiallyPaid:
		s.Exception = Partial
		if s.Waiting() == 0 {
			s.Phase = PartlyPaid
		}
	case Paid:
		s.Phase = PaidPhase
		if s.Exception == Partial || s.Exception == ReorgedEx {
			s.Exception = NoException
		}
	case Overpaid:
		s.Excess, s.Exception = s.Excess.Plus(e.Excess.Units), Over
	case Expired:
		s.Phase, s.IsExpired = ExpiredPhase, true
	case LateAccepted:
		s.Exception = Late
	case Cancelled:
		s.Phase = CancelledPhase
	case Reorged:
		s = reorged(s, e)
	}
	return s
}

func detected(s State, e Detected) State {
	s.Transfers, s.Used = maps.Clone(s.Transfers), maps.Clone(s.Used)
	if s.Transfers == nil {
		s.Transfers = map[string]Transfer{}
	}
	if s.Used == nil {
		s.Used = map[string]int{}
	}
	s.Transfers[e.Evidence.Key()] = Transfer{Evidence: e.Evidence, Amount: e.Amount, From: e.From, Pending: e.Pending}
	s.Used[e.Evidence.PendingKey()]++
	if s.Phase != PaidPhase && s.Phase != UnderReview {
		s.Phase = Confirming
	}
	return s
}

func confirmed(s State, e Confirmed) State {
	s.Transfers = maps.Clone(s.Transfers)
	t := s.Transfers[e.Evidence.Key()]
	t.Confirmed = true
	s.Transfers[e.Evidence.Key()] = t
	s.Confirmed = s.Confirmed.Plus(e.Amount.Units)
	return s
}

func reorged(s State, e Reorged) State {
	s.Transfers = maps.Clone(s.Transfers)
	delete(s.Transfers, e.Evidence.Key())
	s.Confirmed = s.Confirmed.Minus(e.Amount.Units)
	s.Excess = s.Excess.Min(s.Confirmed)
	s.Exception = ReorgedEx
	if s.Counted().Less(s.Due.Units) && s.Phase != CancelledPhase && s.Phase != RejectedPhase {
		s.Phase = ReversedPhase
	}
	return s
}

// settled is the phase when nothing more is on its way.
func (s State) settled() string {
	switch {
	case s.Phase == PaidPhase || s.Phase == UnderReview || s.Phase == RejectedPhase || s.Phase == CancelledPhase || s.Waiting() > 0:
		return s.Phase
	case s.IsExpired:
		return ExpiredPhase
	case !s.Confirmed.IsZero():
		return PartlyPaid
	}
	return AwaitingPayment
}
