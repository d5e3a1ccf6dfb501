package reactors

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/reconciliation"
	"holdfast/projections/bookview"
)

// compareOwn compares the treasury's address on every chain, and the one that pays for gas.
func (c *comparer) compareOwn(ctx context.Context) (string, bool, error) {
	c.pins = map[uint64]pin{}
	found, err := c.again(ctx, func() (all []reconciliation.Finding, err error) {
		for _, chain := range slices.Sorted(maps.Keys(c.o.Chains())) {
			if c.isUnread(chain) {
				continue
			}
			found, err := c.own(ctx, chain)
			if err != nil {
				if err := c.unread(ctx, chain, err); err != nil {
					return nil, err
				}
				continue
			}
			all = append(all, found...)
		}
		return all, nil
	})
	if err != nil {
		return "", false, err
	}
	return "", false, c.record(ctx, found)
}

func (c *comparer) own(ctx context.Context, chain uint64) (found []reconciliation.Finding, err error) {
	at, err := c.at(ctx, chain)
	if err != nil {
		return nil, err
	}
	fix, err := c.moving(ctx, chain, at.Block)
	if err != nil {
		return nil, err
	}
	balances, err := c.o.Books.Own(ctx)
	if err != nil {
		return nil, err
	}
	pockets, holders := c.ownPockets(chain, balances, fix)
	amounts, err := c.o.Chains()[chain].BalancesAt(ctx, at.Block, holders)
	if err != nil {
		return nil, err
	}
	for i, k := range pockets {
		k.Chain = amounts[i]
		found = append(found, reconciliation.OfPocket(k, at)...)
	}
	return found, nil
}

// ownPockets gives the pockets of a chain and where each stands. Treasury and gas accounts are
// compared together where they stand at one address.
func (c *comparer) ownPockets(chain uint64, balances []bookview.Balance, fix corrections) (pockets []reconciliation.Pocket, holders []network.Holder) {
	native, gas := network.NativeAsset(chain), ledger.Gas(chainName(chain))
	apart := c.o.Gas != "" && !outgoing.SameAddress(c.o.Gas, c.o.Treasury)
	books, fuel := map[money.Asset]*big.Int{native: new(big.Int)}, new(big.Int)
	for _, t := range c.o.Tokens(chain) {
		books[t.Asset()] = new(big.Int)
	}
	for _, b := range balances {
		sum := books[b.Asset]
		switch {
		case sum == nil:
		case b.Account == gas && b.Asset == native && apart:
			fuel.Add(fuel, b.Books)
		case b.Account == ledger.Treasury || b.Account == gas:
			sum.Add(sum, b.Books)
		}
	}
	pocket := func(subject string, account ledger.Account, asset money.Asset, books *big.Int, address string) {
		pockets = append(pockets, reconciliation.Pocket{
			Subject: reconciliation.Subject{Type: subject, ID: chainName(chain)}, Account: account, Asset: asset, Books: books,
		})
		holders = append(holders, network.Holder{Address: address, Asset: asset})
	}
	for _, asset := range slices.Sorted(maps.Keys(books)) {
		account := ledger.Treasury
		if asset == native && !apart {
			account = gas
		}
		pocket("treasury", account, asset, books[asset].Add(books[asset], fix.of(ledger.Treasury, asset)), c.o.Treasury)
	}
	if apart {
		pocket("gas", gas, native, fuel, c.o.Gas)
	}
	return pockets, holders
}

// compareTransit looks for sweeps that nobody follows any more.
func (c *comparer) compareTransit(ctx context.Context) (string, bool, error) {
	rows, err := c.o.Books.InTransit(ctx, c.run.Cursor, c.o.Page)
	if err != nil || len(rows) == 0 {
		return "", false, err
	}
	sweep := func(a ledger.Account) string { return strings.TrimPrefix(string(a), "custody:in_transit:") }
	var ids []string
	for _, b := range rows {
		ids = append(ids, sweep(b.Account))
	}
	followed, err := c.o.Books.Followed(ctx, ids)
	if err != nil {
		return "", false, err
	}
	at, err := c.at(ctx, 0)
	if err != nil {
		return "", false, err
	}
	var found []reconciliation.Finding
	for _, b := range rows {
		units, err := money.ParseUnits(new(big.Int).Abs(b.Books).String())
		if err != nil {
			return "", false, fmt.Errorf("%s: %w", b.Account, err)
		}
		found = append(found, reconciliation.OfTransit(reconciliation.Transit{
			Sweep: sweep(b.Account), Account: b.Account, Amount: money.Of(b.Asset, units), Followed: followed[sweep(b.Account)],
		}, at)...)
	}
	return string(rows[len(rows)-1].Account), len(rows) == c.o.Page, c.record(ctx, found)
}

// comparePending looks for pending entries that have outlived every timer.
func (c *comparer) comparePending(ctx context.Context) (string, bool, error) {
	now, err := c.o.Executor.Store().Now(ctx)
	if err != nil {
		return "", false, err
	}
	after, _ := strconv.ParseInt(c.run.Cursor, 10, 64)
	rows, err := c.o.Books.OpenPending(ctx, now.Add(-c.o.PendingLimit), after, c.o.Page)
	if err != nil || len(rows) == 0 {
		return "", false, err
	}
	at, err := c.at(ctx, 0)
	if err != nil {
		return "", false, err
	}
	var found []reconciliation.Finding
	for _, p := range rows {
		found = append(found, reconciliation.OfPending(reconciliation.Pending{
			Subject: reconciliation.Subject{Type: p.Stream.Type, ID: p.Stream.ID}, Key: p.Key, Amount: p.Amount, Since: p.OpenedAt,
		}, at, now, c.o.PendingLimit)...)
	}
	return strconv.FormatInt(rows[len(rows)-1].Opened, 10), len(rows) == c.o.Page, c.record(ctx, found)
}

// compareAssets compares custody with liabilities, asset by asset.
func (c *comparer) compareAssets(ctx context.Context) (string, bool, error) {
	found, err := c.again(ctx, func() (all []reconciliation.Finding, err error) {
		sums, assets, err := readSums(ctx, c.o.Pool, nil)
		if err != nil {
			return nil, err
		}
		at := reconciliation.Moment{Position: sums.position}
		slices.Sort(assets)
		for _, asset := range assets {
			a := sums.assets[asset]
			all = append(all, reconciliation.OfAsset(reconciliation.Asset{Asset: asset, Custody: a.custody, Liabilities: a.liabilities, Overdrawn: len(a.overdrawn) > 0}, at)...)
		}
		c.run.State.Counts.Assets = int64(len(assets))
		return all, nil
	})
	if err != nil {
		return "", false, err
	}
	return "", false, c.record(ctx, found)
}
