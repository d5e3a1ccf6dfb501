package escrow_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
)

// command draws any command of a hold, sensible or not.
func command(t *rapid.T, s escrow.State) domain.Command {
	n := rapid.Uint64Range(0, 130).Draw(t, "amount")
	refund := rapid.SampledFrom([]domain.RefundID{"r1", "r2", "r3"}).Draw(t, "refund")
	dispute := rapid.SampledFrom([]domain.DisputeID{"d1", "d2"}).Draw(t, "dispute")
	bucket := rapid.SampledFrom([]escrow.Bucket{escrow.Held, escrow.Releasable}).Draw(t, "bucket")
	person := by(rapid.SampledFrom([]domain.Actor{buyer, admin, admin2, policy}).Draw(t, "actor"))
	split := rapid.Uint64Range(0, 100).Draw(t, "split")
	share := money.BPS(split * 100).Of(s.Disputed)
	reserve := s.ReserveFor(s.Disputed.Minus(share))
	settle := escrow.Resolve{Issue: by(policy), Dispute: dispute, Refund: refund, Buyer: share, Seller: s.Disputed.Minus(share).Minus(reserve), Reserve: reserve}
	if share.IsZero() {
		settle.Refund = ""
	}
	return rapid.SampledFrom([]domain.Command{
		escrow.Open{Issue: by(buyer), Hold: "h1", Buyer: "B1", Seller: "S1", Due: amount(100), Terms: withReserve},
		escrow.Credit{Issue: by(chain), Payment: "p1", Amount: amount(n), Overpaid: amount(n / 5)},
		escrow.Debit{Issue: by(chain), Payment: "p1", Amount: amount(n)},
		escrow.AbsorbFee{Issue: by(admin), Amount: amount(n)},
		escrow.FundDiscount{Issue: by(policy), Amount: amount(n)},
		escrow.PlaceReleaseHold{Issue: by(guard), ID: "x", Kind: escrow.GuardHold, Reason: "r"},
		escrow.LiftReleaseHold{Issue: by(guard), ID: "x", Reason: "r"},
		escrow.StartInspection{Issue: by(policy)},
		escrow.ExtendInspection{Issue: by(admin), EndsAt: t0.Add(time.Duration(n) * time.Hour)},
		escrow.MarkReleasable{Issue: by(policy), Amount: units(n), Cause: "code"},
		escrow.RevokeRelease{Issue: by(policy), Reason: "revision"},
		escrow.Release{Issue: person, Amount: units(n)},
		escrow.Release{Issue: person},
		escrow.ReleaseReserve{Issue: by(policy), Needed: units(n), Cause: "clawback", Refund: refund},
		escrow.ReleaseReserve{Issue: domain.Issue{By: timer, At: t0.Add(time.Duration(n) * time.Hour)}, Cause: "time"},
		escrow.TakeForRefund{Issue: person, Refund: refund, From: bucket, Amount: amount(n)},
		escrow.ReturnFromRefund{Issue: by(policy), Refund: refund, To: bucket, Amount: amount(n)},
		escrow.SettleRefund{Issue: by(chain), Refund: refund},
		escrow.UnsettleRefund{Issue: by(chain), Refund: refund},
		escrow.ClawBack{Issue: by(admin), Refund: refund, Amount: amount(n)},
		escrow.ReturnClawback{Issue: by(admin), Refund: refund, Amount: amount(n)},
		escrow.Freeze{Issue: by(buyer), Dispute: dispute, Amount: units(n)},
		escrow.Unfreeze{Issue: by(buyer), Dispute: dispute},
		settle,
		escrow.Cancel{Issue: by(policy)},
		escrow.Close{Issue: by(policy)},
		escrow.Reopen{Issue: by(admin), Reason: "r"},
	}).Draw(t, "command")
}

// fits keeps to what the flows promise: a refund gives back what it took, and no more; a clawback draws
// on the reserve once, when it is approved.
func fits(s escrow.State, took map[domain.RefundID]escrow.RefundTaken, clawed map[domain.RefundID]escrow.ClawedBack, c domain.Command) bool {
	switch c := c.(type) {
	case escrow.ReturnFromRefund:
		r, ok := took[c.Refund]
		return !slices.Contains(s.OpenRefunds, c.Refund) || (ok && r.From == c.To && r.Amount == c.Amount)
	case escrow.ReleaseReserve:
		_, open := clawed[c.Refund]
		_, drew := s.Drawn[c.Refund]
		return c.Refund == "" || open && !drew
	case escrow.ReturnClawback:
		r, open := clawed[c.Refund]
		return open && r.Amount == c.Amount
	case escrow.Resolve:
		return c.Refund == "" || !slices.Contains(s.OpenRefunds, c.Refund)
	}
	return true
}

