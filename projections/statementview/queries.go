package statementview

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain/ledger"
	"holdfast/domain/money"
)

// Line is one posted entry with the balance after it, on the account's normal side.
type Line struct {
	N        int64
	Asset    money.Asset
	Position int64 // of the event that posted it
	Line     int
	Debit    bool
	Amount   money.Units
	// Balance is a decimal whole number; a fact may have taken it below zero.
	Balance string
	At      time.Time
}

// Queries read the statements.
type Queries struct{ pool *pgxpool.Pool }

// New makes the queries.
func New(pool *pgxpool.Pool) Queries { return Queries{pool} }

// Filter narrows a statement; zero bounds do not.
type Filter struct {
	Account  ledger.Account
	Asset    money.Asset
	From, To time.Time // To is exclusive
	After    int64     // lines with a greater number
	Limit    int       // 1 … 1000, 100 when 0
}

const linesSQL = `SELECT n, asset, pos, line, debit, amount::text, balance::text, at FROM views.statements
	WHERE account = $1 AND asset = $2 AND n > $3 AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::timestamptz IS NULL OR at < $5)
	ORDER BY n LIMIT $6`

// Lines gives a statement's lines, oldest first. Only accounts of people have one (Has).
func (q Queries) Lines(ctx context.Context, f Filter) ([]Line, error) {
	limit := 100
	if f.Limit > 0 {
		limit = min(f.Limit, 1000)
	}
	rows, err := q.pool.Query(ctx, linesSQL, string(f.Account), string(f.Asset), f.After, bound(f.From), bound(f.To), limit)
	if err != nil {
		return nil, fmt.Errorf("read the statement of %s: %w", f.Account, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l Line, err error) {
		var amount string
		if err := row.Scan(&l.N, &l.Asset, &l.Position, &l.Line, &l.Debit, &amount, &l.Balance, &l.At); err != nil {
			return l, err
		}
		l.At = l.At.UTC()
		l.Amount, err = money.ParseUnits(amount)
		return l, err
	})
}

// Assets lists the assets in which an account ever moved.
func (q Queries) Assets(ctx context.Context, a ledger.Account) ([]money.Asset, error) {
	rows, err := q.pool.Query(ctx, `SELECT DISTINCT asset FROM views.statements WHERE account = $1 ORDER BY asset`, string(a))
	if err != nil {
		return nil, fmt.Errorf("list the assets of %s: %w", a, err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[money.Asset])
}

func bound(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
