package offer

import (
	"time"

	"holdfast/domain"
)

// Submit makes an offer. RequestOpen, Invited and the parties are facts of the request.
type Submit struct {
	domain.Issue
	Offer   domain.OfferID
	Request domain.RequestID
	Buyer   domain.UserID
	Seller  domain.UserID
	Terms   Terms
}

// Revise changes the terms; the acceptance of an older revision fails from then on.
type Revise struct {
	domain.Issue
	Terms Terms
}

// Counter proposes other terms to the seller.
type Counter struct {
	domain.Issue
	Counter      string
	Price        *Price
	DeliveryTime string
	Message      domain.Personal
	ExpiresAt    time.Time
}

// AcceptCounter, DeclineCounter and LapseCounter end the open counter-offer.
type AcceptCounter struct{ domain.Issue }

// DeclineCounter leaves the offer as it was.
type DeclineCounter struct{ domain.Issue }

// LapseCounter at the end of its time.
type LapseCounter struct{ domain.Issue }

// Accept takes the offer at a revision. RequestRevision is the request's revision now.
type Accept struct {
	domain.Issue
	Revision        int
	RequestRevision int
	Hold            domain.HoldID
}

// RevertAcceptance: the payment never came.
type RevertAcceptance struct {
	domain.Issue
	Reason string
}

// Reject by the buyer.
type Reject struct {
	domain.Issue
	Reason domain.Personal
}

// Withdraw by the seller.
type Withdraw struct {
	domain.Issue
	Reason domain.Personal
}

// Quote notes the newest quote of the offer.
type Quote struct {
	domain.Issue
	ID domain.QuoteID
}

// Expire at valid_until.
type Expire struct{ domain.Issue }

// Supersede: another offer is funded; Revive undoes it.
type Supersede struct {
	domain.Issue
	Winner domain.OfferID
}

// Revive brings a superseded offer back.
type Revive struct {
	domain.Issue
	Reason string
}

// Fulfil: the order is completed.
type Fulfil struct{ domain.Issue }

// Void: the order was refunded or cancelled.
type Void struct {
	domain.Issue
	Reason string
}
