package migration_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/migration"
	"holdfast/domain/payment"
	"holdfast/domain/scenariotest"
)

// Every word for an escrow, with the books that go with it.
func TestWhatStandsInTheOldBooksIsOpened(t *testing.T) {
	t.Parallel()
	sellers := ledger.SellerAvailable(seller.User())
	for name, c := range map[string]struct {
		status, state string
		entries       []string
		hold, payment string // phases
		want          map[ledger.Account]uint64
	}{
		"pending":   {"pending", "", nil, escrow.AwaitingFunds, payment.AwaitingPayment, nil},
		"failed":    {"failed", "failed", nil, escrow.CancelledPhase, payment.CancelledPhase, nil},
		"cancelled": {"cancelled", "", nil, escrow.AwaitingFunds, payment.CancelledPhase, nil},
		"partial": {
			"processing", "partial",
			[]string{"hold", "40"},
			escrow.AwaitingFunds, payment.PartlyPaid,
			map[ledger.Account]uint64{stands: 40, ledger.Held(hold): 40},
		},
		"funded": {
			"completed", "funded",
			[]string{"hold", "60", "hold", "40"},
			escrow.FundedPhase, payment.PaidPhase,
			map[ledger.Account]uint64{stands: 100, ledger.Held(hold): 100},
		},
		"releasable": {
			"completed", "releasable",
			[]string{"hold", "100", "releasable", "100"},
			escrow.ReleasableNow, payment.PaidPhase,
			map[ledger.Account]uint64{stands: 100, ledger.Releasable(hold): 100},
		},
		"partly released": {
			"completed", "partial",
			[]string{"hold", "100", "releasable", "100", "release", "30", "payout", "30"},
			escrow.PartlyReleased, payment.PaidPhase,
			map[ledger.Account]uint64{stands: 70, ledger.Releasable(hold): 70, sellers: 0},
		},
		"releasing": {
			"completed", "releasing",
			[]string{"hold", "100", "releasable", "100"},
			escrow.ClosedPhase, payment.PaidPhase,
			map[ledger.Account]uint64{stands: 100, sellers: 100},
		},
		"released, not paid out": {
			"completed", "released",
			[]string{"hold", "100", "releasable", "100", "release", "97", "fee", "3"},
			escrow.ClosedPhase, payment.PaidPhase,
			map[ledger.Account]uint64{stands: 100, sellers: 97, ledger.Opening("legacy"): 3},
		},
		"released and paid out": {
			"completed", "released", []string{"hold", "100", "releasable", "100", "release", "100", "payout", "100"}, escrow.ClosedPhase, payment.PaidPhase, nil,
		},
		"refunded": {"refunded", "refunded", []string{"hold", "100", "refund", "100"}, escrow.ClosedPhase, payment.PaidPhase, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			d := document(c.status, c.state)
			w.pay(d, own, moves(c.entries...)...)
			assert.Equal(t, c.hold, w.hold().Phase())
			p := scenariotest.StateOf(w.World, payment.Decider, string(paid))
			assert.Equal(t, c.payment, p.Phase)
			assert.Equal(t, where, p.Destination)
			w.balances(c.want)
			if c.want == nil {
				w.balances(map[ledger.Account]uint64{stands: 0, ledger.Held(hold): 0, ledger.Releasable(hold): 0, sellers: 0})
			}

			before := w.Position()
			w.pay(d, own, moves(c.entries...)...)
			assert.Equal(t, before, w.Position(), "the same document again books nothing")

			w.derive("funded")
			dest := scenariotest.StateOf(w.World, destination.Decider, string(where))
			assert.Equal(t, units(c.want[stands]), dest.Balance[usdt], "the address has what the ledger says")
			w.sound()
		})
	}
}

func TestSidesThatDisagreeOpenNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*migration.Payment)
		entries []migration.Entry
		code    string
	}{
		"no entries":               {nil, nil, "LEGACY_BOOKS_DISAGREE"},
		"more came":                {nil, moves("hold", "101"), "LEGACY_BOOKS_DISAGREE"},
		"less came":                {nil, moves("hold", "99"), "LEGACY_BOOKS_DISAGREE"},
		"it is elsewhere":          {nil, moves("hold", "100", "releasable", "100"), "LEGACY_BOOKS_DISAGREE"},
		"more left than came":      {nil, moves("hold", "100", "refund", "101"), "LEGACY_BOOKS_DISAGREE"},
		"words that do not fit":    {func(d *migration.Payment) { d.Status = "refunded" }, moves("hold", "100"), "LEGACY_BOOKS_DISAGREE"},
		"twice as much came":       {func(d *migration.Payment) { d.Status, d.EscrowState = "processing", "partial" }, moves("hold", "200", "releasable", "50", "release", "50"), "LEGACY_BOOKS_DISAGREE"},
		"more than there can be":   {nil, moves("hold", "9"+strings.Repeat("0", 58), "hold", "9"+strings.Repeat("0", 58)), "LEGACY_BOOKS_DISAGREE"},
		"a word is missing":        {func(d *migration.Payment) { d.EscrowState = "" }, moves("hold", "100"), "LEGACY_BOOKS_DISAGREE"},
		"another currency":         {nil, []migration.Entry{{Type: "hold", Amount: "100", Currency: "USDC"}}, "LEGACY_BOOKS_DISAGREE"},
		"an entry that is refused": {nil, []migration.Entry{{Found: migration.Found{Problems: []migration.Problem{{Field: "amount", Promised: "a number"}}}, Type: "hold", Amount: "100"}}, "LEGACY_BOOKS_DISAGREE"},
		"half a base unit":         {func(d *migration.Payment) { d.Amount = "99.9999999999999999995" }, moves("hold", "100"), "PRECISION_EXCEEDED"},
		"nothing":                  {func(d *migration.Payment) { d.Amount = "0" }, nil, "LEGACY_CONTRADICTION"},
		"a token nobody knows":     {func(d *migration.Payment) { d.Token = address }, moves("hold", "100"), "UNKNOWN_ASSET"},
		"another token's address":  {func(d *migration.Payment) { d.Currency = "USDC" }, moves("hold", "100"), "UNKNOWN_ASSET"},
		"a chain nobody knows":     {func(d *migration.Payment) { d.Chain = 4242 }, moves("hold", "100"), "UNKNOWN_CHAIN"},
	} {
		w := newWorld(t)
		d := document("completed", "funded")
		if c.change != nil {
			c.change(&d)
		}
		_, err := w.take(d, own, c.entries...)
		f, ok := fault.From(err)
		require.True(t, ok, name)
		assert.Equal(t, c.code, f.Code, name)
	}
}

func TestWithoutEnforcementTheSmallerAmountIsOpened(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		state   string
		entries []migration.Entry
		want    map[ledger.Account]uint64
	}{
		"less came":       {"funded", moves("hold", "60"), map[ledger.Account]uint64{stands: 60, ledger.Held(hold): 60}},
		"more came":       {"funded", moves("hold", "160"), map[ledger.Account]uint64{stands: 100, ledger.Held(hold): 100}},
		"nothing came":    {"funded", nil, map[ledger.Account]uint64{stands: 0, ledger.Held(hold): 0}},
		"it is elsewhere": {"releasable", moves("hold", "100"), map[ledger.Account]uint64{stands: 100, ledger.Releasable(hold): 100}},
		"it is gone":      {"released", moves("hold", "100"), map[ledger.Account]uint64{stands: 0, ledger.Held(hold): 0}},
	} {
		w := newWorld(t)
		w.policy.Enforced = false
		m, err := w.policy.Judge(document("completed", c.state), c.entries)
		require.NoError(t, err, name)
		assert.Contains(t, m.Gap, "LEGACY_BOOKS_DISAGREE", name)
		w.pay(document("completed", c.state), own, c.entries...)
		w.balances(c.want)
	}
}

