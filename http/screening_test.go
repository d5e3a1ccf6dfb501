package http_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/payment"
	"holdfast/domain/safety"
	apihttp "holdfast/http"
)

// list is a screening that knows what a test says; everything else is clean.
type list struct {
	mu  sync.Mutex
	say map[string]safety.Outcome
}

func (l *list) set(address string, o safety.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.say == nil {
		l.say = map[string]safety.Outcome{}
	}
	l.say[strings.ToLower(address)] = o
}

func (l *list) Screen(_ context.Context, chain uint64, address string) safety.Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := safety.Finding{Source: "list", Outcome: safety.Clean, At: time.Now()}
	if o := l.say[strings.ToLower(address)]; o != "" {
		f.Outcome = o
	}
	if f.Outcome == safety.Flagged {
		f.Score = 100
	}
	return safety.Judge(chain, address, []safety.Finding{f}, 50, time.Now())
}

// carefully is a market whose payers are screened.
func carefully(l *list) option {
	return func(w *world) {
		checkingOut(w)
		w.deps.Screener = l
		w.deps.Policy = careful{w.deps.Policy}
	}
}

type careful struct{ apihttp.Policy }

func (c careful) Terms(a money.Asset) apihttp.Terms {
	t := c.Policy.Terms(a)
	t.Safety = safety.Policy{Screen: true, Block: true}
	return t
}

// seen lets the money of a payment come, and screens its payer.
func (o *order) seen(id string, l *list) payment.Evidence {
	o.w.t.Helper()
	e := payment.Evidence{Chain: 56, Tx: "0x" + repeat("ab", 32), Log: 2, Block: 100, BlockHash: "0xb1"}
	o.w.chain(funding.RecordTransfer{Issue: observed(), Payment: domain.PaymentID(id), Evidence: e, Amount: money.Of(usdt, money.MustUnits(eighty)), From: "0xabc"})
	o.w.chain(funding.ScreenTransfer{
		Issue: domain.Issue{By: domain.Machine(domain.Process, "screening"), At: time.Now().UTC()}, Payment: domain.PaymentID(id), Evidence: e,
		Verdict: l.Screen(context.Background(), 56, "0xabc"),
	})
	return e
}

func (o *order) confirmed(id string, e payment.Evidence) {
	o.w.chain(funding.ConfirmTransfer{Issue: observed(), Payment: domain.PaymentID(id), Evidence: e, Depth: 20})
}

func TestAFlaggedPaymentNeedsTwoPeople(t *testing.T) {
	t.Parallel()
	l := &list{}
	w := setup(t, carefully(l), onPostgres)
	o := selected(t, w)
	id := o.pay(t)
	l.set("0xabc", safety.Flagged)
	e := o.seen(id, l)
	admin, admin2 := w.as(w.users.named("admin")), w.as(w.users.named("admin2"))
	at := func() func(*http.Request) { return header("X-Min-Position", fmt.Sprint(w.events())) }
	queue := w.as(w.users.named("guard")).get("/api/admin/payments/reviews", at())
	require.Equal(t, 200, queue.status, string(queue.raw))
	for _, word := range []string{id, `"outcome":"flagged"`, `"source":"list"`, `"score":100`} {
		assert.Contains(t, string(queue.raw), word)
	}
	path := "/api/payment/" + id + "/review"
	w.untouched(func() {
		assert.Equal(t, 403, o.buyer.post(path, map[string]any{"decision": "clear", "reason": "it is me"}).status)
		first := admin.post(path, map[string]any{"decision": "clear", "reason": "known customer"})
		assert.Equal(t, 202, first.status, string(first.raw))
		again := admin.post(path, map[string]any{"decision": "clear", "reason": "known customer"})
		assert.Equal(t, 202, again.status, "the same person twice is one: %s", again.raw)
		other := admin2.post(path, map[string]any{"decision": "reject", "reason": "not him"})
		assert.Equal(t, 202, other.status, "agreeing to something else is no agreement: %s", other.raw)
	})
	cleared := admin2.post(path, map[string]any{"decision": "clear", "reason": "known customer"})
	require.Equal(t, 200, cleared.status, string(cleared.raw))
	assert.Equal(t, "Confirming", cleared.text("state"))
	empty := admin.get("/api/admin/payments/reviews", at())
	assert.NotContains(t, string(empty.raw), id)
	o.confirmed(id, e)
	released := o.buyer.post("/api/payment/"+id+"/release", map[string]any{})
	assert.Equal(t, 200, released.status, string(released.raw))
}

