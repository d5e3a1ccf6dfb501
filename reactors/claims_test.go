package reactors

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/payment"
	"holdfast/eventstore"
)

func (w *world) claims(patience time.Duration) *Claims {
	return NewClaims(ClaimsOptions{
		Chains: func() map[uint64]Chain { return map[uint64]Chain{devchain.ChainID: w.client} }, Executor: w.x, Watch: w.watch, Positions: w.runner, Looks: w.rows.Claims, Patience: patience,
	})
}

func (w *world) claim(b bill, tx string) {
	w.t.Helper()
	w.do(funding.ReportTransaction{Issue: domain.Issue{By: asBuyer, At: w.now()}, Payment: b.payment, Tx: strings.ToLower(tx)})
}

// due makes every claim due now, as time would.
func (w *world) due() {
	w.t.Helper()
	_, err := w.pool.Exec(w.t.Context(), `UPDATE claim_looks SET due_at = clock_timestamp()`)
	require.NoError(w.t, err)
}

func (w *world) stateOfClaim(tx string) (state, reason string) {
	w.t.Helper()
	w.caughtUp()
	all, err := w.watch.ClaimsOf(w.t.Context(), strings.ToLower(tx))
	require.NoError(w.t, err)
	require.Len(w.t, all, 1)
	return all[0].State, all[0].Reason
}

// A claim makes the worker look at once, without scanner and webhook; the follower confirms.
func TestAClaimIsLookedAtUntilItIsFinal(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.order(1000)
	sent := w.pay(b, 1000)
	w.claim(b, sent.Tx)
	c := w.claims(0)
	w.passes(c.loop)
	assert.Equal(t, 1, w.count("payment.detected", string(b.payment)), "found by the claim alone")
	state, reason := w.stateOfClaim(sent.Tx)
	assert.Equal(t, ClaimPending, state)
	assert.Equal(t, "NOT_CONFIRMED", reason)
	w.settled(w.follower(nil))
	w.due()
	w.passes(c.loop)
	state, _ = w.stateOfClaim(sent.Tx)
	assert.Equal(t, ClaimMatched, state)
	w.assertBooks(b, books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}, usdc)
	before := w.position()
	w.due()
	w.passes(c.loop)
	assert.Equal(t, before, w.position(), "what has ended is not looked at again")
	w.verified()
}

func TestClaimsThatPayNothing(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b, other := w.order(1000), w.order(1000)
	foreign := w.pay(other, 1000)
	failed, err := w.chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: b.address, Amount: units(9_000_000_000_000), Reference: b.reference})
	require.NoError(t, err)
	require.True(t, failed.Failed)
	wrong, err := w.chain.Transfer(t.Context(), 1, devchain.USDT, b.address, units(1000))
	require.NoError(t, err)
	nowhere := "0x" + strings.Repeat("ab", 32)
	for _, tx := range []string{foreign.Tx, failed.Tx, wrong.Tx, nowhere} {
		w.claim(b, tx)
	}
	w.chain.Mine(4)
	w.passes(w.claims(0).loop)
	for tx, want := range map[string]string{foreign.Tx: ClaimMismatch, failed.Tx: ClaimReverted, wrong.Tx: ClaimMismatch, nowhere: ClaimPending} {
		state, _ := w.stateOfClaim(tx)
		assert.Equal(t, want, state, tx)
	}
	w.due()
	w.passes(w.claims(time.Nanosecond).loop)
	state, reason := w.stateOfClaim(nowhere)
	assert.Equal(t, ClaimLost, state)
	assert.Equal(t, "TX_NOT_FOUND", reason)
	assert.Equal(t, payment.AwaitingPayment, w.payment(b.payment).Phase, "a claim moves nothing")
	w.verified()
}

func TestATransactionIsClaimedOnceWhateverItsSpelling(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.order(1000)
	w.claim(b, "0x"+strings.Repeat("ab", 32))
	f := funding.ReportTransaction{Issue: domain.Issue{By: asBuyer, At: w.now()}, Payment: b.payment, Tx: "0x" + strings.Repeat("ab", 32)}
	_, err := w.x.Execute(t.Context(), eventstore.Metadata{Source: "test"}, nil, f.Run)
	assert.ErrorIs(t, err, payment.ErrTxUsed)
}

// A chain may be enabled while the service runs: its claims are looked at from then on.
func TestAClaimOfAChainThatIsAddedLater(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.order(1000)
	sent := w.pay(b, 1000)
	w.claim(b, sent.Tx)
	c, there := w.claims(0), map[uint64]Chain{}
	c.o.Chains = func() map[uint64]Chain { return there }
	w.passes(c.loop)
	state, reason := w.stateOfClaim(sent.Tx)
	assert.Equal(t, []string{ClaimPending, "CHAIN_NOT_CONFIGURED"}, []string{state, reason})
	there = map[uint64]Chain{devchain.ChainID: w.client}
	w.due()
	w.passes(c.loop)
	assert.Equal(t, 1, w.count("payment.detected", string(b.payment)))
}
