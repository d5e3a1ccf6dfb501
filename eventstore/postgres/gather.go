package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
	"holdfast/eventstore/commit"
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

// needs lists what the wishes name, each once.
type needs struct {
	streams          []domain.Stream
	types, ids       []string
	actors, keys     []string
	claims           []string
	pending          []string
	accounts, assets []string
}

func (b *batch) needs() *needs {
	n := &needs{}
	streams, keys := map[domain.Stream]bool{}, map[commit.KeyID]bool{}
	claims, pending := map[string]bool{}, map[string]bool{}
	accounts := map[commit.AccountKey]bool{}
	for _, r := range b.requests {
		for _, e := range r.wish.Expected {
			if first(streams, e.Stream) {
				n.streams = append(n.streams, e.Stream)
				n.types, n.ids = append(n.types, e.Stream.Type), append(n.ids, e.Stream.ID)
			}
		}
		if k := r.wish.Key; k != nil && first(keys, commit.IDOf(*k)) {
			n.actors, n.keys = append(n.actors, k.Actor), append(n.keys, k.Key)
		}
		for i := range r.wish.Events {
			e := &r.wish.Events[i]
			for _, c := range e.Claims {
				if first(claims, c.Name) {
					n.claims = append(n.claims, c.Name)
				}
			}
			if e.Tx == nil {
				continue
			}
			if e.Tx.Key != "" && first(pending, e.Tx.Key) {
				n.pending = append(n.pending, e.Tx.Key)
			}
			commit.Keys(e.Tx.Lines, func(k commit.AccountKey) {
				if first(accounts, k) {
					n.accounts, n.assets = append(n.accounts, string(k.Account)), append(n.assets, string(k.Asset))
				}
			})
		}
	}
	return n
}

func first[K comparable](seen map[K]bool, k K) bool {
	if seen[k] {
		return false
	}
	seen[k] = true
	return true
}

func (b *batch) readHead(row pgx.Row) error {
	var edge []byte
	if err := row.Scan(&b.book.Position, &edge, &b.at); err != nil {
		return fmt.Errorf("read the head: %w", err)
	}
	var err error
	b.tree, err = eventstore.NewTree(b.book.Position, edge)
	return err
}

// readClock takes the database's time, but never one before the last event's.
func (b *batch) readClock(row pgx.Row) error {
	var now time.Time
	var isolation string
	if err := row.Scan(&now, &isolation); err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	if isolation != "read committed" {
		return fmt.Errorf("the append runs under %q: only READ COMMITTED sees the rows it waited for", isolation)
	}
	if now.After(b.at) {
		b.at = now
	}
	b.at = b.at.UTC()
	return nil
}

func (b *batch) readVersions(rows pgx.Rows, streams []domain.Stream) error {
	var n int64
	var version *int64
	_, err := pgx.ForEachRow(rows, []any{&n, &version}, func() error {
		if version != nil {
			b.book.Versions[streams[n-1]] = *version
		}
		return nil
	})
	return err
}

func (b *batch) readKeys(rows pgx.Rows) error {
	var id commit.KeyID
	var fingerprint, raw []byte
	var expires *time.Time
	_, err := pgx.ForEachRow(rows, []any{&id.Actor, &id.Key, &fingerprint, &raw, &expires}, func() error {
		known, err := remembered(fingerprint, raw, expires)
		b.book.Keys[id] = known
		return err
	})
	return err
}

func remembered(fingerprint, raw []byte, expires *time.Time) (commit.Remembered, error) {
	r := commit.Remembered{Fingerprint: append([]byte(nil), fingerprint...)}
	if expires != nil {
		r.Expires = *expires
	}
	if err := json.Unmarshal(raw, &r.Outcome); err != nil {
		return r, fmt.Errorf("read an outcome: %w", err)
	}
	return r, nil
}

func (b *batch) readClaims(rows pgx.Rows) error {
	var name string
	var holder domain.Stream
	_, err := pgx.ForEachRow(rows, []any{&name, &holder.Type, &holder.ID}, func() error {
		b.book.Claims[name] = holder
		return nil
	})
	return err
}

func (b *batch) readPending(rows pgx.Rows) error {
	var key string
	var debit, credit, asset, amount []string
	var p commit.Pending
	_, err := pgx.ForEachRow(rows, []any{&key, &debit, &credit, &asset, &amount, &p.Opened, &p.Closed, &p.Posted}, func() error {
		now := p
		now.Lines = nil
		for i := range debit {
			units, err := money.ParseUnits(amount[i])
			if err != nil {
				return fmt.Errorf("read pending %q: %w", key, err)
			}
			now.Lines = append(now.Lines, ledger.Dr(ledger.Account(debit[i]), ledger.Account(credit[i]), money.Of(money.Asset(asset[i]), units)))
		}
		b.book.Pending[key] = &now
		return nil
	})
	return err
}

func (b *batch) readBalances(rows pgx.Rows) error {
	var a commit.Account
	t := &a.Totals
	_, err := pgx.ForEachRow(rows, []any{&t.Account, &t.Asset, &t.DebitsPosted, &t.CreditsPosted, &t.DebitsPending, &t.CreditsPending, &a.Deficit}, func() error {
		now, was := a, a
		var err error
		if now.Kind, err = ledger.KindOf(t.Account); err != nil {
			return err
		}
		key := commit.AccountKey{Account: t.Account, Asset: t.Asset}
		b.book.Accounts[key], b.originals[key] = &now, &was
		return nil
	})
	return err
}
