package escrow

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// Event is something that happened to a hold. Every event names its hold by its stream.
type Event interface {
	domain.Event
	escrow()
}

// Bucket is one of the hold's sub-accounts.
type Bucket string

// The sub-accounts.
const (
	Held       Bucket = "held"
	Releasable Bucket = "releasable"
	Disputed   Bucket = "disputed"
)

// Terms are the policy's values, snapshotted when the hold is opened.
type Terms struct {
	FeeBPS        money.BPS     `json:"fee_bps"`
	Inspection    time.Duration `json:"inspection"`   // after delivery, before the automatic release
	AutoRelease   time.Duration `json:"auto_release"` // after the inspection; zero = at its end
	DisputeWindow time.Duration `json:"dispute_window"`
	// ApprovalLimit is the release, in base units, above which two people must agree; 0 = none.
	ApprovalLimit money.Units `json:"approval_limit"`
	// ReserveBPS of the seller's proceeds are withheld for ReserveFor after each release; 0 = nothing.
	ReserveBPS money.BPS     `json:"reserve_bps,omitempty"`
	ReserveFor time.Duration `json:"reserve_for,omitempty"`
}

// Opened: an offer was selected and its price is due.
type Opened struct {
	Hold    domain.HoldID    `json:"hold"`
	Request domain.RequestID `json:"request"`
	Offer   domain.OfferID   `json:"offer"`
	Buyer   domain.UserID    `json:"buyer"`
	Seller  domain.UserID    `json:"seller"`
	Due     money.Amount     `json:"due"`
	Terms   Terms            `json:"terms"`
	At      time.Time        `json:"at"`
}

// Credited: confirmed money of a payment is in held. The payment's events post.
type Credited struct {
	Payment  domain.PaymentID `json:"payment"`
	Amount   money.Amount     `json:"amount"`
	Overpaid money.Amount     `json:"overpaid"` // of it, at once given to the buyer's credit
}

// Debited: confirmed money was undone by the chain. The payment's event posts; these are the
// parts that came out of the hold, and the rest that others bear.
type Debited struct {
	Payment        domain.PaymentID `json:"payment"`
	Amount         money.Amount     `json:"amount"`
	FromHeld       money.Units      `json:"from_held"`
	FromReleasable money.Units      `json:"from_releasable"`
	FromDisputed   money.Units      `json:"from_disputed"`
	Elsewhere      money.Units      `json:"elsewhere"`
}

// Funded: at least what is due is held.
type Funded struct {
	At time.Time `json:"at"`
}

// Unfunded: less than what is due is left after a reorganisation.
type Unfunded struct {
	Reason string `json:"reason"`
}

// FeeAbsorbed: the platform pays what a provider kept. Posts.
type FeeAbsorbed struct {
	Hold   domain.HoldID `json:"hold"`
	Amount money.Amount  `json:"amount"`
	By     domain.Actor  `json:"by"`
}

// DiscountFunded: the platform pays a discount of redeemed points. Posts.
type DiscountFunded struct {
	Hold       domain.HoldID `json:"hold"`
	Amount     money.Amount  `json:"amount"`
	Redemption string        `json:"redemption"`
}

// ReleaseHoldPlaced stops release and payout of this order, but no refund to the buyer.
type ReleaseHoldPlaced struct {
	ID       string       `json:"id"`
	Kind     HoldKind     `json:"kind"`
	Reason   string       `json:"reason"`
	PlacedBy domain.Actor `json:"placed_by"`
}

// ReleaseHoldLifted removes one.
type ReleaseHoldLifted struct {
	ID     string       `json:"id"`
	By     domain.Actor `json:"by"`
	Reason string       `json:"reason"`
}

// InspectionStarted: the goods are delivered; at EndsAt they count as accepted.
type InspectionStarted struct {
	EndsAt    time.Time `json:"ends_at"`
	ReleaseAt time.Time `json:"release_at"`
}

// InspectionExtended moves the end.
type InspectionExtended struct {
	EndsAt    time.Time    `json:"ends_at"`
	ReleaseAt time.Time    `json:"release_at"`
	By        domain.Actor `json:"by"`
}

