// Package disputeview is the read model of disputes: who says what, by when, and how it was decided.
package disputeview

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/money"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "disputes"

// Doc is a dispute: the aggregate's own state and what only readers want to know.
type Doc struct {
	dispute.State
	LegacyStatus   string          `json:"legacy_status"`
	IsOpen         bool            `json:"open"`
	Category       string          `json:"category"`
	Priority       string          `json:"priority"`
	Reason         domain.Personal `json:"reason"`
	DesiredOutcome string          `json:"desired_outcome,omitempty"`
	Contested      money.Amount    `json:"contested"`
	DueAt          *time.Time      `json:"due_at,omitempty"` // the present state's deadline
	DueUnix        *int64          `json:"due_unix,omitempty"`
	Response       *Statement      `json:"response,omitempty"`
	Evidence       []Evidence      `json:"evidence,omitempty"`
	Asked          []Asked         `json:"asked,omitempty"`
	Settlements    []Settlement    `json:"settlements,omitempty"`
	Decisions      []Decision      `json:"decisions,omitempty"`
	Appeal         *Statement      `json:"appeal,omitempty"`
	Measures       []Measure       `json:"measures,omitempty"`
	Escalated      bool            `json:"escalated"`
	EndReason      domain.Personal `json:"end_reason"` // of an inadmissible dispute
	ResolvedAt     *time.Time      `json:"resolved_at,omitempty"`
	ClosedAt       *time.Time      `json:"closed_at,omitempty"`
	// Imported is what the old backend decided and when it wanted it done, until something happens
	// here.
	Imported *Imported `json:"imported,omitempty"`
	// Payment is the one that an imported dispute names.
	Payment domain.PaymentID `json:"payment,omitempty"`
}

// Imported is what only the old backend's document says.
type Imported struct {
	Said     *money.Amount             `json:"said,omitempty"`
	Currency string                    `json:"currency,omitempty"`
	Due      *time.Time                `json:"due,omitempty"`
	Decision *dispute.ImportedDecision `json:"decision,omitempty"`
}

// Statement is what one party said.
type Statement struct {
	By   domain.UserID   `json:"by"`
	Text domain.Personal `json:"text"`
	At   time.Time       `json:"at"`
}

// Evidence is one piece of proof and who gave it.
type Evidence struct {
	dispute.Evidence
	By    domain.UserID `json:"by"`
	At    time.Time     `json:"at"`
	Round int           `json:"round"`
}

// Asked is a call for more evidence.
type Asked struct {
	From  string          `json:"from"`
	What  domain.Personal `json:"what"`
	DueBy time.Time       `json:"due_by"`
	By    domain.Actor    `json:"by"`
}

// Settlement is a proposal and what became of it.
type Settlement struct {
	ID        string          `json:"id"`
	By        domain.UserID   `json:"by"`
	SellerBPS money.BPS       `json:"seller_bps"`
	Message   domain.Personal `json:"message"`
	At        time.Time       `json:"at"`
	ExpiresAt time.Time       `json:"expires_at"`
	Outcome   string          `json:"outcome"` // open, accepted, declined, lapsed, dropped
}

// Decision is one round's.
type Decision struct {
	Round       int              `json:"round"`
	Action      dispute.Action   `json:"action"`
	SellerBPS   money.BPS        `json:"seller_bps"`
	FeePayer    dispute.FeePayer `json:"fee_payer"`
	Reason      domain.Personal  `json:"reason"`
	By          domain.UserID    `json:"by"`
	At          time.Time        `json:"at"`
	AppealUntil time.Time        `json:"appeal_until"`
	Final       bool             `json:"final"`
}

// Measure was taken against a party.
type Measure struct {
	Measure dispute.Measure `json:"measure"`
	Target  domain.UserID   `json:"target"`
	Reason  domain.Personal `json:"reason"`
	By      domain.Actor    `json:"by"`
	At      time.Time       `json:"at"`
}

// Projector keeps the read model.
func Projector() projections.Projector { return View().Projector() }

