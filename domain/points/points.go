package points

import (
	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/machine"
	"holdfast/domain/money"
)

// Asset is what points are counted in; it has no decimals.
const Asset money.Asset = "POINTS"

// Refusals of a points account.
var (
	ErrInsufficient = fault.New(fault.Rule, "INSUFFICIENT_POINTS", "there are not enough points")
	ErrReason       = fault.New(fault.Rule, "REASON_REQUIRED", "a reason is needed")
	ErrCounted      = fault.New(fault.Conflict, "POINTS_COUNTED", "the points of this reference have been counted already")
)

// Event is something that happened to the account.
type Event interface {
	domain.Event
	points()
}

// Change is what all events share. Ref is the order, redemption or lot; it counts once per kind.
type Change struct {
	User   domain.UserID `json:"user"`
	Ref    string        `json:"ref"`
	Amount money.Amount  `json:"amount"`
	Reason string        `json:"reason,omitempty"`
	By     domain.Actor  `json:"by"`
}

type (
	// Earned for a completed order.
	Earned struct{ Change }
	// Granted by an admin.
	Granted struct{ Change }
	// Redeemed for a discount.
	Redeemed struct{ Change }
	// Expired at the end of a lot's life.
	Expired struct{ Change }
	// Deducted by an admin.
	Deducted struct{ Change }
	// Reversed because the order was undone; what is spent already is owed.
	Reversed struct {
		Change
		Owed money.Amount `json:"owed"`
	}
)

func (Earned) EventType() string   { return "points.earned" }
func (Granted) EventType() string  { return "points.granted" }
func (Redeemed) EventType() string { return "points.redeemed" }
func (Expired) EventType() string  { return "points.expired" }
func (Deducted) EventType() string { return "points.deducted" }
func (Reversed) EventType() string { return "points.reversed" }
func (Earned) points()             {}
func (Granted) points()            {}
func (Redeemed) points()           {}
func (Expired) points()            {}
func (Deducted) points()           {}
func (Reversed) points()           {}

// Kind says what a Move does.
type Kind string

// The kinds.
const (
	Earn    Kind = "earn"
	Grant   Kind = "grant"
	Redeem  Kind = "redeem"
	Expire  Kind = "expire"
	Deduct  Kind = "deduct"
	Reverse Kind = "reverse"
)

// Move changes the account.
type Move struct {
	domain.Issue
	Kind   Kind
	User   domain.UserID
	Ref    string
	Points money.Units
	Reason string
}

// State is the balance.
type State struct {
	Balance money.Units `json:"balance"`
	Owed    money.Units `json:"owed"`
}

// Decider is the points account; its stream's id is the user.
var Decider = domain.Decider[State, Event]{Category: "points", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Earned:
		s.Balance = s.Balance.Plus(e.Amount.Units)
	case Granted:
		s.Balance = s.Balance.Plus(e.Amount.Units)
	case Redeemed:
		s.Balance = s.Balance.Minus(e.Amount.Units)
	case Expired:
		s.Balance = s.Balance.Minus(e.Amount.Units)
	case Deducted:
		s.Balance = s.Balance.Minus(e.Amount.Units)
	case Reversed:
		s.Balance, s.Owed = s.Balance.Minus(e.Amount.Units.Minus(e.Owed.Units)), s.Owed.Plus(e.Owed.Units)
	}
	return s
}

// Table is the account's state machine: one state, guarded by the balance.
func Table() machine.Table[State, Event] {
	open := []string{"Open"}
	return machine.Table[State, Event]{
		Name: "PointsAccount", Phases: open, Phase: func(State) string { return "Open" },
		Rows: []machine.Row[State, Event]{
			machine.On(machine.Line{
				From: open, To: open, By: []domain.Capacity{domain.Buyer, domain.Admin, domain.Process, domain.Timer},
				Guard:  "≤ balance → INSUFFICIENT_POINTS; grant and deduct by an admin with a reason → REASON_REQUIRED",
				Events: []string{"points.earned", "points.granted", "points.redeemed", "points.expired", "points.deducted", "points.reversed"},
			}, move),
		},
	}
}

func move(s State, c Move) ([]Event, error) {
	ch := Change{User: c.User, Ref: c.Ref, Amount: money.Of(Asset, c.Points), Reason: c.Reason, By: c.By}
	admin := c.Kind == Grant || c.Kind == Deduct
	switch {
	case c.Points.IsZero() || c.Ref == "":
		return nil, fault.ErrValidation.At("points", "a number above zero and a reference are needed")
	case admin && !c.By.Has(domain.Admin):
		return nil, fault.ErrForbidden
	case admin && c.Reason == "":
		return nil, ErrReason
	case (c.Kind == Redeem || c.Kind == Expire || c.Kind == Deduct) && s.Balance.Less(c.Points):
		return nil, ErrInsufficient.With("have", s.Balance).With("need", c.Points)
	}
	switch c.Kind {
	case Earn:
		return []Event{Earned{ch}}, nil
	case Grant:
		return []Event{Granted{ch}}, nil
	case Redeem:
		return []Event{Redeemed{ch}}, nil
	case Expire:
		return []Event{Expired{ch}}, nil
	case Deduct:
		return []Event{Deducted{ch}}, nil
	case Reverse:
		return []Event{Reversed{Change: ch, Owed: money.Of(Asset, c.Points.Minus(s.Balance.Min(c.Points)))}}, nil
	}
	return nil, fault.ErrValidation.At("kind", "is not known")
}

// Postings is what the events do to the ledger.
func Postings(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) {
	post := func(lines ...ledger.Line) (ledger.Transaction, bool) {
		return ledger.Transaction{Mode: ledger.Post, Lines: ledger.Lines(lines...), Refused: ErrInsufficient}, true
	}
	in := func(c Change) (ledger.Transaction, bool) {
		return post(ledger.Dr(ledger.PointsIssuance, ledger.PointsUser(c.User), c.Amount))
	}
	out := func(c Change) (ledger.Transaction, bool) {
		return post(ledger.Dr(ledger.PointsUser(c.User), ledger.PointsIssuance, c.Amount))
	}
	switch e := e.(type) {
	case Earned:
		return in(e.Change)
	case Granted:
		return in(e.Change)
	case Redeemed:
		return out(e.Change)
	case Expired:
		return out(e.Change)
	case Deducted:
		return out(e.Change)
	case Reversed:
		had := money.Of(Asset, e.Amount.Units.Minus(e.Owed.Units))
		return post(ledger.Dr(ledger.PointsUser(e.User), ledger.PointsIssuance, had), ledger.Dr(ledger.ReceivablePoints(e.User), ledger.PointsIssuance, e.Owed))
	}
	return ledger.Transaction{}, false
}

// Aggregate registers the account with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category, Events: []domain.Event{Earned{}, Granted{}, Redeemed{}, Expired{}, Deducted{}, Reversed{}}, Postings: Postings,
		Claims: func(_ domain.Stream, e domain.Event) []domain.Claim {
			c := changeOf(e)
			return []domain.Claim{{Name: e.EventType() + ":" + string(c.User) + "/" + c.Ref, Taken: ErrCounted, Once: true}}
		},
	}
}

// changeOf is the part that all events share.
func changeOf(e domain.Event) Change {
	switch e := e.(type) {
	case Earned:
		return e.Change
	case Granted:
		return e.Change
	case Redeemed:
		return e.Change
	case Expired:
		return e.Change
	case Deducted:
		return e.Change
	case Reversed:
		return e.Change
	}
	return Change{}
}
