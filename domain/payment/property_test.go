package payment_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/payment"
)

// command draws any command about one of a few transfers; the chain repeats itself, forgets,
// and tells things out of order.
func command(t *rapid.T) domain.Command {
	n := rapid.Uint64Range(1, 4).Draw(t, "transfer")
	e := ev(fmt.Sprintf("0xf%d", n), rapid.Uint64Range(100, 102).Draw(t, "block"))
	who := by(chain)
	return rapid.SampledFrom([]domain.Command{
		payment.Initiate{Issue: by(buyer), Payment: "p1", Hold: "h1", Buyer: "B1", Seller: "S1", Due: amount(100), Threshold: payment.Threshold{Need: 12}, ExpiresAt: initiated.ExpiresAt},
		payment.AssignDestination{Issue: by(policy), Destination: "d1", Address: "0xDest"},
		payment.Detect{Issue: who, Evidence: e, Amount: amount(n * 30), Late: rapid.Bool().Draw(t, "wanted")},
		payment.Detect{Issue: who, Evidence: e, Amount: amount(n * 30)},
		payment.Confirm{Issue: who, Evidence: e, Depth: rapid.Uint64Range(10, 14).Draw(t, "depth")},
		payment.Confirm{Issue: who, Evidence: e, Depth: 12},
		payment.Drop{Issue: who, Evidence: e},
		payment.Reorg{Issue: who, Evidence: e, Waterfall: []payment.Part{{Account: "escrow:h1:held", Amount: amount(n * 30)}}},
		payment.HoldForReview{Issue: by(policy), Kind: "aml"},
		payment.ClearReview{Issue: by(admin), Approver: admin2},
		payment.RejectReview{Issue: by(admin), Approver: admin2},
		payment.Expire{Issue: late(timer)},
		payment.Cancel{Issue: by(buyer)},
	}).Draw(t, "command")
}

// books checks what the ledger would: a pending key opens once and closes once.
type books struct {
	opened, closed map[string]bool
	custody        money.Units
}

func (b *books) write(t *rapid.T, e payment.Event) {
	tx, ok := payment.Postings(domain.Stream{}, e)
	if !ok {
		return
	}
	switch tx.Mode {
	case ledger.Pend:
		if b.opened[tx.Key] {
			t.Fatalf("the pending entry %s was opened twice", tx.Key)
		}
		b.opened[tx.Key] = true
	case ledger.PostPending, ledger.VoidPending:
		if !b.opened[tx.Key] || b.closed[tx.Key] {
			t.Fatalf("%s closes %s, which is not open", e.EventType(), tx.Key)
		}
		b.closed[tx.Key] = true
	}
	switch e := e.(type) {
	case payment.Confirmed:
		b.custody = b.custody.Plus(e.Amount.Units)
	case payment.Reorged:
		b.custody = b.custody.Minus(e.Amount.Units)
	}
}

func TestATransferCountsOnceWhateverTheChainDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, b := payment.State{}, &books{opened: map[string]bool{}, closed: map[string]bool{}}
		for range rapid.IntRange(10, 80).Draw(t, "steps") {
			c := command(t)
			before := s
			next, events, err := machinetest.Step(t, payment.Table(), payment.Decider, s, c)
			if err != nil {
				continue
			}
			s = next
			for _, e := range events {
				b.write(t, e)
			}
			sum := money.Zero
			for key, tr := range s.Transfers {
				if key != tr.Evidence.Key() {
					t.Fatalf("%s stands under %s", tr.Evidence.Key(), key)
				}
				if tr.Confirmed {
					sum = sum.Plus(tr.Amount.Units)
				}
			}
			if s.Confirmed != sum || b.custody != sum {
				t.Fatalf("%T: %s is confirmed, the state says %s, custody %s", c, sum, s.Confirmed, b.custody)
			}
			if s.Due.Units.Less(s.Counted()) {
				t.Fatalf("%s counts of %s", s.Counted(), s.Due)
			}
			if s.Phase == payment.PaidPhase && s.Counted() != s.Due.Units {
				t.Fatalf("%T: paid, and %s of %s is there (was %s)", c, s.Counted(), s.Due, before.Phase)
			}
			if conf, ok := c.(payment.Confirm); ok && len(events) > 0 && conf.Depth < 12 {
				t.Fatalf("confirmed at depth %d", conf.Depth)
			}
		}
	})
}
