package watchview

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/payment"
)

// Payment is one that money may arrive for.
type Payment struct {
	ID          domain.PaymentID
	Hold        domain.HoldID
	Seller      domain.UserID
	Asset       money.Asset
	Threshold   payment.Threshold
	Chain       uint64
	Destination domain.DestinationID
	Address     string
	Reference   string
	RequestID   string
}

// Transfer is one that was seen for a payment and counts at the moment.
type Transfer struct {
	Payment   Payment
	Evidence  payment.Evidence
	Confirmed bool
}

// Transaction is one of ours on its way, or mined lately.
type Transaction struct {
	Chain       uint64
	Hash        string
	Kind        string
	ID          string
	Destination domain.DestinationID // whose tokens it sends; empty: the treasury's
	Transfer    *outgoing.Transfer   // nil for refunds; of sweeps without recipient and token
	Raw         string
	Mined       bool
	Block       uint64
	BlockHash   string
}

// Sweepable is a derived address with confirmed money.
type Sweepable struct {
	Destination domain.DestinationID
	Chain       uint64
	Address     string
	Path        string
	Index       uint32
	Asset       money.Asset
}

// Queries read what is to be watched.
type Queries struct{ pool *pgxpool.Pool }

// New makes the queries.
func New(pool *pgxpool.Pool) Queries { return Queries{pool} }

const paymentColumns = `p.payment, p.hold, p.seller, p.asset, p.need, p.floor, p.finality, p.safe, COALESCE(p.chain, 0), COALESCE(p.destination, ''),
	COALESCE(p.address, ''), COALESCE(p.reference, ''), COALESCE(p.request_id, '')`

func (p *Payment) fields(chain, need, floor *int64) []any {
	return []any{&p.ID, &p.Hold, &p.Seller, &p.Asset, need, floor, &p.Threshold.Finalized, &p.Threshold.Safe, chain, &p.Destination, &p.Address, &p.Reference, &p.RequestID}
}

func scanPayment(row pgx.CollectableRow) (p Payment, err error) {
	var chain, need, floor int64
	err = row.Scan(p.fields(&chain, &need, &floor)...)
	p.Chain, p.Threshold.Need, p.Threshold.Floor = uint64(chain), uint64(need), uint64(floor)
	return p, err
}

// Payments gives those of a chain that wait for money or were closed after a time, since late
// money must be found too.
func (q Queries) Payments(ctx context.Context, chain uint64, closedAfter time.Time) ([]Payment, error) {
	return collect(ctx, q, scanPayment, `SELECT `+paymentColumns+` FROM views.watched_payments p
		WHERE chain = $1 AND (closed_at IS NULL OR closed_at > $2) ORDER BY payment`, int64(chain), closedAfter)
}

// InCoin gives those of a chain that ask for its native coin, be they closed after a time at most.
func (q Queries) InCoin(ctx context.Context, chain uint64, coin money.Asset, closedAfter time.Time) ([]domain.PaymentID, error) {
	return collect(ctx, q, pgx.RowTo[domain.PaymentID], `SELECT payment FROM views.watched_payments
		WHERE chain = $1 AND asset = $2 AND (closed_at IS NULL OR closed_at > $3) ORDER BY payment`, int64(chain), string(coin), closedAfter)
}

// Find gives the payments that a provider's request id or a reference names.
func (q Queries) Find(ctx context.Context, requestID, reference string) ([]Payment, error) {
	return collect(ctx, q, scanPayment, `SELECT `+paymentColumns+` FROM views.watched_payments p
		WHERE (p.request_id = NULLIF($1, '') OR ($1 = '' AND p.reference = lower(NULLIF($2, '')))) AND p.chain IS NOT NULL LIMIT 10`, requestID, reference)
}

// Get gives one payment; none when nothing is watched for it.
func (q Queries) Get(ctx context.Context, id domain.PaymentID) ([]Payment, error) {
	return collect(ctx, q, scanPayment, `SELECT `+paymentColumns+` FROM views.watched_payments p WHERE payment = $1 AND chain IS NOT NULL`, string(id))
}

