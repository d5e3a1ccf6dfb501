package http_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/request"
)

const (
	requestsPath = "/api/marketplace/requests"
	offersPath   = "/api/marketplace/offers"
)

// codes draws always the same delivery code.
type codes struct{}

func (codes) New(r domain.RequestID) (string, []byte, error) {
	return "123456", codes{}.MAC(r, "123456"), nil
}

func (codes) MAC(r domain.RequestID, code string) []byte {
	m := hmac.New(sha256.New, []byte("codes"))
	m.Write([]byte(string(r) + code))
	return m.Sum(nil)
}

type categories struct{}

func (categories) Active(_ context.Context, id string) (bool, error) { return id == "shoes", nil }

func market(w *world) {
	paying(w)
	w.deps.Codes, w.deps.Categories = codes{}, categories{}
}

func wish() map[string]any {
	return map[string]any{
		"title": "Red shoes", "description": "Size 42, red as can be", "categoryId": "shoes", "productType": "physical",
		"budget": map[string]any{"min": "10", "max": "100", "currency": "USDT"}, "publish": true,
		"deliveryInfo": map[string]any{"deliveryType": "physical", "address": "1 Main Street"},
	}
}

func offerFor(request string, price string) map[string]any {
	return map[string]any{
		"purchaseRequestId": request, "title": "My shoes", "price": map[string]any{"asset": "USDT@56", "display": price},
		"validUntil": time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339), "deliveryTime": map[string]any{"amount": 3, "unit": "days"},
	}
}

// order is an order with its people, as far as a test has brought it.
type order struct {
	w                      *world
	buyer, seller          *client
	request, offer, holdID string
}

// selected makes an order with a selected offer.
func selected(t *testing.T, w *world) *order {
	t.Helper()
	o := &order{w: w, buyer: w.as(w.users.named("buyer")), seller: w.as(w.users.named("seller"))}
	created := o.buyer.post(requestsPath, wish())
	require.Equal(t, 201, created.status, string(created.raw))
	o.request = created.text("request")
	offered := o.seller.post(offersPath, offerFor(o.request, "80"))
	require.Equal(t, 201, offered.status, string(offered.raw))
	o.offer = offered.text("offer")
	taken := o.buyer.post(requestsPath+"/"+o.request+"/select-offer", map[string]any{"offerId": o.offer, "revision": 1})
	require.Equal(t, 200, taken.status, string(taken.raw))
	o.holdID = taken.text("hold")
	return o
}

// fund pays the hold out of the platform's own discount, so that no chain is needed.
func (o *order) fund(t *testing.T) *order {
	t.Helper()
	o.w.onHold(domain.HoldID(o.holdID), escrow.FundDiscount{Issue: process(), Amount: money.Of(usdt, money.MustUnits("80000000000000000000")), Redemption: "test"})
	o.w.do(func(u *domain.Unit) error {
		_, err := domain.Do(u, request.Decider, o.request, request.SecurePayment{Issue: process(), Hold: domain.HoldID(o.holdID)})
		return err
	})
	return o
}

func (o *order) path(rest string) string { return requestsPath + "/" + o.request + rest }

