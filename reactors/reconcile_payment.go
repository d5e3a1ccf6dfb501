package reactors

import (
	"context"
	"slices"
	"strings"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
	"holdfast/projections/bookview"
)

// Picture is what three sides say about one payment at this moment.
type Picture struct {
	Payment domain.PaymentID       `json:"payment"`
	At      reconciliation.Moment  `json:"at"`
	Ledger  LedgerSide             `json:"ledger"`
	Chain   ChainSide              `json:"chain"`
	Told    ProviderSide           `json:"provider"`
	Breaks  []reconciliation.Break `json:"breaks"`
}

// LedgerSide is what is booked.
type LedgerSide struct {
	Transfers []BookedTransfer       `json:"transfers"`
	Balances  map[money.Asset]string `json:"balances"` // at the payment's address, with what is under way
}

// BookedTransfer is one transfer that the ledger has.
type BookedTransfer struct {
	Evidence  string       `json:"evidence"`
	Amount    money.Amount `json:"amount"`
	Confirmed bool         `json:"confirmed"`
	OnChain   bool         `json:"onChain"` // the chain shows this very transfer
}

// ChainSide is what the chain shows.
type ChainSide struct {
	Address  string                 `json:"address"`
	Balances map[money.Asset]string `json:"balances"`
	Unbooked []network.Deposit      `json:"unbooked"`
}

// ProviderSide is what the provider says.
type ProviderSide struct {
	Asked   bool              `json:"asked"`
	Error   string            `json:"error,omitempty"`
	Reports []bookview.Report `json:"reports"`
}

// Payment asks chain and provider about one payment now. It writes nothing.
func (r *Reconciler) Payment(ctx context.Context, id domain.PaymentID) (Picture, error) {
	p := Picture{
		Payment: id, Ledger: LedgerSide{Transfers: []BookedTransfer{}, Balances: map[money.Asset]string{}},
		Chain: ChainSide{Balances: map[money.Asset]string{}, Unbooked: []network.Deposit{}}, Told: ProviderSide{Reports: []bookview.Report{}},
		Breaks: []reconciliation.Break{},
	}
	c := &comparer{Reconciler: r, run: &runRow{State: runState{Heads: map[string]uint64{}, Unread: map[string]string{}}}, pins: map[uint64]pin{}}
	if err := c.caughtUp(ctx); err != nil {
		return p, err
	}
	places, err := r.o.Books.SomePayments(ctx, "", []string{string(id)})
	if err != nil {
		return p, err
	}
	if len(places) == 0 {
		return p, fault.ErrNotFound.Because("the payment has no address yet")
	}
	place := places[0]
	if err := c.ask(ctx, &place, &p); err != nil {
		return p, err
	}
	views, at, err := c.look(ctx, place.Chain, []bookview.Place{place}, true)
	if err != nil {
		return p, err
	}
	now, err := r.o.Executor.Store().Now(ctx)
	if err != nil {
		return p, err
	}
	p.At = at
	p.show(views[0])
	for _, f := range reconciliation.OfPayment(views[0], at, now) {
		p.Breaks = append(p.Breaks, reconciliation.Break{ID: f.ID(), Finding: f, Advice: reconciliation.AdviceOn(f.Kind)})
	}
	return p, nil
}

// ask lets the provider speak about a place. Its silence is no error: the other two are shown.
func (c *comparer) ask(ctx context.Context, place *bookview.Place, p *Picture) error {
	if c.o.Provider == nil || place.Request == "" || place.Provider == ownProvider {
		return nil
	}
	hints, err := c.o.Provider.Hints(ctx, place.Request)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.Told.Error = code(err)
		return nil
	}
	p.Told.Asked = true
	if place.PaidAt != nil {
		c.run.State.Since = place.PaidAt.Add(-1)
	}
	for _, h := range hints {
		if h.Kind == network.Paid && h.Tx != "" {
			place.Reports = append(place.Reports, bookview.Report{Tx: h.Tx, Chain: h.Chain, Amount: h.Amount})
		}
	}
	p.Told.Reports = append(p.Told.Reports, place.Reports...)
	return nil
}

func (p *Picture) show(v reconciliation.Payment) {
	known := map[string]bool{}
	for _, b := range v.Booked {
		known[b.Key] = true
		p.Ledger.Transfers = append(p.Ledger.Transfers, BookedTransfer{Evidence: b.Key, Amount: b.Amount, Confirmed: b.Confirmed, OnChain: b.Shown != nil})
	}
	p.Chain.Address = v.Address
	for _, k := range v.Pockets {
		p.Ledger.Balances[k.Asset], p.Chain.Balances[k.Asset] = k.Books.String(), k.Chain.String()
	}
	for _, d := range v.Seen {
		if !known[reconciliation.EvidenceKey(d)] {
			p.Chain.Unbooked = append(p.Chain.Unbooked, d)
		}
	}
}

// Shown looks whether the chain still shows a deposit, and gives it as it stands now; nil when it
// does not.
func (r *Reconciler) Shown(ctx context.Context, d network.Deposit) (*network.Deposit, error) {
	statement, ok := r.o.Chains()[d.Chain]
	if !ok {
		return nil, errNotRead
	}
	looked, err := statement.Look(ctx, []string{strings.ToLower(d.Tx)})
	if err != nil {
		return nil, err
	}
	all := looked[strings.ToLower(d.Tx)].Deposits
	i := slices.IndexFunc(all, func(o network.Deposit) bool {
		return reconciliation.EvidenceKey(o) == reconciliation.EvidenceKey(d) && strings.EqualFold(o.To, d.To)
	})
	if i < 0 {
		return nil, nil
	}
	return &all[i], nil
}
