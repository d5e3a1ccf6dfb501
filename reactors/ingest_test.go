package reactors

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"holdfast/adapters/devchain"
	"holdfast/adapters/records"
	"holdfast/adapters/requestnetwork"
	"holdfast/domain/escrow"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
)

func (w *world) chains() map[uint64]Payments {
	return map[uint64]Payments{devchain.ChainID: w.client}
}

func (w *world) ingest() *Ingest {
	w.t.Helper()
	registry, err := network.New(devchain.Network())
	require.NoError(w.t, err)
	return NewIngest(IngestOptions{
		Inbox: inbox{w.rows.Inbox}, Reader: requestnetwork.NewParser(registry), Chains: w.chains, Executor: w.x, Watch: w.watch, Positions: w.runner,
	})
}

// notice is a webhook's body as the provider words it.
func notice(t testing.TB, event, requestID, reference, tx string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"event": event, "requestId": requestID, "requestID": requestID, "paymentReference": reference, "txHash": tx, "network": "devchain", "amount": "1",
	})
	require.NoError(t, err)
	return body
}

func (w *world) receive(body []byte) {
	w.t.Helper()
	require.NoError(w.t, w.rows.Inbox.Store(w.t.Context(), records.Delivery{Source: "request-network", ID: uuid.NewString(), Body: body, ReceivedAt: w.now()}))
}

// statuses counts the inbox's rows by status.
func (w *world) statuses() map[string]int {
	w.t.Helper()
	all, err := w.rows.Inbox.List(w.t.Context(), records.DeliveryFilter{}, 1000)
	require.NoError(w.t, err)
	n := map[string]int{}
	for _, d := range all {
		n[d.Status]++
	}
	return n
}

// provider answers with what it is given.
type provider map[string][]network.Hint

func (p provider) Hints(_ context.Context, id string) ([]network.Hint, error) { return p[id], nil }

func (p provider) Since(context.Context, time.Time, time.Time, int) (all []network.Hint, more bool, err error) {
	for _, hints := range p {
		all = append(all, hints...)
	}
	return all, false, nil
}

// providerNotes are the rows as the poller wants them; cmd/internal/wire has the same.
type providerNotes struct{ rows *records.Provider }

func (n providerNotes) Read(ctx context.Context) (time.Time, error) {
	return n.rows.Read(ctx, "request-network")
}

func (n providerNotes) ReadUntil(ctx context.Context, until time.Time) error {
	return n.rows.ReadUntil(ctx, "request-network", until)
}

func (n providerNotes) Orphan(ctx context.Context, h network.Hint, reason string) (bool, error) {
	return n.rows.Orphan(ctx, records.Orphan{RequestID: h.RequestID, Tx: h.Tx, Reference: h.Reference, Ours: h.Ours, Network: h.Network, Amount: h.Amount, Reason: reason})
}

func (w *world) poller(p Provider) *ProviderPoller {
	return NewProviderPoller(PollerOptions{
		Provider: p, Notes: providerNotes{w.rows.Provider}, Chains: w.chains, Executor: w.x, Watch: w.watch, Positions: w.runner, Every: time.Second,
	})
}

// H4: the same transfer, reported by the webhook's three variants, the scanner and the
// provider's poller, in any order and any number of times, is booked once.
func TestOneTransferReportedInAnyOrderIsBookedOnce(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	i, f := w.ingest(), w.follower(nil)
	rapid.Check(t, func(rt *rapid.T) {
		b := w.order(1000)
		sent := w.pay(b, 1000)
		tellers := map[string]func(){
			"scanner": func() { w.passes(f.loop) },
			"poller": func() {
				w.caughtUp()
				hints := provider{b.provider: {{Kind: network.Paid, RequestID: b.provider, Tx: sent.Tx, Chain: devchain.ChainID}}}
				w.passes(w.poller(hints).loop)
			},
		}
		for _, variant := range []string{"", ".client_id", ".checkout"} {
			tellers["webhook"+variant] = func() {
				w.receive(notice(t, "payment.confirmed"+variant, b.provider, b.reference, sent.Tx))
				w.passes(i.loop)
			}
		}
		names := []string{"scanner", "poller", "webhook", "webhook.client_id", "webhook.checkout"}
		told := rapid.SliceOfN(rapid.SampledFrom(names), 1, 6).Draw(rt, "told")
		for _, name := range append(told, "scanner") {
			tellers[name]()
		}
		w.chain.Mine(3)
		w.passes(f.loop)
		for _, name := range rapid.Permutation(names).Draw(rt, "again") {
			tellers[name]()
		}
		if n := w.count("payment.detected", string(b.payment)); n != 1 {
			rt.Fatalf("detected %d times", n)
		}
		if h := w.hold(b.hold); h.Phase() != escrow.FundedPhase || h.Held != money.FromUint64(1000) {
			rt.Fatalf("hold is %s with %s", h.Phase(), h.Held)
		}
		balance, err := w.store.Balance(t.Context(), ledger.Held(b.hold), usdc)
		if err != nil || balance.CreditsPosted != money.FromUint64(1000) || !balance.CreditsPending.IsZero() {
			rt.Fatalf("the ledger says %+v, %v", balance, err)
		}
	})
}

