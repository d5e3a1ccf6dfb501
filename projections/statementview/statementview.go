// Package statementview is the read model of people's statements: every posted entry of their
// accounts with the balance after it. The ledger is written with the log and stays the truth; this
// adds the running balance and the order of lines.
package statementview

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain/ledger"
	"holdfast/eventstore"
)

// Name is the projector's and the table's name.
const Name = "statements"

// prefixes of the accounts that have a statement: those of people. Our own accounts are read
// from the ledger itself.
var prefixes = []string{"buyer:", "seller:", "receivable:", "points:user:"}

// Has reports whether an account has a statement.
func Has(a ledger.Account) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(string(a), p) })
}

// Projector keeps the read model.
type Projector struct{}

// Name implements projections.Projector.
func (Projector) Name() string { return Name }

// Version implements projections.Projector.
func (Projector) Version() int { return 1 }

// Categories implements projections.Projector: any event may post.
func (Projector) Categories() []string { return nil }

// PositionsOnly implements projections.PositionsOnly: the entries say what an event posted.
func (Projector) PositionsOnly() {}

// Tables implements projections.Projector.
func (Projector) Tables() []string { return []string{Name} }

// key is one account of one asset.
type key struct{ account, asset string }

// line is a posted entry on its way to the table.
type line struct {
	key
	n       int64
	pos     int64
	line    int16
	debit   bool
	amount  *big.Int
	balance *big.Int
	at      time.Time
}

// tail is where an account's statement ends.
type tail struct {
	n       int64
	balance *big.Int
}

// Apply implements projections.Projector. It reads what the events posted from the ledger, which
// is written in the same commit as they.
func (Projector) Apply(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) error {
	lines, err := posted(ctx, tx, batch)
	if err != nil {
		return fmt.Errorf("read the entries: %w", err)
	}
	if len(lines) == 0 {
		return nil
	}
	tails, err := tailsOf(ctx, tx, lines)
	if err != nil {
		return fmt.Errorf("read the statements' ends: %w", err)
	}
	for i := range lines {
		l := &lines[i]
		kind, err := ledger.KindOf(ledger.Account(l.account))
		if err != nil {
			return err
		}
		t := tails[l.key]
		if t == nil {
			t = &tail{balance: new(big.Int)}
			tails[l.key] = t
		}
		t.n++
		if l.debit == kind.Debit {
			t.balance = new(big.Int).Add(t.balance, l.amount)
		} else {
			t.balance = new(big.Int).Sub(t.balance, l.amount)
		}
		l.n, l.balance = t.n, t.balance
	}
	return write(ctx, tx, lines)
}

// posted reads the entries of the batch's positions that move posted totals of people's accounts.
func posted(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) ([]line, error) {
	at := make(map[int64]time.Time, len(batch))
	for _, r := range batch {
		at[r.Position] = r.RecordedAt
	}
	patterns := make([]string, len(prefixes))
	for i, p := range prefixes {
		patterns[i] = p + "%"
	}
	rows, err := tx.Query(ctx, `SELECT position, line, debit, account, asset, amount::text FROM ledger_entries
		WHERE position >= $1 AND position <= $2 AND mode IN ('post', 'post_pending') AND account LIKE ANY($3)
		ORDER BY position, line, debit`, batch[0].Position, batch[len(batch)-1].Position, patterns)
	if err != nil {
		return nil, err
	}
	var lines []line
	var l line
	var amount string
	_, err = pgx.ForEachRow(rows, []any{&l.pos, &l.line, &l.debit, &l.account, &l.asset, &amount}, func() error {
		var whole bool
		if l.at, whole = at[l.pos]; !whole {
			return nil // of an event that was skipped
		}
		if l.amount, whole = new(big.Int).SetString(amount, 10); !whole {
			return fmt.Errorf("amount %q of entry %d/%d", amount, l.pos, l.line)
		}
		lines = append(lines, l)
		return nil
	})
	return lines, err
}

// tailsOf reads the last line of each account that the batch moves.
func tailsOf(ctx context.Context, tx pgx.Tx, lines []line) (map[key]*tail, error) {
	touched := map[key]bool{}
	for _, l := range lines {
		touched[l.key] = true
	}
	var accounts, assets []string
	for k := range maps.Keys(touched) {
		accounts, assets = append(accounts, k.account), append(assets, k.asset)
	}
	rows, err := tx.Query(ctx, `SELECT x.a, x.s, l.n, l.balance::text FROM unnest($1::text[], $2::text[]) AS x (a, s)
		CROSS JOIN LATERAL (SELECT n, balance FROM statements WHERE account = x.a AND asset = x.s ORDER BY n DESC LIMIT 1) l`, accounts, assets)
	if err != nil {
		return nil, err
	}
	tails := map[key]*tail{}
	var k key
	var n int64
	var balance string
	_, err = pgx.ForEachRow(rows, []any{&k.account, &k.asset, &n, &balance}, func() error {
		b, ok := new(big.Int).SetString(balance, 10)
		if !ok {
			return fmt.Errorf("balance %q of %s", balance, k.account)
		}
		tails[k] = &tail{n: n, balance: b}
		return nil
	})
	return tails, err
}

func write(ctx context.Context, tx pgx.Tx, lines []line) error {
	n := len(lines)
	accounts, assets, amounts, balances := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	numbers, positions, lineNos, debits, times := make([]int64, n), make([]int64, n), make([]int16, n), make([]bool, n), make([]time.Time, n)
	for i, l := range lines {
		accounts[i], assets[i], amounts[i], balances[i] = l.account, l.asset, l.amount.String(), l.balance.String()
		numbers[i], positions[i], lineNos[i], debits[i], times[i] = l.n, l.pos, l.line, l.debit, l.at
	}
	_, err := tx.Exec(ctx, `INSERT INTO statements (account, asset, n, pos, line, debit, amount, balance, at)
		SELECT a, s, n, p, l, d, m::numeric, b::numeric, t FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::smallint[], $6::boolean[], $7::text[], $8::text[], $9::timestamptz[])
			AS x (a, s, n, p, l, d, m, b, t)`, accounts, assets, numbers, positions, lineNos, debits, amounts, balances, times)
	if err != nil {
		return fmt.Errorf("write the statements: %w", err)
	}
	return nil
}
