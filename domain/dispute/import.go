package dispute

import (
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// ImportedEvidence is a piece of proof that the old backend had collected.
type ImportedEvidence struct {
	Evidence
	By domain.UserID `json:"by"`
	At time.Time     `json:"at"`
}

// ImportedDecision is how the old backend has decided. Word is its own name of the action.
type ImportedDecision struct {
	Word      string          `json:"word"`
	Action    Action          `json:"action"`
	SellerBPS money.BPS       `json:"seller_bps"`
	Reason    domain.Personal `json:"reason"`
	By        domain.UserID   `json:"by,omitempty"`
	At        time.Time       `json:"at,omitzero"`
}

// Imported: a dispute of the old backend as its document has it. It says the whole state; the
// hold's escrow.dispute_imported and the treasury's events of the same commit move the money.
type Imported struct {
	domain.Legacy
	Dispute        domain.DisputeID   `json:"dispute"`
	Hold           domain.HoldID      `json:"hold"`
	Request        domain.RequestID   `json:"request"`
	Payment        domain.PaymentID   `json:"payment,omitempty"` // that the document names
	Buyer          domain.UserID      `json:"buyer"`
	Seller         domain.UserID      `json:"seller"`
	Opener         domain.UserID      `json:"opener"`
	Resolver       domain.UserID      `json:"resolver,omitempty"`
	Category       string             `json:"category"`
	Priority       string             `json:"priority"`
	Reason         domain.Personal    `json:"reason"`
	DesiredOutcome string             `json:"desired_outcome,omitempty"`
	Said           *money.Amount      `json:"said,omitempty"` // what the document says is contested
	Currency       string             `json:"currency,omitempty"`
	FromHeld       money.Amount       `json:"from_held"` // what it has frozen
	FromReleasable money.Amount       `json:"from_releasable"`
	Terms          Terms              `json:"terms"`
	Phase          string             `json:"phase"`
	Status         string             `json:"status"` // the old backend's word, shown until something happens here
	DueAt          time.Time          `json:"due_at,omitzero"`
	MaxAgeAt       time.Time          `json:"max_age_at,omitzero"`
	Evidence       []ImportedEvidence `json:"evidence,omitempty"`
	Decision       *ImportedDecision  `json:"decision,omitempty"`
	Due            *time.Time         `json:"due,omitempty"` // the document's own word
	ResolvedAt     *time.Time         `json:"resolved_at,omitempty"`
	ClosedAt       *time.Time         `json:"closed_at,omitempty"`
	At             time.Time          `json:"at"` // of the import
}

// EventType implements domain.Event.
func (Imported) EventType() string { return "dispute.imported" }
func (Imported) dispute()          {}

// Open reports whether the dispute still has to be decided.
func (e Imported) Open() bool { return State{Phase: e.Phase}.Open() }

// Amount is what it contests.
func (e Imported) Amount() money.Amount {
	return money.Of(e.FromHeld.Asset, e.FromHeld.Units.Plus(e.FromReleasable.Units))
}

// Import takes a dispute's document, or takes it again when it has changed. The windows of an open
// one begin with the import. Errors: LEGACY_CONFLICT, DISPUTE_OPEN.
type Import struct {
	domain.Issue
	Fact Imported
}

// Untouched reports that a dispute is still what its document says.
func (s State) Untouched() bool { return s.Legacy.Hash != "" && !s.Legacy.Ours }

func importDispute(s State, c Import) ([]Event, error) {
	e := c.Fact
	again, err := s.Legacy.Takes(s.Phase != "", e.Legacy)
	if err != nil || again {
		return nil, err
	}
	if err := e.Terms.validate(); err != nil {
		return nil, err
	}
	switch e.Phase {
	case PhaseAwaitingResponse:
		e.DueAt = c.At.Add(e.Terms.ResponseWindow)
	case PhaseUnderReview:
		e.DueAt = c.At.Add(e.Terms.ReviewWindow)
	}
	if e.Open() {
		e.MaxAgeAt = c.At.Add(e.Terms.MaxAge)
	}
	return []Event{e}, nil
}

func imported(e Imported) State {
	s := State{
		Phase: e.Phase, Dispute: e.Dispute, Hold: e.Hold, Request: e.Request, Buyer: e.Buyer, Seller: e.Seller, Opener: e.Opener,
		FromHeld: e.FromHeld, FromReleasable: e.FromReleasable, Terms: e.Terms, Round: 1, Resolver: e.Resolver, MaxAgeAt: e.MaxAgeAt,
	}
	if e.Phase == PhaseAwaitingResponse {
		s.RespondBy = e.DueAt
	}
	for _, x := range e.Evidence {
		s = counted(s, EvidenceSubmitted{Evidence: x.Evidence, By: x.By, Round: 1, Count: s.countOf(x.By) + 1})
	}
	if d := e.Decision; d != nil && !e.Open() {
		s.Outcome = &Outcome{Action: d.Action, SellerBPS: d.SellerBPS, FeePayer: NobodyPays, Final: true}
	}
	return s
}

func (s State) countOf(u domain.UserID) int {
	if u == s.Buyer {
		return s.BuyerCount
	}
	return s.SellerCount
}

// importedDeadlines are those of the state that a document leads to; the others are cancelled.
func importedDeadlines(e Imported) []domain.Deadline {
	all := stopAllBut("")
	at := func(key string, due time.Time) {
		i := slices.IndexFunc(all, func(d domain.Deadline) bool { return d.Key == key })
		all[i] = set(key, due)
	}
	switch e.Phase {
	case PhaseAwaitingResponse:
		at(keyRespond, e.DueAt)
		at(keyMaxAge, e.MaxAgeAt)
	case PhaseUnderReview:
		at(keyReview, e.DueAt)
		at(keyMaxAge, e.MaxAgeAt)
	}
	return all
}