// MadeReleasable: the conditions are met for this amount. Posts.
type MadeReleasable struct {
	Hold   domain.HoldID `json:"hold"`
	Amount money.Amount  `json:"amount"`
	Cause  string        `json:"cause"`
}

// ReleaseRevoked takes it back. Posts.
type ReleaseRevoked struct {
	Hold   domain.HoldID `json:"hold"`
	Amount money.Amount  `json:"amount"`
	Reason string        `json:"reason"`
}

// ReleaseApprovalRecorded: the first of two people agrees to a large release.
type ReleaseApprovalRecorded struct {
	By     domain.Actor `json:"by"`
	Amount money.Amount `json:"amount"`
}

// Released: gross leaves the hold; net is the seller's, fee the platform's, and the reserve the
// seller's from ReserveUntil on. Posts.
type Released struct {
	Hold    domain.HoldID `json:"hold"`
	Seller  domain.UserID `json:"seller"`
	Gross   money.Amount  `json:"gross"`
	Fee     money.Amount  `json:"fee"`
	Net     money.Amount  `json:"net"`
	Reserve money.Amount  `json:"reserve"`
	// ReserveUntil is when the reserve is given back; no time when nothing is withheld.
	ReserveUntil time.Time    `json:"reserve_until,omitzero"`
	By           domain.Actor `json:"by"`
}

// RefundTaken: an approved refund took money out. refund.approved posts.
type RefundTaken struct {
	Refund domain.RefundID `json:"refund"`
	From   Bucket          `json:"from"`
	Amount money.Amount    `json:"amount"`
}

// RefundReturned: a refund was cancelled before it was sent. refund.cancelled posts.
type RefundReturned struct {
	Refund domain.RefundID `json:"refund"`
	To     Bucket          `json:"to"`
	Amount money.Amount    `json:"amount"`
}

// Frozen: a dispute contests an amount. dispute.opened posts.
type Frozen struct {
	Dispute        domain.DisputeID `json:"dispute"`
	FromHeld       money.Amount     `json:"from_held"`
	FromReleasable money.Amount     `json:"from_releasable"`
}

// Unfrozen: the dispute ended without an outcome. The dispute's event posts.
type Unfrozen struct {
	Dispute      domain.DisputeID `json:"dispute"`
	ToHeld       money.Amount     `json:"to_held"`
	ToReleasable money.Amount     `json:"to_releasable"`
}

// DisputeSettled: the dispute's outcome is carried out. dispute.resolved posts.
type DisputeSettled struct {
	Dispute      domain.DisputeID `json:"dispute"`
	Refund       domain.RefundID  `json:"refund,omitempty"`
	Buyer        money.Amount     `json:"buyer"`
	PlatformFee  money.Amount     `json:"platform_fee"`
	DisputeFee   money.Amount     `json:"dispute_fee"`
	Seller       money.Amount     `json:"seller"`
	ToHeld       money.Amount     `json:"to_held"`
	ToReleasable money.Amount     `json:"to_releasable"`
	// Reserve is withheld of the seller's part until ReserveUntil; Seller is what is left.
	Reserve      money.Amount `json:"reserve,omitzero"`
	ReserveUntil time.Time    `json:"reserve_until,omitzero"`
	// Withholds: the reserve's rule was applied. Outcomes of before it was do not count as proceeds of
	// which some should have been withheld.
	Withholds bool `json:"withholds,omitempty"`
}

// Cancelled: nothing confirmed will be kept; a confirmed part stays refundable.
type Cancelled struct {
	Reason string       `json:"reason"`
	By     domain.Actor `json:"by"`
}

// Closed: nothing is left in the hold and nothing of it is under way.
type Closed struct {
	At time.Time `json:"at"`
}

// RefundSettled: a refund of this hold has ended, paid or failed.
type RefundSettled struct {
	Refund domain.RefundID `json:"refund"`
}

// RefundUnsettled: the chain undid a refund that had ended.
type RefundUnsettled struct {
	Refund domain.RefundID `json:"refund"`
}

