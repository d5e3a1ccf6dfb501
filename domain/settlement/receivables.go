package settlement

import (
	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/receivable"
)

// DebtAnswer is what the flows of a debt answer.
type DebtAnswer struct {
	Party receivable.Party `json:"party"`
	User  domain.UserID    `json:"user"`
	Owed  money.Amount     `json:"owed"`
	// Moved is what this command recovered or wrote off.
	Moved money.Units `json:"moved"`
}

// RecoverReceivable nets a debt against what the debtor has available now: as much of it as
// there is. Nothing owed or nothing there changes nothing.
type RecoverReceivable struct {
	domain.Issue
	Party     receivable.Party
	User      domain.UserID
	Asset     money.Asset
	Available money.Units // looked up; the ledger checks again
}

// Run decides.
func (f RecoverReceivable) Run(u *domain.Unit) (any, error) {
	id := receivable.ID(f.Party, f.User, f.Asset)
	s, err := domain.StateOf(u, receivable.Decider, id)
	if err != nil {
		return nil, err
	}
	amount := f.Available.Min(s.Owed.Units)
	if !amount.IsZero() {
		s, err = step(u, receivable.Decider, id, receivable.Recover{Issue: f.Issue, Amount: money.Of(f.Asset, amount)})
	}
	return DebtAnswer{Party: f.Party, User: f.User, Owed: s.Owed, Moved: amount}, err
}

// WriteOffReceivable gives (part of) a debt up; two people decide it.
type WriteOffReceivable struct {
	domain.Issue
	Party          receivable.Party
	User           domain.UserID
	Amount         money.Amount
	Expense        receivable.Expense
	SecondApprover domain.UserID
	Reason         string
}

// Run decides.
func (f WriteOffReceivable) Run(u *domain.Unit) (any, error) {
	id := receivable.ID(f.Party, f.User, f.Amount.Asset)
	s, err := step(u, receivable.Decider, id, receivable.WriteOff{
		Issue: f.Issue, Amount: f.Amount, Expense: f.Expense, SecondApprover: f.SecondApprover, Reason: f.Reason,
	})
	if err != nil {
		return nil, err
	}
	return DebtAnswer{Party: f.Party, User: f.User, Owed: s.Owed, Moved: f.Amount.Units}, nil
}
