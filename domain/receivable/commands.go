package receivable

import (
	"holdfast/domain"
	"holdfast/domain/money"
)

// Party is who owes.
type Party string

// The parties.
const (
	Seller Party = "seller"
	Buyer  Party = "buyer"
)

// Expense is what a debt that is given up becomes.
type Expense string

// The expenses.
const (
	BadDebt   Expense = "bad_debt"
	ChainLoss Expense = "chain_loss"
)

// ID names the stream of one debtor's debt in one asset.
func ID(p Party, user domain.UserID, asset money.Asset) string {
	if p == Buyer {
		return "buyer/" + string(user) + "/" + string(asset)
	}
	return string(user) + "/" + string(asset)
}

// Record adds to the debt; Cause makes a repeat harmless.
type Record struct {
	domain.Issue
	Party  Party
	User   domain.UserID
	Amount money.Amount
	Cause  string
}

// Reverse takes part of the debt back together with its cause.
type Reverse struct {
	domain.Issue
	Amount money.Amount
	Cause  string
}

// Recover nets the debt against what the debtor has available.
type Recover struct {
	domain.Issue
	Amount money.Amount
}

// WriteOff gives the debt up. SecondApprover is another person than the issuer.
type WriteOff struct {
	domain.Issue
	Amount         money.Amount
	Expense        Expense
	SecondApprover domain.UserID
	Reason         string
}
