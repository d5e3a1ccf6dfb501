package offer

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// Event is something that happened to an offer.
type Event interface {
	domain.Event
	offer()
}

// Price is what the seller wants: exact in base units, and as people wrote it.
type Price struct {
	Amount   money.Amount `json:"amount"`
	Currency string       `json:"currency"`
	Display  string       `json:"display"`
}

// Terms are what an offer says beside its parties.
type Terms struct {
	Title        string          `json:"title"`
	Description  domain.Personal `json:"description"`
	Price        Price           `json:"price"`
	DeliveryTime string          `json:"delivery_time"`
	ValidUntil   time.Time       `json:"valid_until"`
	Notes        domain.Personal `json:"notes"`
	RequireAML   bool            `json:"require_aml,omitempty"` // the payer is screened whatever the platform does
	AMLBlocks    bool            `json:"aml_blocks,omitempty"`  // what is not clean stops the order
	// RequestRevision is the revision of the request that the seller saw.
	RequestRevision int `json:"request_revision"`
}

// Submitted r1.
type Submitted struct {
	Offer   domain.OfferID   `json:"offer"`
	Request domain.RequestID `json:"request"`
	Buyer   domain.UserID    `json:"buyer"`
	Seller  domain.UserID    `json:"seller"`
	Terms   Terms            `json:"terms"`
	At      time.Time        `json:"at"`
}

// Revised to r+1.
type Revised struct {
	Revision int   `json:"revision"`
	Terms    Terms `json:"terms"`
}

// Countered: the buyer proposes other terms.
type Countered struct {
	Counter      string          `json:"counter"`
	Price        *Price          `json:"price,omitempty"`
	DeliveryTime string          `json:"delivery_time,omitempty"`
	Message      domain.Personal `json:"message"`
	ExpiresAt    time.Time       `json:"expires_at"`
}

// CounterAccepted: the price is replaced, r+1.
type CounterAccepted struct {
	Counter  string `json:"counter"`
	Revision int    `json:"revision"`
	Terms    Terms  `json:"terms"`
}

// CounterDeclined, and CounterLapsed at its end, leave the offer as it was.
type CounterDeclined struct {
	Counter string `json:"counter"`
}

// CounterLapsed at the end of its time.
type CounterLapsed struct {
	Counter string `json:"counter"`
}

// Accepted by the buyer at this revision.
type Accepted struct {
	Revision int           `json:"revision"`
	Hold     domain.HoldID `json:"hold"`
}

// AcceptanceReverted: the payment never came.
type AcceptanceReverted struct {
	Reason string `json:"reason"`
}

// Rejected by the buyer.
type Rejected struct {
	Request domain.RequestID `json:"request"`
	Seller  domain.UserID    `json:"seller"`
	Reason  domain.Personal  `json:"reason"`
}

// Superseded: another offer is funded. Revived when that is undone.
type Superseded struct {
	By domain.OfferID `json:"by"`
}

// Revived: the offer that superseded it fell through.
type Revived struct {
	Reason string `json:"reason"`
}

// Quoted: the buyer asked what it costs; the quote before, if there is one, is superseded.
type Quoted struct {
	Quote domain.QuoteID `json:"quote"`
}

// Withdrawn by the seller.
type Withdrawn struct {
	Request domain.RequestID `json:"request"`
	Seller  domain.UserID    `json:"seller"`
	Reason  domain.Personal  `json:"reason"`
}

// Expired at valid_until.
type Expired struct {
	Request domain.RequestID `json:"request"`
	Seller  domain.UserID    `json:"seller"`
	At      time.Time        `json:"at"`
}

// Fulfilled: the order is completed. Voided: it was refunded or cancelled.
type Fulfilled struct{}

// Voided: the order was refunded or cancelled.
type Voided struct {
	Reason string `json:"reason"`
}

func (Submitted) EventType() string          { return "offer.submitted" }
func (Revised) EventType() string            { return "offer.revised" }
func (Countered) EventType() string          { return "offer.countered" }
func (CounterAccepted) EventType() string    { return "offer.counter_accepted" }
func (CounterDeclined) EventType() string    { return "offer.counter_declined" }
func (CounterLapsed) EventType() string      { return "offer.counter_lapsed" }
func (Accepted) EventType() string           { return "offer.accepted" }
func (AcceptanceReverted) EventType() string { return "offer.acceptance_reverted" }
func (Rejected) EventType() string           { return "offer.rejected" }
func (Superseded) EventType() string         { return "offer.superseded" }
func (Revived) EventType() string            { return "offer.revived" }
func (Withdrawn) EventType() string          { return "offer.withdrawn" }
func (Quoted) EventType() string             { return "offer.quoted" }
func (Expired) EventType() string            { return "offer.expired" }
func (Fulfilled) EventType() string          { return "offer.fulfilled" }
func (Voided) EventType() string             { return "offer.voided" }
func (Submitted) offer()                     {}
func (Revised) offer()                       {}
func (Countered) offer()                     {}
func (CounterAccepted) offer()               {}
func (CounterDeclined) offer()               {}
func (CounterLapsed) offer()                 {}
func (Accepted) offer()                      {}
func (AcceptanceReverted) offer()            {}
func (Rejected) offer()                      {}
func (Superseded) offer()                    {}
func (Revived) offer()                       {}
func (Withdrawn) offer()                     {}
func (Quoted) offer()                        {}
func (Expired) offer()                       {}
func (Fulfilled) offer()                     {}
func (Voided) offer()                        {}