// View is the read model for those who keep it elsewhere too.
func View() projections.View[Doc] {
	return projections.View[Doc]{Name: Name, Version: 1, Category: dispute.Category, Fold: fold}
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(dispute.Decider, d.State, r); err != nil {
		return err
	}
	at := r.RecordedAt
	switch e := r.Event.(type) {
	case dispute.Opened:
		d.Category, d.Priority, d.Reason, d.DesiredOutcome, d.Contested = e.Category, e.Priority, e.Reason, e.DesiredOutcome, e.Amount
	case dispute.Imported:
		d.imported(e)
	case dispute.Responded:
		d.Response = &Statement{By: e.By, Text: e.Text, At: at}
	case dispute.EvidenceSubmitted:
		d.Evidence = append(d.Evidence, Evidence{Evidence: e.Evidence, By: e.By, At: e.At, Round: e.Round})
	case dispute.MoreEvidenceRequested:
		d.Asked = append(d.Asked, Asked{From: e.From, What: e.What, DueBy: e.DueBy, By: e.By})
	case dispute.SettlementProposed:
		d.Settlements = append(d.Settlements, Settlement{ID: e.Settlement, By: e.By, SellerBPS: e.SellerBPS, Message: e.Message, At: e.At, ExpiresAt: e.ExpiresAt, Outcome: "open"})
	case dispute.SettlementAccepted:
		d.settle(e.Settlement, "accepted")
	case dispute.SettlementDeclined:
		d.settle(e.Settlement, "declined")
	case dispute.SettlementLapsed:
		d.settle(e.Settlement, "lapsed")
	case dispute.Decided:
		d.Decisions = append(d.Decisions, Decision{Round: e.Round, Action: e.Action, SellerBPS: e.SellerBPS, FeePayer: e.FeePayer, Reason: e.Reason, By: e.By, At: at, AppealUntil: e.AppealUntil, Final: e.Final})
	case dispute.Appealed:
		d.Appeal = &Statement{By: e.By, Text: e.Grounds, At: at}
	case dispute.SideMeasureTaken:
		d.Measures = append(d.Measures, Measure{Measure: e.Measure, Target: e.Target, Reason: e.Reason, By: e.By, At: at})
	case dispute.Escalated:
		d.Escalated = true
	case dispute.Rejected:
		d.EndReason = e.Reason
	case dispute.Resolved:
		d.ResolvedAt = &at
	case dispute.Closed:
		d.ClosedAt = &at
	}
	d.derive()
	if i, is := r.Event.(dispute.Imported); is {
		d.LegacyStatus = i.Status
	} else if d.Legacy.Hash != "" {
		d.Imported = nil
	}
	return nil
}

// imported is what a document of the old backend says beside the state.
func (d *Doc) imported(e dispute.Imported) {
	*d = Doc{
		State: d.State, Payment: e.Payment, Category: e.Category, Priority: e.Priority, Reason: e.Reason, DesiredOutcome: e.DesiredOutcome, Contested: e.Amount(),
		ResolvedAt: e.ResolvedAt, ClosedAt: e.ClosedAt, Imported: &Imported{Said: e.Said, Currency: e.Currency, Due: e.Due, Decision: e.Decision},
	}
	for _, x := range e.Evidence {
		d.Evidence = append(d.Evidence, Evidence{Evidence: x.Evidence, By: x.By, At: x.At, Round: 1})
	}
	if x := e.Decision; x != nil && !e.Open() {
		d.Decisions = []Decision{{Round: 1, Action: x.Action, SellerBPS: x.SellerBPS, FeePayer: dispute.NobodyPays, Reason: x.Reason, By: x.By, At: x.At, AppealUntil: x.At, Final: true}}
	}
}

// derive fills in what follows from the state.
func (d *Doc) derive() {
	d.IsOpen, d.LegacyStatus = d.Open(), legacy(d.State)
	if d.Settlement == nil {
		for i := range d.Settlements {
			if d.Settlements[i].Outcome == "open" {
				d.Settlements[i].Outcome = "dropped"
			}
		}
	}
	d.DueAt, d.DueUnix = nil, nil
	if due := d.WaitsUntil(); !due.IsZero() {
		unix := due.Unix()
		d.DueAt, d.DueUnix = &due, &unix
	}
}

func (d *Doc) settle(id, outcome string) {
	for i := range d.Settlements {
		if d.Settlements[i].ID == id {
			d.Settlements[i].Outcome = outcome
		}
	}
}

// legacy is the original's word for a phase (domain.md §2.14).
func legacy(s dispute.State) string {
	switch s.Phase {
	case dispute.PhaseAwaitingResponse:
		if s.Resolver == "" {
			return "pending"
		}
		return "waiting_response"
	case dispute.PhaseRejected:
		return "rejected"
	case dispute.PhaseClosed, dispute.PhaseWithdrawn:
		return "closed"
	case dispute.PhaseDecided, dispute.PhaseAwaitingReturn, dispute.PhaseExecuting, dispute.PhaseResolved:
		return "resolved"
	}
	return "in_progress"
}
