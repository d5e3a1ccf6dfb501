package postgres

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/jackc/pgx/v5"

	"holdfast/domain/money"
	"holdfast/eventstore/commit"
)

const (
	entriesSQL = `INSERT INTO ledger_entries (position, line, debit, account, asset, amount, mode)
		SELECT p, l, d, a, s, n::numeric, m FROM unnest($1::bigint[], $2::int[], $3::bool[], $4::text[], $5::text[], $6::text[], $7::text[])
			AS e(p, l, d, a, s, n, m)`
	// Existing rows move by differences, not to sums worked out here: a change that came
	// from elsewhere is never overwritten, and the CHECK judges what really stands there.
	balanceSQL = `UPDATE ledger_balances b SET
			debits_posted = b.debits_posted + w.dp::numeric, credits_posted = b.credits_posted + w.cp::numeric,
			debits_pending = b.debits_pending + w.dq::numeric, credits_pending = b.credits_pending + w.cq::numeric,
			deficit = b.deficit + w.f::numeric
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) AS w(a, s, dp, cp, dq, cq, f)
		WHERE b.account = w.a AND b.asset = w.s`
	newBalanceSQL = `INSERT INTO ledger_balances (account, asset, debits_posted, credits_posted, debits_pending, credits_pending, deficit, debit_normal, guarded)
		SELECT a, s, dp::numeric, cp::numeric, dq::numeric, cq::numeric, f::numeric, n, g
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::bool[])
			AS w(a, s, dp, cp, dq, cq, f, n, g)`
	openSQL  = `INSERT INTO ledger_pending (key, opened, debit, credit, asset, amount) VALUES ($1, $2, $3, $4, $5, $6)`
	closeSQL = `UPDATE ledger_pending SET closed = $2, posted = $3 WHERE key = $1 AND closed IS NULL`
)

func (b *batch) queueLedger(q *pgx.Batch) {
	b.queueEntries(q)
	b.queueBalances(q)
	for _, g := range b.granted {
		for _, key := range g.written.Opened {
			queueOpen(q, key, b.book.Pending[key])
		}
		for _, key := range g.written.Closed {
			p := b.book.Pending[key]
			q.Queue(closeSQL, key, p.Closed, p.Posted)
		}
	}
}

func queueOpen(q *pgx.Batch, key string, p *commit.Pending) {
	var debit, credit, asset, amount []string
	for _, l := range p.Lines {
		debit, credit = append(debit, string(l.Debit)), append(credit, string(l.Credit))
		asset, amount = append(asset, string(l.Amount.Asset)), append(amount, l.Amount.Units.String())
	}
	q.Queue(openSQL, key, p.Opened, debit, credit, asset, amount)
}

func (b *batch) queueEntries(q *pgx.Batch) {
	var positions []int64
	var lines []int32
	var debits []bool
	var accounts, assets, amounts, modes []string
	for _, g := range b.granted {
		for _, e := range g.written.Entries {
			positions, lines, debits = append(positions, e.Position), append(lines, int32(e.Line)), append(debits, e.Debit)
			accounts, assets = append(accounts, string(e.Account)), append(assets, string(e.Asset))
			amounts, modes = append(amounts, e.Amount.String()), append(modes, string(e.Mode))
		}
	}
	if len(positions) > 0 {
		q.Queue(entriesSQL, positions, lines, debits, accounts, assets, amounts, modes)
	}
}

// totals are the columns of one of the two balance statements.
type totals struct {
	accounts, assets, dp, cp, dq, cq, deficit []string
}

func (t *totals) add(k commit.AccountKey, now, was *commit.Account) {
	t.accounts, t.assets = append(t.accounts, string(k.Account)), append(t.assets, string(k.Asset))
	t.dp = append(t.dp, difference(now.Totals.DebitsPosted, was.Totals.DebitsPosted))
	t.cp = append(t.cp, difference(now.Totals.CreditsPosted, was.Totals.CreditsPosted))
	t.dq = append(t.dq, difference(now.Totals.DebitsPending, was.Totals.DebitsPending))
	t.cq = append(t.cq, difference(now.Totals.CreditsPending, was.Totals.CreditsPending))
	t.deficit = append(t.deficit, difference(now.Deficit, was.Deficit))
}

// difference is now − was in decimal, with its sign.
func difference(now, was money.Units) string {
	if up, ok := now.Sub(was); ok {
		return up.String()
	}
	return new(big.Int).Neg(was.Minus(now).Uint256().ToBig()).String()
}

// queueBalances writes the accounts that changed, in the order of the lock.
func (b *batch) queueBalances(q *pgx.Batch) {
	var changed, made totals
	var normal, guarded []bool
	keys := make([]commit.AccountKey, 0, len(b.book.Accounts))
	for k := range b.book.Accounts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y commit.AccountKey) int {
		return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Asset, y.Asset))
	})
	for _, k := range keys {
		now := b.book.Accounts[k]
		was, existed := b.originals[k]
		switch {
		case !existed:
			made.add(k, now, &commit.Account{})
			normal, guarded = append(normal, now.Kind.Debit), append(guarded, now.Kind.Guarded)
		case *was != *now:
			changed.add(k, now, was)
		}
	}
	if len(changed.accounts) > 0 {
		c := changed
		q.Queue(balanceSQL, c.accounts, c.assets, c.dp, c.cp, c.dq, c.cq, c.deficit)
	}
	if len(made.accounts) > 0 {
		m := made
		q.Queue(newBalanceSQL, m.accounts, m.assets, m.dp, m.cp, m.dq, m.cq, m.deficit, normal, guarded)
	}
}