// Reopened: a closed hold is concerned again (reorganisation, clawback).
type Reopened struct {
	Reason string `json:"reason"`
}

// ClawedBack: what was released is refunded after all; the refund's events post.
type ClawedBack struct {
	Refund domain.RefundID `json:"refund"`
	Amount money.Amount    `json:"amount"`
}

// ClawbackReturned: that refund was cancelled before it was sent; refund.cancelled posts.
type ClawbackReturned struct {
	Refund domain.RefundID `json:"refund"`
	Amount money.Amount    `json:"amount"`
	// Reserve is what of it had been drawn on the reserve and is withheld again, lot by lot.
	Reserve money.Amount `json:"reserve,omitzero"`
	Lots    []Lot        `json:"lots,omitempty"`
}

func (ClawbackReturned) EventType() string        { return "escrow.clawback_returned" }
func (Opened) EventType() string                  { return "escrow.opened" }
func (Credited) EventType() string                { return "escrow.credited" }
func (Debited) EventType() string                 { return "escrow.debited" }
func (Funded) EventType() string                  { return "escrow.funded" }
func (Unfunded) EventType() string                { return "escrow.unfunded" }
func (FeeAbsorbed) EventType() string             { return "escrow.fee_absorbed" }
func (DiscountFunded) EventType() string          { return "escrow.discount_funded" }
func (ReleaseHoldPlaced) EventType() string       { return "escrow.release_hold_placed" }
func (ReleaseHoldLifted) EventType() string       { return "escrow.release_hold_lifted" }
func (InspectionStarted) EventType() string       { return "escrow.inspection_started" }
func (InspectionExtended) EventType() string      { return "escrow.inspection_extended" }
func (MadeReleasable) EventType() string          { return "escrow.made_releasable" }
func (ReleaseRevoked) EventType() string          { return "escrow.release_revoked" }
func (ReleaseApprovalRecorded) EventType() string { return "escrow.release_approval_recorded" }
func (Released) EventType() string                { return "escrow.released" }
func (RefundTaken) EventType() string             { return "escrow.refund_taken" }
func (RefundReturned) EventType() string          { return "escrow.refund_returned" }
func (Frozen) EventType() string                  { return "escrow.frozen" }
func (Unfrozen) EventType() string                { return "escrow.unfrozen" }
func (DisputeSettled) EventType() string          { return "escrow.dispute_settled" }
func (Cancelled) EventType() string               { return "escrow.cancelled" }
func (Closed) EventType() string                  { return "escrow.closed" }
func (Reopened) EventType() string                { return "escrow.reopened" }
func (RefundSettled) EventType() string           { return "escrow.refund_settled" }
func (RefundUnsettled) EventType() string         { return "escrow.refund_unsettled" }
func (ClawedBack) EventType() string              { return "escrow.clawed_back" }

func (Opened) escrow()                  {}
func (Credited) escrow()                {}
func (Debited) escrow()                 {}
func (Funded) escrow()                  {}
func (Unfunded) escrow()                {}
func (FeeAbsorbed) escrow()             {}
func (DiscountFunded) escrow()          {}
func (ReleaseHoldPlaced) escrow()       {}
func (ReleaseHoldLifted) escrow()       {}
func (InspectionStarted) escrow()       {}
func (InspectionExtended) escrow()      {}
func (MadeReleasable) escrow()          {}
func (ReleaseRevoked) escrow()          {}
func (ReleaseApprovalRecorded) escrow() {}
func (Released) escrow()                {}
func (RefundTaken) escrow()             {}
func (RefundReturned) escrow()          {}
func (Frozen) escrow()                  {}
func (Unfrozen) escrow()                {}
func (DisputeSettled) escrow()          {}
func (Cancelled) escrow()               {}
func (Closed) escrow()                  {}
func (Reopened) escrow()                {}
func (RefundSettled) escrow()           {}
func (RefundUnsettled) escrow()         {}
func (ClawbackReturned) escrow()        {}
func (ClawedBack) escrow()              {}
