package http_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const payoutsPath = "/api/payment/payouts"

func paying(w *world) {
	w.deps.Wallets, w.deps.Policy = wallets{}, policy{approvals: 1}
}

func ask(units string) map[string]any { return map[string]any{"asset": "USDT@56", "amount": units} }

func TestPayoutFromRequestToApproval(t *testing.T) {
	t.Parallel()
	w := setup(t, paying)
	seller, admin := w.as(w.users.named("seller")), w.as(w.users.named("admin"))
	w.earn(seller.id, 1000)
	asked := seller.post(payoutsPath, map[string]any{"asset": "USDT@56", "display": "0.0000000000000009"})
	require.Equal(t, 201, asked.status, string(asked.raw))
	assert.Equal(t, "900", asked.text("amount.amount"))
	assert.Equal(t, "18", asked.text("amount.decimals"))
	assert.Equal(t, "0.0000000000000009", asked.text("amount.display"))
	assert.NotZero(t, asked.body["meta"].(map[string]any)["position"])
	assert.NotEmpty(t, asked.header.Get("ETag"))
	path := payoutsPath + "/" + asked.text("payout")
	w.untouched(func() {
		assert.Equal(t, "REVISION_STALE", admin.post(path+"/approve", map[string]any{"revision": 2}).code)
		assert.Equal(t, "VERSION_CONFLICT", admin.post(path+"/approve", map[string]any{"revision": 1}, header("If-Match", `"77"`)).code)
		assert.Equal(t, "VALIDATION_FAILED", admin.post(path+"/approve", map[string]any{"revision": 1}, header("If-Match", `7`)).code)
		assert.Equal(t, 403, seller.post(path+"/approve", map[string]any{"revision": 1}).status)
		stranger := w.as(w.users.named("seller2")).post(path+"/cancel", nil)
		unknown := seller.post(payoutsPath+"/11111111-1111-4111-8111-111111111111/cancel", nil)
		legacy := seller.post(payoutsPath+"/507f1f77bcf86cd799439011/cancel", nil)
		for _, a := range []answer{stranger, unknown, legacy} {
			assert.Equal(t, 404, a.status)
			assert.Equal(t, string(unknown.raw), string(a.raw), "absent and foreign are the same answer")
		}
	})
	approved := admin.post(path+"/approve", map[string]any{"revision": 1}, header("If-Match", asked.header.Get("ETag")))
	require.Equal(t, 200, approved.status, string(approved.raw))
	assert.Equal(t, "Approved", approved.text("state"))
}

func TestPayoutRefusals(t *testing.T) {
	t.Parallel()
	w := setup(t, paying)
	seller := w.as(w.users.named("seller"))
	w.earn(seller.id, 1000)
	w.untouched(func() {
		for name, c := range map[string]struct {
			body   any
			status int
			code   string
		}{
			"too much":       {ask("1001"), 422, "INSUFFICIENT_AVAILABLE"},
			"exponent":       {ask("1e9"), 400, "INVALID_AMOUNT"},
			"tiny exponent":  {ask("1E-40"), 400, "INVALID_AMOUNT"},
			"huge exponent":  {ask("1e30000000"), 400, "INVALID_AMOUNT"},
			"number":         {`{"asset":"USDT@56","amount":0.1}`, 400, "INVALID_AMOUNT"},
			"big number":     {`{"asset":"USDT@56","amount":9007199254740993}`, 400, "INVALID_AMOUNT"},
			"overflow":       {`{"asset":"USDT@56","amount":1e400}`, 400, "INVALID_AMOUNT"},
			"negative":       {ask("-1"), 400, "INVALID_AMOUNT"},
			"plus":           {ask("+1"), 400, "INVALID_AMOUNT"},
			"leading zero":   {ask("01"), 400, "INVALID_AMOUNT"},
			"arabic digits":  {ask("١"), 400, "INVALID_AMOUNT"},
			"both":           {map[string]any{"asset": "USDT@56", "amount": "1", "display": "1"}, 400, "INVALID_AMOUNT"},
			"neither":        {map[string]any{"asset": "USDT@56"}, 400, "INVALID_AMOUNT"},
			"above 2^256-1":  {ask("115792089237316195423570985008687907853269984665640564039457584007913129639936"), 422, "AMOUNT_TOO_LARGE"},
			"too precise":    {map[string]any{"asset": "BNB@56", "display": "0.0000000000000000001"}, 400, "INVALID_AMOUNT"},
			"no asset":       {map[string]any{"amount": "1"}, 400, "VALIDATION_FAILED"},
			"unknown asset":  {map[string]any{"asset": "DOGE@1", "amount": "1"}, 422, "ASSET_NOT_SUPPORTED"},
			"foreign wallet": {map[string]any{"asset": "USDT@56", "amount": "1", "walletId": "wallet-other"}, 404, "NOT_FOUND"},
			"unknown field":  {map[string]any{"asset": "USDT@56", "amount": "1", "seller": "other"}, 400, "UNKNOWN_FIELD"},
		} {
			a := seller.post(payoutsPath, c.body)
			assert.Equal(t, c.status, a.status, "%s: %s", name, a.raw)
			assert.Equal(t, c.code, a.code, name)
		}
	})
}

