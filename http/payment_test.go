package http_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/eventstore"
	apihttp "holdfast/http"
)

// checkout derives addresses by counting.
type checkout struct{}

func (checkout) Prepare(_ context.Context, id domain.PaymentID, due money.Amount) (apihttp.PayIn, error) {
	index := uint32(id[0])<<16 | uint32(id[1])<<8 | uint32(id[2])
	return apihttp.PayIn{
		Destination: funding.Destination{
			ID: domain.DestinationID(domain.DeriveID(string(id), "destination")), Fingerprint: "f", Index: index, Path: fmt.Sprint("m/44'/60'/0'/0/", index),
			Address: fmt.Sprintf("0x%040x", index), Token: "0x55d398326f99059fF775485246999027B3197955", Chain: 56,
		},
		Intent:    funding.Intent{Provider: "own", RequestID: string(id), Reference: "0x" + domain.DeriveID(string(id), "reference")[:8] + domain.DeriveID(string(id), "r")[:8], Topic: "0x" + domain.DeriveID(string(id), "topic"), Proxy: "0x0DfbEe143b42B41eFC5A6F87bFD1fFC78c2f0aC9"},
		Threshold: payment.Threshold{Need: 12, Floor: 3},
	}, nil
}

// approvals remembers who agreed, in memory.
type approvals map[string]domain.UserID

func (a approvals) Agree(_ context.Context, kind string, digest []byte, by domain.UserID, _ time.Time) (domain.UserID, error) {
	k := kind + string(digest)
	if first, ok := a[k]; ok && first != by {
		return first, nil
	}
	a[k] = by
	return "", nil
}

func checkingOut(w *world) {
	market(w)
	w.deps.Checkout, w.deps.Approvals = checkout{}, approvals{}
}

// chain is what the chain's follower issues.
func (w *world) chain(f interface {
	Run(*domain.Unit) (any, error)
},
) {
	w.t.Helper()
	_, err := w.exec.Execute(context.Background(), eventstore.Metadata{Actor: domain.Machine(domain.Chain, "test"), CommandID: "test", Source: "chain"}, nil, f.Run)
	require.NoError(w.t, err)
}

func observed() domain.Issue {
	return domain.Issue{By: domain.Machine(domain.Chain, "test"), At: time.Now().UTC()}
}

// pay opens the payment of an order and gives its id.
func (o *order) pay(t *testing.T) string {
	t.Helper()
	a := o.buyer.post("/api/payment", map[string]any{"purchaseRequestId": o.request, "sellerOfferId": o.offer, "asset": "USDT@56"})
	require.Equal(t, 201, a.status, string(a.raw))
	return a.text("payment.payment")
}

// arrive lets the money of a payment come and be confirmed.
func (o *order) arrive(id string, units string) payment.Evidence {
	o.w.t.Helper()
	e := payment.Evidence{Chain: 56, Tx: "0x" + fmt.Sprintf("%064x", time.Now().UnixNano()), Log: 2, Block: 100, BlockHash: "0xb1"}
	o.w.chain(funding.RecordTransfer{Issue: observed(), Payment: domain.PaymentID(id), Evidence: e, Amount: money.Of(usdt, money.MustUnits(units)), From: "0xabc"})
	o.w.chain(funding.ConfirmTransfer{Issue: observed(), Payment: domain.PaymentID(id), Evidence: e, Depth: 20})
	return e
}

const eighty = "80000000000000000000"

