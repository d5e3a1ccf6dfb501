package receivable

import (
	"slices"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/machine"
	"holdfast/domain/money"
)

// Category is the stream type of debts; the stream's id is ID(…).
const Category = "receivable"

// The phases of a debt.
const (
	PhaseOwing   = "Owing"
	PhaseSettled = "Settled"
)

// State is what the rules need to know of a debt.
type State struct {
	Party Party         `json:"party"`
	User  domain.UserID `json:"user"`
	// Owed is what is still open.
	Owed   money.Amount `json:"owed"`
	Causes []string     `json:"causes"`
}

// Decider is the debt as the executor runs it.
var Decider = domain.Decider[State, Event]{
	Category: Category,
	Decide:   Table().Decide,
	Evolve:   Evolve,
}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Recorded:
		s.Party, s.User = e.Party, e.User
		s.Owed = money.Of(e.Amount.Asset, s.Owed.Units.Plus(e.Amount.Units))
		s.Causes = append(slices.Clone(s.Causes), e.Cause)
	case Reversed:
		s.Owed.Units = s.Owed.Units.Minus(e.Amount.Units)
	case Recovered:
		s.Owed.Units = s.Owed.Units.Minus(e.Amount.Units)
	case WrittenOff:
		s.Owed.Units = s.Owed.Units.Minus(e.Amount.Units)
	}
	return s
}

// Table is the debt's state machine.
func Table() machine.Table[State, Event] {
	const none = ""
	own := []domain.Capacity{domain.Process, domain.Chain, domain.Admin}
	type line = machine.Line
	return machine.Table[State, Event]{
		Name:   "Receivable",
		Phases: []string{none, PhaseOwing, PhaseSettled},
		Phase: func(s State) string {
			switch {
			case s.User == "":
				return none
			case s.Owed.IsZero():
				return PhaseSettled
			}
			return PhaseOwing
		},
		Rows: []machine.Row[State, Event]{
			machine.On(line{From: []string{none, PhaseOwing, PhaseSettled}, By: own, To: []string{PhaseOwing},
				Guard:  "a cause counts once",
				Events: []string{"receivable.recorded"}}, record),
			machine.On(line{From: []string{PhaseOwing}, By: own, To: []string{PhaseOwing, PhaseSettled},
				Guard:  "≤ owed → RECEIVABLE_EXCEEDED",
				Events: []string{"receivable.reversed"}}, reverse),
			machine.On(line{From: []string{PhaseOwing}, By: own, To: []string{PhaseOwing, PhaseSettled},
				Guard:  "≤ owed → RECEIVABLE_EXCEEDED; ≤ available → INSUFFICIENT_AVAILABLE",
				Events: []string{"receivable.recovered"}}, recoverDebt),
			machine.On(line{From: []string{PhaseOwing}, By: []domain.Capacity{domain.Admin}, To: []string{PhaseOwing, PhaseSettled},
				Guard:  "≤ owed → RECEIVABLE_EXCEEDED; two different people → SELF_APPROVAL",
				Events: []string{"receivable.written_off"}}, writeOff),
		},
		Refuse: func(State, domain.Command) error { return ErrNothingOwed },
	}
}

// Refusals.
var (
	ErrOutstanding  = fault.New(fault.Conflict, "RECEIVABLE_OUTSTANDING", "after what is owed is netted, not enough is left for this payout")
	ErrNothingOwed  = fault.New(fault.Conflict, "NOTHING_OWED", "nothing is owed")
	ErrExceeded     = fault.New(fault.Rule, "RECEIVABLE_EXCEEDED", "this is more than is owed")
	ErrSelfApproval = fault.New(fault.Forbidden, "SELF_APPROVAL", "a second, different person must agree")
	ErrInsufficient = fault.New(fault.Rule, "INSUFFICIENT_AVAILABLE", "the debtor does not have this much available")
)

func record(s State, c Record) ([]Event, error) {
	if c.User == "" || c.Amount.IsZero() || (c.Party != Seller && c.Party != Buyer) {
		return nil, fault.ErrValidation.At("amount", "names no debtor or no debt")
	}
	if s.Owed.Asset != "" && s.Owed.Asset != c.Amount.Asset {
		return nil, money.ErrAssetMismatch
	}
	if slices.Contains(s.Causes, c.Cause) {
		return nil, nil
	}
	return []Event{Recorded{Party: c.Party, User: c.User, Amount: c.Amount, Cause: c.Cause}}, nil
}

// within checks that an amount is part of the open debt.
func within(s State, a money.Amount) error {
	switch {
	case a.Asset != s.Owed.Asset:
		return money.ErrAssetMismatch
	case a.IsZero():
		return fault.ErrValidation.At("amount", "must be more than zero")
	case s.Owed.Units.Less(a.Units):
		return ErrExceeded.With("have", s.Owed.Units).With("need", a.Units)
	}
	return nil
}

func reverse(s State, c Reverse) ([]Event, error) {
	if err := within(s, c.Amount); err != nil {
		return nil, err
	}
	return []Event{Reversed{Party: s.Party, User: s.User, Amount: c.Amount, Cause: c.Cause}}, nil
}

func recoverDebt(s State, c Recover) ([]Event, error) {
	if err := within(s, c.Amount); err != nil {
		return nil, err
	}
	return []Event{Recovered{Party: s.Party, User: s.User, Amount: c.Amount}}, nil
}

func writeOff(s State, c WriteOff) ([]Event, error) {
	if err := within(s, c.Amount); err != nil {
		return nil, err
	}
	if c.Expense != BadDebt && c.Expense != ChainLoss {
		return nil, fault.ErrValidation.At("expense", "must be bad_debt or chain_loss")
	}
	if c.SecondApprover == "" || c.By.Is(c.SecondApprover) || c.By.Is(s.User) || c.SecondApprover == s.User {
		return nil, ErrSelfApproval
	}
	return []Event{WrittenOff{
		Party: s.Party, User: s.User, Amount: c.Amount, Expense: c.Expense,
		By: []domain.UserID{c.By.User(), c.SecondApprover}, Reason: c.Reason,
	}}, nil
}

// Aggregate registers debts with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Category,
		Events:   []domain.Event{Recorded{}, Reversed{}, Recovered{}, WrittenOff{}},
		Postings: func(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) { return Postings(e) },
	}
}

// Postings is what an event does to the ledger (domain.md §2.3). It is pure. Recorded and
// Reversed post nothing: their cause does.
func Postings(e domain.Event) (tx ledger.Transaction, ok bool) {
	switch e := e.(type) {
	case Recovered:
		owed, available := accounts(e.Party, e.User)
		return ledger.Transaction{
			Mode: ledger.Post, Refused: ErrInsufficient,
			Lines: ledger.Lines(ledger.Dr(available, owed, e.Amount)),
		}, true
	case WrittenOff:
		owed, _ := accounts(e.Party, e.User)
		expense := ledger.BadDebt
		if e.Expense == ChainLoss {
			expense = ledger.ChainLoss
		}
		return ledger.Transaction{Mode: ledger.Post, Lines: ledger.Lines(ledger.Dr(expense, owed, e.Amount))}, true
	}
	return ledger.Transaction{}, false
}

func accounts(p Party, u domain.UserID) (owed, available ledger.Account) {
	if p == Buyer {
		return ledger.ReceivableBuyer(u), ledger.BuyerAvailable(u)
	}
	return ledger.ReceivableSeller(u), ledger.SellerAvailable(u)
}
