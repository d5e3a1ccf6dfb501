package reactors

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/payment"
	"holdfast/eventstore"
)

func TestDeadlinesFireOnceWithTwoWorkersAtWork(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var due []bill
	for range 10 {
		due = append(due, w.orderAt(1000, w.now().Add(-2*time.Hour), time.Hour))
	}
	later := w.order(1000)
	one, two := NewTimers(w.pool, w.x, nil), NewTimers(w.pool, eventstore.NewExecutor(w.store), nil)
	var workers sync.WaitGroup
	for range 5 {
		for _, timers := range []*Timers{one, two} {
			workers.Go(func() {
				if _, err := timers.pass(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
	workers.Wait()
	for _, b := range due {
		assert.Equal(t, 1, w.count("payment.expired", string(b.payment)))
		assert.Equal(t, payment.ExpiredPhase, w.payment(b.payment).Phase)
	}
	assert.Equal(t, payment.AwaitingPayment, w.payment(later.payment).Phase, "not due by the database's clock")
}

// What somebody else decides about is left to him: its deadlines wait, and come to pass once they are ours.
func TestDeadlinesOfWhatTheOldBackendOwnsWait(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.orderAt(1000, w.now().Add(-2*time.Hour), time.Hour)
	theirs := NewTimers(w.pool, w.x, nil)
	theirs.RestFor(func(s domain.Stream) bool { return s.Type == payment.Decider.Category })
	w.passes(theirs.loop)
	assert.Equal(t, payment.AwaitingPayment, w.payment(b.payment).Phase)
	_, err := w.pool.Exec(t.Context(), `UPDATE timers SET claimed_until = NULL`)
	require.NoError(t, err)
	w.passes(NewTimers(w.pool, w.x, nil).loop)
	assert.Equal(t, payment.ExpiredPhase, w.payment(b.payment).Phase)
}

func TestAWorkerThatDiesAfterTheCommandIsReplacedWithoutASecondEffect(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.orderAt(1000, w.now().Add(-2*time.Hour), time.Hour)
	// The command is carried out; its cancelled deadline is what a crash before the mark leaves,
	// so the row is put back as it was.
	var row struct {
		stream domain.Stream
		key    string
		due    time.Time
		id     int64
	}
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT id, stream_type, stream_id, key, due_at FROM timers WHERE command = 'funding.expire_payment'`).
		Scan(&row.id, &row.stream.Type, &row.stream.ID, &row.key, &row.due))
	w.passes(NewTimers(w.pool, w.x, nil).loop)
	before := w.position()
	_, err := w.pool.Exec(t.Context(), `INSERT INTO timers (id, stream_type, stream_id, key, due_at, command, position) OVERRIDING SYSTEM VALUE
		VALUES ($1, $2, $3, $4, $5, 'funding.expire_payment', 1)`, row.id, row.stream.Type, row.stream.ID, row.key, row.due)
	require.NoError(t, err)
	w.passes(NewTimers(w.pool, eventstore.NewExecutor(w.store), nil).loop)
	assert.Equal(t, before, w.position())
	assert.Equal(t, 1, w.count("payment.expired", string(b.payment)))
}

func TestALeasedDeadlineIsTakenUpWhenItsWorkerDied(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.orderAt(1000, w.now().Add(-2*time.Hour), time.Hour)
	_, err := w.pool.Exec(t.Context(), `UPDATE timers SET claimed_until = clock_timestamp() + interval '1 hour', attempts = 1 WHERE command = 'funding.expire_payment'`)
	require.NoError(t, err)
	w.passes(NewTimers(w.pool, w.x, nil).loop)
	assert.Zero(t, w.count("payment.expired", string(b.payment)), "its lease runs")
	_, err = w.pool.Exec(t.Context(), `UPDATE timers SET claimed_until = clock_timestamp() - interval '1 second' WHERE command = 'funding.expire_payment'`)
	require.NoError(t, err)
	w.passes(NewTimers(w.pool, w.x, nil).loop)
	assert.Equal(t, 1, w.count("payment.expired", string(b.payment)))
}

func TestADeadlineOfAnotherBuildWaits(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, err := w.pool.Exec(t.Context(), `INSERT INTO timers (stream_type, stream_id, key, due_at, command, position)
		VALUES ('payment', 'p', 'k', clock_timestamp() - interval '1 second', 'funding.levitate', 1)`)
	require.NoError(t, err)
	w.passes(NewTimers(w.pool, w.x, nil).loop)
	var fired bool
	var why string
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT fired_at IS NOT NULL, last_error FROM timers`).Scan(&fired, &why))
	assert.False(t, fired)
	assert.NotEmpty(t, why)
}
