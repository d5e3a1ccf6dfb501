package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"holdfast/domain"
	"holdfast/domain/policy"
	"holdfast/eventstore"
)

// Timers issues the commands of deadlines that are due by the database's clock. A deadline is
// leased, its command issued under an id that follows from the deadline's, and then marked as
// fired: a process that dies in between makes it be issued again, which the command's key
// turns into a repeat.
type Timers struct {
	*loop
	pool  *pgxpool.Pool
	x     *eventstore.Executor
	lease time.Duration
	rest  func(domain.Stream) bool
	own   map[string]func(ctx context.Context, s domain.Stream, i domain.Issue, meta eventstore.Metadata) error
}

// Later is a refusal that time will lift: the deadline is tried again after a while.
type Later struct {
	After time.Duration
	Why   error
}

func (l *Later) Error() string { return l.Why.Error() }

// Unwrap gives the refusal.
func (l *Later) Unwrap() error { return l.Why }

const (
	timerBatch   = 64
	timerWorkers = 8
)

// NewTimers makes the worker; pool is that of the jobs.
func NewTimers(pool *pgxpool.Pool, x *eventstore.Executor, log *slog.Logger) *Timers {
	t := &Timers{pool: pool, x: x, lease: 30 * time.Second}
	t.loop = newLoop("timers", time.Second, log, t.fire)
	return t
}

// Handle gives a command to somebody who does more than decide, such as one that changes plain
// rows with its events. It must be safe to repeat.
func (t *Timers) Handle(command string, do func(ctx context.Context, s domain.Stream, i domain.Issue, meta eventstore.Metadata) error) {
	if t.own == nil {
		t.own = map[string]func(context.Context, domain.Stream, domain.Issue, eventstore.Metadata) error{}
	}
	t.own[command] = do
}

// RestFor lets deadlines of some streams wait: while somebody else decides about what they are of,
// ours would do twice what the other does. They are looked at again every quarter of an hour.
func (t *Timers) RestFor(theirs func(domain.Stream) bool) { t.rest = theirs }

type timer struct {
	id       int64
	stream   domain.Stream
	command  string
	attempts int
	now      time.Time
}

// claimSQL commits the lease before the command runs: the command may move or cancel this very
// row, in another transaction.
const claimSQL = `WITH due AS (
		SELECT id FROM timers WHERE fired_at IS NULL AND due_at <= clock_timestamp()
		  AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
		ORDER BY due_at, id LIMIT $1 FOR UPDATE SKIP LOCKED)
	UPDATE timers t SET claimed_until = clock_timestamp() + $2::interval, attempts = attempts + 1
	FROM due WHERE t.id = due.id
	RETURNING t.id, t.stream_type, t.stream_id, t.command, t.attempts, clock_timestamp()`

func (t *Timers) fire(ctx context.Context) (more bool, err error) {
	rows, err := t.pool.Query(ctx, claimSQL, timerBatch, t.lease)
	if err != nil {
		return false, fmt.Errorf("claim deadlines: %w", err)
	}
	due, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d timer, err error) {
		err = row.Scan(&d.id, &d.stream.Type, &d.stream.ID, &d.command, &d.attempts, &d.now)
		d.now = d.now.UTC()
		return d, err
	})
	if err != nil {
		return false, fmt.Errorf("claim deadlines: %w", err)
	}
	workers, working := errgroup.WithContext(ctx)
	workers.SetLimit(timerWorkers)
	for _, d := range due {
		workers.Go(func() error { return t.issue(working, d) })
	}
	err = workers.Wait()
	return err == nil && len(due) == timerBatch, err
}

// issue carries one deadline's command out. An error is about the database; whatever becomes
// of the command is noted in the row.
func (t *Timers) issue(ctx context.Context, d timer) error {
	attrs := []any{"timer", d.id, "command", d.command, "stream", d.stream.String(), "attempts", d.attempts}
	id := domain.DeriveID("timer:"+strconv.FormatInt(d.id, 10), d.command)
	meta := eventstore.Metadata{Actor: domain.Machine(domain.Timer, d.command), CommandID: id, CausationID: id, Source: "timer"}
	if t.rest != nil && t.rest(d.stream) {
		return t.postpone(ctx, d, 15*time.Minute, "the old backend owns it")
	}
	if do := t.own[d.command]; do != nil {
		return t.judged(ctx, d, attrs, do(ctx, d.stream, domain.Issue{By: meta.Actor, At: d.now}, meta))
	}
	f, known := policy.Due(d.command, d.stream, d.now)
	if !known {
		t.log.ErrorContext(ctx, "deadline with an unknown command", attrs...)
		return t.postpone(ctx, d, time.Hour, "no flow of this build has this name")
	}
	_, err := t.x.Execute(ctx, meta, &eventstore.Key{Actor: "timer", Key: id, Fingerprint: []byte(d.command)}, f.Run)
	return t.judged(ctx, d, attrs, err)
}

// judged notes what became of a deadline's command.
func (t *Timers) judged(ctx context.Context, d timer, attrs []any, err error) error {
	if l, ok := errors.AsType[*Later](err); ok {
		t.log.InfoContext(ctx, "deadline postponed", append(attrs, "code", code(l.Why))...)
		return t.postpone(ctx, d, l.After, code(l.Why))
	}
	switch judge(err) {
	case done:
		return t.fired(ctx, d, "")
	case final:
		t.log.InfoContext(ctx, "deadline refused", append(attrs, "code", code(err))...)
		return t.fired(ctx, d, code(err))
	case bug:
		t.log.ErrorContext(ctx, "deadline failed", append(attrs, "error", err)...)
	default:
		t.log.WarnContext(ctx, "deadline postponed", append(attrs, "error", err)...)
	}
	return t.postpone(ctx, d, backoff(d.attempts+3), err.Error())
}

func (t *Timers) fired(ctx context.Context, d timer, refusal string) error {
	_, err := t.pool.Exec(ctx, `UPDATE timers SET fired_at = clock_timestamp(), last_error = NULLIF($2, '') WHERE id = $1`, d.id, refusal)
	if err != nil {
		return fmt.Errorf("mark deadline %d: %w", d.id, err)
	}
	return nil
}

func (t *Timers) postpone(ctx context.Context, d timer, by time.Duration, why string) error {
	_, err := t.pool.Exec(ctx, `UPDATE timers SET claimed_until = clock_timestamp() + $2::interval, last_error = $3 WHERE id = $1`, d.id, by, why)
	if err != nil {
		return fmt.Errorf("postpone deadline %d: %w", d.id, err)
	}
	return nil
}