func TestTheIdentityHoldsWhateverHappens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, took, withheld := escrow.State{}, map[domain.RefundID]escrow.RefundTaken{}, money.Zero
		clawed, drawn := map[domain.RefundID]escrow.ClawedBack{}, map[domain.RefundID]money.Units{}
		for range rapid.IntRange(10, 80).Draw(t, "steps") {
			c := command(t, s)
			if back, ok := c.(escrow.ReturnClawback); ok {
				back.Amount = clawed[back.Refund].Amount
				c = back
			}
			if !fits(s, took, clawed, c) {
				continue
			}
			before := s
			next, events, err := machinetest.Step(t, escrow.Table(), escrow.Decider, s, c)
			if err != nil {
				continue
			}
			for _, e := range events {
				if r, ok := e.(escrow.RefundTaken); ok {
					took[r.Refund] = r
				}
				if r, ok := e.(escrow.DisputeSettled); ok {
					delete(took, r.Refund)
				}
			}
			s = next
			if out := s.Left().Plus(s.Released).Plus(s.Refunded); s.In() != out {
				t.Fatalf("%T: in %s, out %s: %+v", c, s.In(), out, s)
			}
			for _, e := range events {
				if r, ok := e.(escrow.Released); ok {
					withheld = withheld.Plus(r.Reserve.Units)
					if r.Net.Units.Plus(r.Fee.Units).Plus(r.Reserve.Units) != r.Gross.Units {
						t.Fatalf("the parts of %+v are not the whole", r)
					}
				}
				switch e := e.(type) {
				case escrow.ReserveReleased:
					withheld = withheld.Minus(e.Amount.Units) // panics when more is given back than was withheld
					if e.Refund != "" {
						drawn[e.Refund] = e.Amount.Units
					}
				case escrow.DisputeSettled:
					withheld = withheld.Plus(e.Reserve.Units)
				case escrow.ClawedBack:
					clawed[e.Refund] = e
				case escrow.ClawbackReturned:
					withheld = withheld.Plus(drawn[e.Refund]) // all that the clawback had taken of it
					delete(clawed, e.Refund)
					delete(drawn, e.Refund)
				case escrow.RefundSettled:
					delete(clawed, e.Refund)
					delete(drawn, e.Refund)
				}
			}
			if s.ID != "" && (s.Withheld() != withheld || s.Reserved != withReserve.ReserveBPS.Of(s.Proceeds)) {
				t.Fatalf("%T: %s are withheld by the events, %s by the state; ever %s of %s", c, withheld, s.Withheld(), s.Reserved, s.Proceeds)
			}
			if !slices.IsSortedFunc(s.Reserves, func(a, b escrow.Lot) int { return a.Until.Compare(b.Until) }) {
				t.Fatalf("the first to be due is not the first: %+v", s.Reserves)
			}
			if s.IsClosed && !s.Left().IsZero() {
				t.Fatalf("closed, and %s is left", s.Left())
			}
			if s.Released.Less(before.Released) || s.Released.Less(s.ClawedBack) {
				t.Fatalf("%T: released was %s, is %s, of which %s came back", c, before.Released, s.Released, s.ClawedBack)
			}
			if _, pays := c.(escrow.Release); pays && len(before.ReleaseHolds) > 0 && s.Released != before.Released {
				t.Fatal("a release hold did not stop a release")
			}
			if !s.IsFunded && before.ID != "" && before.Phase() == escrow.AwaitingFunds && s.Released != before.Released {
				t.Fatal("released before it was funded")
			}
		}
	})
}

func TestTheFeeDoesNotDependOnTheSplit(t *testing.T) {
	t.Parallel()
	top := money.MustUnits("115792089237316195423570985008687907853269984665640564039457584007913129639935")
	rapid.Check(t, func(t *rapid.T) {
		fee := money.BPS(rapid.Uint32Range(0, 10000).Draw(t, "bps"))
		reserve := money.BPS(rapid.Uint32Range(0, 10000).Draw(t, "reserve"))
		due := units(rapid.Uint64Range(1, 1<<62).Draw(t, "due"))
		if rapid.Bool().Draw(t, "huge") {
			due = top.Minus(due)
		}
		split := events{
			escrow.Opened{Hold: "h1", Buyer: "B1", Seller: "S1", Due: money.Of(usdc, due), Terms: escrow.Terms{FeeBPS: fee, ReserveBPS: reserve, ReserveFor: time.Hour}},
			escrow.Credited{Amount: money.Of(usdc, due)},
			funded,
			escrow.MadeReleasable{Hold: "h1", Amount: money.Of(usdc, due)},
		}
		s := machinetest.Fold(escrow.Decider, split...)
		for parts := rapid.IntRange(0, 6).Draw(t, "parts"); parts > 0 && units(1).Less(s.Releasable); parts-- {
			part := s.Releasable.MulDivFloor(units(rapid.Uint64Range(1, 99).Draw(t, "percent")), units(100))
			if part.IsZero() {
				continue
			}
			s, _, _ = machinetest.Step(t, escrow.Table(), escrow.Decider, s, escrow.Release{Issue: by(buyer), Amount: part})
		}
		s, _, err := machinetest.Step(t, escrow.Table(), escrow.Decider, s, escrow.Release{Issue: by(buyer)})
		if err != nil {
			t.Fatal(err)
		}
		if s.Released != due || s.FeesTaken != fee.Of(due) || s.NetPaid != due.Minus(s.FeesTaken).Minus(s.Reserved) || s.Reserved != reserve.Of(due.Minus(s.FeesTaken)) {
			t.Fatalf("released %s of %s, fees %s, want %s; reserve %s", s.Released, due, s.FeesTaken, fee.Of(due), s.Reserved)
		}
		last := domain.Issue{By: timer, At: t0.Add(time.Hour)}
		if s, _, err = machinetest.Step(t, escrow.Table(), escrow.Decider, s, escrow.ReleaseReserve{Issue: last}); err != nil || !s.Withheld().IsZero() || s.NetPaid != due.Minus(s.FeesTaken) {
			t.Fatalf("%v: %s are withheld in the end, paid %s", err, s.Withheld(), s.NetPaid)
		}
	})
}
