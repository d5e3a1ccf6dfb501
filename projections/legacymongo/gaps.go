package legacymongo

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/eventstore"
)

// Gap is one difference between the legacy store and the log.
type Gap struct {
	ID                           int64
	Domain, Collection, Document string
	Field                        string // empty: the document as a whole
	Severity                     string // info, warning, critical
	Kind                         string // missing, extra, foreign, different, answer, refused, conflict
	Postgres, Mongo, Error       string
	FirstSeen, LastSeen          time.Time
	Times                        int64
	ResolvedAt                   *time.Time
	ResolvedBy, Notes            string
}

// execer is a pool or a transaction.
type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// querier is one that can be asked, too.
type querier interface {
	execer
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// note writes a gap down, or counts it once more while it is open.
func note(ctx context.Context, on execer, g Gap) error {
	_, err := on.Exec(ctx, `INSERT INTO public.pg_dualwrite_gaps (domain, collection, document, field, severity, kind, pg_value, mongo_value, error)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (collection, document, field, kind) WHERE resolved_at IS NULL DO UPDATE SET times = pg_dualwrite_gaps.times + 1,
			last_seen = clock_timestamp(), pg_value = excluded.pg_value, mongo_value = excluded.mongo_value, error = excluded.error`,
		g.Domain, g.Collection, g.Document, g.Field, g.Severity, g.Kind, g.Postgres, g.Mongo, g.Error)
	if err != nil {
		return fmt.Errorf("note a gap: %w", err)
	}
	return nil
}

// booksField marks gaps of money whose books disagree. Documents agree all the same, so that only a
// person resolves them.
const booksField = "books"

// BooksGap is the row that goes with a payment of which less was opened than one side says: a
// critical gap.
func BooksGap(objectID, due, books, why string) eventstore.Row {
	return eventstore.Row{
		SQL: `INSERT INTO public.pg_dualwrite_gaps (domain, collection, document, field, severity, kind, pg_value, mongo_value, error)
			VALUES ($1, 'payments', $2, $3, 'critical', 'different', $4, $5, $6)
			ON CONFLICT (collection, document, field, kind) WHERE resolved_at IS NULL DO UPDATE SET times = pg_dualwrite_gaps.times + 1,
				last_seen = clock_timestamp(), pg_value = excluded.pg_value, mongo_value = excluded.mongo_value, error = excluded.error`,
		Args: []any{Payment, objectID, booksField, "opened: " + books, "due: " + due, why},
	}
}

// remind notes a gap that is seen again and again as long as nothing is done about it: one that
// somebody has resolved by hand stays so, until it is about another document or for another reason.
// open is false then.
func remind(ctx context.Context, on querier, g Gap) (open bool, err error) {
	err = on.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM public.pg_dualwrite_gaps
		WHERE collection = $1 AND document = $2 AND field = $3 AND kind = $4 AND pg_value = $5 AND mongo_value = $6 AND error = $7
			AND resolved_at IS NOT NULL AND resolved_by NOT IN ('follow', 'verify'))`,
		g.Collection, g.Document, g.Field, g.Kind, g.Postgres, g.Mongo, g.Error).Scan(&open)
	if err != nil {
		return false, fmt.Errorf("look whether a gap was resolved: %w", err)
	}
	if !open {
		return false, nil
	}
	return true, note(ctx, on, g)
}

// Deleted is the gap of a document that was imported and that the old backend, which owns it, has
// deleted since.
func Deleted(domain, collection, document string) Gap {
	return Gap{
		Domain: domain, Collection: collection, Document: document, Severity: "critical", Kind: "missing",
		Error: "the old backend has deleted it; what was imported of it stays",
	}
}

// Gaps are the rows of pg_dualwrite_gaps.
type Gaps struct{ pool *pgxpool.Pool }

// NewGaps makes the queries.
func NewGaps(pool *pgxpool.Pool) *Gaps { return &Gaps{pool} }

// Note writes a gap down, or counts it once more while it is open.
func (g *Gaps) Note(ctx context.Context, gap Gap) error { return note(ctx, g.pool, gap) }

// Remind is Note for what is seen again and again: what somebody has resolved by hand stays so.
func (g *Gaps) Remind(ctx context.Context, gap Gap) error {
	_, err := remind(ctx, g.pool, gap)
	return err
}

// Settle closes what was noted about documents before, of some kinds, and says why.
func (g *Gaps) Settle(ctx context.Context, collection string, documents, kinds []string, why string) error {
	_, err := g.pool.Exec(ctx, `UPDATE pg_dualwrite_gaps SET resolved_at = clock_timestamp(), resolved_by = 'follow', notes = $4
		WHERE collection = $1 AND document = ANY($2) AND kind = ANY($3) AND resolved_at IS NULL`, collection, documents, kinds, why)
	if err != nil {
		return fmt.Errorf("close gaps: %w", err)
	}
	return nil
}

const gapColumns = `id, domain, collection, document, field, severity, kind, pg_value, mongo_value, error, first_seen, last_seen, times, resolved_at, resolved_by, notes`

func scanGap(row pgx.CollectableRow) (g Gap, err error) {
	err = row.Scan(&g.ID, &g.Domain, &g.Collection, &g.Document, &g.Field, &g.Severity, &g.Kind, &g.Postgres, &g.Mongo, &g.Error,
		&g.FirstSeen, &g.LastSeen, &g.Times, &g.ResolvedAt, &g.ResolvedBy, &g.Notes)
	g.FirstSeen, g.LastSeen = g.FirstSeen.UTC(), g.LastSeen.UTC()
	return g, err
}

// Open lists a domain's open gaps, newest first; of all domains when it is empty.
func (g *Gaps) Open(ctx context.Context, domain string, limit int) ([]Gap, error) {
	rows, err := g.pool.Query(ctx, `SELECT `+gapColumns+` FROM pg_dualwrite_gaps
		WHERE resolved_at IS NULL AND ($1 = '' OR domain = $1) ORDER BY id DESC LIMIT $2`, domain, limit)
	if err != nil {
		return nil, fmt.Errorf("list the gaps: %w", err)
	}
	return pgx.CollectRows(rows, scanGap)
}

// Last gives the newest difference of each domain that has an open one, and how many are open.
func (g *Gaps) Last(ctx context.Context) (last map[string]Gap, open map[string]int64, err error) {
	rows, err := g.pool.Query(ctx, `SELECT DISTINCT ON (domain) `+gapColumns+`, count(*) OVER (PARTITION BY domain)
		FROM pg_dualwrite_gaps WHERE resolved_at IS NULL ORDER BY domain, last_seen DESC`)
	if err != nil {
		return nil, nil, fmt.Errorf("look at the gaps: %w", err)
	}
	last, open = map[string]Gap{}, map[string]int64{}
	var x Gap
	var n int64
	_, err = pgx.ForEachRow(rows, []any{
		&x.ID, &x.Domain, &x.Collection, &x.Document, &x.Field, &x.Severity, &x.Kind, &x.Postgres, &x.Mongo, &x.Error,
		&x.FirstSeen, &x.LastSeen, &x.Times, &x.ResolvedAt, &x.ResolvedBy, &x.Notes, &n,
	}, func() error {
		last[x.Domain], open[x.Domain] = x, n
		return nil
	})
	return last, open, err
}

// Runs gives the last comparison of each collection of a domain; of all domains when it is empty.
func (g *Gaps) Runs(ctx context.Context, domain string) ([]Parity, error) {
	rows, err := g.pool.Query(ctx, `SELECT DISTINCT ON (collection) collection, domain, position, documents, differences, explained, started_at, finished_at
		FROM legacy_parity_runs WHERE $1 = '' OR domain = $1 ORDER BY collection, finished_at DESC`, domain)
	if err != nil {
		return nil, fmt.Errorf("list the comparisons: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Parity, err error) {
		err = row.Scan(&p.Collection, &p.Domain, &p.Position, &p.Documents, &p.Differences, &p.Explained, &p.Started, &p.Finished)
		p.Started, p.Finished = p.Started.UTC(), p.Finished.UTC()
		return p, err
	})
}

// Resolve closes a gap by hand, with a reason. ok is false when there is no such open gap.
func (g *Gaps) Resolve(ctx context.Context, id int64, by, reason string) (gap Gap, ok bool, err error) {
	rows, err := g.pool.Query(ctx, `UPDATE pg_dualwrite_gaps SET resolved_at = clock_timestamp(), resolved_by = $2, notes = $3
		WHERE id = $1 AND resolved_at IS NULL RETURNING `+gapColumns, id, by, reason)
	if err != nil {
		return gap, false, fmt.Errorf("resolve a gap: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanGap)
	if err != nil || len(all) == 0 {
		return gap, false, err
	}
	return all[0], true, nil
}
