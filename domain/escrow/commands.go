package escrow

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// HoldKind says why a release is stopped.
type HoldKind string

// The kinds of release holds.
const (
	DisputeHold HoldKind = "dispute"
	AMLHold     HoldKind = "aml"
	AdminHold   HoldKind = "admin"
	GuardHold   HoldKind = "guard"
)

// Open begins a hold.
type Open struct {
	domain.Issue
	Hold    domain.HoldID
	Request domain.RequestID
	Offer   domain.OfferID
	Buyer   domain.UserID
	Seller  domain.UserID
	Due     money.Amount
	Terms   Terms
}

// Credit adds confirmed money; Overpaid of it goes to the buyer's credit at once.
type Credit struct {
	domain.Issue
	Payment  domain.PaymentID
	Amount   money.Amount
	Overpaid money.Amount
}

// Debit takes money out that the chain has undone; the parts were decided by State.Undo.
type Debit struct {
	domain.Issue
	Payment domain.PaymentID
	Amount  money.Amount
}

// AbsorbFee lets the platform pay a provider's fee so that the order is funded in full.
type AbsorbFee struct {
	domain.Issue
	Amount money.Amount
}

// FundDiscount lets the platform pay a discount.
type FundDiscount struct {
	domain.Issue
	Amount     money.Amount
	Redemption string
}

// PlaceReleaseHold stops the release; the same id again is a repeat.
type PlaceReleaseHold struct {
	domain.Issue
	ID     string
	Kind   HoldKind
	Reason string
}

// LiftReleaseHold removes a release hold.
//
// An aml hold that a machine has placed is lifted by two people: who issues this and Approver.
type LiftReleaseHold struct {
	domain.Issue
	ID       string
	Reason   string
	Approver domain.Actor
}

// StartInspection begins the time in which the buyer may still object.
type StartInspection struct{ domain.Issue }

// ExtendInspection moves its end.
type ExtendInspection struct {
	domain.Issue
	EndsAt time.Time
}

// MarkReleasable makes an amount releasable; zero = all that is held.
type MarkReleasable struct {
	domain.Issue
	Amount money.Units
	Cause  string
}

// RevokeRelease takes back what is releasable and not yet released.
type RevokeRelease struct {
	domain.Issue
	Reason string
}

// Release pays the seller; zero = all that is releasable.
type Release struct {
	domain.Issue
	Amount money.Units
}

// TakeForRefund moves money out for an approved refund. From must be held or releasable.
type TakeForRefund struct {
	domain.Issue
	Refund domain.RefundID
	From   Bucket
	Amount money.Amount
}

// ReturnFromRefund puts it back when the refund is cancelled before it was sent.
type ReturnFromRefund struct {
	domain.Issue
	Refund domain.RefundID
	To     Bucket
	Amount money.Amount
}

// SettleRefund notes that a refund of this hold ended; UnsettleRefund that the chain undid it.
type SettleRefund struct {
	domain.Issue
	Refund domain.RefundID
}

// UnsettleRefund notes that the chain undid a refund.
type UnsettleRefund struct {
	domain.Issue
	Refund domain.RefundID
}

// ClawBack notes that released money is refunded out of what the seller has or owes.
type ClawBack struct {
	domain.Issue
	Refund domain.RefundID
	Amount money.Amount
}

// ReturnClawback notes that such a refund was cancelled before it was sent.
type ReturnClawback struct {
	domain.Issue
	Refund domain.RefundID
	Amount money.Amount
}

// Freeze contests an amount: first what is held, then what is releasable. Zero = all.
type Freeze struct {
	domain.Issue
	Dispute domain.DisputeID
	Amount  money.Units
}

// Unfreeze gives the contested amount back to where it came from.
type Unfreeze struct {
	domain.Issue
	Dispute domain.DisputeID
}

// Resolve carries a dispute's outcome out. The parts must sum to the contested amount; of what the
// seller gets, Reserve is withheld as a release would withhold it (State.ReserveFor).
type Resolve struct {
	domain.Issue
	Dispute      domain.DisputeID
	Refund       domain.RefundID
	Buyer        money.Units
	PlatformFee  money.Units
	DisputeFee   money.Units
	Seller       money.Units
	Reserve      money.Units
	ToHeld       money.Units
	ToReleasable money.Units
}

// Cancel ends a hold that was never funded.
type Cancel struct {
	domain.Issue
	Reason string
}

// Close ends a hold of which nothing is left.
type Close struct{ domain.Issue }

// Reopen concerns a closed hold again.
type Reopen struct {
	domain.Issue
	Reason string
}
