package http_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	apihttp "holdfast/http"
)

// rn plays the payment provider: it fails when it is told to.
type rn struct {
	fails atomic.Pointer[fault.Error]
	calls atomic.Int32
	paid  atomic.Bool
}

var errProviderDown = fault.New(fault.Upstream, "PROVIDER_UNAVAILABLE", "the payment provider does not answer").Retry(5)

func (p *rn) fail(err *fault.Error) { p.fails.Store(err) }

func (p *rn) answer() error {
	p.calls.Add(1)
	if f := p.fails.Load(); f != nil {
		return f
	}
	return nil
}

func (p *rn) Intend(_ context.Context, id domain.PaymentID, in apihttp.PayIn, due money.Amount, _ string) (apihttp.PayIn, []apihttp.ProviderTransaction, error) {
	if err := p.answer(); err != nil {
		return in, nil, err
	}
	in.Intent.Provider, in.Intent.RequestID = "request-network", "01"+domain.DeriveID(string(id), "rn")
	in.Intent.Destination, in.Intent.Token, in.Intent.Amount = in.Destination.Address, in.Destination.Token, due
	return in, []apihttp.ProviderTransaction{{To: in.Intent.Proxy, Data: "0xc219a14d"}}, nil
}

func (p *rn) Transactions(_ context.Context, in apihttp.PayIn, due money.Amount, _ string) ([]apihttp.ProviderTransaction, error) {
	return []apihttp.ProviderTransaction{{To: in.Destination.Address, Data: "0x" + due.Units.String()}}, p.answer()
}

func (p *rn) View(_ context.Context, _ domain.PaymentID, requestID string) (apihttp.ProviderView, error) {
	return apihttp.ProviderView{RequestID: requestID, Paid: p.paid.Load(), SeenAt: time.Now()}, p.answer()
}

func (p *rn) Orphans(context.Context, int) ([]apihttp.Orphan, error) {
	return []apihttp.Orphan{{RequestID: "01ff", Reason: "no payment of ours has this request"}}, nil
}

const intentsPath = "/api/payment/request-network/intents"

func TestIntentsThroughTheProvider(t *testing.T) {
	t.Parallel()
	p := &rn{}
	w := setup(t, checkingOut, onPostgres, func(w *world) { w.deps.Provider = p })
	o := selected(t, w)
	body := map[string]any{"purchaseRequestId": o.request, "sellerOfferId": o.offer}
	w.untouched(func() {
		for _, f := range []*fault.Error{errProviderDown, payment.ErrMismatch} {
			p.fail(f)
			a := o.buyer.post(intentsPath, body)
			assert.Equal(t, http.StatusBadGateway, a.status, string(a.raw))
			assert.Equal(t, f.Code, a.code)
		}
	})
	p.fail(nil)
	opened := o.buyer.post("/api/payment/request-network/pay-in", body, key("the-same"))
	require.Equal(t, 201, opened.status, string(opened.raw))
	assert.Equal(t, "request-network", opened.text("provider"))
	assert.NotEmpty(t, opened.text("requestId"))
	assert.Contains(t, string(opened.raw), "0xc219a14d")
	id := opened.text("payment.payment")
	assert.NotEqual(t, id, opened.text("requestId"))
	w.seen(o.buyer, "/api/payment/"+id)
	calls := p.calls.Load()
	again := o.buyer.post(intentsPath, body)
	assert.Equal(t, "PAYMENT_ALREADY_OPEN", again.code, string(again.raw))
	assert.Equal(t, calls, p.calls.Load(), "no request is made for a payment that cannot be opened")

	path := "/api/payment/request-network/" + id
	o.arrive(id, "30000000000000000000")
	part := o.buyer.get(path + "/checkout")
	assert.Equal(t, "50", part.text("checkout.remaining.display"), string(part.raw))
	assert.Contains(t, string(part.raw), "0x50000000000000000000", "the call data is for what is still due")
	p.fail(errProviderDown)
	silent := o.buyer.get(path + "/checkout")
	assert.Equal(t, 200, silent.status, "the block is enough")
	assert.NotContains(t, string(silent.raw), "transactions")
	p.fail(payment.ErrMismatch)
	assert.Equal(t, "PROVIDER_MISMATCH", o.buyer.get(path+"/checkout").code, "what is wrong is not shown")

	p.fail(errProviderDown)
	status := o.seller.get(path + "/status")
	assert.Equal(t, "PROVIDER_UNAVAILABLE", status.text("providerError"), string(status.raw))
	assert.Equal(t, "PartiallyPaid", status.text("state"))
	p.fail(nil)
	p.paid.Store(true)
	status = o.buyer.get(path + "/status")
	assert.Equal(t, "false", status.text("agree"), "the provider says paid, and the chain shows a part: %s", status.raw)
	o.arrive(id, "50000000000000000000")
	assert.Equal(t, "true", o.buyer.get(path+"/status").text("agree"))
	closed := o.buyer.get(path + "/checkout")
	assert.Equal(t, 410, closed.status)
	assert.Equal(t, "PAYMENT_CLOSED", closed.code)
	assert.Equal(t, 404, w.as(w.users.named("seller2")).get(path+"/status").status)

	assert.Contains(t, string(w.as(w.users.named("guard")).get("/api/payment/request-network/orphans").raw), "01ff")
	assert.Equal(t, 403, o.buyer.get("/api/payment/request-network/orphans").status)
}

// The plain mount is our own checkout also where a provider is switched on.
func TestThePlainMountAsksNoProvider(t *testing.T) {
	t.Parallel()
	p := &rn{}
	w := setup(t, checkingOut, func(w *world) { w.deps.Provider = p })
	o := selected(t, w)
	o.pay(t)
	assert.Zero(t, p.calls.Load())
}

func TestANoticesSubjectIsListed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for i, c := range []struct{ body, event, request string }{
		{`{"event":"payment.confirmed","requestId":"01ab","requestID":"01ab"}`, "payment.confirmed", "01ab"},
		{`{"Event":"x","requestID":"01cd"}`, "", "01cd"},
		{`{"event":7,"requestId":{}}`, "", ""},
	} {
		body := []byte(c.body)
		require.Equal(t, 200, w.anybody().post(webhookPath, body, signed(body), header("X-Request-Network-Delivery", c.body[:8]+c.request)).status, c.body)
		assert.Equal(t, c.event, w.inbox.rows[i].Event, c.body)
		assert.Equal(t, c.request, w.inbox.rows[i].RequestID, c.body)
	}
}
