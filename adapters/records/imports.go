package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/migration"
	"holdfast/eventstore"
)

// ErrNameTaken: an ObjectId stands for another thing already.
var ErrNameTaken = fault.New(fault.Conflict, "LEGACY_ID_TAKEN", "the ObjectId stands for another thing already")

// LegacyName is what an ObjectId stands for.
type LegacyName struct {
	Collection, ID string
	Imported       bool
	Hash           string // of the document that was imported last
}

// Imports keeps what imports from the old backend must remember.
type Imports struct{ pool *pgxpool.Pool }

// NewImports makes them over a migrated database.
func NewImports(pool *pgxpool.Pool) *Imports { return &Imports{pool} }

// Names looks ObjectIds up.
func (s *Imports) Names(ctx context.Context, objectIDs []string) (map[string]LegacyName, error) {
	all := map[string]LegacyName{}
	if len(objectIDs) == 0 {
		return all, nil
	}
	rows, err := s.pool.Query(ctx, `SELECT object_id, collection, id, imported, snapshot_hash FROM id_map WHERE object_id = ANY ($1::text[])`, objectIDs)
	if err != nil {
		return nil, failed("look ObjectIds up", err)
	}
	var object string
	var n LegacyName
	_, err = pgx.ForEachRow(rows, []any{&object, &n.Collection, &n.ID, &n.Imported, &n.Hash}, func() error { all[object] = n; return nil })
	return all, failed("look ObjectIds up", err)
}

// Named goes with the event of an imported document.
func (s *Imports) Named(collection, id string, l domain.Legacy) eventstore.Row {
	return eventstore.Row{
		SQL: `INSERT INTO id_map (object_id, id, collection, imported, snapshot_hash) VALUES ($1, $2, $3, true, $4)
			ON CONFLICT (collection, id) DO UPDATE SET imported = true, snapshot_hash = excluded.snapshot_hash`,
		Args: []any{l.ObjectID, id, collection, l.Hash}, Refused: ErrNameTaken,
	}
}

// Expected names a document that another one names and that comes later, so that our documents
// call it by its own name at once. It stays as it is once it has come.
func (s *Imports) Expected(collection, id, objectID string) eventstore.Row {
	return eventstore.Row{
		SQL:  `INSERT INTO id_map (object_id, id, collection, imported) VALUES ($1, $2, $3, true) ON CONFLICT DO NOTHING`,
		Args: []any{objectID, id, collection},
	}
}

// Plain writes rows that go with no event, all or nothing. A constraint that one breaks is the
// row's refusal.
func (s *Imports) Plain(ctx context.Context, rows []eventstore.Row) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, r := range rows {
			if _, err := tx.Exec(ctx, r.SQL, r.Args...); err != nil {
				if refusesRow(err) && r.Refused != nil {
					return fmt.Errorf("%w: %w", r.Refused, err)
				}
				return failed("write an imported row", err)
			}
		}
		return nil
	})
}

// Import is how far the import of a collection has come.
type Import struct {
	Cursor                                string
	Read, Taken, Unchanged, Refused, Ours int64
	RefusedAt                             int64
	Reasons, Notes                        map[string]int64
	Started, Finished                     time.Time
}

// Begin gives the run that was interrupted, or begins one.
func (s *Imports) Begin(ctx context.Context, source, collection string, anew bool) (r Import, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM legacy_imports WHERE source = $1 AND collection = $2 AND ($3 OR finished_at IS NOT NULL)`, source, collection, anew); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO legacy_imports (source, collection) VALUES ($1, $2) ON CONFLICT DO NOTHING`, source, collection); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT cursor, read, taken, unchanged, refused, ours, refused_at, reasons, notes, started_at
			FROM legacy_imports WHERE source = $1 AND collection = $2`, source, collection).
			Scan(&r.Cursor, &r.Read, &r.Taken, &r.Unchanged, &r.Refused, &r.Ours, &r.RefusedAt, &r.Reasons, &r.Notes, &r.Started)
	})
	r.Started = r.Started.UTC()
	return r, failed("begin an import", err)
}

// Save keeps how far a run has come.
func (s *Imports) Save(ctx context.Context, source, collection string, r Import, finished bool) (at time.Time, err error) {
	reasons, err := json.Marshal(r.Reasons)
	if err != nil {
		return at, fmt.Errorf("encode the reasons: %w", err)
	}
	notes, err := json.Marshal(r.Notes)
	if err != nil {
		return at, fmt.Errorf("encode the notes: %w", err)
	}
	err = s.pool.QueryRow(ctx, `UPDATE legacy_imports SET cursor = $3, read = $4, taken = $5, unchanged = $6, refused = $7, ours = $8,
			refused_at = $9, reasons = $10, notes = $11, updated_at = clock_timestamp(), finished_at = CASE WHEN $12 THEN clock_timestamp() END
		WHERE source = $1 AND collection = $2 RETURNING updated_at`,
		source, collection, r.Cursor, r.Read, r.Taken, r.Unchanged, r.Refused, r.Ours, r.RefusedAt, reasons, notes, finished).Scan(&at)
	return at.UTC(), failed("keep how far an import has come", err)
}

// ImportLock lets one import run. It is that of a connection, which keeps temporary tables, too.
type ImportLock struct{ conn *pgx.Conn }

// Lock gives the lock; ok is false while another import has it.
func (s *Imports) Lock(ctx context.Context) (l *ImportLock, ok bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return nil, false, failed("lock the import", err)
	}
	l = &ImportLock{conn}
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext('holdfast.legacy'), hashtext('import'))`).Scan(&ok)
	if err == nil && ok {
		_, err = conn.Exec(ctx, `CREATE TEMP TABLE seen (collection text NOT NULL, object_id text COLLATE "C" NOT NULL, PRIMARY KEY (object_id, collection));`+wouldTables)
	}
	if err != nil || !ok {
		l.Release(ctx)
		return nil, false, failed("lock the import", err)
	}
	return l, true, nil
}

// Release gives the lock back.
func (l *ImportLock) Release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, _ = l.conn.Exec(ctx, `SELECT pg_advisory_unlock_all()`) // the next import may not have to wait
	_ = l.conn.Close(ctx)                                      // for the connection to be gone
}

// Held is an error once the lock is lost.
func (l *ImportLock) Held(ctx context.Context) error {
	return failed("hold the lock of the import", l.conn.Ping(ctx))
}

// See notes ObjectIds that stand in the source.
func (l *ImportLock) See(ctx context.Context, collection string, objectIDs []string) error {
	_, err := l.conn.Exec(ctx, `INSERT INTO seen (collection, object_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`, collection, objectIDs)
	return failed("note what stands in the source", err)
}

// Seen tells which documents were noted. The field of a reference does not matter.
func (l *ImportLock) Seen(ctx context.Context, refs []migration.Ref) (map[migration.Ref]bool, error) {
	var ids []string
	for _, r := range refs {
		ids = append(ids, r.ObjectID)
	}
	rows, err := l.conn.Query(ctx, `SELECT collection, object_id FROM seen WHERE object_id = ANY ($1::text[])`, ids)
	if err != nil {
		return nil, failed("look up what stands in the source", err)
	}
	all, r := map[migration.Ref]bool{}, migration.Ref{}
	_, err = pgx.ForEachRow(rows, []any{&r.Collection, &r.ObjectID}, func() error { all[r] = true; return nil })
	return all, failed("look up what stands in the source", err)
}

// refusesRow reports that a constraint or an exception of the schema refused a statement.
func refusesRow(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code[:2] == "23" || pg.Code == "P0001")
}
