package reconciliation_test

import (
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
)

const (
	address              = "0x00000000000000000000000000000000000A11cE"
	usdt     money.Asset = "USDT@8453"
	derived              = ledger.Account("custody:derived:d1")
	longPast             = 48 * time.Hour
)

func u(n uint64) money.Units { return money.FromUint64(n) }

func deposit(n int, asset money.Asset, amount uint64) network.Deposit {
	return network.Deposit{Chain: 8453, Tx: fmt.Sprintf("0x%064x", n), Log: 1, Asset: asset, To: address, Amount: u(amount)}
}

// sound is a payment on which everybody agrees: one transfer of 100, on the chain, booked,
// reported, and still at its address.
func sound() reconciliation.Payment {
	d := deposit(1, usdc, 100)
	claimed := u(100)
	return reconciliation.Payment{
		ID: "p1", Destination: "d1", Address: address, Asset: usdc, AtProvider: true, PaidAt: t0.Add(-longPast),
		Booked:  []reconciliation.Booked{{Key: reconciliation.EvidenceKey(d), Amount: money.Of(usdc, u(100)), Confirmed: true, State: network.Mined, Shown: &d}},
		Pockets: []reconciliation.Pocket{pocket(usdc, 100, 100), pocket(usdt, 0, 0)},
		Reports: []reconciliation.Report{{Request: "r1", Tx: d.Tx, Amount: &claimed, State: network.Mined, Shown: []network.Deposit{d}}},
	}
}

func pocket(asset money.Asset, books int64, chain uint64) reconciliation.Pocket {
	return reconciliation.Pocket{Subject: reconciliation.Subject{Type: "payment", ID: "p1"}, Account: derived, Asset: asset, Books: big.NewInt(books), Chain: u(chain)}
}

// differences are the ways in which a payment can be wrong: each plants one, and names what
// must be found, and nothing else.
var differences = map[string]struct {
	plant func(*reconciliation.Payment)
	want  []string // kind, and whether it is over or can be booked
}{
	"nothing": {func(*reconciliation.Payment) {}, nil},
	"a direct transfer that nobody booked": {func(p *reconciliation.Payment) {
		p.Seen = append(p.Seen, deposit(2, usdc, 7))
		p.Pockets[0] = pocket(usdc, 100, 107)
	}, []string{"missing_in_ledger 7 over"}},
	"one to a swept address": {func(p *reconciliation.Payment) {
		p.Seen = append(p.Seen, deposit(2, usdc, 7))
		p.Pockets[0] = pocket(usdc, 0, 7)
	}, []string{"missing_in_ledger 7 over"}},
	"one in another token": {func(p *reconciliation.Payment) {
		p.Seen = append(p.Seen, deposit(2, usdt, 7))
		p.Pockets[1] = pocket(usdt, 0, 7)
	}, []string{"wrong_asset 7 over"}},
	"one that the provider found": {func(p *reconciliation.Payment) {
		d := deposit(2, usdc, 7)
		p.Reports = append(p.Reports, reconciliation.Report{Tx: d.Tx, State: network.Mined, Shown: []network.Deposit{d}})
		p.Pockets[0] = pocket(usdc, 100, 107)
	}, []string{"missing_in_ledger 7 over"}},
	"coin that no log shows": {func(p *reconciliation.Payment) { p.Pockets[1] = pocket(usdt, 0, 5) }, []string{"custody_over 5 over bookable"}},
	"a booking with no chain": {func(p *reconciliation.Payment) {
		p.Booked = append(p.Booked, reconciliation.Booked{Key: "8453:0xdead:0", Amount: money.Of(usdc, u(9)), Confirmed: true, State: network.Unknown})
		p.Pockets[0] = pocket(usdc, 109, 100)
	}, []string{"missing_on_chain 9 bookable"}},
	"the same, swept since": {func(p *reconciliation.Payment) {
		p.Booked = append(p.Booked, reconciliation.Booked{Key: "8453:0xdead:0", Amount: money.Of(usdc, u(9)), Confirmed: true, State: network.Unknown})
		p.Pockets[0] = pocket(usdc, 0, 0)
	}, []string{"missing_on_chain 9"}},
	"a transfer that still waits": {func(p *reconciliation.Payment) {
		p.Booked = append(p.Booked, reconciliation.Booked{Key: "8453:0xdead:0", Amount: money.Of(usdc, u(9)), State: network.Waiting})
	}, nil},
	"more booked than came": {func(p *reconciliation.Payment) {
		p.Booked[0].Amount = money.Of(usdc, u(103))
		p.Pockets[0] = pocket(usdc, 103, 100)
	}, []string{"amount_differs 3 bookable"}},
	"less booked than came": {func(p *reconciliation.Payment) {
		p.Booked[0].Amount = money.Of(usdc, u(98))
		p.Pockets[0] = pocket(usdc, 98, 100)
	}, []string{"amount_differs 2 over bookable"}},
	"booked in another token": {func(p *reconciliation.Payment) {
		p.Booked[0].Amount = money.Of(usdt, u(100))
		p.Pockets = []reconciliation.Pocket{pocket(usdc, 0, 100), pocket(usdt, 100, 0)}
	}, []string{"wrong_asset 100"}},
	"a theft": {func(p *reconciliation.Payment) { p.Pockets[0] = pocket(usdc, 100, 60) }, []string{"custody_short 40 bookable"}},
	"a booking with no chain, and a theft": {func(p *reconciliation.Payment) {
		p.Booked = append(p.Booked, reconciliation.Booked{Key: "8453:0xdead:0", Amount: money.Of(usdc, u(9)), Confirmed: true, State: network.Unknown})
		p.Pockets[0] = pocket(usdc, 109, 60)
	}, []string{"custody_short 40 bookable", "missing_on_chain 9 bookable"}},
	"books below zero": {func(p *reconciliation.Payment) { p.Pockets[1] = pocket(usdt, -4, 0) }, []string{"custody_over 4 over bookable"}},
	"the provider claims more": {func(p *reconciliation.Payment) {
		n := u(150)
		p.Reports[0].Amount = &n
	}, []string{"amount_differs 0"}},
	"the provider says paid, the chain does not": {func(p *reconciliation.Payment) {
		n := u(100)
		p.Reports = append(p.Reports, reconciliation.Report{Tx: "0xbeef", Amount: &n, State: network.Unknown})
	}, []string{"provider_only 100"}},
	"the provider knows nothing": {func(p *reconciliation.Payment) { p.Reports = nil }, []string{"chain_only 0"}},
	"the provider lags":          {func(p *reconciliation.Payment) { p.Reports, p.PaidAt = nil, t0.Add(-time.Minute) }, nil},
	"the provider was not asked": {func(p *reconciliation.Payment) { p.Reports, p.AtProvider = nil, false }, nil},
	"the provider says it twice": {func(p *reconciliation.Payment) { p.Reports = append(p.Reports, p.Reports[0]) }, []string{"double_report 0"}},
}

