package payment

import (
	"slices"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/safety"
)

// Imported: a payment of the old backend as its document has it. It says the whole state.
type Imported struct {
	domain.Legacy
	Payment   domain.PaymentID `json:"payment"`
	Request   domain.RequestID `json:"request"`
	Offer     domain.OfferID   `json:"offer"`
	Hold      domain.HoldID    `json:"hold"`
	Buyer     domain.UserID    `json:"buyer"`
	Seller    domain.UserID    `json:"seller"`
	Due       money.Amount     `json:"due"`
	Threshold Threshold        `json:"threshold"`
	Safety    *safety.Policy   `json:"safety,omitempty"`
	ExpiresAt time.Time        `json:"expires_at"`
	// LapsesAt is when it is given up, where that is later: nothing lapses with its import.
	LapsesAt time.Time `json:"lapses_at,omitzero"`

	Destination domain.DestinationID `json:"destination,omitempty"`
	Address     string               `json:"address,omitempty"`
	Path        string               `json:"path,omitempty"`
	Token       string               `json:"token,omitempty"`
	Chain       uint64               `json:"chain,omitempty"`
	Intent      *IntentRegistered    `json:"intent,omitempty"`

	Phase     string      `json:"phase"`
	Confirmed money.Units `json:"confirmed"` // by the old backend's books
	// Counted are the transactions that the old backend has counted: they count for nothing here.
	Counted []string `json:"counted,omitempty"`
	// Claimed are those that it was still looking for: the chain is asked about them.
	Claimed []string `json:"claimed,omitempty"`
	// Tx is the one that its document names, as it spells it.
	Tx string `json:"tx,omitempty"`
	// Superseded: another payment of the same order is the one that counts.
	Superseded bool `json:"superseded,omitempty"`

	// Status and EscrowState are the old backend's words, shown until something happens here.
	Status      string `json:"status"`
	Currency    string `json:"currency,omitempty"`
	EscrowState string `json:"escrow_state,omitempty"`
	Failure     string `json:"failure,omitempty"`
	// Expires is the document's own word; nil where it has none.
	Expires *time.Time `json:"expires,omitempty"`
	PaidAt  *time.Time `json:"paid_at,omitempty"`
	At      time.Time  `json:"at"` // of the import
}

// EventType implements domain.Event.
func (Imported) EventType() string { return "payment.imported" }
func (Imported) payment()          {}

// Import takes a payment's document, or takes it again when it has changed. Errors: LEGACY_CONFLICT.
type Import struct {
	domain.Issue
	Fact Imported
}

func importPayment(s State, c Import) ([]Event, error) {
	again, err := s.Legacy.Takes(s.ID != "", c.Fact.Legacy)
	if err != nil {
		return nil, err
	}
	if again && (s.Legacy.Ours || s.Imported.Superseded == c.Fact.Superseded) {
		return nil, nil
	}
	return []Event{c.Fact}, nil
}

// Untouched reports that a payment is still what its document says.
func (s State) Untouched() bool { return s.Imported != nil && !s.Legacy.Ours }

func imported(e Imported) State {
	s := State{
		ID: e.Payment, Request: e.Request, Offer: e.Offer, Hold: e.Hold, Buyer: e.Buyer, Seller: e.Seller,
		Due: e.Due, Threshold: e.Threshold, Safety: e.Safety, ExpiresAt: e.ExpiresAt,
		Destination: e.Destination, Address: e.Address, Token: e.Token, Intent: e.Intent,
		Phase: e.Phase, Exception: NoException, Confirmed: e.Confirmed, IsExpired: e.Phase == ExpiredPhase, Imported: &e,
	}
	if e.Phase == PartlyPaid {
		s.Exception = Partial
	}
	for _, tx := range slices.Concat(e.Counted, e.Claimed) {
		if s.Claims == nil {
			s.Claims = map[string]bool{}
		}
		s.Claims[tx] = true
	}
	return s
}

// CountedBefore reports that the old backend has counted this transaction: what it brought is part
// of the opening balances, and is not booked again.
func (s State) CountedBefore(tx string) bool {
	return s.Imported != nil && slices.Contains(s.Imported.Counted, strings.ToLower(tx))
}

// opened says which name of an open payment an import takes or frees.
func opened(e Imported) domain.Claim {
	c := domain.Claim{Name: "payment:" + string(e.Hold), Taken: ErrAlreadyOpen}
	switch e.Phase {
	case ExpiredPhase, CancelledPhase, RejectedPhase:
		c.Free = true
	default:
		c.Free = e.Superseded
	}
	return c
}
