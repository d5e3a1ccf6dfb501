package audit

import (
	"fmt"
	"math/big"
	"strings"

	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/reconciliation"
	"holdfast/eventstore"
)

// Line is one account of a trial balance, with its signed balance on the normal side.
type Line struct {
	Account   ledger.Account `json:"account"`
	Asset     money.Asset    `json:"asset"`
	Class     ledger.Class   `json:"class"`
	Balance   *big.Int       `json:"balance"`
	Available *big.Int       `json:"available"`
}

// Balance gives the signed balance (normal side positive) and what of it is available: the
// balance less what is pending on the other side.
func Balance(t eventstore.Totals) (Line, error) {
	kind, err := ledger.KindOf(t.Account)
	if err != nil {
		return Line{}, err
	}
	normal, other, pending := t.CreditsPosted, t.DebitsPosted, t.DebitsPending
	if kind.Debit {
		normal, other, pending = t.DebitsPosted, t.CreditsPosted, t.CreditsPending
	}
	balance := new(big.Int).Sub(normal.Uint256().ToBig(), other.Uint256().ToBig())
	available := new(big.Int).Sub(balance, pending.Uint256().ToBig())
	return Line{Account: t.Account, Asset: t.Asset, Class: kind.Class, Balance: balance, Available: available}, nil
}

// Solvency is what stands behind the liabilities of one asset.
type Solvency struct {
	Asset       money.Asset `json:"asset"`
	Custody     *big.Int    `json:"custody"`
	Liabilities *big.Int    `json:"liabilities"`
	// Overdrawn: a pocket of ours holds less than nothing by the books, gas apart.
	Overdrawn bool `json:"overdrawn,omitempty"`
}

// Solvent reports whether custody covers what is owed and no pocket is below nothing.
func (s Solvency) Solvent() bool {
	return reconciliation.Solvent(s.Custody, s.Liabilities, s.Overdrawn)
}

// Sums are one asset's totals over all accounts.
type Sums struct {
	Solvency
	Debits, Credits               money.Units
	DebitsPending, CreditsPending money.Units
}

// PerAsset adds up the accounts of each asset.
func PerAsset(totals []eventstore.Totals) (map[money.Asset]*Sums, error) {
	sums := map[money.Asset]*Sums{}
	for _, t := range totals {
		s, ok := sums[t.Asset]
		if !ok {
			s = &Sums{Solvency: Solvency{Asset: t.Asset, Custody: new(big.Int), Liabilities: new(big.Int)}}
			sums[t.Asset] = s
		}
		line, err := Balance(t)
		if err != nil {
			return nil, err
		}
		switch line.Class {
		case ledger.Custody:
			s.Custody.Add(s.Custody, line.Balance)
			s.Overdrawn = s.Overdrawn || (line.Balance.Sign() < 0 && !strings.HasPrefix(string(t.Account), "custody:gas:"))
		case ledger.Liability:
			s.Liabilities.Add(s.Liabilities, line.Balance)
		}
		s.Debits = s.Debits.Plus(t.DebitsPosted)
		s.Credits = s.Credits.Plus(t.CreditsPosted)
		s.DebitsPending = s.DebitsPending.Plus(t.DebitsPending)
		s.CreditsPending = s.CreditsPending.Plus(t.CreditsPending)
	}
	return sums, nil
}

// CheckTotals lists what breaks the global invariants 1 and 2 of the design (§2.15): debits
// equal credits, posted and pending, and no customer account is overdrawn.
func CheckTotals(totals []eventstore.Totals) (problems []string, err error) {
	sums, err := PerAsset(totals)
	if err != nil {
		return nil, err
	}
	for asset, s := range sums {
		if s.Debits != s.Credits || s.DebitsPending != s.CreditsPending {
			problems = append(problems, fmt.Sprintf("%s: debits %s/%s pending, credits %s/%s pending", asset, s.Debits, s.DebitsPending, s.Credits, s.CreditsPending))
		}
	}
	for _, t := range totals {
		kind, err := ledger.KindOf(t.Account)
		if err != nil {
			return nil, err
		}
		line, err := Balance(t)
		if err != nil {
			return nil, err
		}
		if kind.Guarded && kind.Class == ledger.Liability && line.Available.Sign() < 0 {
			problems = append(problems, fmt.Sprintf("%s %s is overdrawn: available %s", t.Account, t.Asset, line.Available))
		}
	}
	return problems, nil
}
