package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// The statements of the first round trip. From the second on, each sees what was committed
// before the head's lock was granted: READ COMMITTED takes a snapshot a statement.
const (
	beginSQL = `BEGIN ISOLATION LEVEL READ COMMITTED`
	headSQL  = `SELECT position, tree, recorded_at FROM log_head FOR UPDATE`
	// The clock is read after the lock was granted, not while it is waited for.
	clockSQL    = `SELECT clock_timestamp(), current_setting('transaction_isolation')`
	versionsSQL = `SELECT w.n, (SELECT e.version FROM events e WHERE e.stream_type = w.type AND e.stream_id = w.id
		ORDER BY e.version DESC LIMIT 1)
		FROM unnest($1::text[], $2::text[]) WITH ORDINALITY w(type, id, n)`
	keysSQL = `SELECT c.actor, c.idempotency_key, c.fingerprint, c.outcome, c.expires_at
		FROM unnest($1::text[], $2::text[]) w(actor, key)
		JOIN commands c ON c.actor = w.actor AND c.idempotency_key = w.key`
	claimsSQL  = `SELECT name, stream_type, stream_id FROM claims WHERE name = ANY($1::text[])`
	pendingSQL = `SELECT key, debit, credit, asset, amount, opened, coalesce(closed, 0), coalesce(posted, false)
		FROM ledger_pending WHERE key = ANY($1::text[])`
	// The account rows, locked in a statement of their own and in one order for everybody:
	// those named by postings and those of the pending transactions that are being closed.
	balancesSQL = `SELECT b.account, b.asset, b.debits_posted::text, b.credits_posted::text, b.debits_pending::text,
		b.credits_pending::text, b.deficit::text
		FROM (SELECT account, asset FROM unnest($1::text[], $2::text[]) w(account, asset)
			UNION SELECT unnest(debit), unnest(asset) FROM ledger_pending WHERE key = ANY($3::text[])
			UNION SELECT unnest(credit), unnest(asset) FROM ledger_pending WHERE key = ANY($3::text[])) w
		JOIN ledger_balances b ON b.account = w.account AND b.asset = w.asset
		ORDER BY b.account, b.asset FOR UPDATE OF b`
)

// gather locks the head and reads all that the wishes depend on, in one round trip.
func (b *batch) gather(ctx context.Context, conn *pgx.Conn) error {
	n := b.needs()
	var q pgx.Batch
	q.Queue(beginSQL)
	q.Queue(headSQL).QueryRow(b.readHead)
	q.Queue(clockSQL).QueryRow(b.readClock)
	if len(n.streams) > 0 {
		q.Queue(versionsSQL, n.types, n.ids).Query(func(rows pgx.Rows) error { return b.readVersions(rows, n.streams) })
	}
	if len(n.actors) > 0 {
		q.Queue(keysSQL, n.actors, n.keys).Query(b.readKeys)
	}
	if len(n.claims) > 0 {
		q.Queue(claimsSQL, n.claims).Query(b.readClaims)
	}
	if len(n.pending) > 0 {
		q.Queue(pendingSQL, n.pending).Query(b.readPending)
	}
	if len(n.accounts) > 0 || len(n.pending) > 0 {
		q.Queue(balancesSQL, n.accounts, n.assets, n.pending).Query(b.readBalances)
	}
	if err := conn.SendBatch(ctx, &q).Close(); err != nil {
		return fmt.Errorf("lock the log and read: %w", err)
	}
	return nil
}
