package reactors

import (
	"context"
	"math/big"

	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
)

// corrections are what must be added to the books for the block of the comparison.
type corrections map[ledger.Account]map[money.Asset]*big.Int

func (m corrections) of(a ledger.Account, asset money.Asset) *big.Int {
	if d := m[a][asset]; d != nil {
		return d
	}
	return new(big.Int)
}

func (m corrections) add(a ledger.Account, asset money.Asset, d *big.Int) {
	if m[a] == nil {
		m[a] = map[money.Asset]*big.Int{}
	}
	m[a][asset] = new(big.Int).Add(m.of(a, asset), d)
}

// moving asks which transactions of ours the chain had at a block. Several of one errand share a
// nonce; one of them at most is mined.
func (c *comparer) moving(ctx context.Context, chain, block uint64) (corrections, error) {
	rows, err := c.o.Books.Moving(ctx, chain, block)
	if err != nil || len(rows) == 0 {
		return corrections{}, err
	}
	var hashes []string
	for _, m := range rows {
		hashes = append(hashes, m.Hash)
	}
	looked, err := c.o.Chains()[chain].Look(ctx, hashes)
	if err != nil {
		return nil, err
	}
	errands, fix := map[string]*reconciliation.Movement{}, corrections{}
	for _, m := range rows {
		e := errands[m.Kind+m.ID]
		if e == nil {
			e = &reconciliation.Movement{From: ledger.Treasury, Amount: m.Amount, Left: m.Left, Arrived: m.Arrived, FeeBooked: m.Mined}
			if m.Source != "" {
				e.From = ledger.Derived(m.Source)
			}
			if m.Kind == "sweep" {
				e.To = ledger.Treasury
			}
			e.FeeAt = e.From
			errands[m.Kind+m.ID] = e
		}
		l := looked[m.Hash]
		if l.State == network.Mined || l.State == network.Failed {
			e.Fee, e.FeePaid = money.Of(network.NativeAsset(chain), l.Fee), l.Block <= block
			e.Done = l.State == network.Mined && l.Block <= block
		}
	}
	for _, e := range errands {
		e.Correct(fix.add)
	}
	return fix, nil
}
