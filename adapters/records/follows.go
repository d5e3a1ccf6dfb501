package records

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Follows keeps how far databases of the old backend were followed.
type Follows struct{ pool *pgxpool.Pool }

// NewFollows makes them over a migrated database.
func NewFollows(pool *pgxpool.Pool) *Follows { return &Follows{pool} }

// Follow is how a database is followed.
type Follow struct {
	Source      string
	Way         string // stream or poll
	Token       []byte // of the stream, nil for none
	LogPosition int64  // up to which our own changes were looked at
	Beat        time.Time
	Error       string // of the last try, while it fails
	Collections []FollowedCollection
}

// FollowedCollection is how far a collection has been followed.
type FollowedCollection struct {
	Name      string
	SeenTo    time.Time // everything written before was seen; zero: never yet
	SweptAt   time.Time // when a look at every document ended last
	SweepFrom time.Time // when the one that is under way began; zero for none
	SweepID   string    // and after which document it goes on
	Taken     int64
	Refused   int64
}

// Begin gives how far a database was followed; way replaces the one of before. A new one begins at
// a position of our log.
func (f *Follows) Begin(ctx context.Context, source, way string, collections []string, position int64) (Follow, error) {
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO legacy_follow (source, way, log_position) VALUES ($1, $2, $3)
			ON CONFLICT (source) DO UPDATE SET way = excluded.way, beat_at = clock_timestamp(),
				token = CASE WHEN excluded.way = 'stream' THEN legacy_follow.token END`, source, way, position); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO legacy_follow_collections (source, collection) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`, source, collections)
		return err
	})
	if err != nil {
		return Follow{}, failed("begin to follow", err)
	}
	all, err := f.All(ctx)
	for _, one := range all {
		if one.Source == source {
			return one, err
		}
	}
	return Follow{}, errors.Join(err, errors.New("what was begun is not there"))
}

// All gives every database that is or was followed.
func (f *Follows) All(ctx context.Context) (all []Follow, err error) {
	rows, err := f.pool.Query(ctx, `SELECT f.source, f.way, f.token, f.log_position, f.beat_at, f.error,
			c.collection, c.seen_to, c.swept_at, c.sweep_from, c.sweep_id, c.taken, c.refused
		FROM legacy_follow f JOIN legacy_follow_collections c USING (source) ORDER BY f.source, c.collection`)
	if err != nil {
		return nil, failed("look up what is followed", err)
	}
	var one Follow
	var c FollowedCollection
	var seen, swept, from *time.Time
	_, err = pgx.ForEachRow(rows, []any{
		&one.Source, &one.Way, &one.Token, &one.LogPosition, &one.Beat, &one.Error, &c.Name, &seen, &swept, &from, &c.SweepID, &c.Taken, &c.Refused,
	}, func() error {
		if len(all) == 0 || all[len(all)-1].Source != one.Source {
			all = append(all, Follow{Source: one.Source, Way: one.Way, Token: one.Token, LogPosition: one.LogPosition, Beat: one.Beat.UTC(), Error: one.Error})
		}
		c.SeenTo, c.SweptAt, c.SweepFrom = timeOr(seen), timeOr(swept), timeOr(from)
		all[len(all)-1].Collections = append(all[len(all)-1].Collections, c)
		return nil
	})
	return all, failed("look up what is followed", err)
}

