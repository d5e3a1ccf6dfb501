package http_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	apihttp "holdfast/http"
)

// witness answers what a test puts into it.
type witness struct {
	verdict   apihttp.TxVerdict
	err       error
	elsewhere bool
	known     apihttp.Transaction
}

func (w *witness) Verify(context.Context, payment.State, string) (apihttp.TxVerdict, error) {
	return w.verdict, w.err
}

func (w *witness) Elsewhere(context.Context, domain.PaymentID, string) (bool, error) {
	return w.elsewhere, nil
}

func (w *witness) Transaction(context.Context, string) (apihttp.Transaction, error) {
	known := w.known
	known.Transfers, known.Claims = slices.Clone(known.Transfers), slices.Clone(known.Claims)
	return known, w.err
}

func TestClaims(t *testing.T) {
	t.Parallel()
	seen := &witness{}
	w := setup(t, checkingOut, func(w *world) { w.deps.Witness = seen })
	o := selected(t, w)
	id := o.pay(t)
	claim := func(c *client, hash string, chain int, more ...map[string]any) answer {
		body := map[string]any{"paymentId": id, "txHash": hash, "chainId": chain}
		for _, m := range more {
			for k, v := range m {
				body[k] = v
			}
		}
		return c.post("/api/payment/decentralized/save", body)
	}
	tx := "0x" + repeat("ab", 32)
	w.untouched(func() {
		for _, bad := range []string{"", "0x12", "0x" + repeat("g", 64), "0x" + repeat("a", 63), "0x" + repeat("a", 65), "SIM_" + repeat("a", 64), "SIM_1"} {
			a := claim(o.buyer, bad, 56)
			assert.Equal(t, 400, a.status, "%q: %s", bad, a.raw)
			assert.Equal(t, "TX_INVALID", a.code, bad)
		}
		a := claim(o.buyer, tx, 1)
		assert.Equal(t, 422, a.status, string(a.raw))
		assert.Equal(t, "TX_INVALID", a.code, "another chain")
		assert.Equal(t, 403, claim(o.seller, tx, 56).status)
		assert.Equal(t, 404, claim(w.as(w.users.named("buyer2")), tx, 56).status)
		assert.Equal(t, "INVALID_ADDRESS", claim(o.buyer, tx, 56, map[string]any{"from": "me"}).code)
		seen.elsewhere = true
		a = claim(o.buyer, tx, 56)
		assert.Equal(t, 409, a.status)
		assert.Equal(t, "TX_ALREADY_USED", a.code, "it is counted for another payment")
		seen.elsewhere = false
	})
	a := claim(o.buyer, tx, 56)
	require.Equal(t, 202, a.status, string(a.raw))
	assert.Equal(t, tx, a.text("txHash"))
	assert.Equal(t, "pending", a.text("status"))
	assert.Equal(t, payment.AwaitingPayment, o.buyer.get("/api/payment/request-network/"+id+"/checkout").text("payment.state"), "a claim moves nothing")
	w.untouched(func() {
		for _, same := range []string{tx, " " + tx + " ", repeat("ab", 32), "0X" + repeat("AB", 32), "0x" + repeat("aB", 32)} {
			a := claim(o.buyer, same, 56)
			assert.Equal(t, 409, a.status, same)
			assert.Equal(t, "TX_ALREADY_USED", a.code, same)
		}
	})
	for i := range 19 {
		require.Equal(t, 202, claim(o.buyer, "0x"+repeat("c", 62)+string(rune('a'+i%6))+string(rune('0'+i/6)), 56).status)
	}
	assert.Equal(t, "TOO_MANY_CLAIMS", claim(o.buyer, "0x"+repeat("f", 64), 56).code)
}

func TestVerifyingATransaction(t *testing.T) {
	t.Parallel()
	seen := &witness{verdict: apihttp.TxVerdict{Status: "mismatch", Reasons: []apihttp.TxReason{{Code: "WRONG_TOKEN", Message: "the transfer is in another token"}}}}
	w := setup(t, checkingOut, func(w *world) { w.deps.Witness, w.deps.Limiter = seen, counting(nil) })
	o := selected(t, w)
	id := o.pay(t)
	verify := func(c *client) answer {
		return c.post("/api/payment/decentralized/verify", map[string]any{"paymentId": id, "txHash": "0x" + repeat("ab", 32), "chainId": 56})
	}
	w.untouched(func() {
		a := verify(o.buyer)
		require.Equal(t, 200, a.status, string(a.raw))
		assert.Equal(t, "mismatch", a.text("status"))
		assert.Contains(t, string(a.raw), "WRONG_TOKEN")
		for _, c := range []struct {
			err    error
			status int
			code   string
		}{{network.ErrTxNotFound, 404, "TX_NOT_FOUND"}, {network.ErrTxReverted, 422, "TX_REVERTED"}, {payment.ErrTxUsed, 409, "TX_ALREADY_USED"}} {
			seen.err = c.err
			a := verify(o.buyer)
			assert.Equal(t, c.status, a.status)
			assert.Equal(t, c.code, a.code)
		}
		seen.err = nil
		for range 6 {
			verify(o.buyer)
		}
		assert.Equal(t, "RATE_LIMITED", verify(o.buyer).code, "ten a minute")
		assert.Equal(t, 200, verify(o.seller).status, "each for himself")
	})
}

