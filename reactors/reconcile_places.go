package reactors

import (
	"context"
	"math/big"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
	"holdfast/eventstore"
	"holdfast/projections/bookview"
)

func (r *Reconciler) meta(i domain.Issue, what string) eventstore.Metadata {
	return eventstore.Metadata{Actor: i.By, CommandID: domain.DeriveID(what, i.At.String()), Source: "job"}
}

// places compares addresses with their chains. Closely: transfers that nobody booked are looked
// for where more stands than is booked.
func (c *comparer) places(ctx context.Context, all []bookview.Place, closely bool) (found []reconciliation.Finding, err error) {
	byChain := map[uint64][]bookview.Place{}
	for _, p := range all {
		byChain[p.Chain] = append(byChain[p.Chain], p)
	}
	now, err := c.o.Executor.Store().Now(ctx)
	if err != nil {
		return nil, err
	}
	for chain, places := range byChain {
		if c.isUnread(chain) {
			continue
		}
		views, at, err := c.look(ctx, chain, places, closely)
		if err != nil {
			if err := c.unread(ctx, chain, err); err != nil {
				return nil, err
			}
			continue
		}
		for _, v := range views {
			found = append(found, reconciliation.OfPayment(v, at, now)...)
		}
	}
	return found, nil
}

// look asks the chain about places: balances at one block, the transactions that were booked or
// reported, and what of ours was under way at that block.
func (c *comparer) look(ctx context.Context, chain uint64, places []bookview.Place, closely bool) ([]reconciliation.Payment, reconciliation.Moment, error) {
	at, err := c.at(ctx, chain)
	if err != nil {
		return nil, at, err
	}
	statement := c.o.Chains()[chain]
	corrections, err := c.moving(ctx, chain, at.Block)
	if err != nil {
		return nil, at, err
	}
	books := make([][]reconciliation.Pocket, len(places))
	var holders []network.Holder
	for i, p := range places {
		if books[i], err = c.pockets(p, corrections); err != nil {
			return nil, at, err
		}
		for _, k := range books[i] {
			holders = append(holders, network.Holder{Address: p.Address, Asset: k.Asset})
		}
	}
	var looked map[string]network.Looked
	var balances []money.Units
	group, both := errgroup.WithContext(ctx)
	group.Go(func() (err error) { looked, err = statement.Look(both, transactions(places)); return err })
	group.Go(func() (err error) { balances, err = statement.BalancesAt(both, at.Block, holders); return err })
	if err := group.Wait(); err != nil {
		return nil, at, err
	}
	views := make([]reconciliation.Payment, len(places))
	for i, p := range places {
		if views[i], err = c.payment(p, looked); err != nil {
			return nil, at, err
		}
		views[i].Pockets = books[i]
		for k := range views[i].Pockets {
			views[i].Pockets[k].Chain, balances = balances[0], balances[1:]
		}
	}
	if closely {
		err = c.search(ctx, chain, at.Block, views)
	}
	return views, at, err
}

// pockets are what the books say of each asset that may stand at an address.
func (c *comparer) pockets(p bookview.Place, fix corrections) (all []reconciliation.Pocket, err error) {
	for _, asset := range c.assets(p) {
		books := new(big.Int).Set(fix.of(p.Account(), asset))
		if text := p.Balances[asset]; text != "" {
			booked, err := bookview.Number(text)
			if err != nil {
				return nil, err
			}
			books.Add(books, booked)
		}
		all = append(all, reconciliation.Pocket{Subject: subjectOf(p), Account: p.Account(), Asset: asset, Books: books})
	}
	return all, nil
}

func subjectOf(p bookview.Place) reconciliation.Subject {
	if p.Payment == "" {
		return reconciliation.Subject{Type: "destination", ID: string(p.Destination)}
	}
	return reconciliation.Subject{Type: "payment", ID: string(p.Payment)}
}

// assets are those that may stand at an address: what the registry lists, what the ledger has
// there, what the payment asks for. Native coin that nobody asked for and nobody booked is dust.
func (c *comparer) assets(p bookview.Place) []money.Asset {
	native := network.NativeAsset(p.Chain)
	var all []money.Asset
	for _, t := range c.o.Tokens(p.Chain) {
		if a := t.Asset(); a != native || a == p.Asset || p.Balances[a] != "" {
			all = append(all, a)
		}
	}
	if !slices.Contains(all, native) && p.Balances[native] != "" {
		all = append(all, native)
	}
	return all
}

