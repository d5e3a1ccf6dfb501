package disputeview

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Row is a dispute as queries give it.
type Row = projections.Row[Doc]

// Queries read the disputes.
type Queries struct {
	pool *pgxpool.Pool
	rows projections.Collection[Doc]
}

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{pool: pool, rows: projections.NewCollection[Doc](pool, codec, Name)}
}

// From answers the queries from another store while that serves them.
func (q Queries) From(e projections.Elsewhere) Queries {
	q.rows = q.rows.From(e)
	return q
}

// Filter narrows a list; empty fields do not.
type Filter struct {
	Party        domain.UserID // buyer or seller
	Resolver     domain.UserID
	Request      domain.RequestID
	Phase        string
	LegacyStatus string
	Category     string
	Priority     string
	OpenOnly     bool
	Unassigned   bool
}

// DueFirst lists what must be done soonest first.
var DueFirst = projections.Sort{Name: "due", Column: "due_unix", Up: true}

// Get gives one dispute; fault.ErrNotFound when there is none.
func (q Queries) Get(ctx context.Context, id domain.DisputeID) (Row, error) {
	return q.rows.Get(ctx, string(id))
}

// OfRequest gives all disputes of an order, oldest first.
func (q Queries) OfRequest(ctx context.Context, id domain.RequestID) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Is("request", string(id)))
}

// List gives disputes, newest first or as page.Sort says.
func (q Queries) List(ctx context.Context, f Filter, page projections.Page) (projections.List[Doc], error) {
	return q.rows.List(ctx, f.sql(), page)
}

func (f Filter) sql() *projections.Filter {
	s := new(projections.Filter).Eq("resolver", string(f.Resolver)).Eq("request", string(f.Request)).
		Eq("phase", f.Phase).Eq("legacy_status", f.LegacyStatus).Eq("category", f.Category).Eq("priority", f.Priority)
	if f.Party != "" {
		s.Any(new(projections.Filter).Is("buyer", string(f.Party)), new(projections.Filter).Is("seller", string(f.Party)))
	}
	if f.OpenOnly {
		s.As("open", true, "open")
	}
	if f.Unassigned {
		s.Any(new(projections.Filter).Missing("resolver"), new(projections.Filter).Is("resolver", ""))
	}
	return s
}

// Statistics of the disputes that pass a filter.
type Statistics struct {
	Total      int64
	Open       int64
	Overdue    int64 // open, and past their deadline
	ByPhase    map[string]int64
	ByStatus   map[string]int64 // the original's words
	ByCategory map[string]int64
	// MeanDays is the mean time from opening to resolution, 0 when none is resolved.
	MeanDays float64
}

// Statistics counts the disputes that pass a filter, as of now.
func (q Queries) Statistics(ctx context.Context, f Filter, now time.Time) (s Statistics, err error) {
	filter := f.sql()
	for _, by := range []struct {
		column string
		into   *map[string]int64
	}{{"phase", &s.ByPhase}, {"legacy_status", &s.ByStatus}, {"category", &s.ByCategory}} {
		if *by.into, err = q.rows.Count(ctx, by.column, filter); err != nil {
			return s, err
		}
	}
	where, args := filter.SQL()
	err = q.pool.QueryRow(ctx, fmt.Sprintf(`SELECT count(*), count(*) FILTER (WHERE open), count(*) FILTER (WHERE open AND due_unix < $%d),
			COALESCE(avg(EXTRACT(epoch FROM (doc->>'resolved_at')::timestamptz - created_at)) / 86400, 0)::float8
		FROM views.disputes`, len(args)+1)+where, append(args, now.Unix())...).Scan(&s.Total, &s.Open, &s.Overdue, &s.MeanDays)
	if err != nil {
		return s, fmt.Errorf("count the disputes: %w", err)
	}
	return s, nil
}