// While the old backend owns payments, its documents come again: what stands here follows them.
func TestADocumentThatChangesMovesWhatIsOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.derive("funded")
	w.pay(document("pending", ""), own)
	w.balances(map[ledger.Account]uint64{stands: 0})
	w.pay(document("processing", "partial"), own, moves("hold", "40")...)
	w.balances(map[ledger.Account]uint64{stands: 40, ledger.Held(hold): 40})
	w.pay(document("completed", "funded"), own, moves("hold", "40", "hold", "60")...)
	w.balances(map[ledger.Account]uint64{stands: 100, ledger.Held(hold): 100})
	w.pay(document("completed", "releasable"), own, moves("hold", "100", "releasable", "100")...)
	w.balances(map[ledger.Account]uint64{stands: 100, ledger.Held(hold): 0, ledger.Releasable(hold): 100})
	w.pay(document("completed", "releasing"), own, moves("hold", "100", "releasable", "100")...)
	w.balances(map[ledger.Account]uint64{stands: 100, ledger.Releasable(hold): 0, ledger.SellerAvailable(seller.User()): 100})
	swept := own
	swept.Swept = true
	w.pay(document("completed", "released"), swept, moves("hold", "100", "releasable", "100", "release", "100", "payout", "100")...)
	w.balances(map[ledger.Account]uint64{stands: 0, ledger.Treasury: 0, ledger.SellerAvailable(seller.User()): 0, ledger.Opening("legacy"): 0})
}

// One that changes back names its entries anew.
func TestADocumentThatChangesToAndFro(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		w.pay(document("completed", "funded"), own, moves("hold", "100")...)
		w.balances(map[ledger.Account]uint64{stands: 100, ledger.Held(hold): 100})
		w.pay(document("completed", "releasable"), own, moves("hold", "100", "releasable", "100")...)
		w.balances(map[ledger.Account]uint64{stands: 100, ledger.Releasable(hold): 100})
	}
}

func TestWhatWasUsedHereIsNotTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(document("completed", "releasable"), own, moves("hold", "100", "releasable", "100")...)
	w.Do(scenariotest.Act(escrow.Decider, string(hold), escrow.Release{Issue: w.By(buyer)}))
	f, err := w.take(document("refunded", "refunded"), own, moves("hold", "100", "refund", "100")...)
	require.NoError(t, err)
	w.Refuse(f, "LEGACY_CONFLICT")
	w.balances(map[ledger.Account]uint64{stands: 100, ledger.SellerAvailable(seller.User()): 95, ledger.PlatformFee: 5})
}