func words(all []reconciliation.Finding) []string {
	var out []string
	for _, f := range all {
		w := fmt.Sprintf("%s %s", f.Kind, f.Amount.Units)
		if f.Over {
			w += " over"
		}
		if f.Account != "" {
			w += " bookable"
		}
		out = append(out, w)
	}
	slices.Sort(out)
	return out
}

func TestADifferenceIsFoundAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, c := range differences {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sound()
			c.plant(&p)
			got := reconciliation.OfPayment(p, reconciliation.Moment{}, t0)
			if w := words(got); !slices.Equal(w, c.want) {
				t.Errorf("want %v\n got %v", c.want, w)
			}
			ids := map[string]bool{}
			for _, f := range got {
				if ids[f.ID()] {
					t.Errorf("%s is listed twice", f.ID())
				}
				ids[f.ID()] = true
				for _, w := range f.Ways() {
					if w.Books() && f.Account == "" || w == reconciliation.Rescan && f.Deposit == nil {
						t.Errorf("%s cannot be resolved by %s", f.Kind, w)
					}
				}
			}
		})
	}
}

// TestPlantedDifferencesAreFound: in any world, exactly what was planted is found, under ids that
// are the same in the next run.
func TestPlantedDifferencesAreFound(t *testing.T) {
	t.Parallel()
	var names []string
	for name := range differences {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		var want, got []string
		ids := map[string]bool{}
		for i := range rapid.IntRange(1, 30).Draw(t, "payments") {
			p := sound()
			p.ID = domain.PaymentID(fmt.Sprint(i))
			if rapid.Bool().Draw(t, "wrong") {
				c := differences[rapid.SampledFrom(names).Draw(t, "difference")]
				c.plant(&p)
				want = append(want, c.want...)
			}
			for k := range p.Pockets {
				p.Pockets[k].Subject.ID = string(p.ID)
			}
			p.Booked = rapid.Permutation(p.Booked).Draw(t, "order")
			first := reconciliation.OfPayment(p, reconciliation.Moment{Position: 1}, t0)
			again := reconciliation.OfPayment(p, reconciliation.Moment{Position: 2, Block: 9}, t0.Add(time.Second))
			for n, f := range first {
				if !f.Same(again[n]) {
					t.Fatalf("%s is another break in the next run", f.Kind)
				}
				if ids[f.ID()] {
					t.Fatalf("%s has the id of another break", f.Kind)
				}
				ids[f.ID()] = true
			}
			got = append(got, words(first)...)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Fatalf("planted %v\n found %v", want, got)
		}
	})
}

