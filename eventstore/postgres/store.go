package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/eventstore"
	"holdfast/eventstore/commit"
)

// Options tune a store; the zero value is good.
type Options struct {
	// Signer signs checkpoints; without one SignCheckpoint is an error.
	Signer *eventstore.Signer
	// MaxBatch is the largest number of commands in one commit, 512 when 0.
	MaxBatch int
	// Log gets retries and alarms; nothing when nil.
	Log *slog.Logger
}

// Store is the log on PostgreSQL, safe for concurrent use. Any number of stores, in any
// number of processes, may append to one database.
type Store struct {
	codec *eventstore.Codec
	read  *pgxpool.Pool // the caller's
	write *pgxpool.Pool // the committer's own, with short time-outs
	opts  Options
	logID string
	queue *queue
	done  sync.WaitGroup
	stats counters
	// types lists what event_types is known to hold; the commit loop alone uses it.
	types map[kind]bool
}

type kind struct {
	name   string
	schema int
}

// Time-outs of an append. They are on the server, so that they free the head's lock even when
// this process hangs; the client's deadline is the last resort against a server that hangs.
const (
	lockTimeout      = 2 * time.Second
	statementTimeout = 5 * time.Second
	idleTimeout      = 5 * time.Second
	clientTimeout    = 8 * time.Second
)

// New opens the log of a migrated database. pool is used for reading; appends get connections
// of their own to the same database. Close ends what New began, but not pool.
func New(ctx context.Context, pool *pgxpool.Pool, codec *eventstore.Codec, opts Options) (*Store, error) {
	if opts.MaxBatch == 0 {
		opts.MaxBatch = 512
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{codec: codec, read: pool, opts: opts, queue: newQueue(), types: map[kind]bool{}}
	if err := pool.QueryRow(ctx, `SELECT log_id::text FROM log_head`).Scan(&s.logID); err != nil {
		return nil, fmt.Errorf("read the log's identity: %w", err)
	}
	if err := s.checkSchemas(ctx); err != nil {
		return nil, err
	}
	var err error
	if s.write, err = openWriters(ctx, pool.Config()); err != nil {
		return nil, fmt.Errorf("open the append connections: %w", err)
	}
	s.done.Go(s.commitLoop)
	return s, nil
}

// openWriters makes the pool of the committer. Plans are made once and for all: nested loops
// over the unique indexes are right for every size of table, and a hash join over a growing
// table would be a disaster that comes with the statistics of a young one.
func openWriters(ctx context.Context, like *pgxpool.Config) (*pgxpool.Pool, error) {
	cfg := like.Copy()
	cfg.MaxConns, cfg.MinConns = 2, 0
	cfg.HealthCheckPeriod = time.Second
	params := cfg.ConnConfig.RuntimeParams
	params["application_name"] = "holdfast-append"
	params["lock_timeout"] = fmt.Sprint(lockTimeout.Milliseconds())
	params["statement_timeout"] = fmt.Sprint(statementTimeout.Milliseconds())
	params["idle_in_transaction_session_timeout"] = fmt.Sprint(idleTimeout.Milliseconds())
	params["plan_cache_mode"] = "force_generic_plan"
	params["enable_hashjoin"], params["enable_mergejoin"], params["enable_seqscan"] = "off", "off", "off"
	params["jit"] = "off"
	cfg.ConnConfig.ConnectTimeout = clientTimeout
	cfg.AfterConnect = becomeAppRole
	return pgxpool.NewWithConfig(ctx, cfg)
}

// becomeAppRole gives up every right but those of holdfast_app, which may not change history.
// Where the role does not exist or may not be taken on, the triggers stand alone.
func becomeAppRole(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SET ROLE holdfast_app`)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && (pg.Code == "22023" || pg.Code == "42501") {
		return nil
	}
	return err
}

// checkSchemas refuses to start on a log that holds a known type in a schema version this build
// has no upcaster for. Types it does not know at all halt only the reader that meets them.
func (s *Store) checkSchemas(ctx context.Context) error {
	rows, err := s.read.Query(ctx, `SELECT type, schema_version FROM event_types`)
	if err != nil {
		return fmt.Errorf("list the log's event types: %w", err)
	}
	var name string
	var schema int
	_, err = pgx.ForEachRow(rows, []any{&name, &schema}, func() error {
		if s.codec.Knows(name, 1) && !s.codec.Knows(name, schema) {
			return &eventstore.UnknownEventError{Type: name, Schema: schema}
		}
		s.types[kind{name, schema}] = true
		return nil
	})
	return err
}

// Close waits for the appends under way, refuses later ones, and closes the connections.
func (s *Store) Close() {
	s.queue.close()
	s.done.Wait()
	s.write.Close()
}

// LogID is the identity of this log; a restored copy keeps it.
func (s *Store) LogID() string { return s.logID }

// Append implements eventstore.Store. When ctx ends first, the append may still happen; so may
// it when the error is ErrUnavailable. A keyed command is then simply sent again.
func (s *Store) Append(ctx context.Context, a eventstore.Append) (eventstore.Appended, error) {
	wish, err := commit.Prepare(ctx, s.codec, a)
	if err != nil {
		return eventstore.Appended{}, fmt.Errorf("prepare the append: %w", err)
	}
	r := &request{ctx: ctx, wish: wish, done: make(chan result, 1)}
	if !s.queue.put(r) {
		return eventstore.Appended{}, unavailable(errors.New("the store is closed"))
	}
	select {
	case result := <-r.done:
		return result.appended, result.err
	case <-ctx.Done():
		return eventstore.Appended{}, fmt.Errorf("append: the outcome is not known: %w", context.Cause(ctx))
	}
}

// Now is the database's clock.
func (s *Store) Now(ctx context.Context) (now time.Time, err error) {
	err = s.read.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now)
	return now.UTC(), translate(err)
}
