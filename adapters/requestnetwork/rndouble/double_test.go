package rndouble_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"sync"
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

const secret = "the secret of this test, 32 bytes"

var usdc = network.TokenAsset(devchain.ChainID, devchain.USDC)

// sink is the service's side of the webhook: it verifies and remembers, and fails as often
// as it is told to.
type sink struct {
	mu       sync.Mutex
	fail     int
	hints    []network.Hint
	delivery []string
	retries  []int
}

func (s *sink) serve(t *testing.T, registry *network.Registry) string {
	t.Helper()
	verifier, parser := requestnetwork.NewVerifier(secret), requestnetwork.NewParser(registry)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !verifier.Verify(r.Header.Get(requestnetwork.HeaderSignature), body) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h, err := parser.Hint(nil, body)
		assert.NoError(t, err)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.fail > 0 {
			s.fail--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		retry, err := strconv.Atoi(r.Header.Get(requestnetwork.HeaderRetry))
		assert.NoError(t, err)
		s.hints, s.delivery, s.retries = append(s.hints, h), append(s.delivery, r.Header.Get(requestnetwork.HeaderDelivery)), append(s.retries, retry)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func (s *sink) got() ([]network.Hint, []string, []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]network.Hint(nil), s.hints...), append([]string(nil), s.delivery...), append([]int(nil), s.retries...)
}

type world struct {
	chain  *devchain.Chain
	double *rndouble.Double
	client *requestnetwork.Client
	sink   *sink
}

func setup(t *testing.T, change func(*rndouble.Options)) world {
	t.Helper()
	chain, err := devchain.Start(t.Context(), devchain.Options{Interval: 20 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, chain.Close()) })
	o := rndouble.Options{
		RPC: chain.URL(), Chain: devchain.Network(), Secret: secret, APIKey: "key", Interval: 10 * time.Millisecond,
		Retries: []time.Duration{time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond},
	}
	change(&o)
	double, err := rndouble.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, double.Close()) })
	registry, err := chain.Registry()
	require.NoError(t, err)
	w := world{chain: chain, double: double, sink: &sink{}}
	double.SetWebhook(w.sink.serve(t, registry))
	w.client, err = requestnetwork.New(requestnetwork.Options{BaseURL: double.URL(), APIKey: "key", Registry: registry})
	require.NoError(t, err)
	return w
}

func (w world) create(t *testing.T, units uint64) requestnetwork.Intent {
	t.Helper()
	i, err := w.client.Create(t.Context(), requestnetwork.Order{
		Payee: devchain.Treasury, Amount: money.Of(usdc, money.FromUint64(units)), Reference: "command-" + strconv.FormatUint(units, 10),
	})
	require.NoError(t, err)
	return i
}

func (w world) pay(t *testing.T, i requestnetwork.Intent, units uint64) string {
	t.Helper()
	sent, err := w.chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: devchain.Treasury, Amount: money.FromUint64(units), Reference: i.Reference})
	require.NoError(t, err)
	require.False(t, sent.Failed)
	return sent.Tx
}

