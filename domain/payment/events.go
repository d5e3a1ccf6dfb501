package payment

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/safety"
)

// Event is something that happened to a payment.
type Event interface {
	domain.Event
	payment()
}

// Initiated: a buyer wants to pay an order.
type Initiated struct {
	Payment   domain.PaymentID `json:"payment"`
	Request   domain.RequestID `json:"request"`
	Offer     domain.OfferID   `json:"offer"`
	Hold      domain.HoldID    `json:"hold"`
	Buyer     domain.UserID    `json:"buyer"`
	Seller    domain.UserID    `json:"seller"`
	Quote     domain.QuoteID   `json:"quote,omitempty"`
	Due       money.Amount     `json:"due"`
	Threshold Threshold        `json:"threshold"`
	Safety    *safety.Policy   `json:"safety,omitempty"` // absent: nobody is screened
	ExpiresAt time.Time        `json:"expires_at"`
	At        time.Time        `json:"at"`
}

// DestinationAssigned: where the money is to go.
type DestinationAssigned struct {
	Destination domain.DestinationID `json:"destination"`
	Address     string               `json:"address"`
	Path        string               `json:"path"`
	Token       string               `json:"token"`
	Chain       uint64               `json:"chain"`
}

// IntentRegistered: the provider, or our own checkout, names how to pay.
type IntentRegistered struct {
	Provider  string `json:"provider"`
	RequestID string `json:"request_id"`
	Reference string `json:"reference"` // 0x and 16 hex digits
	Topic     string `json:"topic"`     // keccak-256 of it, as the chain shows it
	Proxy     string `json:"proxy"`
}

// TransactionReported: somebody claims to have paid with this transaction.
type TransactionReported struct {
	Tx string       `json:"tx"`
	By domain.Actor `json:"by"`
}

// Failed: the provider says that an attempt of the buyer failed. Telemetry.
type Failed struct {
	Code   string `json:"code"`
	Reason string `json:"reason,omitempty"`
}

// Detected: a matching transfer stands in a block. Pending in the ledger.
type Detected struct {
	Payment     domain.PaymentID     `json:"payment"`
	Hold        domain.HoldID        `json:"hold"`
	Destination domain.DestinationID `json:"destination"`
	Evidence    Evidence             `json:"evidence"`
	Amount      money.Amount         `json:"amount"` // as measured on the chain
	From        string               `json:"from"`
	// Pending names the ledger's pending entry.
	Pending string `json:"pending"`
}

// Dropped: that block is not part of the chain any more, and the transfer was not confirmed.
type Dropped struct {
	Evidence Evidence     `json:"evidence"`
	Amount   money.Amount `json:"amount"`
	Pending  string       `json:"pending"`
	Reason   string       `json:"reason"`
	// LapsesAt is when the payment is given up after all; zero before its own expiry.
	LapsesAt time.Time `json:"lapses_at,omitzero"`
}

// HeldForReview: screening or safety wants a person to look.
type HeldForReview struct {
	Kind  string `json:"kind"`
	Score int    `json:"score"`
}

// ReviewCleared lets it go on.
type ReviewCleared struct {
	By   domain.Actor `json:"by"`
	With string       `json:"with,omitempty"` // who agreed before; nobody while the glass is broken
}

// ReviewRejected sends the money back by way of suspense.
type ReviewRejected struct {
	By   domain.Actor `json:"by"`
	With string       `json:"with,omitempty"`
}

// Confirmed: deep enough. The pending entry is posted.
type Confirmed struct {
	Payment   domain.PaymentID `json:"payment"`
	Hold      domain.HoldID    `json:"hold"`
	Evidence  Evidence         `json:"evidence"`
	Amount    money.Amount     `json:"amount"`
	Pending   string           `json:"pending"`
	Depth     uint64           `json:"depth"`
	Finalized bool             `json:"finalized"`
	Safe      bool             `json:"safe,omitempty"`
	At        time.Time        `json:"at"`
}

// PartiallyPaid: confirmed, but less than what is due.
type PartiallyPaid struct {
	Paid money.Amount `json:"paid"`
	Due  money.Amount `json:"due"`
	// LapsesAt is when the payment is given up after all; zero before its own expiry.
	LapsesAt time.Time `json:"lapses_at,omitzero"`
}

// Paid: what is due is confirmed.
type Paid struct {
	At time.Time `json:"at"`
}

// Overpaid: the excess becomes the buyer's credit.
type Overpaid struct {
	Hold   domain.HoldID `json:"hold"`
	Buyer  domain.UserID `json:"buyer"`
	Excess money.Amount  `json:"excess"`
}

// Expired: the time to pay is over.
type Expired struct {
	Hold    domain.HoldID `json:"hold"`
	Partial bool          `json:"partial"`
	At      time.Time     `json:"at"`
}

// LateAccepted: money came after the expiry and the order can still take it.
type LateAccepted struct {
	Evidence Evidence `json:"evidence"`
}

// Cancelled by the buyer or an operator before anything was confirmed.
type Cancelled struct {
	Hold   domain.HoldID `json:"hold"`
	By     domain.Actor  `json:"by"`
	Reason string        `json:"reason"`
}

// Part is one account's share of an undone payment.
type Part struct {
	Account ledger.Account `json:"account"`
	Amount  money.Amount   `json:"amount"`
}

// Reorged: a confirmed transfer was undone by the chain; Waterfall says who bears it.
type Reorged struct {
	Payment     domain.PaymentID     `json:"payment"`
	Destination domain.DestinationID `json:"destination"`
	Evidence    Evidence             `json:"evidence"`
	Amount      money.Amount         `json:"amount"`
	Waterfall   []Part               `json:"waterfall"`
}

func (Initiated) EventType() string           { return "payment.initiated" }
func (DestinationAssigned) EventType() string { return "payment.destination_assigned" }
func (IntentRegistered) EventType() string    { return "payment.intent_registered" }
func (TransactionReported) EventType() string { return "payment.transaction_reported" }
func (Failed) EventType() string              { return "payment.failed" }
func (Detected) EventType() string            { return "payment.detected" }
func (Dropped) EventType() string             { return "payment.dropped" }
func (HeldForReview) EventType() string       { return "payment.held_for_review" }
func (ReviewCleared) EventType() string       { return "payment.review_cleared" }
func (ReviewRejected) EventType() string      { return "payment.review_rejected" }
func (Confirmed) EventType() string           { return "payment.confirmed" }
func (PartiallyPaid) EventType() string       { return "payment.partially_paid" }
func (Paid) EventType() string                { return "payment.paid" }
func (Overpaid) EventType() string            { return "payment.overpaid" }
func (Expired) EventType() string             { return "payment.expired" }
func (LateAccepted) EventType() string        { return "payment.late_accepted" }
func (Cancelled) EventType() string           { return "payment.cancelled" }
func (Reorged) EventType() string             { return "payment.reorged" }

func (Initiated) payment()           {}
func (DestinationAssigned) payment() {}
func (IntentRegistered) payment()    {}
func (TransactionReported) payment() {}
func (Failed) payment()              {}
func (Detected) payment()            {}
func (Dropped) payment()             {}
func (HeldForReview) payment()       {}
func (ReviewCleared) payment()       {}
func (ReviewRejected) payment()      {}
func (Confirmed) payment()           {}
func (PartiallyPaid) payment()       {}
func (Paid) payment()                {}
func (Overpaid) payment()            {}
func (Expired) payment()             {}
func (LateAccepted) payment()        {}
func (Cancelled) payment()           {}
func (Reorged) payment()             {}
