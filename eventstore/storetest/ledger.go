package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
)

var (
	purse = ledger.BuyerAvailable("b")
	till  = ledger.SellerAvailable("s")
)

// totals reads an account as "debits/credits posted, debits/credits pending".
func (h *harness) totals(t testing.TB, a ledger.Account) string {
	t.Helper()
	got, err := h.Balance(t.Context(), a, USD)
	require.NoError(t, err)
	return fmt.Sprintf("%s/%s %s/%s", got.DebitsPosted, got.CreditsPosted, got.DebitsPending, got.CreditsPending)
}

func (h *harness) deficits(t testing.TB) map[ledger.Account]string {
	t.Helper()
	all, err := h.Deficits(t.Context())
	require.NoError(t, err)
	m := map[ledger.Account]string{}
	for _, d := range all {
		m[d.Account] = d.Amount.String()
	}
	return m
}

func insufficient(t *testing.T, h *harness) {
	h.must(t, Staged("m", 0, Fund(purse, 100)))
	err := h.refused(t, eventstore.ErrInsufficient, Staged("a", 0, Post(purse, till, 101)))
	f, ok := fault.From(err)
	require.True(t, ok)
	assert.Equal(t, map[string]string{"account": string(purse), "asset": string(USD), "have": "100", "need": "101"}, f.Fields)
	h.must(t, Staged("a", 0, Post(purse, till, 100)))
	h.refused(t, eventstore.ErrInsufficient, Staged("b", 0, Post(purse, till, 1)))
	assert.Equal(t, "100/100 0/0", h.totals(t, purse))
	assert.Equal(t, "0/100 0/0", h.totals(t, till))

	// Within one append the later event sees the earlier one's effect.
	h.must(t, Staged("c", 0, Post(till, purse, 60), Post(purse, till, 60)))
	h.refused(t, eventstore.ErrInsufficient, Staged("d", 0, Post(till, purse, 60), Post(purse, till, 61)))
	// Accounts without a guard go where they like.
	h.must(t, Staged("e", 0, Post(ledger.Goodwill, ledger.PlatformFee, 5), Post(ledger.PlatformFee, purse, 500)))
}

func facts(t *testing.T, h *harness) {
	h.must(t, Staged("m", 0, Fund(purse, 10)))
	h.must(t, Staged("f", 0, Happened(purse, ledger.Treasury, 15)))
	assert.Equal(t, map[ledger.Account]string{purse: "5", ledger.Treasury: "5"}, h.deficits(t))
	h.refused(t, eventstore.ErrInsufficient, Staged("a", 0, Post(purse, till, 1)))
	// A decision may heal an account without healing it wholly.
	h.must(t, Staged("g", 0, Post(ledger.Goodwill, purse, 3)))
	assert.Equal(t, "2", h.deficits(t)[purse])
	h.refused(t, eventstore.ErrInsufficient, Staged("a", 0, Post(purse, till, 1)))
	h.must(t, Staged("f2", 0, Happened(purse, ledger.Treasury, 4)))
	assert.Equal(t, "6", h.deficits(t)[purse])
	h.must(t, Staged("m2", 0, Fund(purse, 20)))
	assert.Empty(t, h.deficits(t))
	h.must(t, Staged("a", 0, Post(purse, till, 14)))
	h.refused(t, eventstore.ErrInsufficient, Staged("b", 0, Post(purse, till, 1)))
}

func ownRefusal(t *testing.T, h *harness) {
	want := Post(purse, till, 1)
	want.Custom = true
	err := h.refused(t, ErrCustom, Staged("a", 0, want))
	f, ok := fault.From(err)
	require.True(t, ok)
	assert.Equal(t, "1", f.Fields["need"])
}

