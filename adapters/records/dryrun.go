package records

import (
	"context"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
)

// Would is what a dry run has decided of one document: kept in temporary tables of the lock's
// connection, and gone with it.
type Would struct {
	ObjectID string
	Name     LegacyName
	Events   []WouldEvent
	Claims   []WouldClaim
}

// WouldEvent is an event that would be appended, without text about people.
type WouldEvent struct {
	Stream domain.Stream
	Type   string
	Data   []byte
}

// WouldClaim is a name that would be taken, or given back.
type WouldClaim struct {
	Stream domain.Stream
	Name   string
	Free   bool
}

const wouldTables = `CREATE TEMP TABLE IF NOT EXISTS would_names (object_id text COLLATE "C" PRIMARY KEY, collection text NOT NULL, id text NOT NULL, hash text NOT NULL);
	CREATE TEMP TABLE IF NOT EXISTS would_events (n bigint GENERATED ALWAYS AS IDENTITY, type text NOT NULL, id text COLLATE "C" NOT NULL, event text NOT NULL, data bytea NOT NULL);
	CREATE INDEX IF NOT EXISTS would_events_stream ON would_events (id, type);
	CREATE TEMP TABLE IF NOT EXISTS would_claims (name text COLLATE "C" PRIMARY KEY, type text NOT NULL, id text NOT NULL, free boolean NOT NULL)`

// Would keeps what was decided.
func (l *ImportLock) Would(ctx context.Context, all []Would) error {
	batch := &pgx.Batch{}
	for _, w := range all {
		batch.Queue(`INSERT INTO would_names (object_id, collection, id, hash) VALUES ($1, $2, $3, $4) ON CONFLICT (object_id) DO UPDATE SET hash = excluded.hash`,
			w.ObjectID, w.Name.Collection, w.Name.ID, w.Name.Hash)
		for _, e := range w.Events {
			batch.Queue(`INSERT INTO would_events (type, id, event, data) VALUES ($1, $2, $3, $4)`, e.Stream.Type, e.Stream.ID, e.Type, e.Data)
		}
		for _, c := range w.Claims {
			batch.Queue(`INSERT INTO would_claims (name, type, id, free) VALUES ($1, $2, $3, $4)
				ON CONFLICT (name) DO UPDATE SET type = excluded.type, id = excluded.id, free = excluded.free
				WHERE NOT excluded.free OR (would_claims.type, would_claims.id) = (excluded.type, excluded.id)`, c.Name, c.Stream.Type, c.Stream.ID, c.Free)
		}
	}
	if batch.Len() == 0 {
		return nil
	}
	return failed("keep what a dry run decided", l.conn.SendBatch(ctx, batch).Close())
}

// WouldKnow looks ObjectIds up that would be taken.
func (l *ImportLock) WouldKnow(ctx context.Context, objectIDs []string) (map[string]LegacyName, error) {
	rows, err := l.conn.Query(ctx, `SELECT object_id, collection, id, hash FROM would_names WHERE object_id = ANY ($1::text[])`, objectIDs)
	if err != nil {
		return nil, failed("look up what a dry run decided", err)
	}
	all, id := map[string]LegacyName{}, ""
	n := LegacyName{Imported: true}
	_, err = pgx.ForEachRow(rows, []any{&id, &n.Collection, &n.ID, &n.Hash}, func() error { all[id] = n; return nil })
	return all, failed("look up what a dry run decided", err)
}

// WouldHave gives the events that streams would have beyond the log, in order.
func (l *ImportLock) WouldHave(ctx context.Context, streams []domain.Stream) ([]WouldEvent, error) {
	var types, ids []string
	for _, s := range streams {
		types, ids = append(types, s.Type), append(ids, s.ID)
	}
	rows, err := l.conn.Query(ctx, `SELECT e.type, e.id, e.event, e.data FROM (SELECT DISTINCT type, id FROM unnest($1::text[], $2::text[]) AS s (type, id)) AS s
		JOIN would_events e ON e.type = s.type AND e.id = s.id ORDER BY e.n`, types, ids)
	if err != nil {
		return nil, failed("read what a dry run decided", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e WouldEvent, err error) {
		err = row.Scan(&e.Stream.Type, &e.Stream.ID, &e.Type, &e.Data)
		return e, err
	})
	return all, failed("read what a dry run decided", err)
}

// Holders tells who would hold names: the dry run's word counts before the log's.
func (l *ImportLock) Holders(ctx context.Context, names []string) (map[string]domain.Stream, error) {
	rows, err := l.conn.Query(ctx, `SELECT name, stream_type, stream_id, false FROM claims WHERE name = ANY ($1::text[])
		UNION ALL SELECT name, type, id, free FROM would_claims WHERE name = ANY ($1::text[])`, names)
	if err != nil {
		return nil, failed("look up who holds a name", err)
	}
	all, name, free := map[string]domain.Stream{}, "", false
	var s domain.Stream
	_, err = pgx.ForEachRow(rows, []any{&name, &s.Type, &s.ID, &free}, func() error {
		if free {
			delete(all, name)
		} else {
			all[name] = s
		}
		return nil
	})
	return all, failed("look up who holds a name", err)
}