// TestBooksAreCorrectedForWhatIsUnderWay: whenever the chain is read, corrected books show what
// it shows, because every step of a transfer moves both sides alike.
func TestBooksAreCorrectedForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		books, chain := map[ledger.Account]int64{}, map[ledger.Account]int64{}
		fix := map[ledger.Account]int64{}
		for range rapid.IntRange(1, 8).Draw(t, "transfers") {
			const amount, gas = 10, 3
			m := reconciliation.Movement{From: "custody:derived:d1", Amount: money.Of(usdc, u(amount)), Fee: money.Of(usdc, u(gas)), FeeAt: "custody:gas:1"}
			if rapid.Bool().Draw(t, "sweep") {
				m.To = ledger.Treasury
			}
			// Any mixture can be seen: the ledger ends it late, a reorganisation takes it back.
			m.Left, m.Arrived, m.Done = rapid.Bool().Draw(t, "left"), rapid.Bool().Draw(t, "arrived"), rapid.Bool().Draw(t, "done")
			m.FeeBooked, m.FeePaid = rapid.Bool().Draw(t, "fee booked"), rapid.Bool().Draw(t, "fee paid")
			move := func(side map[ledger.Account]int64, account ledger.Account, is bool, by int64) {
				if is && account != "" {
					side[account] += by
				}
			}
			move(books, m.From, m.Left, -amount)
			move(books, m.To, m.Arrived, amount)
			move(books, m.FeeAt, m.FeeBooked, -gas)
			move(chain, m.From, m.Done, -amount)
			move(chain, m.To, m.Done, amount)
			move(chain, m.FeeAt, m.FeePaid, -gas)
			m.Correct(func(a ledger.Account, _ money.Asset, d *big.Int) { fix[a] += d.Int64() })
		}
		for _, a := range []ledger.Account{"custody:derived:d1", ledger.Treasury, "custody:gas:1"} {
			if books[a]+fix[a] != chain[a] {
				t.Fatalf("%s: books %d, corrected by %d, chain %d", a, books[a], fix[a], chain[a])
			}
		}
	})
}

func TestTransitPendingAndAssets(t *testing.T) {
	t.Parallel()
	at := reconciliation.Moment{Position: 3}
	amount := money.Of(usdc, u(5))
	for name, c := range map[string]struct {
		got  []reconciliation.Finding
		want []string
	}{
		"a sweep on its way":         {reconciliation.OfTransit(reconciliation.Transit{Sweep: "w", Amount: amount, Followed: true}, at), nil},
		"a sweep nobody follows":     {reconciliation.OfTransit(reconciliation.Transit{Sweep: "w", Amount: amount}, at), []string{"in_transit_stuck 5"}},
		"pending, not for long":      {reconciliation.OfPending(reconciliation.Pending{Key: "k", Amount: amount, Since: t0.Add(-time.Hour)}, at, t0, 2*time.Hour), nil},
		"pending for too long":       {reconciliation.OfPending(reconciliation.Pending{Key: "k", Amount: amount, Since: t0.Add(-2 * time.Hour)}, at, t0, 2*time.Hour), []string{"pending_too_old 5"}},
		"the treasury is as booked":  {reconciliation.OfPocket(pocket(usdc, 5, 5), at), nil},
		"the treasury was drained":   {reconciliation.OfPocket(pocket(usdc, 5, 1), at), []string{"custody_short 4 bookable"}},
		"covered":                    {reconciliation.OfAsset(reconciliation.Asset{Asset: usdc, Custody: big.NewInt(5), Liabilities: big.NewInt(5)}, at), nil},
		"not covered":                {reconciliation.OfAsset(reconciliation.Asset{Asset: usdc, Custody: big.NewInt(3), Liabilities: big.NewInt(5)}, at), []string{"custody_below_owed 2"}},
		"gas nobody booked":          {reconciliation.OfAsset(reconciliation.Asset{Asset: usdc, Custody: big.NewInt(-3), Liabilities: new(big.Int)}, at), nil},
		"a pocket below zero (X7)":   {reconciliation.OfAsset(reconciliation.Asset{Asset: usdc, Custody: new(big.Int), Liabilities: new(big.Int), Overdrawn: true}, at), []string{"custody_below_owed 0"}},
		"a pocket below zero, owing": {reconciliation.OfAsset(reconciliation.Asset{Asset: usdc, Custody: big.NewInt(9), Liabilities: big.NewInt(5), Overdrawn: true}, at), []string{"custody_below_owed 0"}},
	} {
		if w := words(c.got); !slices.Equal(w, c.want) {
			t.Errorf("%s: want %v, got %v", name, c.want, w)
		}
	}
}