func TestARejectedPaymentIsNobodys(t *testing.T) {
	t.Parallel()
	l := &list{}
	w := setup(t, carefully(l), onPostgres)
	o := selected(t, w)
	id := o.pay(t)
	l.set("0xabc", safety.Flagged)
	o.seen(id, l)
	path := "/api/payment/" + id + "/review"
	body := map[string]any{"decision": "reject", "reason": "listed"}
	assert.Equal(t, 202, w.as(w.users.named("admin")).post(path, body).status)
	rejected := w.as(w.users.named("admin2")).post(path, body)
	require.Equal(t, 200, rejected.status, string(rejected.raw))
	assert.Equal(t, "Rejected", rejected.text("state"))
	require.Eventually(t, func() bool {
		lost := w.as(w.users.named("admin")).get("/api/payment/unmatched", header("X-Min-Position", fmt.Sprint(w.events())))
		return strings.Contains(string(lost.raw), `"reason":"rejected"`)
	}, 10*time.Second, 20*time.Millisecond)
}

func TestWithoutAnAnswerNothingIsReleased(t *testing.T) {
	t.Parallel()
	l := &list{}
	w := setup(t, carefully(l))
	o := selected(t, w)
	id := o.pay(t)
	l.set("0xabc", safety.Unanswered)
	o.confirmed(id, o.seen(id, l))
	admin := w.as(w.users.named("admin"))
	base := "/api/disputes/pr/" + o.request
	w.untouched(func() {
		a := o.buyer.post("/api/payment/"+id+"/release", map[string]any{})
		assert.Equal(t, 409, a.status, string(a.raw))
		assert.Equal(t, "RELEASE_HOLD_ACTIVE", a.code)
		assert.Equal(t, "ESCROW_NOT_FUNDED", o.seller.send(http.MethodPut, o.path("/delivery"), map[string]any{"carrier": "Post"}).code)
		alone := admin.send(http.MethodDelete, base+"/release-hold/screening-"+id+"?reason=fine", nil)
		assert.Equal(t, 202, alone.status, "one person is not enough: %s", alone.raw)
	})
	l.set("0xabc", safety.Clean)
	assert.Equal(t, 403, o.buyer.post("/api/admin/payments/reviews/"+id+"/rescreen", map[string]any{}).status)
	again := admin.post("/api/admin/payments/reviews/"+id+"/rescreen", map[string]any{})
	require.Equal(t, 200, again.status, string(again.raw))
	assert.Contains(t, string(again.raw), `"outcome":"clean"`)
	released := o.buyer.post("/api/payment/"+id+"/release", map[string]any{})
	assert.Equal(t, 200, released.status, string(released.raw))
}

func TestNothingIsSentToAnAddressThatIsNotClean(t *testing.T) {
	t.Parallel()
	l := &list{}
	w := setup(t, carefully(l))
	wallet := "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
	seller := w.as(w.users.named("seller"))
	w.earn(seller.id, 1000)
	requested := seller.post(payoutsPath, ask("10"))
	require.Equal(t, 201, requested.status, string(requested.raw))
	admin := w.as(w.users.named("admin"))
	approve := payoutsPath + "/" + requested.text("payout") + "/approve"
	l.set(wallet, safety.Flagged)
	a := admin.post(approve, map[string]any{"revision": 1})
	assert.Equal(t, 422, a.status, string(a.raw))
	assert.Equal(t, "ADDRESS_SCREENED", a.code)
	l.set(wallet, safety.Unanswered)
	b := admin.post(approve, map[string]any{"revision": 1})
	assert.Equal(t, 503, b.status, string(b.raw))
	assert.Equal(t, "SCREENING_UNAVAILABLE", b.code)
	l.set(wallet, safety.Clean)
	c := admin.post(approve, map[string]any{"revision": 1})
	assert.Equal(t, 200, c.status, string(c.raw))
}

