package records

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// Delivery is one notice that a provider sent, its signature verified.
type Delivery struct {
	Source     string
	ID         string // the provider's delivery id; not covered by its signature
	Body       []byte // as received
	Header     map[string]string
	ReceivedAt time.Time
	// Event and RequestID are what the body says, for the list alone.
	Event     string
	RequestID string
	// Quarantine is set when the signature is right but the body cannot be read.
	Quarantine string
}

// StoredDelivery is a row of the inbox.
type StoredDelivery struct {
	ID         string
	Source     string
	Delivery   string
	Status     string
	ReceivedAt time.Time
	Attempts   int
	Error      string
	Event      string
	RequestID  string
	Copies     int // how often it came
}

// DeliveryFilter narrows a list; empty fields do not. Before is a row id.
type DeliveryFilter struct {
	Status, RequestID, Before string
}

// Newest is when the last delivery came; ok is false before the first.
func (s *Inbox) Newest(ctx context.Context) (at time.Time, ok bool, err error) {
	var newest *time.Time
	if err := s.pool.QueryRow(ctx, `SELECT max(received_at) FROM inbox`).Scan(&newest); err != nil || newest == nil {
		return at, false, failed("read the newest delivery", err)
	}
	return newest.UTC(), true, nil
}

// Taken is a delivery that a worker has taken to work on.
type Taken struct {
	Row      int64
	Attempts int // this one included
	Replayed bool
	Delivery
}

// The states of a delivery. Received waits for ingestion; parked waits for an operator.
const (
	Received    = "received"
	Done        = "done"
	Parked      = "parked"
	Rejected    = "rejected"
	Quarantined = "quarantined"
)

// InboxChannel is notified when a delivery waits.
const InboxChannel = "holdfast_inbox"

// Take hands out up to limit deliveries that wait, oldest first, and keeps others away from
// them for the lease. A worker that dies loses nothing: the lease ends.
func (s *Inbox) Take(ctx context.Context, limit int, lease time.Duration) ([]Taken, error) {
	rows, err := s.pool.Query(ctx, `WITH taken AS (
			SELECT id FROM inbox WHERE status = 'received' AND next_at <= clock_timestamp()
			ORDER BY next_at, id LIMIT $1 FOR UPDATE SKIP LOCKED)
		UPDATE inbox i SET attempts = attempts + 1, next_at = clock_timestamp() + $2::interval
		FROM taken WHERE i.id = taken.id
		RETURNING i.id, i.attempts, i.replays > 0, i.source, i.delivery_id, i.body, i.headers, i.received_at`, limit, lease)
	if err != nil {
		return nil, failed("take deliveries", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Taken, err error) {
		err = row.Scan(&t.Row, &t.Attempts, &t.Replayed, &t.Source, &t.Delivery.ID, &t.Body, &t.Header, &t.ReceivedAt)
		return t, err
	})
	return all, failed("take deliveries", err)
}

// Postpone tries a delivery again after a while.
func (s *Inbox) Postpone(ctx context.Context, row int64, after time.Duration, reason string) error {
	_, err := s.pool.Exec(ctx, `UPDATE inbox SET next_at = clock_timestamp() + $2::interval, error = $3 WHERE id = $1 AND status = 'received'`, row, after, reason)
	return failed("postpone a delivery", err)
}

// List gives deliveries, newest first.
func (s *Inbox) List(ctx context.Context, f DeliveryFilter, limit int) ([]StoredDelivery, error) {
	var below *int64
	if n, err := strconv.ParseInt(f.Before, 10, 64); err == nil {
		below = &n
	}
	rows, err := s.pool.Query(ctx, `SELECT id, source, delivery_id, status, received_at, attempts, error, event, request_id, copies FROM inbox
		WHERE ($1 = '' OR status = $1) AND ($2::bigint IS NULL OR id < $2) AND ($4 = '' OR request_id = $4) ORDER BY id DESC LIMIT $3`,
		f.Status, below, limit, f.RequestID)
	if err != nil {
		return nil, failed("list deliveries", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d StoredDelivery, err error) {
		var id int64
		err = row.Scan(&id, &d.Source, &d.Delivery, &d.Status, &d.ReceivedAt, &d.Attempts, &d.Error, &d.Event, &d.RequestID, &d.Copies)
		d.ID, d.ReceivedAt = strconv.FormatInt(id, 10), d.ReceivedAt.UTC()
		return d, err
	})
	return all, failed("list deliveries", err)
}

// Replay puts deliveries up for ingestion again, by row or provider id, or by time of arrival
// (from included, to excluded), and gives how many. What was quarantined stays there: it
// could not be read, and still cannot.
func (s *Inbox) Replay(ctx context.Context, id string, from, to time.Time) (int, error) {
	tag, err := s.pool.Exec(ctx, `WITH again AS (
			UPDATE inbox SET status = 'received', attempts = 0, replays = replays + 1, next_at = clock_timestamp(), error = '', done_at = NULL
			WHERE verified AND status <> 'quarantined'
			  AND CASE WHEN $1 <> '' THEN id::text = $1 OR delivery_id = $1 ELSE received_at >= $2 AND received_at < $3 END
			RETURNING id)
		SELECT pg_notify('`+InboxChannel+`', ''), id FROM again`, id, from, to)
	return int(tag.RowsAffected()), failed("replay deliveries", err)
}

// Waiting counts deliveries that wait, and those that an operator must look at.
func (s *Inbox) Waiting(ctx context.Context) (waiting, parked int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE status = 'received'), count(*) FILTER (WHERE status IN ('parked', 'quarantined'))
		FROM inbox WHERE status IN ('received', 'parked', 'quarantined')`).Scan(&waiting, &parked)
	return waiting, parked, failed("count deliveries", err)
}