// AtProvider gives open payments with a request at the provider, by id, those after one id first
// and at most limit. Our own checkout names a payment by its own id, and no provider knows it.
func (q Queries) AtProvider(ctx context.Context, after domain.PaymentID, limit int) ([]Payment, error) {
	return collect(ctx, q, scanPayment, `SELECT `+paymentColumns+` FROM views.watched_payments p
		WHERE closed_at IS NULL AND request_id <> payment AND chain IS NOT NULL ORDER BY payment <= $1, payment LIMIT $2`, string(after), limit)
}

// Transfers gives those of a chain that are not confirmed, and confirmed ones in blocks from a
// height on.
func (q Queries) Transfers(ctx context.Context, chain, from uint64) ([]Transfer, error) {
	return collect(ctx, q, func(row pgx.CollectableRow) (t Transfer, err error) {
		var chain, need, floor, on, log, block int64
		err = row.Scan(append(t.Payment.fields(&chain, &need, &floor), &on, &t.Evidence.Tx, &log, &block, &t.Evidence.BlockHash, &t.Confirmed)...)
		p, e := &t.Payment, &t.Evidence
		p.Chain, p.Threshold.Need, p.Threshold.Floor = uint64(chain), uint64(need), uint64(floor)
		e.Chain, e.Log, e.Block = uint64(on), uint(log), uint64(block)
		return t, err
	}, `SELECT `+paymentColumns+`, t.chain, t.tx, t.log, t.block, t.block_hash, t.confirmed
		FROM (SELECT * FROM views.watched_transfers WHERE chain = $1 AND NOT confirmed
			UNION ALL SELECT * FROM views.watched_transfers WHERE chain = $1 AND confirmed AND block >= $2) t
		JOIN views.watched_payments p ON p.payment = t.payment ORDER BY t.block, t.evidence`, int64(chain), int64(from))
}

// Transactions gives those of ours on a chain that were sent, and mined ones in blocks from a
// height on.
func (q Queries) Transactions(ctx context.Context, chain, from uint64) ([]Transaction, error) {
	return collect(ctx, q, scanTransaction, `SELECT `+transactionColumns+` FROM views.watched_transactions
		WHERE chain = $1 AND (state = 'sent' OR (state = 'mined' AND block >= $2)) ORDER BY kind, id, hash`, int64(chain), int64(from))
}

const transactionColumns = `chain, hash, kind, id, destination, transfer, raw, state = 'mined', block, block_hash`

func scanTransaction(row pgx.CollectableRow) (t Transaction, err error) {
	var on, block int64
	err = row.Scan(&on, &t.Hash, &t.Kind, &t.ID, &t.Destination, &t.Transfer, &t.Raw, &t.Mined, &block, &t.BlockHash)
	t.Chain, t.Block = uint64(on), uint64(block)
	return t, err
}

// Sweepable gives the derived addresses of a chain with confirmed money.
func (q Queries) Sweepable(ctx context.Context, chain uint64) ([]Sweepable, error) {
	return collect(ctx, q, func(row pgx.CollectableRow) (s Sweepable, err error) {
		var on, index int64
		err = row.Scan(&s.Destination, &on, &s.Address, &s.Path, &index, &s.Asset)
		s.Chain, s.Index = uint64(on), uint32(index)
		return s, err
	}, `SELECT a.destination, a.chain, a.address, a.path, a.index, s.asset
		FROM views.watched_sweeps s JOIN views.watched_addresses a ON a.destination = s.destination
		WHERE a.chain = $1 ORDER BY a.destination, s.asset`, int64(chain))
}

func collect[T any](ctx context.Context, q Queries, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	rows, err := q.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read what is to be watched: %w", err)
	}
	all, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read what is to be watched: %w", err)
	}
	return all, nil
}
