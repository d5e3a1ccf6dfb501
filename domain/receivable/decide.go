package receivable

import (
	"slices"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

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
