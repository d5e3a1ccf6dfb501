package migration_test

import (
	"fmt"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"holdfast/domain/ledger"
	"holdfast/domain/migration"
	"holdfast/domain/money"
	"holdfast/eventstore/audit"
)

// stories are what an old payment may be: its words, and the entries that go with them, in percent
// of the amount.
var stories = []struct {
	status, state string
	moves         []string
	left          uint64 // percent that is still there
}{
	{"pending", "", nil, 0},
	{"failed", "failed", nil, 0},
	{"cancelled", "cancelled", nil, 0},
	{"processing", "partial", []string{"hold", "30"}, 30},
	{"confirmed", "funded", []string{"hold", "100"}, 100},
	{"completed", "funded", []string{"hold", "25", "hold", "75"}, 100},
	{"completed", "releasable", []string{"hold", "100", "releasable", "100"}, 100},
	{"completed", "partial", []string{"hold", "100", "releasable", "50", "release", "20", "payout", "20"}, 80},
	{"completed", "releasing", []string{"hold", "100", "releasable", "100"}, 100},
	{"completed", "released", []string{"hold", "100", "releasable", "100", "release", "96", "fee", "4"}, 100},
	{"completed", "released", []string{"hold", "100", "releasable", "100", "release", "100", "payout", "100"}, 0},
	{"refunded", "refunded", []string{"hold", "100", "refund", "100"}, 0},
}

// For any old payments with entries in any order: debits are credits, what is there is what is owed
// and the platform's own fees, the same document books once, and sides that disagree open nothing.
func TestOpeningBalancesOfAnyOldBooks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.policy.Enforced = rapid.Bool().Draw(rt, "enforced")
		expected := money.Zero
		for n := range rapid.IntRange(1, 6).Draw(rt, "payments") {
			story := rapid.SampledFrom(stories).Draw(rt, "story")
			hundredths := rapid.Uint64Range(1, 1_000_000).Draw(rt, "amount") // of the amount's percent
			d := document(story.status, story.state)
			d.ObjectID, d.Request = fmt.Sprintf("65a0000000000000000a%04d", n), fmt.Sprintf("65a0000000000000000b%04d", n)
			d.Hash, d.Amount = "hash of "+strconv.Itoa(n), decimal(100*hundredths)
			to := migration.PaidTo{}
			if rapid.Bool().Draw(rt, "derived") {
				to = migration.PaidTo{Destination: fmt.Sprintf("65a0000000000000000d%04d", n), Address: address, Path: "0/7", Swept: rapid.Bool().Draw(rt, "swept")}
			}
			var entries []migration.Entry
			for i := 0; i < len(story.moves); i += 2 {
				percent, _ := strconv.ParseUint(story.moves[i+1], 10, 64)
				entries = append(entries, moves(story.moves[i], decimal(percent*hundredths))...)
			}
			entries = rapid.Permutation(entries).Draw(rt, "entries")
			spoiled := len(entries) > 0 && rapid.IntRange(0, 3).Draw(rt, "spoil") == 0
			if spoiled {
				entries = entries[1:]
			}
			f, err := w.take(d, to, entries...)
			if err != nil {
				if !spoiled || !w.policy.Enforced {
					rt.Fatalf("%+v was refused: %v", story, err)
				}
				continue
			}
			if _, err := w.Try(f); err != nil {
				rt.Fatalf("%+v: %v", story, err)
			}
			before := w.Position()
			if f, err = w.take(d, to, entries...); err == nil {
				_, err = w.Try(f)
			}
			if err != nil || w.Position() != before {
				rt.Fatalf("the same document again: %v, %d events", err, w.Position()-before)
			}
			if !spoiled {
				expected = expected.Plus(money.FromUint64(story.left*hundredths).MulDivFloor(money.FromUint64(1e16), money.FromUint64(1)))
			} else {
				m, _ := w.policy.Judge(d, entries)
				if m.Due.Units.Less(m.Books.Inside()) {
					rt.Fatalf("%+v: more is opened than was paid: %s", story, m.Books)
				}
				expected = expected.Plus(m.Books.Inside())
			}
		}
		totals := w.sound()
		sums, err := audit.PerAsset(totals)
		if err != nil {
			rt.Fatal(err)
		}
		s, any := sums[usdt]
		if !any {
			if !expected.IsZero() {
				rt.Fatalf("nothing is open, %s should be", expected)
			}
			return
		}
		fees := w.Balance(ledger.Opening("legacy"), usdt)
		if s.Custody.String() != expected.String() {
			rt.Fatalf("%s is there, want %s", s.Custody, expected)
		}
		owed, _ := money.ParseUnits(s.Liabilities.String())
		if owed.Plus(fees) != expected {
			rt.Fatalf("%s is there, %s is owed, %s are fees", s.Custody, owed, fees)
		}
	})
}

// decimal writes hundredths.
func decimal(n uint64) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }
