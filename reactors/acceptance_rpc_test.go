package reactors

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/ledger"
	"holdfast/domain/payment"
)

// question is what a false node sees of a call.
type question struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

// bent is a node in front of the real one that bends answers. bend gives the answer to send
// instead; "" = the truth; "hang" = none.
func bent(t *testing.T, truth string, bend func(q question, true string) string) string {
	t.Helper()
	one := func(r *http.Request, raw json.RawMessage) (string, bool) {
		var q question
		if json.Unmarshal(raw, &q) != nil {
			return "", false
		}
		said := post(r, truth, raw)
		switch lie := bend(q, said); lie {
		case "":
			return said, true
		case "hang":
			<-r.Context().Done()
			return "", false
		default:
			return lie, true
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var all []json.RawMessage
		single := json.Unmarshal(body, &all) != nil
		if single {
			all = []json.RawMessage{body}
		}
		answers := make([]string, len(all))
		for i, raw := range all {
			var ok bool
			if answers[i], ok = one(r, raw); !ok {
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		if single {
			_, _ = io.WriteString(w, answers[0])
			return
		}
		_, _ = io.WriteString(w, "["+strings.Join(answers, ",")+"]")
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func post(r *http.Request, url string, body []byte) string {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return ""
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(resp.Body)
	return string(said)
}

func result(q question, v string) string {
	return `{"jsonrpc":"2.0","id":` + string(q.ID) + `,"result":` + v + `}`
}

// through makes a client over nodes with a short temper.
func (w *world) through(urls ...string) *evm.Client {
	w.t.Helper()
	c, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: urls, Timeout: 2 * time.Second})
	require.NoError(w.t, err)
	w.t.Cleanup(c.Close)
	return c
}

// With one honest node beside it, no node can hide a payment, hang the watcher, or hurry a
// confirmation.
func TestOneHonestNodeIsEnough(t *testing.T) {
	t.Parallel()
	far := func(q question, said string) string {
		if q.Method == "eth_getBlockByNumber" && (string(q.Params[0]) == `"latest"` || string(q.Params[0]) == `"finalized"`) {
			return result(q, `{"number":"0xffffff","hash":"0x`+strings.Repeat("7", 64)+`","timestamp":"0x1"}`)
		}
		return ""
	}
	for name, bend := range map[string]func(question, string) string{
		"hides every log": func(q question, _ string) string {
			if q.Method == "eth_getLogs" {
				return result(q, "[]")
			}
			return ""
		},
		"hangs":         func(question, string) string { return "hang" },
		"another chain": func(q question, _ string) string { return result(q, `"0x38"`) },
		"html":          func(question, string) string { return "<html>too many requests</html>" },
		"far ahead":     far,
		"no receipts at first sight": func(q question, _ string) string {
			if q.Method == "eth_getTransactionReceipt" {
				return "{"
			}
			return ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withChain(t)
			f := w.follower(w.through(bent(t, w.chain.URL(), bend), w.chain.URL()))
			b := w.order(1000)
			w.pay(b, 1000)
			pass := func() { _, _ = f.pass(t.Context()) }
			for range 3 {
				pass()
				w.caughtUp()
			}
			require.Equal(t, payment.Confirming, w.payment(b.payment).Phase, "one block is no threshold, whatever a node says")
			w.chain.Mine(3)
			require.Eventually(t, func() bool {
				pass()
				w.caughtUp()
				return w.payment(b.payment).Phase == payment.PaidPhase
			}, 60*time.Second, 20*time.Millisecond)
			w.assertBooks(b, books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}, usdc)
			w.verified()
		})
	}
}

// A node that states more than was paid may be the first that is asked; what it says is never
// confirmed while another node says otherwise, and is corrected when it is gone.
func TestAForgedReceiptIsNeverConfirmed(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	var forging atomic.Bool
	forging.Store(true)
	forger := bent(t, w.chain.URL(), func(q question, said string) string {
		if q.Method == "eth_getTransactionReceipt" && forging.Load() {
			ten, thousand := strings.Repeat("0", 63)+"a", strings.Repeat("0", 61)+"3e8"
			return strings.ReplaceAll(said, ten, thousand)
		}
		return ""
	})
	client := w.through(forger, w.chain.URL())
	f := w.follower(client)
	b := w.order(1000)
	w.pay(b, 10)
	w.chain.Mine(5)
	for range 4 {
		_, _ = f.pass(t.Context())
		w.caughtUp()
	}
	require.Zero(t, w.count("payment.confirmed", ""))
	assert.True(t, w.balance(ledger.Held(b.hold), usdc).IsZero())
	assert.Positive(t, client.State().Contradictions, "an alarm")

	forging.Store(false)
	for range 4 {
		w.caughtUp()
		_, err := f.pass(t.Context())
		require.NoError(t, err)
	}
	w.assertBooks(b, books{payment.PartlyPaid, payment.Partial, 10, 0, 0, 10}, usdc)
	w.verified()
}

// While no node answers nothing happens; what was missed is found afterwards.
func TestWhatCameWhileEveryNodeWasDownIsFound(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	var down atomic.Bool
	node := bent(t, w.chain.URL(), func(question, string) string {
		if down.Load() {
			return "<html>502</html>"
		}
		return ""
	})
	f := w.follower(w.through(node))
	f.o.Range = 7 // many scans
	b := w.order(1000)
	w.passes(f.loop)
	down.Store(true)
	before := w.position()
	w.pay(b, 400)
	w.chain.Mine(40)
	w.pay(b, 600)
	w.chain.Mine(40)
	for range 3 {
		_, err := f.pass(t.Context())
		require.ErrorIs(t, err, evm.ErrUnavailable)
	}
	assert.Equal(t, before, w.position())
	down.Store(false)
	w.settled(f)
	w.assertBooks(b, books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}, usdc)
	w.verified()
}
