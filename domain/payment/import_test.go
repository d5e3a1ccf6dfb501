package payment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/payment"
)

var (
	bridge   = domain.Machine(domain.Import, "legacy")
	imported = payment.Imported{
		Legacy:  domain.Legacy{ObjectID: "65a000000000000000000001", Hash: "aa", CreatedAt: t0.Add(-time.Hour), UpdatedAt: t0.Add(-time.Minute)},
		Payment: "p1", Request: "q1", Offer: "o1", Hold: "h1", Buyer: "B1", Seller: "S1", Due: amount(100), Threshold: payment.Threshold{Need: 12, Floor: 10},
		ExpiresAt: t0.Add(time.Hour), LapsesAt: t0.Add(24 * time.Hour), Destination: "d1", Address: "0xDest", Path: "0/1", Token: "0xUSDC", Chain: 8453,
		Intent: &payment.IntentRegistered{Provider: "request.network", RequestID: "01ab", Reference: "0x1122334455667788", Topic: "0xff"},
		Phase:  payment.PaidPhase, Confirmed: units(100), Counted: []string{"0xf1"}, Status: "completed", EscrowState: "funded", PaidAt: &t0, Expires: &t0, At: t0,
	}
)

// as is the import with another phase, hash and transactions.
func as(phase, hash string, change func(*payment.Imported)) payment.Imported {
	e := imported
	e.Phase, e.Hash = phase, hash
	if change != nil {
		change(&e)
	}
	return e
}

func TestImport(t *testing.T) {
	t.Parallel()
	take := func(e payment.Imported) payment.Import { return payment.Import{Issue: by(bridge), Fact: e} }
	waiting := as(payment.AwaitingPayment, "ab", func(e *payment.Imported) { e.Confirmed, e.Counted, e.Claimed = units(0), nil, []string{"0xc1"} })
	part := as(payment.PartlyPaid, "ac", func(e *payment.Imported) { e.Confirmed = units(40) })
	gone := waiting
	gone.Phase, gone.Superseded = payment.ExpiredPhase, true
	machinetest.Run(t, payment.Decider, []machinetest.Case[payment.Event]{
		{Name: "a document is taken", When: take(imported), Then: events{imported}},
		{Name: "the same again is no news", Given: events{imported}, When: take(imported)},
		{Name: "another state of it replaces the first", Given: events{waiting}, When: take(imported), Then: events{imported}},
		{Name: "another payment came before it", Given: events{waiting}, When: take(gone), Then: events{gone}},
		{Name: "what was changed here stays", Given: events{waiting, cancelled}, When: take(imported), Err: domain.ErrLegacyConflict},
		{Name: "but the same document is no conflict", Given: events{waiting, cancelled}, When: take(waiting)},
		{Name: "what began here is nobody else's", Given: events{initiated}, When: take(imported), Err: domain.ErrLegacyConflict},
		{Name: "only the bridge imports", When: payment.Import{Issue: by(admin), Fact: imported}, Err: fault.ErrForbidden},
		{Name: "a claim of before is no second one", Given: events{waiting}, When: payment.ReportTransaction{Issue: by(buyer), Tx: "0xc1"}, Err: payment.ErrTxUsed},
		{Name: "nor what was counted", Given: events{imported}, When: payment.ReportTransaction{Issue: by(buyer), Tx: "0xf1"}, Err: payment.ErrTxUsed},
		{
			Name: "it can be paid", Given: events{waiting}, When: payment.Detect{Issue: by(chain), Evidence: ev("0xf9", 100), Amount: amount(100), From: "0xbuyer"},
			Then: events{seen("0xf9", 100)},
		},
		{
			Name: "the rest pays a part", Given: events{part, seen("0xf9", 60)}, When: payment.Confirm{Issue: by(chain), Evidence: ev("0xf9", 100), Depth: 12},
			Then: events{deep("0xf9", 60), payment.Paid{At: t0}},
		},
		{Name: "it expires", Given: events{waiting}, When: payment.Expire{Issue: late(timer)}, Then: events{payment.Expired{Hold: "h1", At: late(timer).At}}},
	})
}

func TestWhatAnImportHasCounted(t *testing.T) {
	t.Parallel()
	s := machinetest.Fold(payment.Decider, payment.Event(imported))
	machinetest.CheckSnapshot(t, s)
	assert.True(t, s.CountedBefore("0xF1"))
	assert.False(t, s.CountedBefore("0xf2"))
	assert.True(t, s.Untouched())
	assert.False(t, machinetest.Fold(payment.Decider, events{imported, payment.Failed{Code: "x"}}...).Untouched())
	assert.Equal(t, units(0), s.Missing())
}

func TestAnImportHoldsTheNameOfTheOpenPayment(t *testing.T) {
	t.Parallel()
	free := func(e payment.Imported) bool { return payment.Claims(domain.Stream{}, e)[0].Free }
	assert.False(t, free(imported))
	assert.False(t, free(as(payment.AwaitingPayment, "ab", nil)))
	assert.True(t, free(as(payment.CancelledPhase, "ab", nil)))
	assert.True(t, free(as(payment.PaidPhase, "ab", func(e *payment.Imported) { e.Superseded = true })))
	due := func(e payment.Imported) domain.Deadline { return payment.Deadlines(domain.Stream{}, e)[0] }
	assert.Equal(t, imported.LapsesAt, due(as(payment.AwaitingPayment, "ab", nil)).Due, "nothing lapses with its import")
	assert.True(t, due(imported).Cancel)
}