func TestFromWishToDelivery(t *testing.T) {
	t.Parallel()
	w := setup(t, market)
	buyer, seller, other := w.as(w.users.named("buyer")), w.as(w.users.named("seller")), w.as(w.users.named("seller2"))
	created := buyer.post("/api/marketplace/purchase-requests", wish())
	require.Equal(t, 201, created.status, string(created.raw))
	id := created.text("request")
	assert.Equal(t, "Open", created.text("state"))
	offered := seller.post(offersPath, offerFor(id, "97.5"))
	require.Equal(t, 201, offered.status, string(offered.raw))
	assert.Equal(t, "97500000000000000000", offered.text("price.amount.amount"))
	assert.Equal(t, "97.5", offered.text("price.amount.display"))
	offer := offersPath + "/" + offered.text("offer")
	w.untouched(func() {
		assert.Equal(t, "OFFER_EXISTS", seller.post(requestsPath+"/"+id+"/offers", without(offerFor(id, "1"), "purchaseRequestId")).code)
		assert.Equal(t, 404, other.post(offer+"/withdraw", map[string]any{}).status)
	})
	second := other.post(requestsPath+"/"+id+"/offers", without(offerFor(id, "99"), "purchaseRequestId"))
	require.Equal(t, 201, second.status, string(second.raw))

	counter := buyer.post(offer+"/counter", map[string]any{"message": "90?", "price": map[string]any{"asset": "USDT@56", "display": "90"}, "expiresAt": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	require.Equal(t, 200, counter.status, string(counter.raw))
	w.untouched(func() {
		assert.Equal(t, "COUNTER_OPEN", buyer.post(offer+"/counter", map[string]any{"message": "80?", "expiresAt": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}).code)
	})
	agreed := seller.post(offer+"/counter/accept", nil)
	require.Equal(t, 200, agreed.status, string(agreed.raw))
	assert.Equal(t, "2", agreed.text("revision"))
	w.untouched(func() {
		stale := buyer.post(offer+"/accept", map[string]any{"revision": 1})
		assert.Equal(t, "OFFER_REVISION_STALE", stale.code, string(stale.raw))
	})
	taken := buyer.post(offer+"/accept", map[string]any{"revision": 2})
	require.Equal(t, 200, taken.status, string(taken.raw))
	assert.Equal(t, "90", taken.text("due.display"))
	w.untouched(func() {
		assert.Equal(t, "ALREADY_SELECTED", buyer.post(requestsPath+"/"+id+"/select-offer", map[string]any{"offerId": second.text("offer"), "revision": 1}).code)
		assert.Equal(t, "REQUEST_LOCKED", buyer.send(http.MethodPatch, requestsPath+"/"+id, map[string]any{"title": "Blue"}).code)
		assert.Equal(t, "ESCROW_NOT_FUNDED", seller.send(http.MethodPut, requestsPath+"/"+id+"/delivery", map[string]any{"carrier": "Post"}).code)
	})
}

func TestDeliveryByCode(t *testing.T) {
	t.Parallel()
	w := setup(t, market)
	o := selected(t, w).fund(t)
	shipped := o.seller.send(http.MethodPut, o.path("/delivery"), map[string]any{"carrier": "Post", "trackingNumber": "T1"})
	require.Equal(t, 200, shipped.status, string(shipped.raw))
	issued := o.buyer.post(o.path("/delivery-code"), nil, key("once"))
	require.Equal(t, 200, issued.status, string(issued.raw))
	assert.Equal(t, "123456", issued.text("code"))
	again := o.buyer.post(o.path("/delivery-code"), nil, key("once"))
	assert.NotContains(t, string(again.raw), "123456", "a code is shown once")
	wrong := o.seller.post(o.path("/verify-delivery"), map[string]any{"code": "000000"})
	assert.Equal(t, "CODE_INVALID", wrong.code, string(wrong.raw))
	assert.NotContains(t, string(wrong.raw), "123456")
	assert.Equal(t, 403, o.buyer.post(o.path("/verify-delivery"), map[string]any{"code": "123456"}).status)
	right := o.seller.post(o.path("/delivery-code/verify"), map[string]any{"code": "123456"})
	require.Equal(t, 200, right.status, string(right.raw))
	assert.Equal(t, "Delivered", right.text("state"))
}

func TestACodeIsGuessedFiveTimes(t *testing.T) {
	t.Parallel()
	w := setup(t, market)
	o := selected(t, w).fund(t)
	o.buyer.post(o.path("/delivery-code"), nil)
	for range 5 {
		assert.Equal(t, "CODE_INVALID", o.seller.post(o.path("/verify-delivery"), map[string]any{"code": "000000"}).code)
	}
	w.untouched(func() {
		locked := o.seller.post(o.path("/verify-delivery"), map[string]any{"code": "123456"})
		assert.Equal(t, 423, locked.status, string(locked.raw))
		assert.Equal(t, "CODE_LOCKED", locked.code)
	})
}

func TestOrdersAreTheirPartiesOnly(t *testing.T) {
	t.Parallel()
	w := setup(t, market)
	o := selected(t, w)
	stranger, strangerSeller := w.as(w.users.named("buyer2")), w.as(w.users.named("seller2"))
	unknown := requestsPath + "/11111111-1111-4111-8111-111111111111"
	w.untouched(func() {
		for _, rest := range []string{"/publish", "/confirm-delivery", "/release-selection", "/delivery-code"} {
			foreign := stranger.post(o.path(rest), "{}")
			none := stranger.post(unknown+rest, "{}")
			assert.Equal(t, 404, foreign.status, rest)
			assert.Equal(t, string(none.raw), string(foreign.raw), rest)
		}
		assert.Equal(t, 404, strangerSeller.send(http.MethodPut, o.path("/delivery"), map[string]any{}).status)
		assert.Equal(t, 404, stranger.post(offersPath+"/"+o.offer+"/reject", map[string]any{}).status)
	})
}

func TestRequestsThatAreNot(t *testing.T) {
	t.Parallel()
	w := setup(t, market)
	buyer := w.as(w.users.named("buyer"))
	w.untouched(func() {
		for name, c := range map[string]struct {
			change map[string]any
			status int
			code   string
		}{
			"no title":         {map[string]any{"title": ""}, 400, "VALIDATION_FAILED"},
			"blank title":      {map[string]any{"title": "   "}, 400, "VALIDATION_FAILED"},
			"long title":       {map[string]any{"title": strings.Repeat("a", 201)}, 400, "VALIDATION_FAILED"},
			"short text":       {map[string]any{"description": "abc"}, 400, "VALIDATION_FAILED"},
			"attachments":      {map[string]any{"attachments": make([]string, 10000)}, 400, "VALIDATION_FAILED"},
			"category":         {map[string]any{"categoryId": "nothing"}, 422, "CATEGORY_INACTIVE"},
			"foreign property": {map[string]any{"buyer": "someone"}, 400, "UNKNOWN_FIELD"},
			"budget upside":    {map[string]any{"budget": map[string]any{"min": "10", "max": "1", "currency": "USD"}}, 400, "VALIDATION_FAILED"},
			"budget number":    {map[string]any{"budget": map[string]any{"max": 1.5, "currency": "USD"}}, 400, "INVALID_AMOUNT"},
			"quantity":         {map[string]any{"quantity": -1}, 400, "VALIDATION_FAILED"},
		} {
			body := wish()
			for k, v := range c.change {
				body[k] = v
			}
			a := buyer.post(requestsPath, body)
			assert.Equal(t, c.status, a.status, "%s: %.300s", name, a.raw)
			assert.Equal(t, c.code, a.code, "%s: %.300s", name, a.raw)
		}
	})
	// Text is stored as text.
	body := wish()
	body["title"] = `<script>alert(1)</script>`
	assert.Equal(t, 201, buyer.post(requestsPath, body).status)
}

func TestLegacyStatus(t *testing.T) {
	t.Parallel()
	w := setup(t, market)
	o := selected(t, w)
	w.untouched(func() {
		for _, status := range []string{"completed", "processing", "payment", "nonsense"} {
			a := o.buyer.send(http.MethodPatch, o.path("/status"), map[string]any{"status": status})
			assert.Equal(t, 422, a.status, status)
			assert.Equal(t, "STATUS_NOT_SETTABLE", a.code)
		}
	})
	cancelled := o.buyer.send(http.MethodPatch, o.path("/status"), map[string]any{"status": "cancelled", "reason": "changed my mind"})
	assert.Equal(t, "Cancelled", cancelled.text("state"), string(cancelled.raw))
}

func TestCancellingAFundedOrderNeedsItsRefund(t *testing.T) {
	t.Parallel()
	w := setup(t, market)
	o := selected(t, w).fund(t)
	w.untouched(func() {
		a := o.buyer.post(o.path("/cancel"), map[string]any{"reason": "too slow"})
		assert.Equal(t, 409, a.status, string(a.raw))
		assert.Equal(t, "REFUND_REQUIRED", a.code)
	})
	done := o.buyer.post(o.path("/cancel"), map[string]any{"reason": "too slow", "refund": true})
	assert.Equal(t, 200, done.status, string(done.raw))
	assert.Equal(t, "Cancelled", done.text("state"))
}

func without(m map[string]any, keys ...string) map[string]any {
	for _, k := range keys {
		delete(m, k)
	}
	return m
}
