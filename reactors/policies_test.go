package reactors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/domain/policy"
	"holdfast/domain/refund"
	"holdfast/eventstore"
	"holdfast/projections"
)

func (w *world) policies() *Policies {
	return NewPolicies(w.pool, projections.NewReader(w.pool, w.codec, policy.Categories()...), eventstore.NewExecutor(w.store), nil)
}

// transfer books a transfer of units as if a chain had shown it, and confirms it.
func (w *world) transfer(b bill, n uint64, tx string) {
	w.t.Helper()
	e := payment.Evidence{Chain: 1337, Tx: tx, Block: 7, BlockHash: "0x01"}
	i := domain.Issue{By: domain.Machine(domain.Chain, "test"), At: b.at.Add(time.Minute)}
	w.do(funding.RecordTransfer{Issue: i, Payment: b.payment, Evidence: e, Amount: money.Of(usdc, money.FromUint64(n)), From: "0xf"})
	w.do(funding.ConfirmTransfer{Issue: i, Payment: b.payment, Evidence: e, Depth: 3})
}

func TestAPartThatWasPaidIsRefundedWhenThePaymentExpires(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.orderAt(1000, w.now().Add(-2*time.Hour), time.Hour)
	w.transfer(b, 400, "0xa1")
	w.passes(NewTimers(w.pool, w.x, nil).loop)
	require.Equal(t, 1, w.count("payment.expired", string(b.payment)))
	p := w.policies()
	w.passes(p.loop)
	require.Equal(t, 1, w.count("refund.approved", ""))
	s, _, err := eventstore.State(t.Context(), w.x, refund.Decider, streamOf(w, "refund.approved").ID)
	require.NoError(t, err)
	assert.Equal(t, money.FromUint64(400), s.Amount.Units)
	assert.Equal(t, buyer, s.Buyer)
	assert.True(t, w.hold(b.hold).Held.IsZero())
}

func TestPoliciesThatFollowTheLogTwiceDoEverythingOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.orderAt(1000, w.now().Add(-2*time.Hour), time.Hour)
	w.transfer(b, 400, "0xa1")
	w.passes(NewTimers(w.pool, w.x, nil).loop)
	for w.position() != w.policiesAt() {
		w.passes(w.policies().loop)
	}
	before := w.position()
	for range 2 {
		_, err := w.pool.Exec(t.Context(), `UPDATE reactor_checkpoints SET position = 0, log_id = NULL`)
		require.NoError(t, err)
		w.passes(w.policies().loop)
	}
	assert.Equal(t, before, w.position())
	assert.Equal(t, before, w.policiesAt())
}

func (w *world) policiesAt() int64 {
	w.t.Helper()
	c, err := checkpoints{w.pool}.read(w.t.Context(), policiesName)
	require.NoError(w.t, err)
	return c.position
}

// A release hold that stood while the inspection ended must not keep the money for ever.
func TestTheReleaseResumesWhenTheLastStopIsLifted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.orderAt(1000, w.now().Add(-4*time.Hour), time.Hour)
	w.transfer(b, 1000, "0xa1")
	then := domain.Issue{By: asAdmin, At: b.at.Add(2 * time.Minute)}
	process := domain.Issue{By: domain.Machine(domain.Process, "test"), At: then.At}
	w.do(funding.PlaceHold{Issue: then, Hold: b.hold, ID: "stop", Kind: escrow.AdminHold, Reason: "a look"})
	w.do(funding.MarkReleasable{Issue: process, Hold: b.hold, Cause: "delivered"})
	w.do(escrowStep{b.hold, escrow.StartInspection{Issue: process}})
	w.passes(NewTimers(w.pool, w.x, nil).loop)
	require.Zero(t, w.count("escrow.released", string(b.hold)), "the stop held")
	w.do(funding.LiftHold{Issue: domain.Issue{By: asAdmin2, At: w.now()}, Hold: b.hold, ID: "stop", Reason: "fine"})
	w.passes(w.policies().loop)
	assert.Equal(t, 1, w.count("escrow.released", string(b.hold)))
	assert.Equal(t, escrow.ClosedPhase, w.hold(b.hold).Phase())
}

// escrowStep is one command on a hold.
type escrowStep struct {
	hold domain.HoldID
	c    domain.Command
}

func (f escrowStep) Run(u *domain.Unit) (any, error) {
	return domain.Do(u, escrow.Decider, string(f.hold), f.c)
}

func TestPoliciesHaltAtAnEventTheyDoNotKnowAndGoOnWhenTold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.order(1000)
	poison := w.position() + 1
	// An event of a newer build, as far as this one can tell.
	_, err := w.pool.Exec(t.Context(), `INSERT INTO events (position, stream_type, stream_id, version, event_id, type, schema_version, data, metadata, recorded_at, leaf_hash)
		SELECT (SELECT max(position) + 1 FROM events), stream_type, stream_id, version + 1, gen_random_uuid(), 'payment.levitated', 1, '{}', metadata, recorded_at, leaf_hash
		FROM events WHERE stream_type = 'payment' ORDER BY position DESC LIMIT 1`)
	require.NoError(t, err)
	_, err = w.pool.Exec(t.Context(), `UPDATE log_head SET position = position + 1`)
	require.NoError(t, err)
	p := w.policies()
	for range 3 {
		_, err = p.pass(t.Context())
	}
	require.Error(t, err)
	assert.True(t, p.Status().Halted)
	assert.Equal(t, poison-1, w.policiesAt(), "everything before it is done")
	require.NoError(t, p.Resume(t.Context(), true))
	_, err = p.pass(t.Context())
	require.NoError(t, err)
	assert.Equal(t, poison, w.policiesAt())
	require.ErrorIs(t, p.Resume(t.Context(), false), ErrUnknownReactor, "it is not halted any more")
}
