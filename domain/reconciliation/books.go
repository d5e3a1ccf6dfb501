package reconciliation

import (
	"math/big"
	"time"

	"holdfast/domain/ledger"
	"holdfast/domain/money"
)

// Transit is what the ledger holds to be under way from an address to the treasury.
type Transit struct {
	Sweep    string
	Account  ledger.Account
	Amount   money.Amount
	Followed bool // a transaction of ours is on its way or was mined lately
}

// OfTransit: money under way must have a transaction that is followed.
func OfTransit(t Transit, at Moment) []Finding {
	if t.Followed || t.Amount.IsZero() {
		return nil
	}
	return []Finding{{
		Kind: TransitStuck, Subject: Subject{"sweep", t.Sweep}, Evidence: string(t.Amount.Asset), Ledger: t.Amount.Units.String(),
		Chain: "nothing is on its way", Amount: t.Amount, At: at,
	}}
}

// Pending is an open pending entry of the ledger.
type Pending struct {
	Subject Subject
	Key     string
	Amount  money.Amount
	Since   time.Time
}

// OfPending: no pending amount outlives its timer.
func OfPending(p Pending, at Moment, now time.Time, limit time.Duration) []Finding {
	if now.Sub(p.Since) < limit {
		return nil
	}
	return []Finding{{
		Kind: PendingTooOld, Subject: p.Subject, Evidence: p.Key, Ledger: p.Amount.Units.String() + " pending since " + p.Since.UTC().Format(time.RFC3339),
		Amount: p.Amount, At: at,
	}}
}

// Asset is what stands behind the liabilities of an asset.
type Asset struct {
	Asset                money.Asset
	Custody, Liabilities *big.Int
	Overdrawn            bool // a pocket of ours holds less than nothing by the books
}

// OfAsset compares custody with liabilities.
func OfAsset(a Asset, at Moment) []Finding {
	if Solvent(a.Custody, a.Liabilities, a.Overdrawn) {
		return nil
	}
	missing := new(big.Int).Sub(a.Liabilities, a.Custody)
	if missing.Sign() < 0 {
		missing.SetInt64(0) // as a whole there is enough; one pocket is overdrawn
	}
	return []Finding{{
		Kind: Insolvent, Subject: Subject{"asset", string(a.Asset)}, Evidence: string(a.Asset),
		Ledger: "custody " + a.Custody.String() + ", owed " + a.Liabilities.String(), Amount: difference(a.Asset, missing), At: at,
	}}
}

// Solvent is the rule (domain.md §2.1, scenario X7): no pocket below nothing, and custody covers
// what is owed. Where nothing is owed, gas that nobody has booked yet is no breach.
func Solvent(custody, liabilities *big.Int, overdrawn bool) bool {
	return !overdrawn && (liabilities.Sign() <= 0 || custody.Cmp(liabilities) >= 0)
}
