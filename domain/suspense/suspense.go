package suspense

import (
	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/machine"
	"holdfast/domain/money"
	"holdfast/domain/payment"
)

// Refusals of a deposit.
var (
	ErrAlreadyAssigned = fault.New(fault.Conflict, "ALREADY_ASSIGNED", "the deposit has been assigned")
	ErrSelfApproval    = fault.New(fault.Forbidden, "SELF_APPROVAL", "two different people must agree to this")
)

// Reason says why nobody owns the deposit.
type Reason string

// The reasons.
const (
	Late       Reason = "late"
	WrongAsset Reason = "wrong_asset"
	Unknown    Reason = "unknown"
	Rejected   Reason = "rejected"
)

// Event is something that happened to a deposit.
type Event interface {
	domain.Event
	suspense()
}

// Recorded: money arrived that matches no open payment. A fact.
type Recorded struct {
	Evidence payment.Evidence `json:"evidence"`
	Custody  ledger.Account   `json:"custody"`
	Amount   money.Amount     `json:"amount"`
	From     string           `json:"from"`
	Reason   Reason           `json:"reason"`
	Payment  domain.PaymentID `json:"payment,omitempty"` // whose destination it came to
	// Restores is what a reorganisation had made a loss of before the transfer came back.
	Restores money.Amount `json:"restores,omitzero"`
}

// Assigned: two people agree whose it is.
type Assigned struct {
	To     string        `json:"to"` // buyer or escrow
	Buyer  domain.UserID `json:"buyer,omitempty"`
	Hold   domain.HoldID `json:"hold,omitempty"`
	Amount money.Amount  `json:"amount"`
	By     []string      `json:"by"`
}

// Taken: an approved refund takes from the deposit; refund.approved posts.
type Taken struct {
	Refund domain.RefundID `json:"refund"`
	Amount money.Amount    `json:"amount"`
}

// Returned: that refund was cancelled before it was sent; refund.cancelled posts.
type Returned struct {
	Refund domain.RefundID `json:"refund"`
	Amount money.Amount    `json:"amount"`
}

// Undone: a reorganisation took the block of the deposit. What nobody had yet leaves suspense;
// what was given away is a loss until the transfer is seen again.
type Undone struct {
	Evidence payment.Evidence `json:"evidence"`
	Custody  ledger.Account   `json:"custody"`
	Left     money.Amount     `json:"left"`
	Lost     money.Amount     `json:"lost"`
	Reason   string           `json:"reason"`
}

func (Undone) EventType() string { return "suspense.undone" }
func (Undone) suspense()         {}

func (Taken) EventType() string    { return "suspense.taken" }
func (Returned) EventType() string { return "suspense.returned" }
func (Taken) suspense()            {}
func (Returned) suspense()         {}

func (Recorded) EventType() string { return "suspense.recorded" }
func (Assigned) EventType() string { return "suspense.assigned" }
func (Recorded) suspense()         {}
func (Assigned) suspense()         {}

// Record books a deposit.
type Record struct {
	domain.Issue
	Evidence payment.Evidence
	Custody  ledger.Account
	Amount   money.Amount
	From     string
	Reason   Reason
	Payment  domain.PaymentID
}

// Undo takes a deposit back whose block is gone. A fact.
type Undo struct {
	domain.Issue
	Evidence payment.Evidence
	Reason   string
}

// Assign gives it to a buyer's credit or to a hold.
type Assign struct {
	domain.Issue
	Approver domain.Actor
	Buyer    domain.UserID
	Hold     domain.HoldID
	// Firm: the deposit's block stands as deep as the chain's rule wants, by every node.
	Firm bool
}

// ErrNotFinal: what the chain may still undo is given to nobody.
var ErrNotFinal = fault.New(fault.Conflict, "NOT_FINAL", "the money is there, but the chain may still undo it")

// Take moves money of the deposit to a refund; Return puts it back.
type Take struct {
	domain.Issue
	Refund domain.RefundID
	Amount money.Amount
}

// Return puts it back.
type Return struct {
	domain.Issue
	Refund domain.RefundID
	Amount money.Amount
}

// ErrExceeds: the deposit does not hold as much.
var ErrExceeds = fault.New(fault.Rule, "REFUND_EXCEEDS_AVAILABLE", "the refund is larger than what is available for it")

// The phases.
const (
	Unmatched = "Unmatched"
	Matched   = "Assigned"
	Gone      = "Undone"
)

// State is what the rules need to know of a deposit.
type State struct {
	Phase  string       `json:"phase"`
	Amount money.Amount `json:"amount"`
	Left   money.Units  `json:"left"`
	// Lost is what others had got of it when a reorganisation undid it.
	Lost money.Units `json:"lost"`
	// Evidence and Custody are where it stands, to be taken back from there.
	Evidence payment.Evidence `json:"evidence"`
	Custody  ledger.Account   `json:"custody"`
}

// Decider is the deposit; its stream's id is the evidence key.
var Decider = domain.Decider[State, Event]{Category: "suspense", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Recorded:
		s = State{Phase: Unmatched, Amount: e.Amount, Left: s.Left.Plus(e.Amount.Units).Minus(e.Restores.Units), Evidence: e.Evidence, Custody: e.Custody}
		if s.Left.IsZero() {
			s.Phase = Matched
		}
	case Assigned:
		s.Phase, s.Left = Matched, money.Zero
	case Taken:
		s.Left = s.Left.Minus(e.Amount.Units)
	case Returned:
		s.Left = s.Left.Plus(e.Amount.Units)
	case Undone:
		s.Phase, s.Left, s.Lost = Gone, money.Zero, e.Lost.Units
	}
	return s
}