func TestFromCheckoutToRelease(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onPostgres)
	o := selected(t, w)
	opened := o.buyer.post("/api/payment/request-network/intents", map[string]any{"purchaseRequestId": o.request, "sellerOfferId": o.offer})
	require.Equal(t, 201, opened.status, string(opened.raw))
	assert.Equal(t, eighty, opened.text("inHouseCheckout.amountWei"))
	assert.Equal(t, "56", opened.text("checkout.chainId"))
	id := opened.text("payment.payment")
	path := "/api/payment/" + id
	w.untouched(func() {
		again := o.buyer.post("/api/payment", map[string]any{"purchaseRequestId": o.request, "sellerOfferId": o.offer})
		assert.Equal(t, "PAYMENT_ALREADY_OPEN", again.code, string(again.raw))
		early := o.buyer.post(path+"/release", map[string]any{})
		assert.Equal(t, 409, early.status, string(early.raw))
		assert.Contains(t, []string{"ESCROW_NOT_RELEASABLE", "ESCROW_NOT_FUNDED"}, early.code)
		refund := w.as(w.users.named("admin")).post(path+"/refund", map[string]any{"reason": "nothing there"})
		assert.GreaterOrEqual(t, refund.status, 400, string(refund.raw))
	})
	part := o.arrive(id, "30000000000000000000")
	_ = part
	again := o.buyer.get("/api/payment/request-network/" + id + "/checkout")
	assert.Equal(t, "50", again.text("checkout.remaining.display"), string(again.raw))
	o.arrive(id, "50000000000000000000")
	assert.Equal(t, 410, o.buyer.get("/api/payment/request-network/"+id+"/checkout").status)

	shipped := o.seller.send(http.MethodPut, o.path("/delivery"), map[string]any{"carrier": "Post"})
	require.Equal(t, 200, shipped.status, string(shipped.raw))
	confirmed := o.buyer.post(o.path("/confirm-delivery"), map[string]any{})
	require.Equal(t, 200, confirmed.status, string(confirmed.raw))
	w.untouched(func() {
		dry := o.buyer.post(path+"/release", map[string]any{"dryRun": true})
		assert.Equal(t, 200, dry.status, string(dry.raw))
		much := o.buyer.post(path+"/release", map[string]any{"amount": map[string]any{"display": "80.5"}})
		assert.Equal(t, 422, much.status, string(much.raw))
		assert.Equal(t, "INSUFFICIENT_HELD_FUNDS", much.code)
		assert.Equal(t, 403, o.seller.post(path+"/release", map[string]any{}).status)
		assert.Equal(t, 404, w.as(w.users.named("buyer2")).post(path+"/release", map[string]any{}).status)
	})
	half := o.buyer.post(path+"/release", map[string]any{"amount": map[string]any{"display": "40"}})
	require.Equal(t, 200, half.status, string(half.raw))
	assert.Equal(t, "PartlyReleased", half.text("state"))
	position := fmt.Sprint(int64(half.body["meta"].(map[string]any)["position"].(float64)))
	seen := o.seller.get(path, header("X-Min-Position", position))
	require.Equal(t, 200, seen.status, string(seen.raw))
	assert.Equal(t, "40", seen.text("hold.released.display"))
	assert.Equal(t, "1", seen.text("hold.fees.display"), "2.5 % of 40")
	assert.Equal(t, "Paid", seen.text("state"))
	rest := o.buyer.post(path+"/release", map[string]any{}, key("last"))
	require.Equal(t, 200, rest.status, string(rest.raw))
	w.untouched(func() {
		same := o.buyer.post(path+"/release", map[string]any{}, key("last"))
		assert.Equal(t, string(rest.raw), string(same.raw))
		gone := o.buyer.post(path+"/release", map[string]any{})
		assert.Equal(t, 409, gone.status, string(gone.raw))
	})
}

