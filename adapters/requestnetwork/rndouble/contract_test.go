package rndouble_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/requestnetwork"
	"holdfast/adapters/requestnetwork/rndouble"
	"holdfast/domain/money"
	"holdfast/domain/network"
)

// published is what the provider's own description says of its API.
type published struct {
	Endpoints []struct {
		Method, Path   string
		ResponseFields []struct{ Field string }
		Examples       map[string]json.RawMessage `json:"responseExamples"`
	}
}

func description(t *testing.T) (p published, ok bool) {
	t.Helper()
	raw, err := os.ReadFile("../../../../shared/data/request-network-api.json")
	if os.IsNotExist(err) {
		t.Log("the published description is not beside this checkout; nothing to compare with")
		return p, false
	}
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &p))
	return p, true
}

func (p published) fields(method, path string) (all []string) {
	for _, e := range p.Endpoints {
		if e.Method != method || e.Path != path {
			continue
		}
		for _, f := range e.ResponseFields {
			all = append(all, f.Field)
		}
	}
	return all
}

// shape lists the fields of an answer as the description writes them: a.b, a[].b.
func shape(v any, prefix string) (all []string) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			path := strings.TrimPrefix(prefix+"."+name, ".")
			all = append(append(all, path), shape(inner, path)...)
		}
	case []any:
		for _, inner := range v {
			all = append(all, shape(inner, prefix+"[]")...)
		}
	}
	return all
}

// The double answers with no field that the provider does not have, so that nothing here is
// ever built on one.
func TestTheDoubleHasTheProvidersShapes(t *testing.T) {
	t.Parallel()
	p, ok := description(t)
	if !ok {
		return
	}
	w := setup(t, func(*rndouble.Options) {})
	i := w.create(t, 100)
	w.pay(t, i, 40)
	require.Eventually(t, func() bool {
		h, err := w.client.Hints(t.Context(), i.RequestID)
		return err == nil && len(h) == 1
	}, 10*time.Second, 5*time.Millisecond)
	get := func(path string) any {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.double.URL()+path, nil)
		require.NoError(t, err)
		req.Header.Set("X-Api-Key", "key")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, 200, resp.StatusCode)
		var v any
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&v))
		return v
	}
	for path, documented := range map[string][]string{
		"/v2/request/" + i.RequestID:              p.fields("GET", "/v2/request/{requestId}"),
		"/v2/request/" + i.RequestID + "/pay":     p.fields("GET", "/v2/request/{requestId}/pay"),
		"/v2/payments?requestId=" + i.RequestID:   p.fields("GET", "/v2/payments"),
		"/v2/payments?reference=nobody-knows-it":  p.fields("GET", "/v2/payments"),
		"/v2/payments?fromDate=2020-01-01T00:00Z": p.fields("GET", "/v2/payments"),
	} {
		require.NotEmpty(t, documented, path)
		found := shape(get(path), "")
		require.NotEmpty(t, found)
		for _, f := range found {
			assert.True(t, slices.Contains(documented, f), "%s answers with %s, which is not documented", path, f)
		}
	}
}

// What the provider's documentation shows as answers is what the client reads.
func TestTheClientReadsThePublishedExamples(t *testing.T) {
	t.Parallel()
	p, ok := description(t)
	if !ok {
		return
	}
	registry, err := network.Known()
	require.NoError(t, err)
	read := 0
	for _, e := range p.Endpoints {
		for name, example := range e.Examples {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(example) }))
			c, err := requestnetwork.New(requestnetwork.Options{BaseURL: server.URL, Registry: registry})
			require.NoError(t, err)
			switch e.Method + " " + e.Path {
			case "GET /v2/request/{requestId}":
				s, err := c.Request(t.Context(), "01e273ecc29d4b526df3a0f1f05ffc59372af8752c2b678096e49ac270416a7cdb")
				require.NoError(t, err, name)
				assert.Equal(t, strings.Contains(string(example), `"hasBeenPaid": true`) || strings.Contains(string(example), `"hasBeenPaid":true`), s.Paid, name)
				read++
			case "GET /v2/payments":
				hints, more, err := c.Payments(t.Context(), requestnetwork.Query{Ours: "x"})
				require.NoError(t, err, name)
				require.NotEmpty(t, hints, name)
				if name != "searchByMerchantReference" { // its hash is a digit short, and no hash to us
					assert.Len(t, hints[0].Tx, 66, name)
				}
				assert.NotZero(t, hints[0].Chain, name)
				assert.NotEmpty(t, hints[0].Ours, name)
				assert.Equal(t, name == "searchByMerchantReference", more, name)
				read++
			case "GET /v2/request/{requestId}/pay":
				all, err := c.Transactions(t.Context(), "01ab", "", "")
				require.NoError(t, err, name)
				require.NotEmpty(t, all, name)
				if name == "native" {
					assert.Equal(t, money.FromUint64(0x038d7ea4c68000), all[0].Value)
				}
				_, err = requestnetwork.Check(all, requestnetwork.Wanted{})
				require.ErrorIs(t, err, requestnetwork.ErrMismatch, "an example with dots in it pays nobody")
				read++
			}
			server.Close()
		}
	}
	assert.GreaterOrEqual(t, read, 10)
}

