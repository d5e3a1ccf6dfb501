package http_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each process remembers states of streams. What another process has done since is no reason to
// refuse a command, nor to answer a question with what was.
func TestWhatAnotherProcessDidIsSeen(t *testing.T) {
	t.Parallel()
	w := setup(t, quoting(prices{"a": 100_000_000, "b": 100_000_000}))
	other := w.beside(nil)
	here := &order{w: w, buyer: w.as(w.users.named("buyer")), seller: w.as(w.users.named("seller"))}
	there := &order{w: other, buyer: &client{w: other, token: here.buyer.token}}

	ask := func() {
		here.request = here.buyer.post(requestsPath, wish()).text("request")
		here.offer = here.seller.post(offersPath, offerFor(here.request, "80")).text("offer")
		there.request, there.offer = here.request, here.offer
	}
	take := func() {
		taken := there.buyer.post(there.path("/select-offer"), map[string]any{"offerId": here.offer, "revision": 1})
		require.Equal(t, 200, taken.status, string(taken.raw))
	}
	ask()
	assert.Equal(t, "INVALID_STATE", here.open("", "asset", "USDT@56").code, "nothing is selected yet, and this process knows")
	take()
	paid := here.open("", "asset", "USDT@56")
	assert.Equal(t, 201, paid.status, "selected elsewhere: %s", paid.raw)

	ask()
	take()
	quoted := here.quote("USDT@56")
	require.Equal(t, 201, quoted.status, string(quoted.raw))
	path := "/api/payment/quotes/" + quoted.text("quote")
	assert.Equal(t, "Issued", here.buyer.get(path).text("state"))
	opened := there.open(quoted.text("quote"))
	require.Equal(t, 201, opened.status, string(opened.raw))
	assert.Equal(t, "Locked", here.buyer.get(path).text("state"), "used elsewhere")
}
