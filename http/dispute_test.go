package http_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const disputesPath = "/api/disputes"

func raise(t *testing.T, o *order) string {
	t.Helper()
	a := o.buyer.post(disputesPath, map[string]any{"purchaseRequestId": o.request, "category": "not_as_described", "reason": "They are blue"})
	require.Equal(t, 201, a.status, string(a.raw))
	return disputesPath + "/" + a.text("dispute")
}

func TestDisputeFromComplaintToAppeal(t *testing.T) {
	t.Parallel()
	w := setup(t, market)
	o := selected(t, w).fund(t)
	resolver, resolver2, guard := w.as(w.users.named("resolver")), w.as(w.users.named("resolver2")), w.as(w.users.named("guard"))
	path := raise(t, o)
	w.untouched(func() {
		assert.Equal(t, "DISPUTE_OPEN", o.seller.post(disputesPath+"/pr/"+o.request+"/raise", map[string]any{"category": "other_thing", "reason": "again"}).code)
		assert.Equal(t, 404, w.as(w.users.named("buyer2")).post(path+"/respond", map[string]any{"text": "me too"}).status)
		assert.Equal(t, 403, guard.post(path+"/decide", map[string]any{"action": "refund", "reason": "because"}).status)
	})
	require.Equal(t, 200, o.seller.post(path+"/respond", map[string]any{"text": "They are red"}).status)
	require.Equal(t, 201, o.seller.post(path+"/evidence", map[string]any{"kind": "text", "text": "look"}).status)
	require.Equal(t, 200, resolver.send("PATCH", path+"/assign", map[string]any{}).status)
	w.untouched(func() {
		assert.Equal(t, 404, resolver2.post(path+"/close-evidence", nil).status, "a resolver sees what is his or nobody's")
	})
	require.Equal(t, 200, resolver.post(path+"/close-evidence", nil).status)
	w.untouched(func() {
		for name, body := range map[string]map[string]any{
			"60 and 50": {"action": "split", "seller_bps": 6000, "buyer_bps": 5000, "reason": "because"},
			"negative":  {"action": "split", "seller_bps": -1, "reason": "because"},
			"too much":  {"action": "split", "seller_bps": 10001, "reason": "because"},
		} {
			a := resolver.post(path+"/decide", body)
			assert.Equal(t, 422, a.status, name)
			assert.Equal(t, "INVALID_SPLIT", a.code, name)
		}
	})
	decided := resolver.post(path+"/resolve", map[string]any{"action": "split", "seller_bps": 6000, "reason": "both have a point"})
	require.Equal(t, 200, decided.status, string(decided.raw))
	assert.Equal(t, "Decided", decided.text("state"))
	w.untouched(func() {
		assert.Equal(t, "ALREADY_RESOLVED", resolver.post(path+"/decide", map[string]any{"action": "refund", "reason": "changed my mind"}).code)
		assert.Equal(t, "STATUS_NOT_SETTABLE", resolver.send("PATCH", path+"/status", map[string]any{"status": "resolved"}).code)
	})
	appealed := o.buyer.post(path+"/appeal", map[string]any{"grounds": "not fair"})
	require.Equal(t, 200, appealed.status, string(appealed.raw))
	assert.Equal(t, "UnderReview", appealed.text("state"))
	w.untouched(func() {
		assert.Equal(t, "RESOLVER_CONFLICT", resolver.send("PATCH", path+"/assign", map[string]any{}).code)
	})
	require.Equal(t, 200, resolver2.send("PATCH", path+"/assign", map[string]any{}).status)
	final := resolver2.post(path+"/decide", map[string]any{"action": "split", "seller_bps": 5000, "reason": "half and half"})
	require.Equal(t, 200, final.status, string(final.raw))
	assert.Equal(t, "Resolved", final.text("state"))
	assert.Equal(t, "40", final.text("parts.buyer.display"))
}

func TestDisputesThatAreNot(t *testing.T) {
	t.Parallel()
	w := setup(t, market)
	unpaid := selected(t, w)
	admin := w.as(w.users.named("admin"))
	w.untouched(func() {
		body := map[string]any{"purchaseRequestId": unpaid.request, "category": "not_received", "reason": "nothing came"}
		assert.Equal(t, "NOTHING_TO_DISPUTE", unpaid.buyer.post(disputesPath, body).code)
		assert.Equal(t, 404, w.as(w.users.named("buyer2")).post(disputesPath, body).status)
		assert.Equal(t, 403, admin.post(disputesPath, body).status)
		body["purchaseRequestId"] = "x"
		assert.Equal(t, "INVALID_ID", unpaid.buyer.post(disputesPath, body).code)
	})
	paid := selected(t, w).fund(t)
	w.untouched(func() {
		more := paid.buyer.post(disputesPath, map[string]any{
			"purchaseRequestId": paid.request, "category": "not_received", "reason": "nothing came",
			"amount": map[string]any{"display": "81"},
		})
		assert.Equal(t, 422, more.status, string(more.raw))
	})
	path := raise(t, paid)
	withdrawn := paid.buyer.post(path+"/withdraw", nil)
	assert.Equal(t, "Withdrawn", withdrawn.text("state"), string(withdrawn.raw))
}

func TestSettlementByTheParties(t *testing.T) {
	t.Parallel()
	w := setup(t, market)
	o := selected(t, w).fund(t)
	path := raise(t, o)
	require.Equal(t, 200, o.seller.post(path+"/respond", map[string]any{"text": "fine"}).status)
	proposed := o.seller.post(path+"/settlements", map[string]any{"seller_bps": 2500, "message": "a quarter"}, key("proposal"))
	require.Equal(t, 201, proposed.status, string(proposed.raw))
	sid := w.settlement(path)
	w.untouched(func() {
		own := o.seller.post(path+"/settlements/"+sid+"/accept", nil)
		assert.GreaterOrEqual(t, own.status, 400, "nobody accepts an own proposal")
		assert.NotEqual(t, 200, o.buyer.post(path+"/settlements/11111111-1111-4111-8111-111111111111/accept", nil).status)
	})
	done := o.buyer.post(path+"/settlements/"+sid+"/accept", nil)
	require.Equal(t, 200, done.status, string(done.raw))
	assert.Equal(t, "60", done.text("parts.buyer.display"))
}