func TestWalletsRestAfterAChange(t *testing.T) {
	t.Parallel()
	w := setup(t, paying, func(w *world) { w.deps.Wallets = wallets{cooling: time.Now().Add(time.Hour)} })
	seller := w.as(w.users.named("seller"))
	w.earn(seller.id, 1000)
	w.untouched(func() {
		a := seller.post(payoutsPath, ask("1"))
		assert.Equal(t, 409, a.status)
		assert.Equal(t, "WALLET_COOLING_OFF", a.code)
	})
}

func TestKeysAreBoundToWhatWasAsked(t *testing.T) {
	t.Parallel()
	w := setup(t, paying)
	seller, admin := w.as(w.users.named("seller")), w.as(w.users.named("admin"))
	w.earn(seller.id, 1000)
	first := seller.post(payoutsPath, `{"asset":"USDT@56","amount":"100"}`, key("k1"))
	require.Equal(t, 201, first.status, string(first.raw))
	w.untouched(func() {
		again := seller.post(payoutsPath, ` { "amount" : "100" , "asset" : "USDT@\u00356" } `, key("k1"))
		assert.Equal(t, 201, again.status)
		assert.Equal(t, string(first.raw), string(again.raw))
		assert.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
		assert.Empty(t, first.header.Get("Idempotent-Replayed"))
		other := seller.post(payoutsPath, ask("101"), key("k1"))
		assert.Equal(t, 422, other.status)
		assert.Equal(t, "IDEMPOTENCY_KEY_REUSED", other.code)
		route := seller.post(payoutsPath+"/"+first.text("payout")+"/cancel", nil, key("k1"))
		assert.Equal(t, "IDEMPOTENCY_KEY_REUSED", route.code)
	})
	// Keys of different people never meet.
	assert.Equal(t, 200, admin.post(payoutsPath+"/"+first.text("payout")+"/approve", map[string]any{"revision": 1}, key("k1")).status)
}

func TestARefusalIsKept(t *testing.T) {
	t.Parallel()
	w := setup(t, paying)
	seller := w.as(w.users.named("seller"))
	w.earn(seller.id, 1000)
	poor := seller.post(payoutsPath, ask("1500"), key("k"))
	assert.Equal(t, "INSUFFICIENT_AVAILABLE", poor.code)
	w.earn(seller.id, 10000)
	again := seller.post(payoutsPath, ask("1500"), key("k"))
	assert.Equal(t, poor.status, again.status)
	assert.Equal(t, string(poor.raw), string(again.raw))
	assert.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
	assert.Equal(t, 201, seller.post(payoutsPath, ask("1500"), key("k2")).status)
}

func TestEightAtOnceAreOne(t *testing.T) {
	t.Parallel()
	w := setup(t, paying)
	seller := w.as(w.users.named("seller"))
	w.earn(seller.id, 100000)
	for round := range 20 {
		before := w.events()
		var all sync.WaitGroup
		var mu sync.Mutex
		got := map[string]int{}
		for range 8 {
			all.Go(func() {
				a := seller.post(payoutsPath, ask("10"), key(fmt.Sprint("round", round)))
				mu.Lock()
				defer mu.Unlock()
				got[fmt.Sprint(a.status, a.code)]++
				if a.status == http.StatusConflict {
					assert.NotEmpty(t, a.header.Get("Retry-After"))
				}
			})
		}
		all.Wait()
		assert.Equal(t, 8, got["201"]+got["409IDEMPOTENCY_IN_PROGRESS"], got)
		assert.Positive(t, got["201"])
		assert.Equal(t, before+1, w.events(), "one payout, one event")
	}
}