func TestOpeningAPaymentWrongly(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut)
	o := selected(t, w)
	body := func(change map[string]any) map[string]any {
		b := map[string]any{"purchaseRequestId": o.request, "sellerOfferId": o.offer}
		for k, v := range change {
			b[k] = v
		}
		return b
	}
	w.untouched(func() {
		for name, c := range map[string]struct {
			who    *client
			body   map[string]any
			status int
			code   string
		}{
			"other asset":    {o.buyer, body(map[string]any{"asset": "USDC@56"}), 422, "ASSET_NOT_ALLOWED"},
			"unknown asset":  {o.buyer, body(map[string]any{"asset": "DOGE@1"}), 422, "ASSET_NOT_ALLOWED"},
			"other price":    {o.buyer, body(map[string]any{"amount": map[string]any{"display": "79"}}), 422, "PRICE_MISMATCH"},
			"other offer":    {o.buyer, body(map[string]any{"sellerOfferId": "11111111-1111-4111-8111-111111111111"}), 409, "OFFER_NOT_SELECTABLE"},
			"stranger":       {w.as(w.users.named("buyer2")), body(nil), 404, "NOT_FOUND"},
			"not a uuid":     {o.buyer, body(map[string]any{"purchaseRequestId": "x"}), 400, "VALIDATION_FAILED"},
			"unknown quote":  {o.buyer, body(map[string]any{"quoteId": "11111111-1111-4111-8111-111111111111"}), 422, "PRICE_MISMATCH"},
			"foreign amount": {o.buyer, body(map[string]any{"amount": map[string]any{"asset": "USDC@56", "display": "80"}}), 422, "ASSET_MISMATCH"},
		} {
			a := c.who.post("/api/payment", c.body)
			assert.Equal(t, c.status, a.status, "%s: %s", name, a.raw)
			if c.code != "" {
				assert.Equal(t, c.code, a.code, name)
			}
		}
	})
	quoted := o.buyer.post("/api/payment/quotes", map[string]any{"offerId": o.offer, "asset": "USDT@56"})
	require.Equal(t, 201, quoted.status, string(quoted.raw))
	q := o.buyer.get("/api/payment/quotes/" + quoted.text("quote"))
	assert.Equal(t, "80", q.text("amountDue.display"), string(q.raw))
	assert.Equal(t, 404, w.as(w.users.named("buyer2")).get("/api/payment/quotes/"+quoted.text("quote")).status)
	id := o.pay(t)
	w.untouched(func() {
		for _, bad := range []string{"0x12", "hello", "0x" + repeat("g", 64)} {
			assert.Equal(t, "TX_INVALID", o.buyer.post("/api/payment/"+id+"/report", map[string]any{"txHash": bad}).code, bad)
		}
	})
	assert.Equal(t, 200, o.buyer.post("/api/payment/"+id+"/report", map[string]any{"txHash": " 0x" + repeat("AB", 32) + " "}).status)
	cancelled := o.buyer.post("/api/payment/"+id+"/cancel", map[string]any{"reason": "later"})
	assert.Equal(t, "Cancelled", cancelled.text("state"), string(cancelled.raw))
}

func TestHoldsStopReleasesAndDisputesFreezeThem(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut)
	o := selected(t, w)
	id := o.pay(t)
	o.arrive(id, eighty)
	guard, admin := w.as(w.users.named("guard")), w.as(w.users.named("admin"))
	base := "/api/disputes/pr/" + o.request
	assert.Equal(t, 403, o.buyer.post(base+"/release-hold", map[string]any{"kind": "guard", "reason": "because"}).status)
	placed := guard.post(base+"/release-hold", map[string]any{"kind": "guard", "reason": "looks odd"})
	require.Equal(t, 201, placed.status, string(placed.raw))
	w.untouched(func() {
		a := o.buyer.post("/api/payment/"+id+"/release", map[string]any{})
		assert.Equal(t, "RELEASE_HOLD_ACTIVE", a.code, string(a.raw))
		assert.Equal(t, 409, a.status)
		assert.Equal(t, "HOLD_NOT_FOUND", admin.send(http.MethodDelete, base+"/release-hold/none", nil).code)
	})
	seen := o.buyer.get(base)
	assert.Contains(t, string(seen.raw), `"active":true`)
	assert.NotContains(t, string(seen.raw), "looks odd", "the reason is staff's business")
	inside := guard.get(base + "/status")
	assert.Contains(t, string(inside.raw), "looks odd")
	holds := inside.body["data"].(map[string]any)["holds"].([]any)
	lifted := guard.send(http.MethodDelete, base+"/release-hold/"+holds[0].(map[string]any)["id"].(string)+"?reason=fine", nil)
	require.Equal(t, 200, lifted.status, string(lifted.raw))
	raise(t, o)
	w.untouched(func() {
		a := o.buyer.post("/api/payment/"+id+"/release", map[string]any{})
		assert.Equal(t, 409, a.status, string(a.raw))
		assert.Contains(t, []string{"ESCROW_DISPUTED", "RELEASE_HOLD_ACTIVE"}, a.code)
		r := admin.post("/api/payment/"+id+"/refund", map[string]any{"reason": "sorry"})
		assert.Equal(t, "ESCROW_DISPUTED", r.code, string(r.raw))
	})
}

