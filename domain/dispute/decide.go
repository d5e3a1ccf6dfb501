package dispute

import (
	"encoding/hex"
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
)

// Refusals.
var (
	ErrOpen              = fault.New(fault.Conflict, "DISPUTE_OPEN", "there is an open dispute about this order already")
	ErrWindowClosed      = fault.New(fault.Conflict, "WINDOW_CLOSED", "the time in which this order could be disputed is over")
	ErrNothingToDispute  = fault.New(fault.Rule, "NOTHING_TO_DISPUTE", "the hold has no money that could be contested")
	ErrEvidenceClosed    = fault.New(fault.Conflict, "EVIDENCE_CLOSED", "no evidence is taken now")
	ErrEvidenceLimit     = fault.New(fault.Rule, "EVIDENCE_LIMIT", "you have submitted as much evidence as is allowed")
	ErrSettlementExpired = fault.New(fault.Conflict, "SETTLEMENT_EXPIRED", "the proposal is no longer open")
	ErrNotAssigned       = fault.New(fault.Forbidden, "NOT_ASSIGNED", "the dispute is assigned to somebody else")
	ErrResolverConflict  = fault.New(fault.Conflict, "RESOLVER_CONFLICT", "this person has a part in the matter and cannot decide it")
	ErrInvalidSplit      = fault.New(fault.Rule, "INVALID_SPLIT", "the shares do not fit the action or do not make up the whole")
	ErrAppealClosed      = fault.New(fault.Conflict, "APPEAL_CLOSED", "the time for an appeal is over")
	ErrAppealLimit       = fault.New(fault.Conflict, "APPEAL_LIMIT", "there is one appeal, and it was used")
	ErrAlreadyResolved   = fault.New(fault.Conflict, "ALREADY_RESOLVED", "the dispute is decided or over")
)

func open(_ State, c Open) ([]Event, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if !c.By.Is(c.Buyer) && !c.By.Is(c.Seller) {
		return nil, fault.ErrForbidden
	}
	amount := c.FromHeld
	amount.Units = amount.Units.Plus(c.FromReleasable.Units)
	switch {
	case amount.IsZero():
		return nil, ErrNothingToDispute
	case !c.WindowEnds.IsZero() && c.At.After(c.WindowEnds):
		return nil, ErrWindowClosed.With("window_ended", c.WindowEnds.UTC().Format(time.RFC3339))
	}
	return []Event{Opened{
		Dispute: c.Dispute, Hold: c.Hold, Request: c.Request, Buyer: c.Buyer, Seller: c.Seller,
		Opener: c.By.User(), Category: c.Category, Priority: c.Priority, Reason: c.Reason,
		DesiredOutcome: c.DesiredOutcome, Amount: amount, FromHeld: c.FromHeld, FromReleasable: c.FromReleasable,
		Terms: c.Terms, RespondBy: c.At.Add(c.Terms.ResponseWindow), MaxAgeAt: c.At.Add(c.Terms.MaxAge),
	}}, nil
}

func (c Open) validate() error {
	bad := func(path, msg string) error { return fault.ErrValidation.At(path, msg) }
	switch {
	case c.Dispute == "" || c.Hold == "" || c.Buyer == "" || c.Seller == "":
		return bad("dispute", "names no dispute, hold or party")
	case c.Category == "" || len(c.Category) > 60:
		return bad("category", "must have 1 to 60 characters")
	case c.Reason.Text != "" && c.Reason.Subject == "":
		return bad("reason", "names no data subject")
	case !slices.Contains([]string{"", "low", "medium", "high", "urgent"}, c.Priority):
		return bad("priority", "must be low, medium, high or urgent")
	}
	return c.Terms.validate()
}

func respond(s State, c Respond) ([]Event, error) {
	if c.By.Is(s.Opener) {
		return nil, fault.ErrForbidden
	}
	return []Event{Responded{
		Dispute: s.Dispute, By: c.By.User(), Text: c.Text, EvidenceDue: c.At.Add(s.Terms.EvidenceWindow),
	}}, nil
}

// due refuses a timer that came before its time: one that was moved, or a clock set back.
func due(at, deadline time.Time) error {
	if at.Before(deadline) {
		return fault.ErrInvalidState.Because("the deadline is %s", deadline.UTC().Format(time.RFC3339))
	}
	return nil
}

func defaultRespondent(s State, c DefaultRespondent) ([]Event, error) {
	if err := due(c.At, s.RespondBy); err != nil {
		return nil, err
	}
	return []Event{RespondentDefaulted{Dispute: s.Dispute, ReviewBy: c.At.Add(s.Terms.ReviewWindow)}}, nil
}