// transactions lists what is to be looked up, each once.
func transactions(places []bookview.Place) []string {
	seen := map[string]bool{}
	var all []string
	add := func(tx string) {
		if tx, err := network.ParseTx(tx); err == nil && !seen[tx] {
			seen[tx] = true
			all = append(all, tx)
		}
	}
	for _, p := range places {
		for _, t := range p.Transfers {
			add(t.Evidence.Tx)
		}
		for _, d := range p.Deposits {
			add(txOf(d.Key))
		}
		for _, r := range p.Reports {
			if r.Chain == 0 || r.Chain == p.Chain {
				add(r.Tx)
			}
		}
	}
	return all
}

// txOf reads the transaction out of an evidence key.
func txOf(key string) string {
	if parts := strings.Split(key, ":"); len(parts) == 3 {
		return parts[1]
	}
	return ""
}

// payment joins what the books say of a place with what the chain shows.
func (c *comparer) payment(p bookview.Place, looked map[string]network.Looked) (reconciliation.Payment, error) {
	v := reconciliation.Payment{ID: p.Payment, Destination: p.Destination, Address: p.Address, Asset: p.Asset}
	booked := func(key string, amount money.Amount, confirmed bool) {
		tx, _ := network.ParseTx(txOf(key))
		l := looked[tx]
		b := reconciliation.Booked{Key: key, Amount: amount, Confirmed: confirmed, State: l.State}
		for _, d := range l.Deposits {
			if reconciliation.EvidenceKey(d) == key {
				b.Shown = &d
			}
		}
		v.Booked = append(v.Booked, b)
	}
	for key, t := range p.Transfers {
		booked(key, t.Amount, t.Confirmed)
	}
	for _, d := range p.Deposits {
		booked(d.Key, d.Amount, true)
	}
	slices.SortFunc(v.Booked, func(a, b reconciliation.Booked) int { return strings.Compare(a.Key, b.Key) })
	if p.PaidAt != nil {
		v.PaidAt = *p.PaidAt
	}
	since := c.run.State.Since
	v.AtProvider = !since.IsZero() && p.Request != "" && p.Provider != ownProvider && v.PaidAt.After(since)
	for _, r := range p.Reports {
		report := reconciliation.Report{Request: p.Request, Tx: r.Tx}
		// The provider lists payments in base units, other than in its webhooks.
		if amount, err := money.ParseUnits(r.Amount); err == nil {
			report.Amount = &amount
		}
		if tx, err := network.ParseTx(r.Tx); err == nil {
			report.Tx, report.State = tx, looked[tx].State
			for _, d := range looked[tx].Deposits {
				if strings.EqualFold(d.To, p.Address) {
					report.Shown = append(report.Shown, d)
				}
			}
		}
		v.Reports = append(v.Reports, report)
	}
	return v, nil
}

// ownProvider is the name under which our own checkout registers intents.
const ownProvider = "own"

// search looks for transfers to addresses at which more stands than is booked.
func (c *comparer) search(ctx context.Context, chain, block uint64, views []reconciliation.Payment) error {
	w, byAddress := network.Watch{}, map[string]int{}
	for i, v := range views {
		over := slices.ContainsFunc(v.Pockets, func(k reconciliation.Pocket) bool { return k.Chain.Uint256().ToBig().Cmp(k.Books) > 0 })
		if over {
			w.Destinations = append(w.Destinations, v.Address)
			byAddress[strings.ToLower(v.Address)] = i
		}
	}
	if len(w.Destinations) == 0 {
		return nil
	}
	found, err := c.o.Chains()[chain].Scan(ctx, block-min(block, c.o.Lookback), block, w)
	if err != nil {
		return err
	}
	for _, d := range found.Deposits {
		if i, ours := byAddress[strings.ToLower(d.To)]; ours {
			views[i].Seen = append(views[i].Seen, d)
		}
	}
	return nil
}