func TestFiftyCopiesAtOnceAreBookedOnce(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.order(1000)
	sent := w.pay(b, 1000)
	for n := range 50 {
		variant := []string{"", ".client_id", ".checkout"}[n%3]
		w.receive(notice(t, "payment.confirmed"+variant, b.provider, b.reference, sent.Tx))
	}
	var workers sync.WaitGroup
	for range 4 {
		i := w.ingest()
		workers.Go(func() {
			for more := true; more; {
				var err error
				if more, err = i.pass(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Go(func() { _, _ = w.follower(nil).pass(t.Context()) })
	workers.Wait()
	w.passes(w.ingest().loop)
	assert.Equal(t, map[string]int{records.Done: 50}, w.statuses())
	assert.Equal(t, 1, w.count("payment.detected", string(b.payment)))
}

func TestANoticeEndsAsItDeserves(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	i := w.ingest()
	b := w.order(1000)
	unknown := fmt.Sprintf("0x%064x", 7)
	for _, c := range []struct {
		what, status string
		body         []byte
	}{
		{"another's request", records.Parked, notice(t, "payment.confirmed", "rn-nobody", "", unknown)},
		{"telemetry", records.Done, notice(t, "secure_payment.user_event", b.provider, b.reference, unknown)},
		{"an event of the future", records.Done, notice(t, "payment.levitated", b.provider, b.reference, unknown)},
		{"no transaction", records.Done, notice(t, "payment.confirmed", b.provider, b.reference, "")},
		{"not in the provider's shape", records.Rejected, []byte(`{"event":7}`)},
		{"a transaction that no node knows", records.Received, notice(t, "payment.confirmed", b.provider, b.reference, unknown)},
	} {
		before := w.statuses()
		w.receive(c.body)
		w.passes(i.loop)
		assert.Equal(t, before[c.status]+1, w.statuses()[c.status], c.what)
	}
	assert.Equal(t, payment.AwaitingPayment, w.payment(b.payment).Phase, "no notice moves money")
	assert.Zero(t, w.count("payment.detected", ""))
}

func TestAReplayOfTheInboxChangesNothing(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	i := w.ingest()
	b := w.order(1000)
	sent := w.pay(b, 1000)
	w.receive(notice(t, "payment.confirmed", b.provider, b.reference, sent.Tx))
	w.passes(i.loop)
	before := w.position()
	for range 2 {
		n, err := w.rows.Inbox.Replay(t.Context(), "", w.now().Add(-time.Hour), w.now().Add(time.Hour))
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		w.passes(i.loop)
	}
	assert.Equal(t, before, w.position())
	assert.Equal(t, map[string]int{records.Done: 1}, w.statuses())
}

// An intent that was registered a moment ago is not told "unknown" because a view lags.
func TestANoticeThatIsFasterThanTheViewFindsItsPayment(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	i := w.ingest()
	for range 5 {
		b := w.order(1000)
		sent := w.pay(b, 1000)
		w.receive(notice(t, "payment.confirmed", b.provider, b.reference, sent.Tx))
		w.passes(i.loop)
		assert.Equal(t, 1, w.count("payment.detected", string(b.payment)))
	}
}

func TestALeaseThatEndedIsTakenUpByAnother(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.receive([]byte(`{}`))
	first, err := w.rows.Inbox.Take(t.Context(), 10, time.Hour)
	require.NoError(t, err)
	require.Len(t, first, 1)
	none, err := w.rows.Inbox.Take(t.Context(), 10, time.Hour)
	require.NoError(t, err)
	assert.Empty(t, none, "nobody else gets it while the lease runs")
	require.NoError(t, w.rows.Inbox.Postpone(t.Context(), first[0].Row, -time.Second, ""))
	second, err := w.rows.Inbox.Take(t.Context(), 10, time.Hour)
	require.NoError(t, err)
	require.Len(t, second, 1)
	assert.Equal(t, 2, second[0].Attempts)
}