// Table is the deposit's state machine.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	return machine.Table[State, Event]{
		Name: "UnmatchedDeposit", Phases: []string{"", Unmatched, Matched, Gone}, Phase: func(s State) string { return s.Phase },
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: []string{"", Unmatched, Matched, Gone}, By: []domain.Capacity{domain.Chain, domain.Provider, domain.Process}, To: []string{Unmatched, Matched},
				Guard: "a fact; a repeat changes nothing", Events: []string{"suspense.recorded"},
			}, record),
			machine.On(line{
				From: []string{Unmatched, Matched, Gone}, By: []domain.Capacity{domain.Chain, domain.Process}, To: []string{Gone, Unmatched, Matched},
				Guard: "a fact about the block it stands in; a repeat, or another block, changes nothing", Events: []string{"suspense.undone"},
			}, undo),
			machine.On(line{
				From: []string{Unmatched}, By: []domain.Capacity{domain.Admin}, To: []string{Matched},
				Guard: "two people → SELF_APPROVAL", Events: []string{"suspense.assigned"},
			}, assign),
			machine.On(line{
				From: []string{Unmatched}, By: []domain.Capacity{domain.Admin, domain.Process}, To: []string{Unmatched},
				Guard: "≤ what is left → REFUND_EXCEEDS_AVAILABLE", Events: []string{"suspense.taken"},
			}, take),
			machine.On(line{
				From: []string{Unmatched, Matched, Gone}, By: []domain.Capacity{domain.Admin, domain.Process, domain.Buyer}, To: []string{Unmatched, Matched, Gone},
				Events: []string{"suspense.returned"},
			}, func(_ State, c Return) ([]Event, error) {
				return []Event{Returned{Refund: c.Refund, Amount: c.Amount}}, nil
			}),
		},
		Refuse: func(s State, c domain.Command) error {
			if _, ok := c.(Assign); ok && s.Phase == Matched {
				return ErrAlreadyAssigned
			}
			return nil
		},
	}
}

func record(s State, c Record) ([]Event, error) {
	if s.Phase != "" && s.Phase != Gone {
		return nil, nil
	}
	e := Recorded{Evidence: c.Evidence, Custody: c.Custody, Amount: c.Amount, From: c.From, Reason: c.Reason, Payment: c.Payment}
	if restores := s.Lost.Min(c.Amount.Units); !restores.IsZero() {
		e.Restores = money.Of(c.Amount.Asset, restores)
	}
	return []Event{e}, nil
}

func undo(s State, c Undo) ([]Event, error) {
	if s.Phase == Gone || s.Evidence.BlockHash != c.Evidence.BlockHash {
		return nil, nil
	}
	return []Event{Undone{
		Evidence: s.Evidence, Custody: s.Custody, Left: money.Of(s.Amount.Asset, s.Left),
		Lost: money.Of(s.Amount.Asset, s.Amount.Units.Minus(s.Left)), Reason: c.Reason,
	}}, nil
}

func take(s State, c Take) ([]Event, error) {
	if c.Amount.Asset != s.Amount.Asset || c.Amount.IsZero() || s.Left.Less(c.Amount.Units) {
		return nil, ErrExceeds.With("have", s.Left).With("need", c.Amount.Units)
	}
	return []Event{Taken{Refund: c.Refund, Amount: c.Amount}}, nil
}

func assign(s State, c Assign) ([]Event, error) {
	if c.Approver.ID == "" || c.Approver.ID == c.By.ID || !c.Approver.Has(domain.Admin) {
		return nil, ErrSelfApproval
	}
	if s.Left.IsZero() {
		return nil, ErrAlreadyAssigned
	}
	if !c.Firm {
		return nil, ErrNotFinal
	}
	e := Assigned{To: "buyer", Buyer: c.Buyer, Hold: c.Hold, Amount: money.Of(s.Amount.Asset, s.Left), By: []string{c.By.ID, c.Approver.ID}}
	if c.Hold != "" {
		e.To = "escrow"
	}
	if (c.Hold == "") == (c.Buyer == "") {
		return nil, fault.ErrValidation.At("to", "must name a buyer or an escrow")
	}
	return []Event{e}, nil
}

// Postings is what a deposit does to the ledger.
func Postings(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) {
	switch e := e.(type) {
	case Recorded:
		rest := money.Of(e.Amount.Asset, e.Amount.Units.Minus(e.Restores.Units))
		return ledger.Transaction{Mode: ledger.Post, Fact: true, Lines: ledger.Lines(
			ledger.Dr(e.Custody, ledger.Suspense, rest), ledger.Dr(e.Custody, ledger.ChainLoss, e.Restores))}, true
	case Assigned:
		to := ledger.BuyerAvailable(e.Buyer)
		if e.Hold != "" {
			to = ledger.Held(e.Hold)
		}
		return ledger.Transaction{Mode: ledger.Post, Lines: []ledger.Line{ledger.Dr(ledger.Suspense, to, e.Amount)}}, true
	case Undone:
		return ledger.Transaction{Mode: ledger.Post, Fact: true, Lines: ledger.Lines(
			ledger.Dr(ledger.Suspense, e.Custody, e.Left), ledger.Dr(ledger.ChainLoss, e.Custody, e.Lost))}, true
	}
	return ledger.Transaction{}, false
}

// Aggregate registers the deposit with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category, Events: []domain.Event{Recorded{}, Assigned{}, Taken{}, Returned{}, Undone{}}, Postings: Postings,
		Claims: func(_ domain.Stream, e domain.Event) []domain.Claim {
			switch e := e.(type) {
			case Recorded:
				return []domain.Claim{{Name: payment.EvidenceClaim(e.Evidence), Taken: payment.ErrEvidenceUsed}}
			case Undone:
				return []domain.Claim{{Name: payment.EvidenceClaim(e.Evidence), Free: true}}
			}
			return nil
		},
	}
}
