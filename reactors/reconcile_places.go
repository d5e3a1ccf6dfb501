package reactors

import (
	"context"
	"math/big"
	"slices"
	"strings"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
	"holdfast/eventstore"
	"holdfast/projections/bookview"
)

func (r *Reconciler) meta(i domain.Issue, what string) eventstore.Metadata {
	return eventstore.Metadata{Actor: i.By, CommandID: domain.DeriveID(what, i.At.String()), Source: "job"}
}

func (c *comparer) comparePayments(ctx context.Context) (string, bool, error) {
	if c.run.Cursor == "" {
		if err := c.caughtUp(ctx); err != nil {
			return "", false, err
		}
	}
	places, err := c.o.Books.Payments(ctx, c.run.ID, c.run.Cursor, c.o.Page)
	if err != nil || len(places) == 0 {
		return "", false, err
	}
	c.run.State.Counts.Payments += int64(len(places))
	return string(places[len(places)-1].Payment), len(places) == c.o.Page, c.suspects(ctx, places)
}

func (c *comparer) compareSpare(ctx context.Context) (string, bool, error) {
	places, err := c.o.Books.Spare(ctx, c.run.Cursor, c.o.Page)
	if err != nil || len(places) == 0 {
		return "", false, err
	}
	return string(places[len(places)-1].Destination), len(places) == c.o.Page, c.suspects(ctx, places)
}

// suspects compares a page of places and remembers those that differ.
func (c *comparer) suspects(ctx context.Context, places []bookview.Place) error {
	found, err := c.places(ctx, places, false)
	if err != nil {
		return err
	}
	for _, p := range places {
		c.run.State.Counts.Transfers += int64(len(p.Transfers) + len(p.Deposits))
	}
	c.run.State.Counts.Addresses += int64(len(places))
	c.run.State.Done += int64(len(places))
	seen := map[string]bool{}
	var marks []mark
	for _, f := range found {
		if id := f.Subject.Type + "/" + f.Subject.ID; !seen[id] {
			seen[id] = true
			marks = append(marks, mark{"suspect", id})
		}
	}
	return c.rows.save(ctx, c.run, marks...)
}

// compareAgain looks once more, and more closely, at what differed.
func (c *comparer) compareAgain(ctx context.Context) (string, bool, error) {
	limit := min(c.o.Page, 200)
	ids, err := c.rows.marked(ctx, c.run.ID, "suspect", c.run.Cursor, limit)
	if err != nil || len(ids) == 0 {
		return "", false, err
	}
	c.pins = map[uint64]pin{}
	found, err := c.again(ctx, func() ([]reconciliation.Finding, error) {
		places, err := c.some(ctx, ids)
		if err != nil {
			return nil, err
		}
		return c.places(ctx, places, true)
	})
	if err != nil {
		return "", false, err
	}
	return ids[len(ids)-1], len(ids) == limit, c.record(ctx, found)
}

func (c *comparer) some(ctx context.Context, subjects []string) ([]bookview.Place, error) {
	var payments, spare []string
	for _, s := range subjects {
		if id, ok := strings.CutPrefix(s, "payment/"); ok {
			payments = append(payments, id)
		} else if id, ok := strings.CutPrefix(s, "destination/"); ok {
			spare = append(spare, id)
		}
	}
	one, err := c.o.Books.SomePayments(ctx, c.run.ID, payments)
	if err != nil {
		return nil, err
	}
	two, err := c.o.Books.SomeSpare(ctx, spare)
	return append(one, two...), err
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
	looked, err := statement.Look(ctx, transactions(places))
	if err != nil {
		return nil, at, err
	}
	var holders []network.Holder
	views := make([]reconciliation.Payment, len(places))
	for i, p := range places {
		if views[i], err = c.payment(p, looked); err != nil {
			return nil, at, err
		}
		for _, asset := range c.assets(p) {
			books := new(big.Int).Set(corrections.of(p.Account(), asset))
			if text := p.Balances[asset]; text != "" {
				booked, err := bookview.Number(text)
				if err != nil {
					return nil, at, err
				}
				books.Add(books, booked)
			}
			views[i].Pockets = append(views[i].Pockets, reconciliation.Pocket{
				Subject: subjectOf(p), Account: p.Account(), Asset: asset, Books: books,
			})
			holders = append(holders, network.Holder{Address: p.Address, Asset: asset})
		}
	}
	balances, err := statement.BalancesAt(ctx, at.Block, holders)
	if err != nil {
		return nil, at, err
	}
	for i := range views {
		for k := range views[i].Pockets {
			views[i].Pockets[k].Chain, balances = balances[0], balances[1:]
		}
	}
	if closely {
		err = c.search(ctx, chain, at.Block, views)
	}
	return views, at, err
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
