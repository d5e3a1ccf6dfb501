package dispute

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// Event is something that happened in a dispute.
type Event interface {
	domain.Event
	dispute()
}

// Opened: the contested amount is frozen where it lay.
type Opened struct {
	Dispute        domain.DisputeID `json:"dispute"`
	Hold           domain.HoldID    `json:"hold"`
	Request        domain.RequestID `json:"request"`
	Buyer          domain.UserID    `json:"buyer"`
	Seller         domain.UserID    `json:"seller"`
	Opener         domain.UserID    `json:"opener"`
	Category       string           `json:"category"`
	Priority       string           `json:"priority"`
	Reason         domain.Personal  `json:"reason"`
	DesiredOutcome string           `json:"desired_outcome,omitempty"`
	Amount         money.Amount     `json:"amount"`
	FromHeld       money.Amount     `json:"from_held"`
	FromReleasable money.Amount     `json:"from_releasable"`
	Terms          Terms            `json:"terms"`
	RespondBy      time.Time        `json:"respond_by"`
	MaxAgeAt       time.Time        `json:"max_age_at"`
}

// ResolverAssigned: who decides this round.
type ResolverAssigned struct {
	Dispute  domain.DisputeID `json:"dispute"`
	Resolver domain.UserID    `json:"resolver"`
	Round    int              `json:"round"`
	By       domain.Actor     `json:"by"`
}

// Responded: the other party answered; evidence is collected until EvidenceDue.
type Responded struct {
	Dispute     domain.DisputeID `json:"dispute"`
	By          domain.UserID    `json:"by"`
	Text        domain.Personal  `json:"text"`
	EvidenceDue time.Time        `json:"evidence_due"`
}

// RespondentDefaulted: the other party never answered.
type RespondentDefaulted struct {
	Dispute  domain.DisputeID `json:"dispute"`
	ReviewBy time.Time        `json:"review_by"`
}

// EvidenceSubmitted: one piece of proof, immutable.
type EvidenceSubmitted struct {
	Dispute  domain.DisputeID `json:"dispute"`
	Evidence Evidence         `json:"evidence"`
	By       domain.UserID    `json:"by"`
	At       time.Time        `json:"at"`
	DueBy    time.Time        `json:"due_by"`
	Round    int              `json:"round"`
	Count    int              `json:"count"` // of this party in this round
}

// EvidencePeriodClosed: the review begins.
type EvidencePeriodClosed struct {
	Dispute  domain.DisputeID `json:"dispute"`
	ReviewBy time.Time        `json:"review_by"`
}

// MoreEvidenceRequested: the collection is open again.
type MoreEvidenceRequested struct {
	Dispute domain.DisputeID `json:"dispute"`
	From    string           `json:"from"`
	DueBy   time.Time        `json:"due_by"`
	What    domain.Personal  `json:"what"`
	By      domain.Actor     `json:"by"`
}

// SettlementProposed: one party offers a split.
type SettlementProposed struct {
	Dispute    domain.DisputeID `json:"dispute"`
	Settlement string           `json:"settlement"`
	By         domain.UserID    `json:"by"`
	SellerBPS  money.BPS        `json:"seller_bps"`
	Message    domain.Personal  `json:"message"`
	At         time.Time        `json:"at"`
	ExpiresAt  time.Time        `json:"expires_at"`
}

// SettlementAccepted: both agree; the split is the outcome.
type SettlementAccepted struct {
	Dispute    domain.DisputeID `json:"dispute"`
	Settlement string           `json:"settlement"`
	By         domain.UserID    `json:"by"`
	SellerBPS  money.BPS        `json:"seller_bps"`
}

// SettlementDeclined: the proposal is off the table.
type SettlementDeclined struct {
	Dispute     domain.DisputeID `json:"dispute"`
	Settlement  string           `json:"settlement"`
	By          domain.UserID    `json:"by"`
	EvidenceDue time.Time        `json:"evidence_due"`
}

// SettlementLapsed: nobody answered the proposal in time.
type SettlementLapsed struct {
	Dispute     domain.DisputeID `json:"dispute"`
	Settlement  string           `json:"settlement"`
	EvidenceDue time.Time        `json:"evidence_due"`
}

// Decided: a round's decision; it is carried out when the appeal window has closed.
type Decided struct {
	Dispute     domain.DisputeID `json:"dispute"`
	Round       int              `json:"round"`
	Action      Action           `json:"action"`
	SellerBPS   money.BPS        `json:"seller_bps"`
	FeePayer    FeePayer         `json:"fee_payer"`
	Reason      domain.Personal  `json:"reason"`
	By          domain.UserID    `json:"by"`
	AppealUntil time.Time        `json:"appeal_until"`
	Final       bool             `json:"final"` // no appeal is left
}

// Appealed: another resolver decides anew.
type Appealed struct {
	Dispute  domain.DisputeID `json:"dispute"`
	By       domain.UserID    `json:"by"`
	Grounds  domain.Personal  `json:"grounds"`
	Round    int              `json:"round"` // the new one
	ReviewBy time.Time        `json:"review_by"`
	MaxAgeAt time.Time        `json:"max_age_at"`
}

// AppealWindowClosed: the decision is final. ReturnBy is set when the goods must come back
// before the money moves.
type AppealWindowClosed struct {
	Dispute  domain.DisputeID `json:"dispute"`
	ReturnBy *time.Time       `json:"return_by,omitempty"`
}

// ReturnConfirmed: the goods are back; the buyer is paid.
type ReturnConfirmed struct {
	Dispute domain.DisputeID `json:"dispute"`
	By      domain.Actor     `json:"by"`
}

