package scenariotest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/payment"
	"holdfast/eventstore"
)

// Permute reports the same chain facts in another order each time: three reporters (webhook,
// its variant, our scanner) tell of every transfer, two of every confirmation, over two
// orders of which one is paid in parts and one too much. What a reporter is refused for now
// (it is too early) he tells again later. The balances must always be the same.
func Permute(t *testing.T, open func(t testing.TB) eventstore.Store, rounds int) {
	var want string
	for seed := range rounds {
		w := NewWorld(t, open(t))
		p := newPlayer(w, Scenario{Events: []Row{
			{Event: "PaymentConfirmed", Lines: []Line{{Dr: "custody:derived:d1", Cr: "escrow:h1:held", Asset: "USDC@8453", Amount: usdc(100).Units}}},
			{Event: "PaymentConfirmed", Lines: []Line{{Dr: "custody:derived:d2", Cr: "escrow:h2:held", Asset: "USDC@8453", Amount: usdc(50).Units}}},
		}})
		facts := p.facts()
		order := rand.New(rand.NewPCG(uint64(seed), 7))
		order.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
		for tries := 0; len(facts) > 0; tries++ {
			if tries > 1000 {
				t.Fatalf("order %d: %d facts are refused for ever", seed, len(facts))
			}
			f := facts[0]
			facts = facts[1:]
			if _, err := w.Try(f()); err != nil {
				if _, refused := fault.From(err); !refused {
					t.Fatalf("%v", err)
				}
				facts = append(facts, f)
			}
		}
		CheckReplay(w)
		got := w.dump()
		if want == "" {
			want = got
		}
		if got != want {
			t.Fatalf("order %d leaves\n%s\nthe first left\n%s", seed, got, want)
		}
	}
	if want == "" || !strings.Contains(want, "buyer:B1:available") {
		t.Fatalf("the facts do not lead where they should:\n%s", want)
	}
}

// facts are what reporters tell: 60 and 40 for the first order, 70 for the second.
func (p *player) facts() []func() Flow {
	var facts []func() Flow
	for n, t := range []struct {
		hold   string
		amount uint64
	}{{"h1", 60}, {"h1", 40}, {"h2", 70}} {
		p.open(t.hold)
		o := p.order(t.hold)
		p.pay(o)
		e := payment.Evidence{Chain: 8453, Tx: fmt.Sprintf("0xf%d", n), Log: 1, Block: uint64(10 + n), BlockHash: "0xb"}
		for range 3 {
			facts = append(facts, func() Flow {
				return funding.RecordTransfer{Issue: p.By(chain), Payment: o.payment, Evidence: e, Amount: usdc(t.amount), From: "0xbuyer"}
			})
		}
		for range 2 {
			facts = append(facts, func() Flow {
				return funding.ConfirmTransfer{Issue: p.By(chain), Payment: o.payment, Evidence: e, Depth: 50}
			})
		}
	}
	return facts
}

// dump lists every balance that is not zero.
func (w *World) dump() string {
	w.T.Helper()
	all, err := w.Store.Balances(w.T.Context(), "", 0)
	if err != nil {
		w.T.Fatal(err)
	}
	var lines []string
	for _, b := range all {
		if units, negative := normal(w.T, b); !units.IsZero() || negative {
			lines = append(lines, fmt.Sprintf("%s %s %s", b.Account, b.Asset, units))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
