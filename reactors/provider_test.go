package reactors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/records"
	"holdfast/adapters/requestnetwork"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
)

// list is a provider that only has a list, in pages of two.
type list []network.Hint

func (l list) Hints(context.Context, string) ([]network.Hint, error) { return nil, nil }

func (l list) Since(_ context.Context, _, _ time.Time, offset int) ([]network.Hint, bool, error) {
	page := l[min(offset, len(l)):min(offset+2, len(l))]
	return page, offset+2 < len(l), nil
}

// moneyEvents is the log without what is telemetry, by stream and version.
func (w *world) moneyEvents(of ...bill) (all []string) {
	w.t.Helper()
	for _, b := range of {
		rows, err := w.pool.Query(w.t.Context(), `SELECT type FROM events WHERE stream_id = ANY ($1) AND type NOT IN ('payment.failed') ORDER BY stream_type, version`,
			[]string{string(b.payment), string(b.hold), string(b.request)})
		require.NoError(w.t, err)
		for rows.Next() {
			var kind string
			require.NoError(w.t, rows.Scan(&kind))
			all = append(all, kind)
		}
		require.NoError(w.t, rows.Err())
	}
	return all
}

// settle lets blocks come and the follower confirm what was detected.
func (w *world) settle(f *ChainFollower) {
	w.chain.Mine(3)
	w.passes(f.loop)
}

// Fault 16, complaint 5: every webhook dropped. The scanner finds each payment, the provider's
// poller alone finds each, by its list and by asking for each request.
func TestEveryWebhookDroppedEveryPaymentFound(t *testing.T) {
	t.Parallel()
	for name, finder := range map[string]func(w *world, all list, byID provider){
		"scanner":                  func(w *world, _ list, _ provider) { w.passes(w.follower(nil).loop) },
		"poller by its list":       func(w *world, all list, _ provider) { w.passes(w.poller(all).loop) },
		"poller asking one by one": func(w *world, _ list, byID provider) { w.passes(w.poller(asking{byID}).loop) },
		"both":                     func(w *world, all list, _ provider) { w.passes(w.poller(all).loop); w.passes(w.follower(nil).loop) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withChain(t)
			var bills []bill
			var all list
			byID := provider{}
			for range 5 {
				b := w.order(1000)
				sent := w.pay(b, 1000)
				h := network.Hint{Kind: network.Paid, Event: "payment.confirmed", RequestID: b.provider, Reference: b.reference, Chain: devchain.ChainID, Tx: sent.Tx}
				bills, all, byID[b.provider] = append(bills, b), append(all, h), []network.Hint{h}
			}
			w.caughtUp()
			finder(w, all, byID)
			for _, b := range bills {
				assert.Equal(t, 1, w.count("payment.detected", string(b.payment)))
			}
			w.settle(w.follower(nil))
			for _, b := range bills {
				assert.Equal(t, payment.PaidPhase, w.payment(b.payment).Phase)
				assert.Equal(t, money.FromUint64(1000), w.hold(b.hold).Held)
			}
			assert.Zero(t, w.count("ingestion.received", ""), "no webhook came")
		})
	}
}

// asking is a provider whose list is empty.
type asking struct{ provider }

func (asking) Since(context.Context, time.Time, time.Time, int) ([]network.Hint, bool, error) {
	return nil, false, nil
}

