package receivable

import (
	"holdfast/domain"
	"holdfast/domain/money"
)

// Event is something that happened to a debt.
type Event interface {
	domain.Event
	receivable()
}

// Recorded: the debt grew. The event that caused it (a clawback, a pay-in undone after
// delivery) posts; this one keeps count.
type Recorded struct {
	Party  Party         `json:"party"`
	User   domain.UserID `json:"user"`
	Amount money.Amount  `json:"amount"`
	Cause  string        `json:"cause"` // the refund or payment it came from
}

// Reversed: a clawback was taken back, and with it the part of the debt still open.
type Reversed struct {
	Party  Party         `json:"party"`
	User   domain.UserID `json:"user"`
	Amount money.Amount  `json:"amount"`
	Cause  string        `json:"cause"`
}

// Recovered: the debt was netted against what the debtor has.
type Recovered struct {
	Party  Party         `json:"party"`
	User   domain.UserID `json:"user"`
	Amount money.Amount  `json:"amount"`
}

// WrittenOff: two people gave the debt up.
type WrittenOff struct {
	Party   Party           `json:"party"`
	User    domain.UserID   `json:"user"`
	Amount  money.Amount    `json:"amount"`
	Expense Expense         `json:"expense"`
	By      []domain.UserID `json:"by"`
	Reason  string          `json:"reason"`
}

func (Recorded) EventType() string   { return "receivable.recorded" }
func (Reversed) EventType() string   { return "receivable.reversed" }
func (Recovered) EventType() string  { return "receivable.recovered" }
func (WrittenOff) EventType() string { return "receivable.written_off" }

func (Recorded) receivable()   {}
func (Reversed) receivable()   {}
func (Recovered) receivable()  {}
func (WrittenOff) receivable() {}