func TestAPaymentOnTheChainIsAnnounced(t *testing.T) {
	t.Parallel()
	w := setup(t, func(o *rndouble.Options) { o.Copies, o.Variants = 2, []string{"client_id"} })
	w.create(t, 7) // another one, never paid
	i := w.create(t, 100_000_000)
	state, err := w.client.Request(t.Context(), i.RequestID)
	require.NoError(t, err)
	assert.Equal(t, requestnetwork.State{RequestID: i.RequestID, Reference: i.Reference, Ours: "command-100000000", Status: "pending"}, state)

	tx := w.pay(t, i, 100_000_000)
	require.Eventually(t, func() bool { h, _, _ := w.sink.got(); return len(h) == 3 }, 10*time.Second, 5*time.Millisecond, "sent twice, and once more as variant")
	hints, deliveries, _ := w.sink.got()
	names := map[string]int{}
	for _, h := range hints {
		names[h.Event]++
		h.Event = ""
		assert.Equal(t, network.Hint{
			Kind: network.Paid, RequestID: i.RequestID, Reference: i.Reference, Chain: devchain.ChainID, Network: "devchain", Tx: tx, Amount: "100",
		}, h)
	}
	assert.Equal(t, map[string]int{"payment.confirmed": 2, "payment.confirmed.client_id": 1}, names)
	different := map[string]bool{}
	for _, id := range deliveries {
		different[id] = true
	}
	assert.Len(t, different, 2, "copies keep their delivery id, variants have their own")

	state, err = w.client.Request(t.Context(), i.RequestID)
	require.NoError(t, err)
	assert.True(t, state.Paid)
	assert.Equal(t, tx, state.Tx)
	found, err := w.client.Hints(t.Context(), i.RequestID)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, tx, found[0].Tx)
}

func TestPartsAndRetries(t *testing.T) {
	t.Parallel()
	w := setup(t, func(*rndouble.Options) {})
	w.sink.fail = 3
	i := w.create(t, 100)
	w.pay(t, i, 40)
	require.Eventually(t, func() bool { h, _, _ := w.sink.got(); return len(h) == 1 }, 10*time.Second, 5*time.Millisecond)
	w.pay(t, i, 60)
	require.Eventually(t, func() bool { h, _, _ := w.sink.got(); return len(h) == 2 }, 10*time.Second, 5*time.Millisecond)
	hints, _, retries := w.sink.got()
	assert.Equal(t, []string{"payment.partial", "payment.confirmed"}, []string{hints[0].Event, hints[1].Event})
	assert.Equal(t, []int{3, 0}, retries, "the fourth attempt is the last, and it counted")
}

// What no webhook told is found by asking; also by a double that was started again.
func TestLostWebhooksAreFoundByAsking(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "requests.json")
	w := setup(t, func(o *rndouble.Options) { o.Mute, o.File = true, file })
	i := w.create(t, 5)
	tx := w.pay(t, i, 5)
	require.Eventually(t, func() bool {
		h, err := w.client.Hints(t.Context(), i.RequestID)
		return err == nil && len(h) == 1 && h[0].Tx == tx
	}, 10*time.Second, 5*time.Millisecond)
	hints, _, _ := w.sink.got()
	assert.Empty(t, hints)

	again, err := rndouble.Start(t.Context(), rndouble.Options{Chain: devchain.Network(), File: file})
	require.NoError(t, err)
	defer func() { assert.NoError(t, again.Close()) }()
	registry, err := w.chain.Registry()
	require.NoError(t, err)
	c, err := requestnetwork.New(requestnetwork.Options{BaseURL: again.URL(), Registry: registry})
	require.NoError(t, err)
	state, err := c.Request(t.Context(), i.RequestID)
	require.NoError(t, err)
	assert.True(t, state.Paid)
	_, err = c.Request(t.Context(), "01"+i.RequestID[2:10])
	assert.ErrorIs(t, err, requestnetwork.ErrNoRequest)
}

func TestTheDoubleRefusesAsTheProviderDoes(t *testing.T) {
	t.Parallel()
	w := setup(t, func(*rndouble.Options) {})
	registry, err := w.chain.Registry()
	require.NoError(t, err)
	stranger, err := requestnetwork.New(requestnetwork.Options{BaseURL: w.double.URL(), APIKey: "wrong", Registry: registry})
	require.NoError(t, err)
	_, err = stranger.Request(t.Context(), "01ab")
	assert.ErrorIs(t, err, requestnetwork.ErrRefused)
	_, err = w.client.Create(t.Context(), requestnetwork.Order{Payee: "0x12", Amount: money.Of(usdc, money.FromUint64(1))})
	assert.ErrorIs(t, err, requestnetwork.ErrRefused)
}
