package dispute

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// Action is what a decision does with the contested money.
type Action string

// The actions. Replacement gives the money back to the hold, where the order goes on;
// ReturnThenRefund pays the buyer once the goods are back.
const (
	Refund           Action = "refund"
	Release          Action = "release"
	Split            Action = "split"
	Replacement      Action = "replacement"
	ReturnThenRefund Action = "return_then_refund"
)

// FeePayer says whose part the dispute fee comes out of.
type FeePayer string

// The payers of the dispute fee; a fee is never larger than the part it comes out of.
const (
	SellerPays FeePayer = "seller"
	BuyerPays  FeePayer = "buyer"
	NobodyPays FeePayer = "none"
)

// Measure is what happens to a party beside the money.
type Measure string

// The side measures.
const (
	Warn Measure = "warn"
	Ban  Measure = "ban"
)

// Terms is the policy of a dispute, snapshotted when it is opened.
type Terms struct {
	ResponseWindow   time.Duration `json:"response_window"`
	EvidenceWindow   time.Duration `json:"evidence_window"`
	ReviewWindow     time.Duration `json:"review_window"` // then it is escalated
	SettlementWindow time.Duration `json:"settlement_window"`
	AppealWindow     time.Duration `json:"appeal_window"`
	ReturnWindow     time.Duration `json:"return_window"`
	MaxAge           time.Duration `json:"max_age"`        // then the default split applies
	CloseCheck       time.Duration `json:"close_check"`    // how often a resolved dispute is tried to close
	EvidenceLimit    int           `json:"evidence_limit"` // items a party and round
	DefaultSellerBPS money.BPS     `json:"default_seller_bps"`
	Fee              money.Amount  `json:"fee"`
}

// Parts is what executing an outcome does with the contested amount: they sum to it.
type Parts struct {
	Buyer       money.Amount `json:"buyer"` // to the refund
	PlatformFee money.Amount `json:"platform_fee"`
	DisputeFee  money.Amount `json:"dispute_fee"`
	Seller      money.Amount `json:"seller"`
	Reserve     money.Amount `json:"reserve,omitzero"` // the seller's, withheld for a time
	// Back to the hold, for a replacement.
	Held       money.Amount `json:"held"`
	Releasable money.Amount `json:"releasable"`
}

// Evidence is one piece of proof. It never changes once it is submitted.
type Evidence struct {
	ID     string          `json:"id"`
	Kind   string          `json:"kind"` // text, image, video, document, link
	SHA256 string          `json:"sha256,omitempty"`
	Text   domain.Personal `json:"text"`
}

// Open contests an amount. FromHeld and FromReleasable say where it lies; the flow reads
// them from the hold. WindowEnds is when disputes of this hold are no longer taken.
type Open struct {
	domain.Issue
	Dispute        domain.DisputeID
	Hold           domain.HoldID
	Request        domain.RequestID
	Buyer          domain.UserID
	Seller         domain.UserID
	Category       string
	Priority       string
	Reason         domain.Personal
	DesiredOutcome string
	FromHeld       money.Amount
	FromReleasable money.Amount
	WindowEnds     time.Time
	Terms          Terms
}

// Respond is the other party's answer.
type Respond struct {
	domain.Issue
	Text domain.Personal
}

// DefaultRespondent ends the wait for an answer.
type DefaultRespondent struct{ domain.Issue }

// SubmitEvidence adds one piece of proof.
type SubmitEvidence struct {
	domain.Issue
	Evidence Evidence
}

// CloseEvidence ends the collection and begins the review.
type CloseEvidence struct{ domain.Issue }

// RequestMoreEvidence reopens the collection. From is buyer, seller or both.
type RequestMoreEvidence struct {
	domain.Issue
	From  string
	DueBy time.Time
	What  domain.Personal
}

// AssignResolver names who decides. PayoutApprovers are the people who approved payouts of
// this order; the flow looks them up.
type AssignResolver struct {
	domain.Issue
	Resolver        domain.UserID
	PayoutApprovers []domain.UserID
}

// ProposeSettlement offers a split to the other party. A zero ExpiresAt takes the terms'.
type ProposeSettlement struct {
	domain.Issue
	Settlement string
	SellerBPS  money.BPS
	Message    domain.Personal
	ExpiresAt  time.Time
}

// AcceptSettlement agrees to the open proposal.
type AcceptSettlement struct {
	domain.Issue
	Settlement string
}

// DeclineSettlement refuses the open proposal, or takes one's own back.
type DeclineSettlement struct {
	domain.Issue
	Settlement string
}

// LapseSettlement ends a proposal nobody answered.
type LapseSettlement struct {
	domain.Issue
	Settlement string
}

// Decide is the resolver's decision. A nil SellerBPS is what the action implies.
type Decide struct {
	domain.Issue
	Action    Action
	SellerBPS *money.BPS
	FeePayer  FeePayer
	Reason    domain.Personal
	// PayoutApprovers as in AssignResolver, for an admin who decides unassigned.
	PayoutApprovers []domain.UserID
}

// Appeal asks another resolver; once, by a party that did not get everything.
type Appeal struct {
	domain.Issue
	Grounds  domain.Personal
	Evidence []Evidence
}

// CloseAppealWindow makes the decision final.
type CloseAppealWindow struct{ domain.Issue }

// ConfirmReturn says that the goods are back with the seller.
type ConfirmReturn struct{ domain.Issue }

// LapseReturn ends the wait for the goods: the seller keeps the money.
type LapseReturn struct{ domain.Issue }

// Default applies the policy's split to a dispute that is too old.
type Default struct{ domain.Issue }

// Resolve carries the final outcome out, once. The parts come from the hold: they make up the
// contested amount, less what the chain has undone meanwhile.
type Resolve struct {
	domain.Issue
	Parts  Parts
	Refund domain.RefundID // set when the buyer gets something
}

// Withdraw is the opener giving up; the money goes back where it was. Held and Releasable
// are what is still frozen: the chain may have undone a part meanwhile.
type Withdraw struct {
	domain.Issue
	Held       money.Amount
	Releasable money.Amount
}

// Reject refuses an inadmissible dispute; the money goes back where it was, as for Withdraw.
type Reject struct {
	domain.Issue
	Held       money.Amount
	Releasable money.Amount
	Reason     domain.Personal
}

// Escalate asks for attention: a party, the resolver, an admin, or the review deadline.
type Escalate struct{ domain.Issue }

// TakeSideMeasure warns or bans a party; it never moves money.
type TakeSideMeasure struct {
	domain.Issue
	Measure Measure
	Target  domain.UserID
	Reason  domain.Personal
}

// Close ends a resolved dispute when its money has arrived. Settled is what the flow found.
type Close struct {
	domain.Issue
	Settled bool
}