func contention(t *testing.T, h *harness) {
	h.must(t, Staged("m", 0, Fund(purse, 90)))
	var won, beyond atomic.Int64
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, err := h.Append(t.Context(), Of(Staged(fmt.Sprint("r-", i), 0, Post(purse, till, 60))))
			if err == nil {
				won.Add(1)
			} else if assert.ErrorIs(t, err, eventstore.ErrInsufficient) {
				beyond.Add(1)
			}
		})
		wg.Go(func() { // innocent neighbours in the same batches
			_, err := h.Append(t.Context(), Of(Staged(fmt.Sprint("n-", i), 0, Noted{"x"})))
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Equal(t, int64(1), won.Load())
	assert.Equal(t, int64(19), beyond.Load())
	assert.Len(t, h.all(t), 22)
}

func pend(key string, debit, credit ledger.Account, units uint64) Moved {
	m := Happened(debit, credit, units)
	m.Mode, m.Key = ledger.Pend, key
	return m
}

func resolve(mode ledger.Mode, key string) Moved { return Moved{Mode: mode, Key: key, Fact: true} }

func pendingPosted(t *testing.T, h *harness) {
	h.refused(t, eventstore.ErrPending, Staged("p", 0, resolve(ledger.PostPending, "k")))
	h.must(t, Staged("p", 0, pend("k", ledger.Treasury, purse, 40)))
	assert.Equal(t, "0/0 0/40", h.totals(t, purse))
	assert.Equal(t, "0/0 40/0", h.totals(t, ledger.Treasury))
	h.refused(t, eventstore.ErrInsufficient, Staged("a", 0, Post(purse, till, 1)))
	h.refused(t, eventstore.ErrPending, Staged("q", 0, pend("k", ledger.Treasury, purse, 40)))
	h.must(t, Staged("p", 1, resolve(ledger.PostPending, "k")))
	assert.Equal(t, "0/40 0/0", h.totals(t, purse))
	assert.Equal(t, "40/0 0/0", h.totals(t, ledger.Treasury))
	for _, mode := range []ledger.Mode{ledger.PostPending, ledger.VoidPending} {
		h.refused(t, eventstore.ErrPending, Staged("p", 2, resolve(mode, "k")))
	}
	h.refused(t, eventstore.ErrPending, Staged("p", 2, pend("k", ledger.Treasury, purse, 40)))
	// Opened and closed in one append.
	h.must(t, Staged("z", 0, pend("z", ledger.Treasury, purse, 2), resolve(ledger.PostPending, "z")))
	assert.Equal(t, "0/42 0/0", h.totals(t, purse))

	var won atomic.Int64
	h.must(t, Staged("r", 0, pend("race", ledger.Treasury, purse, 1)))
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			_, err := h.Append(t.Context(), Of(Staged(fmt.Sprint("r-", i), 0, resolve(ledger.PostPending, "race"))))
			if err == nil {
				won.Add(1)
			} else {
				assert.ErrorIs(t, err, eventstore.ErrPending)
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(1), won.Load())
	assert.Equal(t, "0/43 0/0", h.totals(t, purse))
}

func pendingVoided(t *testing.T, h *harness) {
	h.must(t, Staged("p", 0, Fund(purse, 50), pend("k", ledger.Treasury, purse, 40)))
	void := resolve(ledger.VoidPending, "k")
	void.Debit, void.Credit, void.Units = purse, till, money.FromUint64(7) // and something beside
	h.must(t, Staged("p", 2, void))
	assert.Equal(t, "7/50 0/0", h.totals(t, purse))
	assert.Equal(t, "0/7 0/0", h.totals(t, till))
	h.refused(t, eventstore.ErrPending, Staged("p", 3, resolve(ledger.PostPending, "k")))
	entries, err := h.Entries(t.Context(), purse, USD, 2, 10)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	assert.Equal(t, ledger.VoidPending, entries[0].Mode)
	assert.Equal(t, ledger.Post, entries[1].Mode)
	assert.NotEqual(t, entries[0].Line, entries[1].Line)
}

func pendingGuards(t *testing.T, h *harness) {
	h.must(t, Staged("m", 0, Fund(purse, 50)))
	out := pend("out", purse, ledger.Treasury, 40)
	out.Fact = false
	h.must(t, Staged("o", 0, out))
	assert.Equal(t, "0/50 40/0", h.totals(t, purse))
	h.refused(t, eventstore.ErrInsufficient, Staged("a", 0, Post(purse, till, 11)))
	again := out
	again.Key = "out2"
	h.refused(t, eventstore.ErrInsufficient, Staged("o2", 0, again))
	h.must(t, Staged("a", 0, Post(purse, till, 10)))
	h.must(t, Staged("o", 1, resolve(ledger.PostPending, "out")))
	assert.Equal(t, "50/50 0/0", h.totals(t, purse))
	assert.Empty(t, h.deficits(t))
}

func past(t *testing.T, h *harness) {
	var now []map[string]eventstore.Totals
	snap := func() {
		all, err := h.Balances(t.Context(), "", 0)
		require.NoError(t, err)
		m := map[string]eventstore.Totals{}
		for _, a := range all {
			m[string(a.Account)] = a
		}
		now = append(now, m)
	}
	snap()
	for i, e := range []Moved{
		Fund(purse, 100), pend("in", ledger.Treasury, purse, 7), Post(purse, till, 30), pend("x", ledger.Treasury, till, 5),
		resolve(ledger.PostPending, "in"), resolve(ledger.VoidPending, "x"), Happened(till, ledger.Treasury, 50),
	} {
		h.must(t, Staged("s", int64(i), e))
		snap()
	}
	for position := 1; position < len(now); position++ {
		then, err := h.Balances(t.Context(), "", int64(position))
		require.NoError(t, err)
		require.Len(t, then, len(now[position]), "position %d", position)
		for _, a := range then {
			assert.Equal(t, now[position][string(a.Account)], a, "position %d", position)
		}
	}
	some, err := h.Balances(t.Context(), "seller:", 0)
	require.NoError(t, err)
	require.Len(t, some, 1)
	assert.Equal(t, till, some[0].Account)

	entries, err := h.Entries(t.Context(), "", "", 0, 100)
	require.NoError(t, err)
	assert.Len(t, entries, 14)
	page, err := h.Entries(t.Context(), till, USD, 3, 2)
	require.NoError(t, err)
	require.Len(t, page, 2)
	assert.Equal(t, []int64{4, 6}, []int64{page[0].Position, page[1].Position})
	events := h.all(t)
	assert.Equal(t, events[3].EventID, page[0].EventID)
	assert.True(t, events[3].RecordedAt.Equal(page[0].At))
}

func large(t *testing.T, h *harness) {
	most := money.MustUnits("115792089237316195423570985008687907853269984665640564039457584007913129639935")
	all := Moved{Mode: ledger.Post, Fact: true, Debit: ledger.Treasury, Credit: purse, Units: most}
	h.must(t, Staged("a", 0, all))
	assert.Equal(t, "0/"+most.String()+" 0/0", h.totals(t, purse))
	h.refused(t, money.ErrTooLarge, Staged("b", 0, Fund(purse, 1)))
	back := Moved{Mode: ledger.Post, Debit: purse, Credit: till, Units: most}
	h.must(t, Staged("a", 1, back))
	h.refused(t, money.ErrTooLarge, Staged("b", 0, Post(purse, till, 1))) // totals only grow
	assert.Equal(t, "0/"+most.String()+" 0/0", h.totals(t, till))
}
