package payment

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/safety"
)

// Initiate opens a payment for a selected offer.
type Initiate struct {
	domain.Issue
	Payment   domain.PaymentID
	Request   domain.RequestID
	Offer     domain.OfferID
	Hold      domain.HoldID
	Buyer     domain.UserID
	Seller    domain.UserID
	Quote     domain.QuoteID
	Due       money.Amount
	Threshold Threshold
	Safety    *safety.Policy // nil: nobody is screened
	ExpiresAt time.Time
}

// AssignDestination says where the money goes.
type AssignDestination struct {
	domain.Issue
	Destination domain.DestinationID
	Address     string
	Path        string
	Token       string
	Chain       uint64
}

// RegisterIntent notes how to pay; what the provider answered must equal what is ours.
type RegisterIntent struct {
	domain.Issue
	Provider    string
	RequestID   string
	Reference   string
	Topic       string
	Proxy       string
	Destination string // as the provider has it; empty for our own checkout
	Token       string
	Amount      money.Amount
}

// ReportTransaction is a claim; nothing but a look at the chain follows from it.
type ReportTransaction struct {
	domain.Issue
	Tx string
}

// ReportFailure notes that the provider says a payment of the buyer failed. It changes
// nothing: the buyer may try again, and only the chain says what arrived.
type ReportFailure struct {
	domain.Issue
	Code   string // the provider's: "insufficient_funds"
	Reason string
}

// Detect notes a transfer whose token, recipient and reference an adapter has verified.
// Late says that the order can still take money after the expiry.
type Detect struct {
	domain.Issue
	Evidence Evidence
	Amount   money.Amount
	From     string
	Late     bool
}

// Confirm notes how deep a detected transfer stands.
type Confirm struct {
	domain.Issue
	Evidence  Evidence
	Depth     uint64
	Finalized bool
	Safe      bool
	// Wanted is what the order's hold still lacks: others may have paid into it meanwhile, by
	// a discount or another payment. Nil = what the payment itself lacks.
	Wanted *money.Units
}

// Drop undoes a detected transfer whose block is gone.
type Drop struct {
	domain.Issue
	Evidence Evidence
	Reason   string
}

// Reorg undoes a confirmed one; the waterfall is decided by the flow over the hold.
type Reorg struct {
	domain.Issue
	Evidence  Evidence
	Waterfall []Part
}

// HoldForReview stops a payment until a person has looked.
type HoldForReview struct {
	domain.Issue
	Kind  string
	Score int
}

// ClearReview lets it go on. Approver is the other person who has agreed.
type ClearReview struct {
	domain.Issue
	Approver domain.Actor
	// Alone: the glass is broken, and one is enough where no payer is in doubt.
	Alone bool
}

// RejectReview refuses the money.
type RejectReview struct {
	domain.Issue
	Approver domain.Actor
}

// Expire ends the time to pay.
type Expire struct{ domain.Issue }

// Cancel gives the payment up.
type Cancel struct {
	domain.Issue
	Reason string
}
