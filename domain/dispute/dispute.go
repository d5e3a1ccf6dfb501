package dispute

import (
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// Category is the stream type of disputes.
const Category = "dispute"

// The phases of a dispute.
const (
	PhaseAwaitingResponse   = "AwaitingResponse"
	PhaseEvidence           = "Evidence"
	PhaseSettlementProposed = "SettlementProposed"
	PhaseUnderReview        = "UnderReview"
	PhaseDecided            = "Decided"
	PhaseAwaitingReturn     = "AwaitingReturn"
	PhaseExecuting          = "Executing"
	PhaseResolved           = "Resolved"
	PhaseWithdrawn          = "Withdrawn"
	PhaseRejected           = "Rejected"
	PhaseClosed             = "Closed"
)

// LastRound is the round whose decision is final: there is one appeal.
const LastRound = 2

// State is what the rules need to know of a dispute.
type State struct {
	Phase          string           `json:"phase"`
	Dispute        domain.DisputeID `json:"dispute"`
	Hold           domain.HoldID    `json:"hold"`
	Request        domain.RequestID `json:"request"`
	Buyer          domain.UserID    `json:"buyer"`
	Seller         domain.UserID    `json:"seller"`
	Opener         domain.UserID    `json:"opener"`
	FromHeld       money.Amount     `json:"from_held"`
	FromReleasable money.Amount     `json:"from_releasable"`
	Terms          Terms            `json:"terms"`

	Round         int             `json:"round"`
	Resolver      domain.UserID   `json:"resolver"`       // of this round, empty until assigned
	PastResolvers []domain.UserID `json:"past_resolvers"` // who decided before

	RespondBy   time.Time `json:"respond_by"`
	EvidenceDue time.Time `json:"evidence_due"`
	AppealUntil time.Time `json:"appeal_until"`
	ReturnBy    time.Time `json:"return_by"`
	MaxAgeAt    time.Time `json:"max_age_at"`

	EvidenceIDs []string    `json:"evidence_ids"`
	BuyerCount  int         `json:"buyer_count"` // evidence in this round
	SellerCount int         `json:"seller_count"`
	Settlement  *Settlement `json:"settlement"` // the open proposal
	Outcome     *Outcome    `json:"outcome"`    // what stands, final or not

	Refund domain.RefundID `json:"refund"` // of a resolved dispute
	Parts  Parts           `json:"parts"`

	Legacy domain.Snapshot `json:"legacy,omitzero"` // of its import, if it was
}

// Settlement is an open proposal.
type Settlement struct {
	ID        string        `json:"id"`
	By        domain.UserID `json:"by"`
	SellerBPS money.BPS     `json:"seller_bps"`
	At        time.Time     `json:"at"`
	ExpiresAt time.Time     `json:"expires_at"`
}

// Outcome is what is to be done with the contested amount.
type Outcome struct {
	Action    Action    `json:"action"`
	SellerBPS money.BPS `json:"seller_bps"`
	FeePayer  FeePayer  `json:"fee_payer"`
	Final     bool      `json:"final"`
}

// Amount is the contested amount.
func (s State) Amount() money.Amount {
	return money.Of(s.FromHeld.Asset, s.FromHeld.Units.Plus(s.FromReleasable.Units))
}

// Open reports whether the contested money is still frozen.
func (s State) Open() bool {
	switch s.Phase {
	case "", PhaseResolved, PhaseWithdrawn, PhaseRejected, PhaseClosed:
		return false
	}
	return true
}

// WaitsUntil is the deadline of the present state, zero where nothing is waited for.
func (s State) WaitsUntil() time.Time {
	switch s.Phase {
	case PhaseAwaitingResponse:
		return s.RespondBy
	case PhaseEvidence:
		return s.EvidenceDue
	case PhaseSettlementProposed:
		return s.Settlement.ExpiresAt
	case PhaseUnderReview:
		return s.MaxAgeAt
	case PhaseDecided:
		return s.AppealUntil
	case PhaseAwaitingReturn:
		return s.ReturnBy
	}
	return time.Time{}
}

// Decider is the dispute as the executor runs it.
var Decider = domain.Decider[State, Event]{
	Category: Category,
	Decide:   Table().Decide,
	Evolve:   Evolve,
}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	snapshot := s.Legacy.After(e)
	s = evolve(s, e)
	s.Legacy = snapshot
	return s
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Imported:
		s = imported(e)
	case Opened:
		s = opened(e)
	case ResolverAssigned:
		s.Resolver = e.Resolver
	case Responded:
		s.Phase, s.EvidenceDue = PhaseEvidence, e.EvidenceDue
	case RespondentDefaulted, EvidencePeriodClosed:
		s.Phase = PhaseUnderReview
	case EvidenceSubmitted:
		s = counted(s, e)
	case MoreEvidenceRequested:
		s.Phase, s.EvidenceDue = PhaseEvidence, e.DueBy
	case SettlementProposed:
		s.Phase = PhaseSettlementProposed
		s.Settlement = &Settlement{ID: e.Settlement, By: e.By, SellerBPS: e.SellerBPS, At: e.At, ExpiresAt: e.ExpiresAt}
	case SettlementDeclined:
		s.Phase, s.Settlement, s.EvidenceDue = PhaseEvidence, nil, e.EvidenceDue
	case SettlementLapsed:
		s.Phase, s.Settlement, s.EvidenceDue = PhaseEvidence, nil, e.EvidenceDue
	case SettlementAccepted:
		s.Phase, s.Settlement = PhaseExecuting, nil
		s.Outcome = &Outcome{Action: Split, SellerBPS: e.SellerBPS, FeePayer: NobodyPays, Final: true}
	case Decided:
		// Who decided, and who was assigned while an admin decided: both have had their say.
		s.PastResolvers = append(slices.Clone(s.PastResolvers), e.By)
		if s.Resolver != "" && s.Resolver != e.By {
			s.PastResolvers = append(s.PastResolvers, s.Resolver)
		}
		s.Phase, s.AppealUntil, s.Resolver = PhaseDecided, e.AppealUntil, ""
		s.Outcome = &Outcome{Action: e.Action, SellerBPS: e.SellerBPS, FeePayer: e.FeePayer, Final: e.Final}
	case Appealed:
		s.Phase, s.Round, s.Outcome, s.MaxAgeAt = PhaseUnderReview, e.Round, nil, e.MaxAgeAt
		s.BuyerCount, s.SellerCount = 0, 0
	case AppealWindowClosed:
		s.Phase = PhaseExecuting
		if e.ReturnBy != nil {
			s.Phase, s.ReturnBy = PhaseAwaitingReturn, *e.ReturnBy
		}
	case ReturnConfirmed:
		s.Phase = PhaseExecuting
	case ReturnLapsed:
		s.Phase = PhaseExecuting
		s.Outcome = &Outcome{Action: Release, SellerBPS: money.All, FeePayer: NobodyPays, Final: true}
	case Defaulted:
		s.Phase, s.Settlement = PhaseExecuting, nil
		s.Outcome = &Outcome{Action: Split, SellerBPS: e.SellerBPS, FeePayer: NobodyPays, Final: true}
	case Resolved:
		s.Phase, s.Refund, s.Parts = PhaseResolved, e.Refund, e.Parts
	case Withdrawn:
		s.Phase, s.Settlement = PhaseWithdrawn, nil
	case Rejected:
		s.Phase = PhaseRejected
	case Closed:
		s.Phase = PhaseClosed
	}
	return s
}

func opened(e Opened) State {
	return State{
		Phase: PhaseAwaitingResponse, Dispute: e.Dispute, Hold: e.Hold, Request: e.Request,
		Buyer: e.Buyer, Seller: e.Seller, Opener: e.Opener,
		FromHeld: e.FromHeld, FromReleasable: e.FromReleasable, Terms: e.Terms,
		Round: 1, RespondBy: e.RespondBy, MaxAgeAt: e.MaxAgeAt,
	}
}

func counted(s State, e EvidenceSubmitted) State {
	s.EvidenceIDs = append(slices.Clone(s.EvidenceIDs), e.Evidence.ID)
	if e.By == s.Buyer {
		s.BuyerCount = e.Count
	} else {
		s.SellerCount = e.Count
	}
	return s
}