func TestWhatTheDoubleSaysHowToPayIsRight(t *testing.T) {
	t.Parallel()
	w := setup(t, func(*rndouble.Options) {})
	i := w.create(t, 100)
	want := requestnetwork.Wanted{Chain: devchain.Network(), Token: devchain.USDC, Payee: devchain.Treasury, Amount: money.FromUint64(100), Reference: i.Reference}
	all, err := w.client.Transactions(t.Context(), i.RequestID, devchain.Payer(1), "")
	require.NoError(t, err)
	_, err = requestnetwork.Check(all, want)
	require.NoError(t, err)
	all, err = w.client.Transactions(t.Context(), i.RequestID, "", "0.00004")
	require.NoError(t, err)
	want.Amount = money.FromUint64(40)
	_, err = requestnetwork.Check(all, want)
	require.NoError(t, err)
	w.double.Behave(func(b *rndouble.Behaviour) { b.WrongPayee = devchain.Payer(2) })
	all, err = w.client.Transactions(t.Context(), i.RequestID, "", "0.00004")
	require.NoError(t, err)
	_, err = requestnetwork.Check(all, want)
	assert.ErrorIs(t, err, requestnetwork.ErrMismatch)
}

// A provider in trouble is left alone: at once when it says so, after five failures otherwise.
func TestAProviderInTroubleIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := setup(t, func(*rndouble.Options) {})
	i := w.create(t, 1)
	before := w.double.Calls()["GET request"]
	w.double.Behave(func(b *rndouble.Behaviour) { b.Limited = 1 })
	for range 4 {
		_, err := w.client.Request(t.Context(), i.RequestID)
		require.ErrorIs(t, err, requestnetwork.ErrUnavailable)
	}
	assert.Equal(t, before+1, w.double.Calls()["GET request"], "who is told to wait does not ask again")
	require.Eventually(t, func() bool { _, err := w.client.Request(t.Context(), i.RequestID); return err == nil }, 10*time.Second, 20*time.Millisecond)
	w.double.Behave(func(b *rndouble.Behaviour) { b.HTML = 100 })
	before = w.double.Calls()["GET request"]
	for range 10 {
		_, err := w.client.Request(t.Context(), i.RequestID)
		require.ErrorIs(t, err, requestnetwork.ErrUnavailable, "HTML is no answer")
	}
	assert.Equal(t, before+5, w.double.Calls()["GET request"])
}

func TestALostAnswerLeavesAnOrphanThatIsFoundOnceItIsPaid(t *testing.T) {
	t.Parallel()
	w := setup(t, func(*rndouble.Options) {})
	w.double.Behave(func(b *rndouble.Behaviour) { b.Lost = 1 })
	order := requestnetwork.Order{Payee: devchain.Treasury, Amount: money.Of(usdc, money.FromUint64(5)), Reference: "payment-1"}
	_, err := w.client.Create(t.Context(), order)
	require.ErrorIs(t, err, requestnetwork.ErrUnavailable)
	require.Len(t, w.double.Requests("payment-1"), 1, "it was carried out all the same")
	_, ok, err := w.client.Made(t.Context(), "payment-1")
	require.NoError(t, err)
	assert.False(t, ok, "the provider lists payments, not requests")
	orphan := requestnetwork.Intent{Reference: w.double.Reference(w.double.Requests("payment-1")[0])}
	w.pay(t, orphan, 5)
	require.Eventually(t, func() bool {
		i, ok, err := w.client.Made(t.Context(), "payment-1")
		return err == nil && ok && i.Reference == orphan.Reference
	}, 10*time.Second, 20*time.Millisecond)
}

func TestOtherEvents(t *testing.T) {
	t.Parallel()
	w := setup(t, func(*rndouble.Options) {})
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
	}))
	t.Cleanup(server.Close)
	w.double.SetWebhook(server.URL)
	i := w.create(t, 1)
	w.double.Tell("payment.failed", i.RequestID, map[string]any{"subStatus": "insufficient_funds"})
	body := <-got
	assert.Contains(t, body, `"subStatus":"insufficient_funds"`)
	assert.Contains(t, body, i.Reference)
}
