package reconciliation

import (
	"math/big"

	"holdfast/domain/ledger"
	"holdfast/domain/money"
)

// Movement is a transfer of ours that ledger and chain may see at different stages: the ledger
// books it before it is sent and ends it when it is deep enough.
type Movement struct {
	From   ledger.Account
	To     ledger.Account // empty: it leaves our custody
	Amount money.Amount
	// Left and Arrived: by the ledger. Done: the chain had it at the block of the comparison.
	Left, Arrived, Done bool
	// Fee in native coin, paid at FeeAt. FeeBooked: by the ledger; FeePaid: at that block.
	Fee                money.Amount
	FeeAt              ledger.Account
	FeeBooked, FeePaid bool
}

// Correct says what is to be added to the books so that they show what the chain had at the block.
func (m Movement) Correct(add func(ledger.Account, money.Asset, *big.Int)) {
	amount, fee := whole(m.Amount.Units), whole(m.Fee.Units)
	switch {
	case m.Left && !m.Done:
		add(m.From, m.Amount.Asset, amount)
	case !m.Left && m.Done:
		add(m.From, m.Amount.Asset, new(big.Int).Neg(amount))
	}
	switch {
	case m.To == "":
	case m.Done && !m.Arrived:
		add(m.To, m.Amount.Asset, amount)
	case !m.Done && m.Arrived:
		add(m.To, m.Amount.Asset, new(big.Int).Neg(amount))
	}
	switch {
	case m.Fee.IsZero():
	case m.FeePaid && !m.FeeBooked:
		add(m.FeeAt, m.Fee.Asset, new(big.Int).Neg(fee))
	case !m.FeePaid && m.FeeBooked:
		add(m.FeeAt, m.Fee.Asset, fee)
	}
}