func submitEvidence(s State, c SubmitEvidence) ([]Event, error) {
	if err := c.Evidence.validate(); err != nil {
		return nil, err
	}
	if slices.Contains(s.EvidenceIDs, c.Evidence.ID) {
		return nil, nil
	}
	dueBy := s.EvidenceDue
	if s.Phase == PhaseAwaitingResponse {
		dueBy = s.RespondBy
	}
	// While a proposal is open, the evidence clock stands still.
	if s.Phase != PhaseSettlementProposed && c.At.After(dueBy) {
		return nil, ErrEvidenceClosed.With("due_by", dueBy.UTC().Format(time.RFC3339))
	}
	count := s.SellerCount + 1
	if c.By.Is(s.Buyer) {
		count = s.BuyerCount + 1
	}
	if count > s.Terms.EvidenceLimit {
		return nil, ErrEvidenceLimit.With("limit", s.Terms.EvidenceLimit)
	}
	return []Event{EvidenceSubmitted{
		Dispute: s.Dispute, Evidence: c.Evidence, By: c.By.User(), At: c.At, DueBy: dueBy, Round: s.Round, Count: count,
	}}, nil
}

func (e Evidence) validate() error {
	bad := func(path, msg string) error { return fault.ErrValidation.At("evidence."+path, msg) }
	switch {
	case e.ID == "":
		return bad("id", "is missing")
	case !slices.Contains([]string{"text", "image", "video", "document", "link"}, e.Kind):
		return bad("kind", "must be text, image, video, document or link")
	case e.SHA256 == "" && e.Text.Text == "":
		return bad("text", "must be given where no file is")
	case e.Text.Text != "" && e.Text.Subject == "":
		return bad("text", "names no data subject")
	}
	if sum, err := hex.DecodeString(e.SHA256); err != nil || (len(sum) != 0 && len(sum) != 32) {
		return bad("sha256", "must be 64 hex digits")
	}
	return nil
}

// assigned: only this round's resolver, or an admin, goes on.
func assigned(s State, a domain.Actor) error {
	if a.Has(domain.Admin) || a.Is(s.Resolver) {
		return nil
	}
	return ErrNotAssigned
}

func closeEvidence(s State, c CloseEvidence) ([]Event, error) {
	var err error
	if c.By.User() == "" {
		err = due(c.At, s.EvidenceDue)
	} else {
		err = assigned(s, c.By)
	}
	if err != nil {
		return nil, err
	}
	return []Event{EvidencePeriodClosed{Dispute: s.Dispute, ReviewBy: c.At.Add(s.Terms.ReviewWindow)}}, nil
}

func requestMoreEvidence(s State, c RequestMoreEvidence) ([]Event, error) {
	if err := assigned(s, c.By); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"buyer", "seller", "both"}, c.From) {
		return nil, fault.ErrValidation.At("from", "must be buyer, seller or both")
	}
	if !c.DueBy.After(c.At) || c.DueBy.After(s.MaxAgeAt) {
		return nil, fault.ErrValidation.At("due_by", "must lie before the dispute's maximum age")
	}
	return []Event{MoreEvidenceRequested{Dispute: s.Dispute, From: c.From, DueBy: c.DueBy, What: c.What, By: c.By}}, nil
}

func withdraw(s State, c Withdraw) ([]Event, error) {
	if !c.By.Is(s.Opener) && !c.By.Has(domain.Admin) {
		return nil, fault.ErrForbidden
	}
	if err := within(s, c.Held.Units.Plus(c.Releasable.Units)); err != nil {
		return nil, err
	}
	return []Event{Withdrawn{
		Dispute: s.Dispute, Hold: s.Hold, FromHeld: c.Held, FromReleasable: c.Releasable, By: c.By,
	}}, nil
}

func reject(s State, c Reject) ([]Event, error) {
	if err := assigned(s, c.By); err != nil {
		return nil, err
	}
	if err := within(s, c.Held.Units.Plus(c.Releasable.Units)); err != nil {
		return nil, err
	}
	return []Event{Rejected{
		Dispute: s.Dispute, Hold: s.Hold, FromHeld: c.Held, FromReleasable: c.Releasable, Reason: c.Reason, By: c.By,
	}}, nil
}

func escalate(s State, c Escalate) ([]Event, error) {
	return []Event{Escalated{Dispute: s.Dispute, By: c.By}}, nil
}

func takeSideMeasure(s State, c TakeSideMeasure) ([]Event, error) {
	switch {
	case c.Measure != Warn && c.Measure != Ban:
		return nil, fault.ErrValidation.At("measure", "must be warn or ban")
	case c.Target != s.Buyer && c.Target != s.Seller:
		return nil, fault.ErrValidation.At("target", "is no party of this dispute")
	case c.By.Is(c.Target):
		return nil, ErrResolverConflict
	}
	return []Event{SideMeasureTaken{Dispute: s.Dispute, Measure: c.Measure, Target: c.Target, Reason: c.Reason, By: c.By}}, nil
}

// refuse says more exactly than INVALID_STATE what is too late.
func refuse(s State, c domain.Command) error {
	if s.Phase == "" {
		return fault.ErrNotFound
	}
	switch c.(type) {
	case Open:
		return ErrOpen
	case SubmitEvidence:
		return ErrEvidenceClosed.With("state", s.Phase)
	case AcceptSettlement, DeclineSettlement:
		return ErrSettlementExpired.With("state", s.Phase)
	case Appeal:
		if s.Round >= LastRound {
			return ErrAppealLimit
		}
		return ErrAppealClosed.With("state", s.Phase)
	case Decide, Resolve:
		if s.Phase == PhaseDecided || !s.Open() {
			return ErrAlreadyResolved.With("state", s.Phase)
		}
	}
	return nil
}
