package oracle_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/oracle"
	"holdfast/adapters/oracle/pricedouble"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/quote"
)

var (
	dollars, _ = money.Fiat("USD")
	euros, _   = money.Fiat("EUR")
	usdc       = network.Token{Chain: devchain.ChainID, Address: devchain.USDC, Symbol: "USDC", Decimals: 6}
)

func double(t *testing.T, prices map[string]string) *pricedouble.Server {
	t.Helper()
	s, err := pricedouble.Start(prices)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func api(name string, s *pricedouble.Server) *oracle.API {
	return &oracle.API{Name: name, URL: s.URL()}
}

func sources(t *testing.T, o oracle.Options) *oracle.Oracle {
	t.Helper()
	o.Timeout = 2 * time.Second
	made, err := oracle.New(o)
	require.NoError(t, err)
	return made
}

var feed = oracle.Feed{Chain: devchain.ChainID, Pair: "USDC/USD", Address: devchain.PriceFeed, Heartbeat: 3600, Pegged: true}

func TestAFeedOnAChainAndAnAPI(t *testing.T) {
	t.Parallel()
	chain, err := devchain.Start(t.Context(), devchain.Options{Manual: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, chain.Close()) })
	client, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{chain.URL()}})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	market := double(t, map[string]string{"USDC/USD": "0.9991"})
	o := sources(t, oracle.Options{Feeds: []oracle.Feed{feed}, Chains: func() map[uint64]oracle.Caller { return map[uint64]oracle.Caller{devchain.ChainID: client} }, APIs: []*oracle.API{api("market", market)}})

	at := time.Now().Add(-time.Minute).Truncate(time.Second)
	set := func(answer int64, when time.Time) {
		_, err := chain.SetPrice(t.Context(), answer, when)
		require.NoError(t, err)
	}
	set(99_900_000, at)
	rates, err := o.Rates(t.Context(), dollars, usdc)
	require.NoError(t, err)
	require.Len(t, rates, 2)
	byChain, byAPI := rates[0], rates[1]
	assert.Equal(t, "chainlink", byChain.Source)
	require.Len(t, byChain.Readings, 1)
	r := byChain.Readings[0]
	assert.Equal(t, "99900000", r.Answer.String())
	assert.Equal(t, "2", r.Round, "the second time that it was set")
	assert.True(t, r.ObservedAt.Equal(at))
	assert.True(t, r.Pegged)
	assert.Equal(t, devchain.PriceFeed, r.Feed)
	assert.Equal(t, "9991", byAPI.Readings[0].Answer.String())
	assert.True(t, byAPI.Readings[0].Pegged, "it is the pair that is pegged")

	for name, bad := range map[string]struct {
		answer int64
		at     time.Time
	}{"zero": {0, at}, "negative": {-99_900_000, at}, "stale": {99_900_000, time.Now().Add(-2 * time.Hour)}, "of no time": {99_900_000, time.Unix(0, 0)}} {
		set(bad.answer, bad.at)
		_, err = o.Rates(t.Context(), dollars, usdc)
		assert.ErrorIs(t, err, oracle.ErrUnavailable, name)
	}
}

// node is a Caller that says what a test wants.
type node map[string]string // selector and contract → words in hex

func (n node) Call(_ context.Context, contract string, data []byte) ([]byte, error) {
	out, ok := n[hex.EncodeToString(data)+contract]
	if !ok {
		return nil, fmt.Errorf("no such call")
	}
	return hex.DecodeString(out)
}

func words(v ...uint64) string {
	var b bytes.Buffer
	for _, n := range v {
		fmt.Fprintf(&b, "%064x", n)
	}
	return b.String()
}

func TestTheSequencerOfAnL2(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	unix := func(ago time.Duration) uint64 { return uint64(now.Add(-ago).Unix()) }
	l2 := feed
	l2.Chain, l2.Address, l2.Sequencer = 42161, "0x0000000000000000000000000000000000000001", "0x0000000000000000000000000000000000000002"
	market := double(t, map[string]string{"USDC/USD": "1"})
	const latest = "feaf968c"
	for name, c := range map[string]struct {
		sequencer string
		usable    bool
	}{
		"up for a day":             {words(1, 0, unix(24*time.Hour), unix(time.Hour), 1), true},
		"down":                     {words(1, 1, unix(24*time.Hour), unix(time.Hour), 1), false},
		"back for half an hour":    {words(1, 0, unix(30*time.Minute), unix(time.Minute), 1), false},
		"never asked its contract": {words(1, 0, 0, 0, 1), false},
		"no contract there":        {"", false},
	} {
		n := node{latest + l2.Sequencer: c.sequencer, latest + l2.Address: words(7, 1e8, unix(time.Minute), unix(time.Minute), 7), "313ce567" + l2.Address: words(8)}
		o := sources(t, oracle.Options{Feeds: []oracle.Feed{l2}, Chains: func() map[uint64]oracle.Caller { return map[uint64]oracle.Caller{42161: n} }, APIs: []*oracle.API{api("market", market)}, Now: func() time.Time { return now }})
		rates, err := o.Rates(t.Context(), dollars, usdc)
		if c.usable {
			require.NoError(t, err, name)
			assert.Len(t, rates, 2)
		} else {
			assert.ErrorIs(t, err, oracle.ErrUnavailable, name)
		}
	}
}

