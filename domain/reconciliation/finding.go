package reconciliation

import (
	"math/big"
	"slices"
	"strings"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
)

// Subject is what a break is about: a payment, an address, a sweep, an asset.
type Subject struct {
	Type string `json:"type"` // payment, destination, treasury, gas, sweep, payout, refund, asset, provider
	ID   string `json:"id"`
}

// Moment is the point at which the sides were compared.
type Moment struct {
	Position int64  `json:"position"`           // of the log
	Chain    uint64 `json:"chain,omitempty"`    // 0 when no chain is involved
	Block    uint64 `json:"block,omitempty"`    // of that chain
	Provider bool   `json:"provider,omitempty"` // the provider was asked
}

// Finding is one difference as one comparison found it.
type Finding struct {
	Kind    Kind    `json:"kind"`
	Subject Subject `json:"subject"`
	// Evidence tells several differences of one kind and subject apart: a transfer, an asset.
	Evidence string `json:"evidence"`
	// Ledger, Chain and Provider are what each side says, in base units or in words; empty when
	// it was not asked or says nothing.
	Ledger   string `json:"ledger,omitempty"`
	Chain    string `json:"chain,omitempty"`
	Provider string `json:"provider,omitempty"`
	// Amount is what it is about; nothing when no amount is in doubt.
	Amount money.Amount `json:"amount"`
	// Over: there is more than booked; else less.
	Over bool `json:"over,omitempty"`
	// Account is the pocket where the amount can be booked as found or lost; empty for none.
	Account ledger.Account `json:"account,omitempty"`
	// Deposit is the transfer as the chain shows it.
	Deposit *network.Deposit `json:"deposit,omitempty"`
	At      Moment           `json:"at"`
}

// ID is the same for the same difference in every run.
func (f Finding) ID() string {
	return domain.DeriveID(strings.Join([]string{string(f.Kind), f.Subject.Type, f.Subject.ID, f.Evidence}, "\x00"), "reconciliation break")
}

// Same reports whether two findings say the same, whenever they were made.
func (f Finding) Same(o Finding) bool {
	return f.ID() == o.ID() && f.Ledger == o.Ledger && f.Chain == o.Chain && f.Provider == o.Provider && f.Amount == o.Amount && f.Over == o.Over
}

// Ways are the ways in which this very finding may be resolved.
func (f Finding) Ways() []Way {
	return slices.DeleteFunc(AdviceOn(f.Kind).Ways, func(w Way) bool {
		switch w {
		case BookFound:
			return f.Account == "" || !f.Over
		case WriteOff:
			return f.Account == "" || f.Over
		case Rescan:
			return f.Deposit == nil
		}
		return false
	})
}

// bookedOff: the transfer will contradict the chain for ever, but its address does not differ
// (any more), since the difference was booked. Should the address differ again, it is news.
func (f Finding) bookedOff() bool {
	return f.Account == "" && (f.Kind == MissingOnChain || f.Kind == AmountDiffers)
}

// difference gives |a| as units; amounts beyond 2^256 do not exist on any chain.
func difference(asset money.Asset, d *big.Int) money.Amount {
	u, err := money.ParseUnits(new(big.Int).Abs(d).String())
	if err != nil {
		return money.Of(asset, money.Zero)
	}
	return money.Of(asset, u)
}

func whole(u money.Units) *big.Int { return u.Uint256().ToBig() }

// Break is a finding as it is shown to people.
type Break struct {
	ID      string  `json:"id"`
	Finding Finding `json:"finding"`
	Advice  Advice  `json:"advice"`
}