func TestRefunds(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut)
	o := selected(t, w)
	id := o.pay(t)
	o.arrive(id, eighty)
	admin := w.as(w.users.named("admin"))
	path := "/api/payment/" + id + "/refund"
	w.untouched(func() {
		much := admin.post(path, map[string]any{"amount": map[string]any{"display": "81"}, "mode": "partial", "reason": "too much"})
		assert.Equal(t, "REFUND_EXCEEDS_AVAILABLE", much.code, string(much.raw))
		assert.Equal(t, 403, o.buyer.post(path, map[string]any{"source": "clawback", "amount": map[string]any{"display": "1"}}).status)
		assert.Equal(t, 404, w.as(w.users.named("seller2")).post(path, map[string]any{}).status)
	})
	asked := o.buyer.post(path, map[string]any{"amount": map[string]any{"display": "10"}, "mode": "partial", "reason": "a scratch"})
	require.Equal(t, 201, asked.status, string(asked.raw))
	assert.Equal(t, "Requested", asked.text("state"))
	one := "/api/payment/refunds/" + asked.text("refund")
	approved := admin.post(one+"/approve", map[string]any{})
	require.Equal(t, 200, approved.status, string(approved.raw))
	assert.Equal(t, "Approved", approved.text("state"))
	full := o.seller.post(path, map[string]any{"mode": "full", "reason": "cannot deliver"})
	require.Equal(t, 201, full.status, string(full.raw))
	assert.Equal(t, "70", full.text("amount.display"))
	w.untouched(func() {
		none := admin.post(path, map[string]any{"mode": "full", "reason": "again"})
		assert.Contains(t, []string{"ALREADY_REFUNDED", "REFUND_EXCEEDS_AVAILABLE"}, none.code, string(none.raw))
	})
	cancelled := admin.post("/api/payment/refunds/"+full.text("refund")+"/cancel", nil)
	assert.Equal(t, 200, cancelled.status, string(cancelled.raw))
}

func TestCorrectionsNeedTwo(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut)
	one, two := w.as(w.users.named("admin")), w.as(w.users.named("admin2"))
	body := map[string]any{"kind": "capital_contributed", "amount": map[string]any{"asset": "BNB@56", "display": "1"}, "ref": "capital-1", "reason": "gas for a month", "account": "custody:gas:56"}
	w.untouched(func() {
		first := one.post("/api/ledger/adjustments", body)
		assert.Equal(t, 202, first.status, string(first.raw))
		assert.Equal(t, "APPROVAL_REQUIRED", first.text("state"))
		assert.Equal(t, 202, one.post("/api/ledger/adjustments", body).status, "the same person twice is one person")
		assert.Equal(t, 403, w.as(w.users.named("guard")).post("/api/ledger/adjustments", body).status)
		without := map[string]any{"kind": "capital_contributed", "amount": map[string]any{"asset": "BNB@56", "display": "1"}, "ref": "capital-1"}
		assert.Equal(t, 400, one.post("/api/ledger/adjustments", without).status)
	})
	done := two.post("/api/ledger/adjustments", body)
	require.Equal(t, 201, done.status, string(done.raw))
	balance := one.get("/api/ledger/accounts/custody:gas:56/balances")
	assert.Contains(t, string(balance.raw), `"balance":"1000000000000000000"`)
	trial := one.get("/api/ledger/trial-balance")
	assert.Contains(t, string(trial.raw), `"balanced":true`)
	assert.Equal(t, 400, one.get("/api/ledger/trial-balance?position=999").status)
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut)
	o := selected(t, w)
	id := o.pay(t)
	o.arrive(id, eighty)
	guard, admin := w.as(w.users.named("guard")), w.as(w.users.named("admin"))
	paused := guard.post("/api/admin/breaker/USDT@56", map[string]any{"action": "pause", "reason": "depeg"})
	require.Equal(t, 200, paused.status, string(paused.raw))
	w.untouched(func() {
		assert.Equal(t, "ASSET_PAUSED", o.buyer.post("/api/payment/"+id+"/release", map[string]any{}).code)
		assert.Equal(t, 403, guard.post("/api/admin/breaker/USDT@56", map[string]any{"action": "resume", "reason": "fine"}).status)
		assert.Equal(t, 404, admin.post("/api/admin/breaker/DOGE@1", map[string]any{"action": "pause", "reason": "depeg"}).status)
	})
	require.Equal(t, 200, admin.post("/api/admin/breaker/USDT@56", map[string]any{"action": "resume", "reason": "fine again"}).status)
	assert.Equal(t, 200, o.buyer.post("/api/payment/"+id+"/release", map[string]any{}).status)
}
