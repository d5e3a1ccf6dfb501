package records

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Inbox keeps notices before anything else happens to them.
type Inbox struct {
	pool   *pgxpool.Pool
	stores gathering[Delivery]
	ends   gathering[ended]
}

// inboxAtOnce bounds the rows of one write.
const inboxAtOnce = 128

// NewInbox makes the inbox over a pool; several over pools of their own share its rows.
func NewInbox(pool *pgxpool.Pool) *Inbox {
	s := &Inbox{pool: pool}
	s.stores = gathering[Delivery]{write: s.storeAll, limit: inboxAtOnce, what: "store a delivery"}
	s.ends = gathering[ended]{write: s.finishAll, limit: inboxAtOnce, what: "finish a delivery"}
	return s
}

// Store keeps a delivery and returns when it is on disk. One that is known already, by id and
// body, is no error; it is counted, and nothing else follows. Deliveries that come together are
// written together.
func (s *Inbox) Store(ctx context.Context, d Delivery) error { return s.stores.put(ctx, d) }

// arrival is a delivery with its name and how often it came in one write.
type arrival struct {
	Delivery
	hash   [sha256.Size]byte
	copies int
}

// arrivals names deliveries, each once, in one order for everybody: two processes that store the same
// ones must not wait for each other.
func arrivals(all []Delivery) []arrival {
	found := make([]arrival, len(all))
	for i, d := range all {
		found[i] = arrival{d, sha256.Sum256(d.Body), 1}
	}
	slices.SortStableFunc(found, func(a, b arrival) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.ID, b.ID), bytes.Compare(a.hash[:], b.hash[:]))
	})
	once := found[:0]
	for _, a := range found {
		if n := len(once); n > 0 && once[n-1].Source == a.Source && once[n-1].ID == a.ID && once[n-1].hash == a.hash {
			once[n-1].copies++
			continue
		}
		once = append(once, a)
	}
	return once
}

const storeSQL = `WITH stored AS (
		INSERT INTO inbox AS i (source, delivery_id, body_hash, body, headers, verified, received_at, status, error, event, request_id, copies)
		SELECT source, id, hash, body, header::jsonb, true, at, CASE WHEN quarantine = '' THEN 'received' ELSE 'quarantined' END, quarantine, event, request, copies
		FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::text[], $10::int[])
			AS d (source, id, hash, body, header, at, quarantine, event, request, copies)
		ON CONFLICT (source, delivery_id, body_hash) DO UPDATE SET copies = i.copies + excluded.copies
		RETURNING status, xmax = 0 AS is_new)
	SELECT pg_notify('` + InboxChannel + `', '') FROM (SELECT FROM stored WHERE status = 'received' AND is_new LIMIT 1) AS waits`

func (s *Inbox) storeAll(ctx context.Context, deliveries []Delivery) error {
	all := arrivals(deliveries)
	n := len(all)
	sources, ids, headers, quarantines, events, requests := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	hashes, bodies, times, copies := make([][]byte, n), make([][]byte, n), make([]time.Time, n), make([]int32, n)
	for i := range all {
		a := &all[i]
		header := a.Header
		if header == nil {
			header = map[string]string{}
		}
		if a.Body == nil {
			a.Body = []byte{} // nothing is not NULL
		}
		text, err := json.Marshal(header)
		if err != nil {
			return fmt.Errorf("encode the headers: %w", err)
		}
		sources[i], ids[i], headers[i], quarantines[i], events[i], requests[i] = a.Source, a.ID, string(text), a.Quarantine, a.Event, a.RequestID
		hashes[i], bodies[i], times[i], copies[i] = a.hash[:], a.Body, a.ReceivedAt, int32(a.copies)
	}
	_, err := s.pool.Exec(ctx, storeSQL, sources, ids, hashes, bodies, headers, times, quarantines, events, requests, copies)
	return err
}

// ended is how a delivery ended.
type ended struct {
	row            int64
	status, reason string
}

// Finish notes how a delivery ended: done, rejected or parked. What ends together is noted
// together.
func (s *Inbox) Finish(ctx context.Context, row int64, status, reason string) error {
	return s.ends.put(ctx, ended{row, status, reason})
}

func (s *Inbox) finishAll(ctx context.Context, all []ended) error {
	rows, statuses, reasons := make([]int64, len(all)), make([]string, len(all)), make([]string, len(all))
	for i, e := range all {
		rows[i], statuses[i], reasons[i] = e.row, e.status, e.reason
	}
	_, err := s.pool.Exec(ctx, `UPDATE inbox SET status = e.status, error = e.reason, done_at = clock_timestamp()
		FROM unnest($1::bigint[], $2::text[], $3::text[]) AS e (id, status, reason) WHERE inbox.id = e.id`, rows, statuses, reasons)
	return err
}