// Of several payments of an order the one with money counts, in whatever order they come.
func TestSeveralPaymentsOfOneOrder(t *testing.T) {
	t.Parallel()
	other := func(status, state, id string) migration.Payment {
		d := document(status, state)
		d.ObjectID, d.Hash = id, "hash of "+id+status
		d.CreatedAt = d.CreatedAt.Add(time.Minute)
		return d
	}
	const second = "65a0000000000000000000a2"
	phase := func(w *world, id string) string {
		return scenariotest.StateOf(w.World, payment.Decider, string(migration.PaymentID(id))).Phase
	}
	t.Run("an abandoned one first", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.pay(document("pending", ""), own)
		w.pay(other("completed", "funded", second), migration.PaidTo{}, moves("hold", "100")...)
		assert.Equal(t, payment.ExpiredPhase, phase(w, paidOID))
		assert.Equal(t, payment.PaidPhase, phase(w, second))
		w.balances(map[ledger.Account]uint64{ledger.Treasury: 100, ledger.Held(hold): 100})
		before := w.Position()
		w.pay(document("pending", ""), own)
		w.pay(other("completed", "funded", second), migration.PaidTo{}, moves("hold", "100")...)
		assert.Equal(t, before, w.Position(), "and again: no news")
	})
	t.Run("an abandoned one last", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.pay(document("completed", "funded"), own, moves("hold", "100")...)
		w.pay(other("pending", "", second), migration.PaidTo{})
		assert.Equal(t, payment.ExpiredPhase, phase(w, second))
		w.balances(map[ledger.Account]uint64{stands: 100, ledger.Held(hold): 100})
	})
	t.Run("refunded, and paid anew", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.pay(document("refunded", "refunded"), own, moves("hold", "100", "refund", "100")...)
		w.pay(other("completed", "funded", second), migration.PaidTo{}, moves("hold", "100")...)
		assert.Equal(t, payment.PaidPhase, phase(w, paidOID))
		assert.Equal(t, escrow.FundedPhase, w.hold().Phase())
		w.balances(map[ledger.Account]uint64{ledger.Treasury: 100, ledger.Held(hold): 100})
	})
	t.Run("two open ones: the later", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.pay(other("pending", "", second), migration.PaidTo{})
		w.pay(document("pending", ""), own)
		assert.Equal(t, payment.AwaitingPayment, phase(w, second))
		assert.Equal(t, payment.ExpiredPhase, phase(w, paidOID))
	})
	t.Run("both hold money: a person must say", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.pay(document("completed", "funded"), own, moves("hold", "100")...)
		f, err := w.take(other("completed", "funded", second), migration.PaidTo{}, moves("hold", "100")...)
		require.NoError(t, err)
		w.Refuse(f, "LEGACY_SECOND_PAYMENT")
		w.balances(map[ledger.Account]uint64{stands: 100, ledger.Treasury: 0, ledger.Held(hold): 100})
	})
}

// The money of an order is its parties': a payment that names others opens nothing.
func TestAPaymentIsOfItsOrdersParties(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*migration.Payment){
		"another buyer": func(d *migration.Payment) { d.Buyer = "stranger" }, "another seller": func(d *migration.Payment) { d.Seller = "stranger" },
	} {
		w := newWorld(t)
		w.order("processing")
		d := document("completed", "funded")
		change(&d)
		f, err := w.take(d, own, moves("hold", "100")...)
		require.NoError(t, err, name)
		w.Refuse(f, "LEGACY_CONTRADICTION")
		w.balances(map[ledger.Account]uint64{stands: 0, ledger.Held(hold): 0})
	}
	t.Run("an offer of another request", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.order("processing")
		d := document("completed", "funded")
		d.Request = "65a0000000000000000000b2"
		f, err := w.take(d, own, moves("hold", "100")...)
		require.NoError(t, err)
		w.Refuse(f, "LEGACY_CONTRADICTION")
	})
}

// What is there is in the asset in which it was opened.
func TestMoneyThatIsThereDoesNotChangeItsCurrency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(document("completed", "funded"), own, moves("hold", "100")...)
	d, entries := document("completed", "funded"), moves("hold", "100")
	d.Hash, d.Currency, d.Token, entries[0].Currency = "another", "USDC", "0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d", "USDC"
	f, err := w.take(d, own, entries...)
	require.NoError(t, err)
	w.Refuse(f, "LEGACY_CONTRADICTION")
	w.balances(map[ledger.Account]uint64{stands: 100, ledger.Held(hold): 100})
}

func TestNobodyBuysFromHimself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := document("completed", "funded")
	d.Seller = d.Buyer
	f, err := w.take(d, own, moves("hold", "100")...)
	require.NoError(t, err)
	w.Refuse(f, escrow.ErrOwnRequest.Code)
}

func TestOnlyTheOldBackendsBooksAreHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := moves("hold", "100")[0]
	e.Hash, e.Body, e.Text, e.User = "aa", `{"entryType":"hold"}`, `{"note":"by hand"}`, "buyer"
	take := func() { w.Do(migration.TakeEntry{Issue: w.By(bridge), Document: e, Names: name}) }
	take()
	before := w.Position()
	take()
	assert.Equal(t, before, w.Position())
	assert.Empty(t, w.sound(), "it posts nothing")
	assert.Equal(t, domain.PaymentID(name("payments", paidOID)), paid)
}
