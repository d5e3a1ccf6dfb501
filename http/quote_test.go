package http_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/quote"
	apihttp "holdfast/http"
)

// market prices of a token in dollars, with 8 decimals, by source.
type prices map[string]uint64

func (p prices) Rates(_ context.Context, currency money.Asset, token network.Token) ([]quote.Rate, error) {
	var all []quote.Rate
	for source, answer := range p {
		if answer == 0 {
			return nil, fault.New(fault.Unavailable, "ORACLE_UNAVAILABLE", "the price sources have no usable price at the moment")
		}
		r, err := quote.RateOf(token.Decimals, 2, quote.Reading{
			Pair: token.Symbol + "/USD", Source: source, Answer: money.FromUint64(answer), Decimals: 8, ObservedAt: time.Now(), FreshFor: time.Minute, Round: "77", Pegged: true,
		}, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func quoting(p prices) option {
	return func(w *world) {
		checkingOut(w)
		w.deps.Oracle = p
	}
}

// inDollars makes an order with a selected offer of 80.00 dollars.
func inDollars(t *testing.T, w *world) *order {
	t.Helper()
	o := &order{w: w, buyer: w.as(w.users.named("buyer")), seller: w.as(w.users.named("seller"))}
	o.request = o.buyer.post(requestsPath, wish()).text("request")
	body := offerFor(o.request, "80")
	body["price"] = map[string]any{"currency": "USD", "display": "80"}
	offered := o.seller.post(offersPath, body)
	require.Equal(t, 201, offered.status, string(offered.raw))
	assert.Equal(t, "iso4217:USD", offered.text("price.amount.asset"))
	assert.Equal(t, "8000", offered.text("price.amount.amount"))
	assert.Equal(t, "80", offered.text("price.amount.display"))
	o.offer = offered.text("offer")
	taken := o.buyer.post(requestsPath+"/"+o.request+"/select-offer", map[string]any{"offerId": o.offer, "revision": 1})
	require.Equal(t, 200, taken.status, string(taken.raw))
	return o
}

func (o *order) quote(asset string) answer {
	return o.buyer.post("/api/payment/quotes", map[string]any{"offerId": o.offer, "asset": asset})
}

func (o *order) open(quoteID string, change ...string) answer {
	body := map[string]any{"purchaseRequestId": o.request, "sellerOfferId": o.offer}
	if quoteID != "" {
		body["quoteId"] = quoteID
	}
	for i := 0; i+1 < len(change); i += 2 {
		body[change[i]] = change[i+1]
	}
	return o.buyer.post("/api/payment", body)
}

func TestAnOfferInDollarsIsPaidByQuote(t *testing.T) {
	t.Parallel()
	w := setup(t, quoting(prices{"a": 99_900_000, "b": 100_000_000}), onPostgres)
	o := inDollars(t, w)
	w.untouched(func() {
		assert.Equal(t, "QUOTE_REQUIRED", o.open("").code)
		assert.Equal(t, "VALIDATION_FAILED", o.buyer.post("/api/payment/quotes", map[string]any{"offerId": o.offer}).code)
		assert.Equal(t, "ASSET_NOT_SUPPORTED", o.quote("DOGE@1").code)
		assert.Equal(t, 404, w.as(w.users.named("buyer2")).post("/api/payment/quotes", map[string]any{"offerId": o.offer, "asset": "USDT@56"}).status)
		assert.Equal(t, 403, o.seller.post("/api/payment/quotes", map[string]any{"offerId": o.offer, "asset": "USDT@56"}).status)
	})
	first := o.quote("USDC@56")
	require.Equal(t, 201, first.status, string(first.raw))
	q := o.quote("USDT@56")
	require.Equal(t, 201, q.status, string(q.raw))
	id := q.text("quote")
	seen := o.buyer.get("/api/payment/quotes/" + id)
	assert.Equal(t, "80080080080080080081", seen.text("amountDue.amount"), "80 / 0.999, rounded up: %s", seen.raw)
	assert.Equal(t, "80", seen.text("price.display"))
	assert.Contains(t, string(seen.raw), `"round":"77"`)
	assert.Equal(t, "Superseded", o.buyer.get("/api/payment/quotes/"+first.text("quote")).text("state"))
	w.untouched(func() {
		assert.Equal(t, 404, w.as(w.users.named("buyer2")).get("/api/payment/quotes/"+id).status)
		for name, c := range map[string]struct {
			answer answer
			status int
			code   string
		}{
			"superseded":    {o.open(first.text("quote")), 409, "QUOTE_EXPIRED"},
			"unknown":       {o.open(nobody), 422, "PRICE_MISMATCH"},
			"another asset": {o.open(id, "asset", "USDC@56"), 422, "PRICE_MISMATCH"},
			"believed":      {o.buyer.post("/api/payment", map[string]any{"purchaseRequestId": o.request, "sellerOfferId": o.offer, "quoteId": id, "amount": map[string]any{"display": "80"}}), 422, "PRICE_MISMATCH"},
		} {
			assert.Equal(t, c.status, c.answer.status, "%s: %s", name, c.answer.raw)
			assert.Equal(t, c.code, c.answer.code, name)
		}
	})
	opened := o.open(id, "asset", "USDT@56")
	require.Equal(t, 201, opened.status, string(opened.raw))
	assert.Equal(t, "80080080080080080081", opened.text("checkout.amountWei"))
	payment := opened.text("payment.payment")
	w.untouched(func() {
		assert.Equal(t, "QUOTE_USED", o.open(id).code)
	})
	o.arrive(payment, "80080080080080080081")
	paid := o.buyer.get("/api/payment/quotes/" + id)
	assert.Equal(t, "Consumed", paid.text("state"))
	assert.Equal(t, payment, paid.text("paymentId"))
	assert.Equal(t, 200, o.seller.send("PUT", o.path("/delivery"), map[string]any{"carrier": "Post"}).status)
	assert.Equal(t, 200, o.buyer.post(o.path("/confirm-delivery"), map[string]any{}).status)
	released := o.buyer.post("/api/payment/"+payment+"/release", map[string]any{})
	require.Equal(t, 200, released.status, string(released.raw))
	assert.Equal(t, string(usdt), released.text("asset"))
}

func TestQuotesThatCannotBeGiven(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prices prices
		status int
		code   string
	}{
		"two that contradict each other": {prices{"a": 100_000_000, "b": 103_000_000}, 503, "ORACLE_DIVERGENCE"},
		"off its peg":                    {prices{"a": 96_000_000, "b": 96_000_000}, 422, "DEPEG_LIMIT"},
		"one source":                     {prices{"a": 100_000_000}, 503, "QUOTE_UNAVAILABLE"},
		"no usable price":                {prices{"a": 0}, 503, "ORACLE_UNAVAILABLE"},
	} {
		w := setup(t, quoting(c.prices))
		o := inDollars(t, w)
		w.untouched(func() {
			a := o.quote("USDT@56")
			assert.Equal(t, c.status, a.status, "%s: %s", name, a.raw)
			assert.Equal(t, c.code, a.code, name)
		})
	}
}

func TestWithoutQuotingNothingIsPricedInACurrency(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut)
	buyer, seller := w.as(w.users.named("buyer")), w.as(w.users.named("seller"))
	request := buyer.post(requestsPath, wish()).text("request")
	w.untouched(func() {
		for _, price := range []map[string]any{{"currency": "USD", "display": "80"}, {"asset": "iso4217:EUR", "amount": "8000"}} {
			body := offerFor(request, "80")
			body["price"] = price
			a := seller.post(offersPath, body)
			assert.Equal(t, 422, a.status, string(a.raw))
			assert.Equal(t, "ASSET_NOT_SUPPORTED", a.code)
		}
	})
	o := selected(t, w)
	w.untouched(func() { assert.Equal(t, "QUOTE_UNAVAILABLE", o.quote("USDC@56").code) })
	assert.Equal(t, 201, o.quote("USDT@56").status, "the fixed price stays")
}

func TestAPriceMovedAfterTheQuote(t *testing.T) {
	t.Parallel()
	w := setup(t, quoting(prices{"a": 100_000_000, "b": 100_000_000}))
	o := &order{w: w, buyer: w.as(w.users.named("buyer")), seller: w.as(w.users.named("seller"))}
	o.request = o.buyer.post(requestsPath, wish()).text("request")
	body := offerFor(o.request, "80")
	body["price"] = map[string]any{"currency": "USD", "display": "80"}
	o.offer = o.seller.post(offersPath, body).text("offer")
	q := o.quote("USDT@56")
	require.Equal(t, 201, q.status, string(q.raw))
	w.untouched(func() {
		a := o.seller.send("PATCH", offersPath+"/"+o.offer, map[string]any{"price": map[string]any{"currency": "USD", "display": "80.001"}})
		assert.Equal(t, "PRECISION_EXCEEDED", a.code, string(a.raw))
		b := o.seller.send("PATCH", offersPath+"/"+o.offer, map[string]any{"price": map[string]any{"asset": "iso4217:USD", "currency": "EUR", "display": "80"}})
		assert.Equal(t, "VALIDATION_FAILED", b.code, string(b.raw))
	})
	revised := o.seller.send("PATCH", offersPath+"/"+o.offer, map[string]any{"price": map[string]any{"currency": "USD", "display": "90"}})
	require.Equal(t, 200, revised.status, string(revised.raw))
	taken := o.buyer.post(requestsPath+"/"+o.request+"/select-offer", map[string]any{"offerId": o.offer, "revision": 2})
	require.Equal(t, 200, taken.status, string(taken.raw))
	w.untouched(func() {
		a := o.open(q.text("quote"))
		assert.Equal(t, 422, a.status, string(a.raw))
		assert.Equal(t, "PRICE_MISMATCH", a.code)
	})
}

func TestAQuoteIsOverInTime(t *testing.T) {
	t.Parallel()
	short := func(w *world) { w.config.Quoting = apihttp.Quoting{Life: time.Millisecond} }
	w := setup(t, quoting(prices{"a": 100_000_000, "b": 100_000_000}), short)
	o := inDollars(t, w)
	q := o.quote("USDT@56")
	require.Equal(t, 201, q.status, string(q.raw))
	w.untouched(func() {
		require.Eventually(t, func() bool { return time.Now().After(mustTime(t, q.text("expires_at"))) }, time.Second, time.Millisecond)
		a := o.open(q.text("quote"))
		assert.Equal(t, 409, a.status, string(a.raw))
		assert.Equal(t, "QUOTE_EXPIRED", a.code)
	})
}

func mustTime(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	require.NoError(t, err)
	return at
}