func timeOr(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// Beat says that the follower is alive, and what its last try failed with; empty for nothing.
func (f *Follows) Beat(ctx context.Context, source, problem string) error {
	_, err := f.pool.Exec(ctx, `UPDATE legacy_follow SET beat_at = clock_timestamp(), error = $2 WHERE source = $1`, source, problem)
	return failed("say that it is followed", err)
}

// SaveToken moves a stream's token; everything before it has been appended.
func (f *Follows) SaveToken(ctx context.Context, source string, token []byte) error {
	_, err := f.pool.Exec(ctx, `UPDATE legacy_follow SET token = $2 WHERE source = $1`, source, token)
	return failed("keep the token of a stream", err)
}

// SavePosition keeps up to where our own changes were looked at.
func (f *Follows) SavePosition(ctx context.Context, source string, position int64) error {
	_, err := f.pool.Exec(ctx, `UPDATE legacy_follow SET log_position = $2 WHERE source = $1`, source, position)
	return failed("keep a position", err)
}

// Seen keeps that everything of some collections that was written before a time has been appended.
func (f *Follows) Seen(ctx context.Context, source string, collections []string, to time.Time) error {
	_, err := f.pool.Exec(ctx, `UPDATE legacy_follow_collections SET seen_to = GREATEST(seen_to, $3) WHERE source = $1 AND collection = ANY($2)`, source, collections, to)
	return failed("keep how far was followed", err)
}

// Sweep keeps how far a look at every document has come, and when it began.
func (f *Follows) Sweep(ctx context.Context, source, collection string, from time.Time, id string) error {
	_, err := f.pool.Exec(ctx, `UPDATE legacy_follow_collections SET sweep_from = $3, sweep_id = $4 WHERE source = $1 AND collection = $2`, source, collection, from, id)
	return failed("keep how far a sweep has come", err)
}

// Swept ends it: what was written before it began has been seen.
func (f *Follows) Swept(ctx context.Context, source, collection string) error {
	_, err := f.pool.Exec(ctx, `UPDATE legacy_follow_collections SET seen_to = GREATEST(seen_to, sweep_from), swept_at = clock_timestamp(), sweep_from = NULL, sweep_id = ''
		WHERE source = $1 AND collection = $2`, source, collection)
	return failed("end a sweep", err)
}

// Count adds up what was taken and refused.
func (f *Follows) Count(ctx context.Context, source, collection string, taken, refused int64) error {
	if taken+refused == 0 {
		return nil
	}
	_, err := f.pool.Exec(ctx, `UPDATE legacy_follow_collections SET taken = taken + $3, refused = refused + $4 WHERE source = $1 AND collection = $2`, source, collection, taken, refused)
	return failed("count what was followed", err)
}

// FollowRefusal is a document that could not be taken.
type FollowRefusal struct {
	Collection, Document, Hash string
}

// Refusals gives the hashes of those among some documents that could not be taken, as they were then.
func (f *Follows) Refusals(ctx context.Context, collection string, documents []string) (map[string]string, error) {
	rows, err := f.pool.Query(ctx, `SELECT document, snapshot_hash FROM legacy_follow_refused WHERE collection = $1 AND document = ANY($2)`, collection, documents)
	if err != nil {
		return nil, failed("look up what was refused", err)
	}
	all := map[string]string{}
	var document, hash string
	_, err = pgx.ForEachRow(rows, []any{&document, &hash}, func() error { all[document] = hash; return nil })
	return all, failed("look up what was refused", err)
}

// Refuse keeps that a document could not be taken; it is due again after a while that grows.
func (f *Follows) Refuse(ctx context.Context, r FollowRefusal) error {
	_, err := f.pool.Exec(ctx, `INSERT INTO legacy_follow_refused (collection, document, snapshot_hash, next_at) VALUES ($1, $2, $3, clock_timestamp() + interval '2 seconds')
		ON CONFLICT (collection, document) DO UPDATE SET snapshot_hash = excluded.snapshot_hash, tries = legacy_follow_refused.tries + 1,
			next_at = clock_timestamp() + LEAST(interval '10 minutes', interval '2 seconds' * power(2, LEAST(legacy_follow_refused.tries, 12)))`, r.Collection, r.Document, r.Hash)
	return failed("keep what was refused", err)
}

// Due gives documents that are to be tried again.
func (f *Follows) Due(ctx context.Context, collections []string, limit int) ([]FollowRefusal, error) {
	rows, err := f.pool.Query(ctx, `SELECT collection, document, snapshot_hash FROM legacy_follow_refused
		WHERE next_at <= clock_timestamp() AND collection = ANY($1) ORDER BY next_at LIMIT $2`, collections, limit)
	if err != nil {
		return nil, failed("look up what is due", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r FollowRefusal, err error) {
		return r, row.Scan(&r.Collection, &r.Document, &r.Hash)
	})
	return all, failed("look up what is due", err)
}

// Forgive forgets that documents were refused.
func (f *Follows) Forgive(ctx context.Context, collection string, documents []string) error {
	_, err := f.pool.Exec(ctx, `DELETE FROM legacy_follow_refused WHERE collection = $1 AND document = ANY($2)`, collection, documents)
	return failed("forget a refusal", err)
}

// Imported gives the ObjectIds of a collection that came by import and lie after one of them and not
// after another, in order, at most so many. An empty end is none.
func (f *Follows) Imported(ctx context.Context, collection, after, upTo string, limit int) ([]string, error) {
	rows, err := f.pool.Query(ctx, `SELECT object_id FROM id_map WHERE imported AND collection = $1 AND object_id > $2 AND ($3 = '' OR object_id <= $3)
		ORDER BY object_id LIMIT $4`, collection, after, upTo, limit)
	if err != nil {
		return nil, failed("look up what was imported", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return all, failed("look up what was imported", err)
}

// Origin names the document that a stream came from; ok is false for one that began here.
func (f *Follows) Origin(ctx context.Context, streamType, id string) (collection, objectID string, ok bool, err error) {
	err = f.pool.QueryRow(ctx, `SELECT collection, object_id FROM id_map WHERE id = $1 AND imported
		UNION ALL
		-- What has no document of its own, as the money of an order, is named by its stream.
		SELECT stream_type, stream_id FROM events WHERE stream_type = $2 AND stream_id = $1 AND version = 1 AND type LIKE '%.imported'
		LIMIT 1`, id, streamType).Scan(&collection, &objectID)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", false, nil
	}
	return collection, objectID, err == nil, failed("look up what a stream came from", err)
}

// FollowLock lets one follower work.
type FollowLock struct{ conn *pgx.Conn }

// Lock gives the lock; ok is false while another follower has it.
func (f *Follows) Lock(ctx context.Context) (l *FollowLock, ok bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, f.pool.Config().ConnConfig)
	if err != nil {
		return nil, false, failed("lock following", err)
	}
	l = &FollowLock{conn}
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext('holdfast.legacy'), hashtext('follow'))`).Scan(&ok)
	if err != nil || !ok {
		l.Release(ctx)
		return nil, false, failed("lock following", err)
	}
	return l, true, nil
}

// Held is an error once the lock is lost with its connection.
func (l *FollowLock) Held(ctx context.Context) error {
	return failed("hold the lock of following", l.conn.Ping(ctx))
}

// Release gives the lock back.
func (l *FollowLock) Release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = l.conn.Close(ctx) // the server gives it back when the connection is gone
}
