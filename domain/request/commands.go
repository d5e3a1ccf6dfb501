package request

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// The commands; domain.md §2.4.
type (
	// Create makes a draft.
	Create struct {
		domain.Issue
		Request domain.RequestID
		Buyer   domain.UserID
		Details Details
		Invited []domain.UserID
	}
	// Update changes what is wanted.
	Update struct {
		domain.Issue
		Details Details
	}
	// Publish shows it to sellers.
	Publish struct{ domain.Issue }
	// Invite adds sellers.
	Invite struct {
		domain.Issue
		Sellers []domain.UserID
	}
	// ReceiveOffer notes a new offer.
	ReceiveOffer struct {
		domain.Issue
		Offer  domain.OfferID
		Seller domain.UserID
	}
	// LoseOffer notes that one is gone.
	LoseOffer struct {
		domain.Issue
		Offer  domain.OfferID
		Reason string
	}
	// StartNegotiation notes a counter-offer; EndNegotiation its end.
	StartNegotiation struct {
		domain.Issue
		Offer domain.OfferID
	}
	// EndNegotiation notes that a counter-offer was answered or lapsed.
	EndNegotiation struct {
		domain.Issue
		Offer domain.OfferID
	}
	// SelectOffer fixes seller and price.
	SelectOffer struct {
		domain.Issue
		Offer    domain.OfferID
		Revision int
		Seller   domain.UserID
		Hold     domain.HoldID
		Price    money.Amount
	}
	// ReleaseSelection undoes it before money came.
	ReleaseSelection struct {
		domain.Issue
		Reason string
	}
	// SecurePayment notes that the hold is funded; LosePayment that it no longer is.
	SecurePayment struct {
		domain.Issue
		Hold domain.HoldID
	}
	// LosePayment notes that the chain undid the payment.
	LosePayment struct {
		domain.Issue
		Hold   domain.HoldID
		Reason string
	}
	// MarkShipped by the selected seller. Funded and Stopped are facts of the hold.
	MarkShipped struct {
		domain.Issue
		Carrier  string
		Tracking domain.Personal
		Funded   bool
		AMLHold  bool
	}
	// IssueCode by the buyer; the caller has drawn the code and keeps only its MAC.
	IssueCode struct {
		domain.Issue
		MAC       []byte
		ExpiresAt time.Time
	}
	// VerifyCode by the selected seller.
	VerifyCode struct {
		domain.Issue
		MAC []byte
	}
	// ConfirmDelivery by the buyer, an admin with a reason, or the timer.
	ConfirmDelivery struct {
		domain.Issue
		Reason string
	}
	// RequestRevision by the buyer within the inspection, at most three times.
	RequestRevision struct {
		domain.Issue
		Reason       domain.Personal
		InspectionTo time.Time
	}
	// FlagDispute marks the order; UnflagDispute takes the mark away.
	FlagDispute struct {
		domain.Issue
		Dispute domain.DisputeID
	}
	// UnflagDispute takes the mark away.
	UnflagDispute struct {
		domain.Issue
		Dispute domain.DisputeID
	}
	// Complete ends the order.
	Complete struct{ domain.Issue }
	// Cancel ends it early; a funded order needs a refund in the same unit.
	Cancel struct {
		domain.Issue
		Reason string
		Refund bool
	}
	// Expire ends a request that nobody's offer was selected for.
	Expire struct{ domain.Issue }
)
