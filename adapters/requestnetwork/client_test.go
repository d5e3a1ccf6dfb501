package requestnetwork_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/requestnetwork"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/network"
)

var usdc = network.TokenAsset(devchain.ChainID, devchain.USDC)

func client(t *testing.T, url string) *requestnetwork.Client {
	t.Helper()
	r, err := network.New(devchain.Network())
	require.NoError(t, err)
	c, err := requestnetwork.New(requestnetwork.Options{BaseURL: url, APIKey: "key", Registry: r, Timeout: 300 * time.Millisecond})
	require.NoError(t, err)
	return c
}

func TestAnswersOfAProviderInTrouble(t *testing.T) {
	t.Parallel()
	order := requestnetwork.Order{Payee: devchain.Treasury, Amount: money.Of(usdc, money.FromUint64(1))}
	respond := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = io.WriteString(w, body) }
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   *fault.Error
		said   string
	}{
		"text":      {respond(400, `{"message":"FAU is not supported in crosschain payment.","error":"Bad Request","statusCode":400}`), requestnetwork.ErrRefused, "FAU is not supported"},
		"zod":       {respond(400, `{"statusCode":400,"message":[{"code":"custom","message":"firstOnly must be","path":["firstOnly"]}],"error":"Bad Request"}`), requestnetwork.ErrRefused, "firstOnly must be"},
		"fields":    {respond(400, `{"message":"Validation failed","errors":[{"field":"wallet","message":"Invalid Ethereum address"}]}`), requestnetwork.ErrRefused, "wallet: Invalid"},
		"html":      {respond(403, `<html>`), requestnetwork.ErrRefused, "not JSON"},
		"not found": {respond(404, `{"message":"Token not found"}`), requestnetwork.ErrNoRequest, "Token not found"},
		"limited":   {respond(429, ``), requestnetwork.ErrUnavailable, ""},
		"broken":    {respond(500, `oops`), requestnetwork.ErrUnavailable, ""},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		}, requestnetwork.ErrUnavailable, ""},
		"html with 200":   {respond(200, `<html>`), requestnetwork.ErrUnavailable, ""},
		"ten megabytes":   {respond(201, `{"requestId":"`+strings.Repeat("x", 10<<20)+`"}`), requestnetwork.ErrUnavailable, ""},
		"empty object":    {respond(201, `{}`), requestnetwork.ErrMismatch, ""},
		"strange id":      {respond(201, `{"requestId":"../../etc","paymentReference":"0xde0cd794099a5e03"}`), requestnetwork.ErrMismatch, ""},
		"short reference": {respond(201, `{"requestId":"01ab","paymentReference":"0xde0c"}`), requestnetwork.ErrMismatch, ""},
		"silence":         {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, requestnetwork.ErrUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				c.answer(w, r)
			}))
			defer server.Close()
			begin := time.Now()
			_, err := client(t, server.URL).Create(t.Context(), order)
			assert.ErrorIs(t, err, c.want)
			f, ok := fault.From(err)
			require.True(t, ok)
			assert.Contains(t, f.Fields["said"], c.said)
			assert.Less(t, time.Since(begin), 20*time.Second, "it would hang for ever")
		})
	}
	_, err := client(t, "http://127.0.0.1:1").Create(t.Context(), order)
	assert.ErrorIs(t, err, requestnetwork.ErrUnavailable)
	elsewhere := order // the subtests still use the other one
	elsewhere.Amount.Asset = network.TokenAsset(1, devchain.USDC)
	_, err = client(t, "http://127.0.0.1:1").Create(t.Context(), elsewhere)
	assert.ErrorIs(t, err, requestnetwork.ErrUnsupported)
	_, err = client(t, "http://127.0.0.1:1").Request(t.Context(), "../x")
	assert.ErrorIs(t, err, requestnetwork.ErrNoRequest)
	_, err = requestnetwork.New(requestnetwork.Options{BaseURL: "file:///x"})
	assert.Error(t, err)
}
