package reactors

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/aml"
	"holdfast/adapters/devchain"
	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/payment"
	"holdfast/domain/safety"
	"holdfast/projections/paymentview"
)

// known are the addresses as cmd/internal/wire joins them.
type known struct {
	paymentview.Queries
	rows *records.Records
}

func (k known) Asked(ctx context.Context, chain uint64, address string) error {
	return k.rows.Rescreening.Asked(ctx, chain, address)
}

func (k known) Wallets(ctx context.Context, before time.Time, limit int) (all []Place, err error) {
	rows, err := k.rows.Wallets.ToRescreen(ctx, before, limit)
	for _, w := range rows {
		all = append(all, Place{Chain: w.ChainID, Address: w.Address, Word: safety.Outcome(w.Screening)})
	}
	return all, err
}

func (k known) Tell(ctx context.Context, chain uint64, address string, word safety.Outcome) error {
	return k.rows.Wallets.Screen(ctx, chain, address, string(word))
}

// list is the chain's own list of sanctioned addresses.
func (w *world) list() *aml.Screener {
	return aml.New(aml.Options{MaxScore: 50, Sources: []aml.Source{aml.Oracle{
		Chains: func() map[uint64]aml.Caller { return map[uint64]aml.Caller{devchain.ChainID: w.client} }, Contracts: map[uint64]string{devchain.ChainID: devchain.Sanctions},
	}}})
}

func (w *world) sanction(address string, listed bool) {
	w.t.Helper()
	_, err := w.chain.SetSanctioned(w.t.Context(), address, listed)
	require.NoError(w.t, err)
}

func (w *world) seen() {
	w.t.Helper()
	head, err := w.store.Head(w.t.Context())
	require.NoError(w.t, err)
	for _, view := range []string{paymentview.Name, "holds"} {
		require.NoError(w.t, w.runner.WaitFor(w.t.Context(), view, head.Position))
	}
}

// A payer was clean, and is put on the list while his order runs: the release stops, until two
// people have looked at it or the buyer has his money back.
func TestAPayerWhoIsListedLaterStopsTheOrder(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	list := w.list()
	paid, partly := w.guarded(), w.guarded()
	screening := NewScreening(paymentview.New(w.pool, w.codec), list, w.x, time.Second, nil)
	f := w.follower(nil)
	w.pay(paid, 1000)
	w.pay(partly, 400)
	w.passes(f.loop)
	w.seen()
	w.passes(screening.loop)
	w.settled(f)
	require.Equal(t, payment.PaidPhase, w.payment(paid.payment).Phase)
	require.Empty(t, w.hold(paid.hold).ReleaseHolds)

	w.sanction(devchain.Payer(1), true)
	at := w.position()
	daily := NewRescreening(known{paymentview.New(w.pool, w.codec), w.rows}, list, w.x, 24*time.Hour, nil)
	w.seen()
	w.passes(daily.loop)
	assert.Equal(t, at, w.position(), "he was asked about a moment ago")

	often := NewRescreening(known{paymentview.New(w.pool, w.codec), w.rows}, list, w.x, time.Millisecond, nil)
	time.Sleep(5 * time.Millisecond)
	_, err := often.pass(t.Context())
	require.NoError(t, err)
	for _, b := range []bill{paid, partly} {
		assert.Len(t, w.hold(b.hold).ReleaseHolds, 1)
		assert.Equal(t, 2, w.count("payment.screened", string(b.payment)))
	}
	release := funding.ReleaseEscrow{Issue: w.by(asBuyer), Hold: paid.hold, Early: true}
	assert.Equal(t, "RELEASE_HOLD_ACTIVE", code(w.try(release)))
	assert.Equal(t, "INVALID_STATE", code(w.try(funding.RejectReview{Issue: w.by(asAdmin), Payment: paid.payment, Approver: asAdmin2})), "what is confirmed is not rejected")
	w.seen()
	before := w.position()
	_, err = often.pass(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before, w.position(), "who is flagged is people's business")

	assert.Equal(t, "SELF_APPROVAL", code(w.try(funding.ClearReview{Issue: w.by(asAdmin), Payment: paid.payment, Approver: asAdmin})))
	w.do(funding.ClearReview{Issue: w.by(asAdmin), Payment: paid.payment, Approver: asAdmin2})
	w.do(release)
	w.verified()
}

// Who cannot be asked keeps the word that he has.
func TestSilenceChangesNoWord(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	d := &dumb{awake: true}
	b, f := w.guarded(), w.follower(nil)
	w.pay(b, 1000)
	w.passes(f.loop)
	w.seen()
	w.passes(NewScreening(paymentview.New(w.pool, w.codec), d, w.x, time.Second, nil).loop)
	w.settled(f)
	w.seen()
	d.awake = false
	r := NewRescreening(known{paymentview.New(w.pool, w.codec), w.rows}, d, w.x, time.Millisecond, nil)
	time.Sleep(5 * time.Millisecond)
	before := w.position()
	w.passes(r.loop)
	assert.Equal(t, before, w.position())
	var asked int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM rescreenings`).Scan(&asked))
	assert.Zero(t, asked, "it is asked again")
	d.awake = true
	_, err := r.pass(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before, w.position(), "the same word is no event")
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM rescreenings`).Scan(&asked))
	assert.Equal(t, 1, asked)
}

func TestAUsersWalletIsAskedAboutAgain(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	require.NoError(t, w.rows.Seed(t.Context(), devchain.ChainID, nil))
	at := devchain.Payer(3)
	id := "00000000-0000-4000-8000-00000000f001"
	require.NoError(t, w.rows.Wallets.Add(t.Context(), records.Seller1, records.Wallet{ID: id, ChainID: devchain.ChainID, Address: at, Screening: string(safety.Clean)}, 0))
	r := NewRescreening(known{paymentview.New(w.pool, w.codec), w.rows}, w.list(), w.x, time.Millisecond, nil)
	word := func() string {
		t.Helper()
		time.Sleep(5 * time.Millisecond)
		_, err := r.pass(t.Context())
		require.NoError(t, err)
		wallet, ok, err := w.rows.Wallets.OfUser(t.Context(), records.Seller1, id)
		require.NoError(t, err)
		require.True(t, ok)
		return wallet.Screening
	}
	assert.Equal(t, string(safety.Clean), word())
	stream := func() safety.Outcome {
		all, err := w.store.LoadStream(t.Context(), domain.Stream{Type: safety.Decider.Category, ID: safety.ID(devchain.ChainID, at)}, 0)
		require.NoError(t, err)
		if len(all) == 0 {
			return ""
		}
		return all[len(all)-1].Event.(safety.Recorded).Outcome
	}
	assert.Empty(t, stream(), "the same word is no event")
	w.sanction(at, true)
	assert.Equal(t, string(safety.Flagged), word())
	assert.Equal(t, safety.Flagged, stream())
	w.sanction(at, false)
	assert.Equal(t, string(safety.Clean), word())
	assert.Equal(t, safety.Clean, stream())
}