func TestANodeThatLiesOrHangs(t *testing.T) {
	t.Parallel()
	market := double(t, map[string]string{"USDC/USD": "1"})
	for name, handler := range map[string]http.HandlerFunc{
		"HTML": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>bad gateway</html>")) },
		"hangs": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice that the client has gone
			<-r.Context().Done()
		},
		"another chain": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":1,"result":"0x1"}`))
		},
		"ten megabytes": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("0"), 10<<20)) },
	} {
		server := httptest.NewServer(handler)
		client, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{server.URL}, Timeout: 300 * time.Millisecond})
		require.NoError(t, err)
		o := sources(t, oracle.Options{Feeds: []oracle.Feed{feed}, Chains: func() map[uint64]oracle.Caller { return map[uint64]oracle.Caller{devchain.ChainID: client} }, APIs: []*oracle.API{api("market", market)}})
		begun := time.Now()
		_, err = o.Rates(t.Context(), dollars, usdc)
		assert.ErrorIs(t, err, oracle.ErrUnavailable, name)
		assert.Less(t, time.Since(begun), 20*time.Second, name)
		client.Close()
		server.CloseClientConnections()
		server.Close()
	}
}

func TestAPIsThatCannotBeBelieved(t *testing.T) {
	t.Parallel()
	answer := func(contentType, body string, status int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	good := fmt.Sprintf(`{"pair":"USDC/USD","price":"1.0002","time":%q}`, time.Now().UTC().Format(time.RFC3339))
	json := func(change ...string) func(http.ResponseWriter, *http.Request) bool {
		return answer("application/json", strings.NewReplacer(change...).Replace(good), 200)
	}
	for name, bad := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"zero":              json("1.0002", "0"),
		"negative":          json("1.0002", "-1.0002"),
		"an exponent":       json("1.0002", "1e30000000"),
		"a number":          json(`"1.0002"`, "1.0002"),
		"too many digits":   json("1.0002", "1."+strings.Repeat("1", 19)),
		"another pair":      json("USDC", "USDT"),
		"no time":           json(`"time"`, `"when"`),
		"stale":             json(time.Now().UTC().Format("2006"), "2019"),
		"HTML":              answer("text/html", good, 200),
		"HTML that says it": answer("application/json", "<html>", 200),
		"an error":          answer("application/json", good, 500),
		"a limit":           answer("application/json", good, 429),
		"elsewhere": func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "https://example.com/", http.StatusFound)
			return true
		},
		"a megabyte": answer("application/json", strings.Repeat(" ", 1<<20)+good, 200),
		"slow":       func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true },
	} {
		liar, honest := double(t, map[string]string{}), double(t, map[string]string{"USDC/USD": "1"})
		o := sources(t, oracle.Options{APIs: []*oracle.API{api("liar", liar), api("honest", honest)}})
		liar.Break(json())
		_, err := o.Rates(t.Context(), dollars, usdc)
		require.NoError(t, err, name)
		liar.Break(bad)
		_, err = o.Rates(t.Context(), dollars, usdc)
		assert.ErrorIs(t, err, oracle.ErrUnavailable, name)
	}
}

func TestASourceThatFailsIsLeftAlone(t *testing.T) {
	t.Parallel()
	asked := 0
	broken, honest := double(t, nil), double(t, map[string]string{"USDC/USD": "1"})
	broken.Break(func(w http.ResponseWriter, _ *http.Request) bool {
		asked++
		w.WriteHeader(http.StatusInternalServerError)
		return true
	})
	now := time.Now()
	o := sources(t, oracle.Options{APIs: []*oracle.API{api("broken", broken), api("honest", honest)}, Now: func() time.Time { return now }})
	for range 10 {
		_, err := o.Rates(t.Context(), dollars, usdc)
		require.ErrorIs(t, err, oracle.ErrUnavailable)
	}
	assert.Equal(t, 3, asked)
	now = now.Add(16 * time.Second)
	_, _ = o.Rates(t.Context(), dollars, usdc)
	assert.Equal(t, 4, asked)
}

func TestWhoKnowsAPair(t *testing.T) {
	t.Parallel()
	a, b := double(t, map[string]string{"USDC/USD": "0.999", "EUR/USD": "1.08"}), double(t, map[string]string{"USDC/USD": "0.999", "EUR/USD": "1.081"})
	o := sources(t, oracle.Options{APIs: []*oracle.API{api("a", a), api("b", b)}})
	rates, err := o.Rates(t.Context(), euros, usdc)
	require.NoError(t, err)
	require.Len(t, rates[0].Readings, 2)
	assert.Equal(t, "EUR/USD", rates[0].Readings[1].Pair)
	_, err = o.Rates(t.Context(), "eip155:1/erc20:0x1", usdc)
	assert.ErrorIs(t, err, quote.ErrUnavailable)
	alone := sources(t, oracle.Options{APIs: []*oracle.API{api("a", a)}})
	_, err = alone.Rates(t.Context(), dollars, usdc)
	assert.ErrorIs(t, err, quote.ErrUnavailable, "one source is none")
	_, err = oracle.New(oracle.Options{APIs: []*oracle.API{api("a", a), api("a", b)}})
	assert.Error(t, err, "a source is counted by its name")
	_, err = oracle.New(oracle.Options{APIs: []*oracle.API{{Name: "chainlink", URL: a.URL()}}})
	assert.Error(t, err)
}

func TestFeedsOfTheBuild(t *testing.T) {
	t.Parallel()
	feeds, err := oracle.BuiltInFeeds()
	require.NoError(t, err)
	assert.Greater(t, len(feeds), 10)
	for _, bad := range []string{`{`, `{"feeds":[{"chain":1,"pair":"USDC/USD","address":"0x1","heartbeat_seconds":1}]}`, `{"feeds":[{"chain":1,"pair":"USDC/USD","address":"0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6"}]}`} {
		_, err := oracle.ReadFeeds([]byte(bad))
		assert.Error(t, err, bad)
	}
}
