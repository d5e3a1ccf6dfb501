package bookview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/domain/money"
)

// Moving is a transfer of ours that is on its way or was mined after a block: what the ledger
// holds to be gone from its source, and to have come to the treasury.
type Moving struct {
	Chain   uint64
	Kind    string // payout, refund, sweep
	ID      string
	Hash    string
	Source  domain.DestinationID // whose tokens move; empty: the treasury's
	Amount  money.Amount
	Left    bool // by the ledger
	Arrived bool // of sweeps
	Mined   bool // by the ledger: its end is booked, its fee too
}

// movingSQL: a transaction that is sent, or was mined above the block at which we compare.
const movingSQL = `SELECT t.chain, t.kind, t.id, t.hash, t.destination, t.state = 'mined',
		COALESCE(t.transfer#>>'{amount,asset}', o.asset, r.doc#>>'{net,asset}', ''),
		COALESCE(t.transfer#>>'{amount,amount}', o.amount::text, r.doc#>>'{net,amount}', '0'),
		CASE t.kind WHEN 'sweep'  THEN d.doc#>>ARRAY['sweeps', t.id, 'status'] IN ('broadcast', 'confirmed')
		            WHEN 'payout' THEN o.phase = 'Confirmed' OR o.doc->>'pending' <> ''
		            ELSE r.doc->>'phase' = 'Confirmed' OR r.doc->>'pending' <> '' END,
		t.kind = 'sweep' AND d.doc#>>ARRAY['sweeps', t.id, 'status'] = 'confirmed'
	FROM views.watched_transactions t
		LEFT JOIN views.destinations d ON t.kind = 'sweep' AND d.id = t.destination
		LEFT JOIN views.payouts o ON t.kind = 'payout' AND o.id = t.id
		LEFT JOIN views.refunds r ON t.kind = 'refund' AND r.id = t.id
	WHERE t.chain = $1 AND (t.state = 'sent' OR (t.state = 'mined' AND t.block > $2)) ORDER BY t.kind, t.id, t.hash`

// Moving gives what is not settled as of a block of a chain.
func (q Queries) Moving(ctx context.Context, chain, block uint64) ([]Moving, error) {
	return collect(ctx, q, func(row pgx.CollectableRow) (m Moving, err error) {
		var on int64
		var amount string
		var left, arrived *bool
		if err := row.Scan(&on, &m.Kind, &m.ID, &m.Hash, &m.Source, &m.Mined, &m.Amount.Asset, &amount, &left, &arrived); err != nil {
			return m, err
		}
		m.Chain, m.Left, m.Arrived = uint64(on), left != nil && *left, arrived != nil && *arrived
		m.Amount.Units, err = money.ParseUnits(amount)
		return m, err
	}, movingSQL, int64(chain), int64(block))
}

// Followed gives the ids of sweeps, of those given, that have a transaction which is followed.
func (q Queries) Followed(ctx context.Context, sweeps []string) (map[string]bool, error) {
	ids, err := collect(ctx, q, pgx.RowTo[string], `SELECT DISTINCT id FROM views.watched_transactions WHERE kind = 'sweep' AND state IN ('sent', 'mined') AND id = ANY($1::text[])`, sweeps)
	all := map[string]bool{}
	for _, id := range ids {
		all[id] = true
	}
	return all, err
}

// Pending is an open pending entry of the ledger.
type Pending struct {
	Key      string
	Opened   int64
	Stream   domain.Stream // whose event opened it
	Amount   money.Amount
	OpenedAt time.Time
}

const pendingSQL = `SELECT p.key, p.opened, e.stream_type, e.stream_id, p.asset[1], p.amount[1], e.recorded_at
	FROM ledger_pending p JOIN events e ON e.position = p.opened
	WHERE p.closed IS NULL AND p.opened > $1 AND e.recorded_at < $2 ORDER BY p.opened LIMIT $3`

// OpenPending gives the pending entries that were opened before a time, after a position.
func (q Queries) OpenPending(ctx context.Context, before time.Time, after int64, limit int) ([]Pending, error) {
	return collect(ctx, q, func(row pgx.CollectableRow) (p Pending, err error) {
		var amount string
		if err := row.Scan(&p.Key, &p.Opened, &p.Stream.Type, &p.Stream.ID, &p.Amount.Asset, &amount, &p.OpenedAt); err != nil {
			return p, err
		}
		p.Amount.Units, err = money.ParseUnits(amount)
		return p, err
	}, pendingSQL, after, before, limit)
}