// A recipient that is flagged by now gets nothing new; what is on its way to him already is a
// fact, and may be replaced and booked.
func TestWhatWasSentIsBookedWhoeverGotIt(t *testing.T) {
	t.Parallel()
	l, v := &list{}, newVault(t)
	w := setup(t, sending(v, func(w *world) { w.deps.Screener = l })...)
	seller, admin := w.as(w.users.named("seller")), w.as(w.users.named("admin"))
	w.earn(seller.id, 1000)
	w.float(5000)
	sign := func(path string, price uint64) answer {
		return admin.post(path+"/signed", map[string]any{"signedTx": v.signed(t, w.transfer(path), price)})
	}
	sent, unsent := w.approved(seller, admin, "400"), w.approved(seller, admin, "300")
	require.Equal(t, 200, admin.post(sent+"/instruction", nil).status)
	first := sign(sent, 10)
	require.Equal(t, 200, first.status, string(first.raw))
	require.Equal(t, 200, admin.post(unsent+"/instruction", nil).status)

	l.set(w.transfer(sent).To, safety.Flagged)
	assert.Equal(t, "ADDRESS_SCREENED", sign(unsent, 10).code)
	again := sign(sent, 20)
	assert.Equal(t, 200, again.status, string(again.raw))
}

// The same for refunds: what was signed and recorded may be replaced at a better price, whoever is
// flagged meanwhile; what was not is not sent any more, unless somebody else has sent it.
func TestARefundThatWasSentIsBookedWhoeverGotIt(t *testing.T) {
	t.Parallel()
	l, v := &list{}, newVault(t)
	w := setup(t, append([]option{checkingOut}, sending(v, onPostgres, func(w *world) { w.deps.Screener = l })[1:]...)...)
	o := selected(t, w)
	id := o.pay(t)
	o.arrive(id, eighty)
	admin := w.as(w.users.named("admin"))
	path := "/api/payment/" + id + "/refund"
	w.do(func(u *domain.Unit) error {
		_, err := funding.ContributeCapital{Entry: funding.Entry{Issue: process(), Ref: "float", Amount: money.Of(usdt, money.MustUnits(eighty)), Reason: "float"}, Custody: ledger.Treasury}.Run(u)
		return err
	})
	made := func(display string) (refund string, t2 outgoing.Transfer) {
		a := admin.post(path, map[string]any{"amount": map[string]any{"display": display}, "mode": "partial", "reason": "a scratch"})
		require.Equal(t, 201, a.status, string(a.raw))
		built := admin.get("/api/payment/refunds/"+a.text("refund")+"/instruction", header("X-Min-Position", fmt.Sprint(w.events())))
		require.Equal(t, 200, built.status, string(built.raw))
		return a.text("refund"), outgoing.Transfer{
			Chain: 56, From: devchain.Treasury, To: built.text("instruction.to"), Token: built.text("instruction.token"),
			Amount: money.Of(usdt, money.MustUnits(built.text("instruction.amount.amount"))), Nonce: 9,
		}
	}
	sign := func(refund string, x outgoing.Transfer, price uint64) answer {
		return admin.post(path+"/confirm", map[string]any{"refundId": refund, "signedTx": v.signed(t, x, price)})
	}
	sent, first := made("10")
	unsent, second := made("5")
	second.Nonce = 10
	a := sign(sent, first, 10)
	require.Equal(t, 200, a.status, string(a.raw))

	l.set(first.To, safety.Flagged)
	assert.Equal(t, "ADDRESS_SCREENED", sign(unsent, second, 10).code)
	again := sign(sent, first, 20)
	assert.Equal(t, 200, again.status, string(again.raw))
}