// ReturnLapsed: the goods never came back; the seller is paid.
type ReturnLapsed struct {
	Dispute domain.DisputeID `json:"dispute"`
}

// Defaulted: the dispute grew too old; the policy's split is the outcome.
type Defaulted struct {
	Dispute   domain.DisputeID `json:"dispute"`
	SellerBPS money.BPS        `json:"seller_bps"`
}

// Resolved: the outcome was carried out, once and for all.
type Resolved struct {
	Dispute domain.DisputeID `json:"dispute"`
	Hold    domain.HoldID    `json:"hold"`
	Request domain.RequestID `json:"request"`
	Buyer   domain.UserID    `json:"buyer"`
	Seller  domain.UserID    `json:"seller"`
	Refund  domain.RefundID  `json:"refund,omitempty"`
	Parts   Parts            `json:"parts"`
	// CheckCloseAt is when closing is tried first, should no settled payment ask for it.
	CheckCloseAt time.Time `json:"check_close_at"`
}

// Withdrawn: the opener gave up; the money is back where it was.
type Withdrawn struct {
	Dispute        domain.DisputeID `json:"dispute"`
	Hold           domain.HoldID    `json:"hold"`
	FromHeld       money.Amount     `json:"from_held"`
	FromReleasable money.Amount     `json:"from_releasable"`
	By             domain.Actor     `json:"by"`
}

// Rejected: inadmissible; the money is back where it was.
type Rejected struct {
	Dispute        domain.DisputeID `json:"dispute"`
	Hold           domain.HoldID    `json:"hold"`
	FromHeld       money.Amount     `json:"from_held"`
	FromReleasable money.Amount     `json:"from_releasable"`
	Reason         domain.Personal  `json:"reason"`
	By             domain.Actor     `json:"by"`
}

// Escalated: somebody, or the review deadline, asks for attention.
type Escalated struct {
	Dispute domain.DisputeID `json:"dispute"`
	By      domain.Actor     `json:"by"`
}

// SideMeasureTaken: a party was warned or banned.
type SideMeasureTaken struct {
	Dispute domain.DisputeID `json:"dispute"`
	Measure Measure          `json:"measure"`
	Target  domain.UserID    `json:"target"`
	Reason  domain.Personal  `json:"reason"`
	By      domain.Actor     `json:"by"`
}

// CloseDeferred: the money is still on its way; closing is tried again.
type CloseDeferred struct {
	Dispute      domain.DisputeID `json:"dispute"`
	CheckCloseAt time.Time        `json:"check_close_at"`
}

// Closed: nothing is left to do.
type Closed struct {
	Dispute domain.DisputeID `json:"dispute"`
}

func (Opened) EventType() string                { return "dispute.opened" }
func (ResolverAssigned) EventType() string      { return "dispute.resolver_assigned" }
func (Responded) EventType() string             { return "dispute.responded" }
func (RespondentDefaulted) EventType() string   { return "dispute.respondent_defaulted" }
func (EvidenceSubmitted) EventType() string     { return "dispute.evidence_submitted" }
func (EvidencePeriodClosed) EventType() string  { return "dispute.evidence_period_closed" }
func (MoreEvidenceRequested) EventType() string { return "dispute.more_evidence_requested" }
func (SettlementProposed) EventType() string    { return "dispute.settlement_proposed" }
func (SettlementAccepted) EventType() string    { return "dispute.settlement_accepted" }
func (SettlementDeclined) EventType() string    { return "dispute.settlement_declined" }
func (SettlementLapsed) EventType() string      { return "dispute.settlement_lapsed" }
func (Decided) EventType() string               { return "dispute.decided" }
func (Appealed) EventType() string              { return "dispute.appealed" }
func (AppealWindowClosed) EventType() string    { return "dispute.appeal_window_closed" }
func (ReturnConfirmed) EventType() string       { return "dispute.return_confirmed" }
func (ReturnLapsed) EventType() string          { return "dispute.return_lapsed" }
func (Defaulted) EventType() string             { return "dispute.defaulted" }
func (Resolved) EventType() string              { return "dispute.resolved" }
func (Withdrawn) EventType() string             { return "dispute.withdrawn" }
func (Rejected) EventType() string              { return "dispute.rejected" }
func (Escalated) EventType() string             { return "dispute.escalated" }
func (SideMeasureTaken) EventType() string      { return "dispute.side_measure_taken" }
func (CloseDeferred) EventType() string         { return "dispute.close_deferred" }
func (Closed) EventType() string                { return "dispute.closed" }

func (Opened) dispute()                {}
func (ResolverAssigned) dispute()      {}
func (Responded) dispute()             {}
func (RespondentDefaulted) dispute()   {}
func (EvidenceSubmitted) dispute()     {}
func (EvidencePeriodClosed) dispute()  {}
func (MoreEvidenceRequested) dispute() {}
func (SettlementProposed) dispute()    {}
func (SettlementAccepted) dispute()    {}
func (SettlementDeclined) dispute()    {}
func (SettlementLapsed) dispute()      {}
func (Decided) dispute()               {}
func (Appealed) dispute()              {}
func (AppealWindowClosed) dispute()    {}
func (ReturnConfirmed) dispute()       {}
func (ReturnLapsed) dispute()          {}
func (Defaulted) dispute()             {}
func (Resolved) dispute()              {}
func (Withdrawn) dispute()             {}
func (Rejected) dispute()              {}
func (Escalated) dispute()             {}
func (SideMeasureTaken) dispute()      {}
func (CloseDeferred) dispute()         {}
func (Closed) dispute()                {}