func TestWhereToPayAndWhatIsKnownOfATransaction(t *testing.T) {
	t.Parallel()
	seen := &witness{}
	w := setup(t, checkingOut, func(w *world) { w.deps.Witness = seen })
	o := selected(t, w)
	id := o.pay(t)
	stranger := w.as(w.users.named("buyer2"))
	a := o.buyer.get("/api/payment/decentralized/receiver?paymentId=" + id)
	require.Equal(t, 200, a.status, string(a.raw))
	assert.Equal(t, o.buyer.get("/api/payment/request-network/"+id+"/checkout").text("checkout.destination"), a.text("address"))
	assert.Equal(t, "56", a.text("chainId"))
	assert.Equal(t, 404, stranger.get("/api/payment/decentralized/receiver?paymentId="+id).status)
	assert.Equal(t, 400, o.buyer.get("/api/payment/decentralized/receiver").status)

	seen.known = apihttp.Transaction{
		TxHash: "0x" + repeat("ab", 32), ChainID: 56, State: "mined", Transfers: []apihttp.TxUse{{PaymentID: domain.PaymentID(id), Log: 1}, {PaymentID: nobody, Log: 3}},
		Claims: []apihttp.TxClaim{{PaymentID: nobody, State: "pending"}},
	}
	path := "/api/payment/decentralized/status/0x" + repeat("AB", 32)
	a = o.buyer.get(path)
	require.Equal(t, 200, a.status, string(a.raw))
	assert.NotContains(t, string(a.raw), nobody, "what concerns others is theirs")
	assert.Equal(t, 404, stranger.get(path).status)
	assert.Contains(t, string(w.as(w.users.named("admin")).get(path).raw), nobody)
	assert.Equal(t, "TX_INVALID", o.buyer.get("/api/payment/decentralized/status/SIM_1").code)
}

// payIns is a state that a test sets.
type payIns struct{ apihttp.PayInState }

func (p *payIns) State(context.Context) apihttp.PayInState { return p.PayInState }

func TestPaymentHealth(t *testing.T) {
	t.Parallel()
	state := &payIns{apihttp.PayInState{
		Chains:   []apihttp.ChainHealth{{ChainID: 56, Status: "ok", Head: 12, Endpoints: []apihttp.NodeHealth{{Node: "rpc.example", State: "ok"}}}, {ChainID: 1, Status: "down", Reason: "0 of 1 endpoints work"}},
		Provider: apihttp.ProviderHealth{Status: "off"},
	}}
	w := setup(t, checkingOut, func(w *world) { w.deps.PayIns = state })
	a := w.anybody().get("/api/payment/health")
	require.Equal(t, 200, a.status, string(a.raw))
	assert.Equal(t, "degraded", a.text("status"))
	assert.NotContains(t, string(a.raw), "rpc.example", "the public sees a word for each part")
	assert.NotContains(t, string(w.as(w.users.named("buyer")).get("/api/payment/health").raw), "rpc.example")
	assert.Contains(t, string(w.as(w.users.named("admin")).get("/api/payment/health").raw), "rpc.example")
	assert.Equal(t, 401, (&client{w: w, token: "nonsense"}).get("/api/payment/health").status)

	state.Chains[1].Status, state.LastWebhookAt = "ok", new(time.Time)
	assert.Equal(t, "ok", w.anybody().get("/api/payment/health").text("status"))
	state.Insolvent = []string{"USDT@56"}
	assert.Equal(t, "degraded", w.anybody().get("/api/payment/health").text("status"))
	for i := range state.Chains {
		state.Chains[i].Status = "down"
	}
	a = w.anybody().get("/api/payment/health")
	assert.Equal(t, 503, a.status)
	assert.Equal(t, "down", a.text("checks.chains"))
}