// Every webhook five times in random order, in its three variants, beside the scanner: what
// happens to the money is what happens without any webhook. All else is telemetry.
func TestFiveCopiesInAnyOrderChangeOnlyTelemetry(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	registry, err := network.New(devchain.Network())
	require.NoError(t, err)
	parse := requestnetwork.NewParser(registry)
	// A round is some forty deliveries over a database and a chain, so the orders are drawn by hand.
	for round, parts := range [][]uint64{{1000}, {400, 600}, {1300}, {1000}, {600, 300, 100}, {400, 600}} {
		quiet, loud := w.order(1000), w.order(1000)
		seed := rand.Uint64()
		t.Logf("round %d has the order of seed %d", round, seed)
		follower, ingest := w.follower(nil), w.ingest()
		deliver := func(b bill, txs []string) {
			var bodies [][]byte
			for _, tx := range txs {
				for _, variant := range []string{"", ".client_id", ".checkout"} {
					body := notice(t, "payment.confirmed"+variant, b.provider, b.reference, tx)
					if _, err := parse.Hint(nil, body); err != nil {
						t.Fatal(err)
					}
					for range 5 {
						bodies = append(bodies, body)
					}
				}
			}
			for _, event := range []string{"payment.processing", "payment.refunded", "secure_payment.user_event", "payment.invented"} {
				for range 5 {
					bodies = append(bodies, notice(t, event, b.provider, b.reference, ""))
				}
			}
			rand.New(rand.NewPCG(seed, 1)).Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
			var both sync.WaitGroup
			both.Go(func() { _, _ = follower.pass(t.Context()) })
			for _, body := range bodies {
				w.receive(body)
			}
			w.passes(ingest.loop)
			both.Wait()
		}
		pay := func(b bill) (txs []string) {
			for _, amount := range parts {
				txs = append(txs, w.pay(b, amount).Tx)
			}
			return txs
		}
		pay(quiet)
		deliver(loud, pay(loud))
		w.settle(follower)
		if silent, noisy := w.moneyEvents(quiet), w.moneyEvents(loud); !assert.ObjectsAreEqual(silent, noisy) {
			t.Fatalf("without webhooks %v\nwith them %v", silent, noisy)
		}
		if w.hold(quiet.hold).Held != w.hold(loud.hold).Held || w.hold(loud.hold).Phase() != escrow.FundedPhase {
			t.Fatalf("held %s and %s", w.hold(quiet.hold).Held, w.hold(loud.hold).Held)
		}
		var reports int
		if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE type = 'ingestion.received' AND data::text LIKE '%' || $1 || '%'`, loud.provider).Scan(&reports); err != nil {
			t.Fatal(err)
		}
		if want := 3*len(parts) + 2; reports != want {
			t.Fatalf("%d reports are in the log, not one of each of %d", reports, want)
		}
	}
}

// faults §2.8: what each notice leaves in the inbox and in the log.
func TestWhatEachEventLeaves(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	i := w.ingest()
	b := w.order(1000)
	body := func(text string) []byte { return fmt.Appendf(nil, text, b.provider) }
	for _, c := range []struct {
		what, status string
		body         []byte
		events       int64
	}{
		{"processing", records.Done, body(`{"event":"payment.processing","requestId":%q,"subStatus":"ongoing_checks"}`), 2},
		{"a failure is noted on the payment", records.Done, body(`{"event":"payment.failed","requestId":%q,"subStatus":"insufficient_funds"}`), 3},
		{"the same failure in other words", records.Done, body(`{"event":"payment.failed","requestId":%q,"subStatus":"insufficient_funds","x":1}`), 2},
		{"a refund that we know nothing of", records.Parked, body(`{"event":"payment.refunded","requestId":%q,"refundAmount":"1"}`), 2},
		{"an unknown request", records.Parked, []byte(`{"event":"payment.confirmed","requestId":"nobody"}`), 2},
		{"a recurring request", records.Parked, body(`{"event":"request.recurring","requestId":%q}`), 2},
		{"an unknown event", records.Done, body(`{"event":"payment.levitated","requestId":%q}`), 0},
		{"a screening that says nothing", records.Done, body(`{"event":"kyt.screening.completed","requestId":%q}`), 0},
		{"a person's compliance", records.Parked, []byte(`{"event":"compliance.updated","clientUserId":"u1","kycStatus":"rejected"}`), 2},
		{"the payer is blocked before anything came", records.Done, body(`{"event":"compliance.updated","requestId":%q,"kycStatus":"rejected"}`), 3},
	} {
		w.caughtUp()
		before, at := w.statuses(), w.position()
		w.receive(c.body)
		w.passes(i.loop)
		assert.Equal(t, before[c.status]+1, w.statuses()[c.status], c.what)
		assert.Equal(t, at+c.events, w.position(), c.what)
		// A captured body under a new delivery id, a month later: no new effect.
		w.receive(c.body)
		w.passes(i.loop)
		assert.Equal(t, at+c.events, w.position(), "%s, again", c.what)
	}
	assert.Equal(t, []escrow.HoldKind{escrow.AMLHold}, w.hold(b.hold).Stopped(), "the release waits for a person")
	assert.Equal(t, "insufficient_funds", w.payment(b.payment).Failure)
	assert.Equal(t, payment.AwaitingPayment, w.payment(b.payment).Phase)

	seen := w.order(1000)
	w.pay(seen, 1000)
	w.passes(w.follower(nil).loop)
	require.Equal(t, payment.Confirming, w.payment(seen.payment).Phase)
	w.receive(fmt.Appendf(nil, `{"event":"compliance.updated","requestId":%q,"isCompliant":false}`, seen.provider))
	w.passes(i.loop)
	assert.Equal(t, payment.UnderReview, w.payment(seen.payment).Phase, "money that is seen waits for a review")
}

// Fault 17: the webhook says confirmed, and the chain says something else. Nothing is credited,
// and the report waits for a person.
func TestTheChainOutweighsTheWebhook(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	i := w.ingest()
	b, other := w.order(1000), w.order(1000)
	elsewhere := w.pay(other, 1000) // a real payment, of another order
	w.receive(notice(t, "payment.confirmed", b.provider, b.reference, elsewhere.Tx))
	w.passes(i.loop)
	assert.Equal(t, map[string]int{records.Parked: 1}, w.statuses())
	assert.Equal(t, 1, w.count("ingestion.parked", ""))
	assert.Zero(t, w.count("payment.detected", string(b.payment)))

	less := w.pay(b, 1) // the notice says 1 whole token, the chain one unit
	w.receive(notice(t, "payment.confirmed", b.provider, b.reference, less.Tx))
	w.passes(i.loop)
	w.settle(w.follower(nil))
	assert.Equal(t, payment.PartlyPaid, w.payment(b.payment).Phase)
	assert.Equal(t, money.FromUint64(1), w.hold(b.hold).Held)
}

// A payment of a request that no payment of ours has: listed as an orphan. One that was made for
// a payment of ours by a call whose answer was lost counts for that payment.
func TestOrphans(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.order(1000)
	sent := w.pay(b, 1000)
	w.caughtUp()
	all := list{
		{Kind: network.Paid, RequestID: "01stranger", Reference: "0x1111111111111111", Chain: devchain.ChainID, Tx: fmt.Sprintf("0x%064x", 5)},
		{Kind: network.Paid, RequestID: "01second", Reference: "0x2222222222222222", Chain: devchain.ChainID, Tx: sent.Tx, Ours: string(b.payment)},
	}
	p := w.poller(all)
	for range 2 {
		w.passes(p.loop)
	}
	orphans, err := w.rows.Provider.Orphans(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, orphans, 2, "each once")
	assert.Equal(t, 1, w.count("payment.detected", string(b.payment)))
	until, err := w.rows.Provider.Read(t.Context(), "request-network")
	require.NoError(t, err)
	assert.WithinDuration(t, w.now(), until, time.Minute)
}

// A provider that fails leaves the checkpoint where it was, so nothing is skipped.
func TestAFailedReadIsReadAgain(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	_, err := w.poller(broken{}).pass(t.Context())
	require.Error(t, err)
	until, err := w.rows.Provider.Read(t.Context(), "request-network")
	require.NoError(t, err)
	assert.True(t, until.IsZero())
}

type broken struct{}

func (broken) Hints(context.Context, string) ([]network.Hint, error) { return nil, errors.New("no") }

func (broken) Since(context.Context, time.Time, time.Time, int) ([]network.Hint, bool, error) {
	return nil, false, requestnetwork.ErrUnavailable
}
