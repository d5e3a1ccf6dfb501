package reactors

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/aml"
	"holdfast/adapters/devchain"
	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/payment"
	"holdfast/domain/safety"
	"holdfast/eventstore"
	"holdfast/projections/paymentview"
)

// pending gives one payment as the view would, from the log itself.
type pending struct {
	w  *world
	id *domain.PaymentID
}

func (p pending) Unscreened(context.Context) ([]paymentview.Row, error) {
	s := p.w.payment(*p.id)
	if len(s.ToScreen()) == 0 {
		return nil, nil
	}
	return []paymentview.Row{{Doc: paymentview.Doc{State: s}}}, nil
}

// guarded is an order of 1000 units whose payers are screened.
func (w *world) guarded() bill {
	w.t.Helper()
	w.safety = safety.Policy{Screen: true, Block: true}
	return w.order(1000)
}

func TestPayersAreScreenedByTheChainsList(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		listed bool
		phase  string
	}{"clean": {false, payment.PaidPhase}, "listed": {true, payment.UnderReview}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withChain(t)
			_, err := w.chain.SetSanctioned(t.Context(), devchain.Payer(1), c.listed)
			require.NoError(t, err)
			screener := aml.New(aml.Options{MaxScore: 50, Sources: []aml.Source{aml.Oracle{
				Chains: func() map[uint64]aml.Caller { return map[uint64]aml.Caller{devchain.ChainID: w.client} }, Contracts: map[uint64]string{devchain.ChainID: devchain.Sanctions},
			}}})
			b := w.guarded()
			screening, f := NewScreening(pending{w, &b.payment}, screener, w.x, time.Second, nil), w.follower(nil)
			w.pay(b, 1000)
			w.passes(f.loop)
			w.chain.Mine(5)
			w.passes(f.loop)
			assert.Equal(t, payment.Confirming, w.payment(b.payment).Phase, "deep enough, and not screened yet")
			assert.Len(t, w.hold(b.hold).ReleaseHolds, 1)
			w.passes(screening.loop)
			w.passes(screening.loop)
			assert.Equal(t, 1, w.count("payment.screened", string(b.payment)), "asked once, written once")
			w.passes(f.loop)
			assert.Equal(t, c.phase, w.payment(b.payment).Phase)
			assert.Equal(t, c.listed, len(w.hold(b.hold).ReleaseHolds) == 1)
			assert.Equal(t, !c.listed, w.hold(b.hold).IsFunded)
		})
	}
}

// dumb does not answer until it is told to.
type dumb struct{ awake bool }

func (d *dumb) Screen(_ context.Context, chain uint64, address string) safety.Verdict {
	f := safety.Finding{Source: "dumb", Outcome: safety.Unanswered, At: time.Now()}
	if d.awake {
		f.Outcome = safety.Clean
	}
	return safety.Judge(chain, address, []safety.Finding{f}, 50, time.Now())
}

func TestASourceThatIsDownLosesNoPayInAndReleasesNothing(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	d := &dumb{}
	b := w.guarded()
	screening, f := NewScreening(pending{w, &b.payment}, d, w.x, time.Second, nil), w.follower(nil)
	w.pay(b, 1000)
	w.passes(f.loop)
	w.passes(screening.loop)
	w.chain.Mine(5)
	w.passes(f.loop)
	assert.Equal(t, payment.PaidPhase, w.payment(b.payment).Phase, "the pay-in is not lost")
	_, err := w.x.Execute(t.Context(), eventstore.Metadata{Source: "test"}, nil, funding.ReleaseEscrow{Issue: domain.Issue{By: asBuyer, At: w.now()}, Hold: b.hold, Early: true}.Run)
	require.ErrorContains(t, err, "RELEASE_HOLD_ACTIVE")
	before := w.position()
	w.passes(screening.loop)
	assert.Equal(t, before, w.position(), "the same silence is not written twice")
	d.awake = true
	require.Eventually(t, func() bool { w.passes(screening.loop); return len(w.hold(b.hold).ReleaseHolds) == 0 }, 20*time.Second, 50*time.Millisecond)
	_, err = w.x.Execute(t.Context(), eventstore.Metadata{Source: "test"}, nil, funding.ReleaseEscrow{Issue: domain.Issue{By: asBuyer, At: w.now()}, Hold: b.hold, Early: true}.Run)
	require.NoError(t, err)
}
