package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"holdfast/eventstore"
)

// The statements of the second round trip: a batch's rows travel as arrays, one statement a
// table however many commands there are.
const (
	eventsSQL = `INSERT INTO events (position, stream_type, stream_id, version, event_id, type, schema_version, data, metadata, recorded_at, leaf_hash)
		SELECT p, st, si, v, id, t, sv, d::json, m::json, $1, h
		FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::text[], $8::int[], $9::text[], $10::text[], $11::bytea[])
			AS e(p, st, si, v, id, t, sv, d, m, h)`
	typesSQL     = `INSERT INTO event_types SELECT * FROM unnest($1::text[], $2::int[]) ON CONFLICT DO NOTHING`
	treeSQL      = `INSERT INTO log_tree (level, index, hash) SELECT * FROM unnest($1::int[], $2::bigint[], $3::bytea[])`
	writeHeadSQL = `UPDATE log_head SET position = $1, tree = $2, root = $3, recorded_at = $4`
	// NOTIFY is delivered at commit, once for the whole batch.
	notifySQL = `SELECT pg_notify('holdfast_log', $1)`

	commandsSQL = `INSERT INTO commands (actor, idempotency_key, fingerprint, outcome, expires_at)
		SELECT a, k, f, o::json, x FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[]) AS c(a, k, f, o, x)
		ON CONFLICT (actor, idempotency_key) DO UPDATE SET fingerprint = excluded.fingerprint, outcome = excluded.outcome, expires_at = excluded.expires_at
		WHERE commands.expires_at <= clock_timestamp()`
)

// write sends everything that was granted, with the COMMIT behind it, in one round trip.
func (b *batch) write(ctx context.Context, conn *pgx.Conn) error {
	var q pgx.Batch
	b.queueEvents(&q)
	b.queueLedger(&q)
	b.queueCommands(&q)
	b.queueClaims(&q)
	b.queueDeadlines(&q)
	if len(b.events) > 0 {
		q.Queue(writeHeadSQL, b.book.Position, b.tree.Edge(), b.tree.Root(), b.at)
		q.Queue(notifySQL, strconv.FormatInt(b.book.Position, 10))
	}
	b.queueRows(&q)
	q.Queue(`COMMIT`)
	if err := conn.SendBatch(ctx, &q).Close(); err != nil {
		return fmt.Errorf("write the batch: %w", err)
	}
	return nil
}

func (b *batch) queueEvents(q *pgx.Batch) {
	n := len(b.events)
	if n == 0 {
		return
	}
	positions, versions := make([]int64, n), make([]int64, n)
	types, streamTypes, streamIDs := make([]string, n), make([]string, n), make([]string, n)
	ids, schemas := make([]pgtype.UUID, n), make([]int32, n)
	data, meta, hashes := make([]string, n), make([]string, n), make([][]byte, n)
	for i, e := range b.events {
		positions[i], versions[i], schemas[i] = e.Position, e.Version, int32(e.Schema)
		types[i], streamTypes[i], streamIDs[i] = e.Type, e.Stream.Type, e.Stream.ID
		ids[i] = pgtype.UUID{Bytes: e.EventID, Valid: true}
		data[i], meta[i], hashes[i] = string(e.Data), string(e.Meta), e.LeafHash
	}
	q.Queue(eventsSQL, b.at, positions, streamTypes, streamIDs, versions, ids, types, schemas, data, meta, hashes)
	b.queueNewTypes(q)
	b.queueTree(q)
}

// queueNewTypes notes types that the log has not held before. The store remembers them once
// the batch is committed.
func (b *batch) queueNewTypes(q *pgx.Batch) {
	var names []string
	var schemas []int32
	for _, e := range b.events {
		k := kind{e.Type, e.Schema}
		if !b.store.types[k] && !slices.Contains(b.newTypes, k) {
			b.newTypes = append(b.newTypes, k)
			names, schemas = append(names, e.Type), append(schemas, int32(e.Schema))
		}
	}
	if len(names) > 0 {
		q.Queue(typesSQL, names, schemas)
	}
}

func (b *batch) queueTree(q *pgx.Batch) {
	if len(b.nodes) == 0 {
		return
	}
	var levels []int32
	var indexes []int64
	var hashes [][]byte
	for _, n := range b.nodes {
		levels, indexes, hashes = append(levels, int32(n.Level)), append(indexes, n.Index), append(hashes, n.Hash)
	}
	q.Queue(treeSQL, levels, indexes, hashes)
}

func (b *batch) queueCommands(q *pgx.Batch) {
	var actors, keys, outcomes []string
	var fingerprints [][]byte
	var expiries []*time.Time
	for _, g := range b.granted {
		r := g.written.Remembered
		if r == nil {
			continue
		}
		actors, keys = append(actors, g.wish.Key.Actor), append(keys, g.wish.Key.Key)
		fingerprints = append(fingerprints, r.Fingerprint)
		outcomes = append(outcomes, outcomeJSON(r.Outcome))
		var expires *time.Time
		if !r.Expires.IsZero() {
			expires = &r.Expires
		}
		expiries = append(expiries, expires)
	}
	if len(actors) > 0 {
		q.Queue(commandsSQL, actors, keys, fingerprints, outcomes, expiries)
	}
}

// outcomeJSON cannot fail: a refusal is made of texts and Data was made by encoding/json.
func outcomeJSON(o eventstore.Outcome) string {
	raw, err := json.Marshal(o)
	if err != nil {
		panic(fmt.Sprintf("postgres: encode an outcome: %v", err))
	}
	return string(raw)
}
