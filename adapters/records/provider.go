package records

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/money"
)

// ProviderRequest is a request at the payment provider for a payment of ours.
type ProviderRequest struct {
	Payment   domain.PaymentID
	Payee     string
	Amount    money.Amount
	Asks      int    // calls that may have made a request
	RequestID string // empty until an answer came
	Reference string
	Seen      json.RawMessage // how the provider saw it last
	SeenAt    time.Time       // zero when it was never looked at
}

// Orphan is a request that the provider tells of and no payment of ours has.
type Orphan struct {
	RequestID, Tx, Reference, Ours, Network, Amount, Reason string
	FirstSeen, LastSeen                                     time.Time
}

// Provider remembers what was asked of the payment provider and what it answered.
type Provider struct{ pool *pgxpool.Pool }

// Ask notes that a request is about to be made and gives what is known of it: an answer that
// came before is to be used and not asked for again. What was noted first stays.
func (s *Provider) Ask(ctx context.Context, r ProviderRequest) (ProviderRequest, error) {
	row := s.pool.QueryRow(ctx, `INSERT INTO provider_requests AS p (payment, payee, asset, amount, asks) VALUES ($1, $2, $3, $4::text::numeric, 1)
		ON CONFLICT (payment) DO UPDATE SET asks = p.asks + (p.request_id IS NULL)::int
		RETURNING `+providerColumns, string(r.Payment), r.Payee, string(r.Amount.Asset), r.Amount.Units.String())
	got, err := scanProvider(row)
	return got, failed("note a provider's request", err)
}

// Answer keeps the provider's answer. It is on disk when this returns.
func (s *Provider) Answer(ctx context.Context, payment domain.PaymentID, requestID, reference string) error {
	_, err := s.pool.Exec(ctx, `UPDATE provider_requests SET request_id = $2, reference = $3, answered_at = clock_timestamp() WHERE payment = $1 AND request_id IS NULL`,
		string(payment), requestID, reference)
	return failed("keep a provider's answer", err)
}

// Get gives the request of a payment; ok is false when none was made.
func (s *Provider) Get(ctx context.Context, payment domain.PaymentID) (r ProviderRequest, ok bool, err error) {
	rows, err := s.pool.Query(ctx, `SELECT `+providerColumns+` FROM provider_requests WHERE payment = $1`, string(payment))
	r, ok, err = one(rows, err, func(row pgx.CollectableRow) (ProviderRequest, error) { return scanProvider(row) })
	return r, ok, failed("read a provider's request", err)
}

// See keeps how the provider sees a request.
func (s *Provider) See(ctx context.Context, payment domain.PaymentID, seen json.RawMessage) error {
	_, err := s.pool.Exec(ctx, `UPDATE provider_requests SET seen = $2, seen_at = clock_timestamp() WHERE payment = $1`, string(payment), seen)
	return failed("keep what a provider sees", err)
}

// Unused gives requests of the last 30 days, older than an age, that no payment of ours was opened with: its answer was
// lost, or opening was refused afterwards.
func (s *Provider) Unused(ctx context.Context, age time.Duration, limit int) ([]ProviderRequest, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+providerColumns+` FROM provider_requests p
		WHERE asked_at BETWEEN clock_timestamp() - interval '30 days' AND clock_timestamp() - $1::interval AND NOT EXISTS (SELECT FROM events e WHERE e.stream_type = 'payment' AND e.stream_id = p.payment)
		ORDER BY asked_at DESC LIMIT $2`, age, limit)
	if err != nil {
		return nil, failed("list unused requests", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ProviderRequest, error) { return scanProvider(row) })
	return all, failed("list unused requests", err)
}

const providerColumns = `payment, payee, asset, amount::text, asks, COALESCE(request_id, ''), COALESCE(reference, ''), seen, seen_at`

func scanProvider(row pgx.Row) (r ProviderRequest, err error) {
	var units string
	var at *time.Time
	if err := row.Scan(&r.Payment, &r.Payee, &r.Amount.Asset, &units, &r.Asks, &r.RequestID, &r.Reference, &r.Seen, &at); err != nil {
		return r, err
	}
	if at != nil {
		r.SeenAt = at.UTC()
	}
	r.Amount.Units, err = money.ParseUnits(units)
	return r, err
}

// Orphan notes a request that is nobody's; first is true when it was not known yet.
func (s *Provider) Orphan(ctx context.Context, o Orphan) (first bool, err error) {
	err = s.pool.QueryRow(ctx, `INSERT INTO provider_orphans (request_id, tx, reference, ours, network, amount, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (request_id, tx) DO UPDATE SET last_seen = clock_timestamp(), reason = excluded.reason
		RETURNING xmax = 0`, o.RequestID, o.Tx, o.Reference, o.Ours, o.Network, o.Amount, o.Reason).Scan(&first)
	return first, failed("note an orphan", err)
}

// Orphans lists them, the newest first.
func (s *Provider) Orphans(ctx context.Context, limit int) ([]Orphan, error) {
	rows, err := s.pool.Query(ctx, `SELECT request_id, tx, reference, ours, network, amount, reason, first_seen, last_seen
		FROM provider_orphans ORDER BY last_seen DESC, request_id LIMIT $1`, limit)
	if err != nil {
		return nil, failed("list orphans", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o Orphan, err error) {
		err = row.Scan(&o.RequestID, &o.Tx, &o.Reference, &o.Ours, &o.Network, &o.Amount, &o.Reason, &o.FirstSeen, &o.LastSeen)
		o.FirstSeen, o.LastSeen = o.FirstSeen.UTC(), o.LastSeen.UTC()
		return o, err
	})
	return all, failed("list orphans", err)
}

// Read tells up to when the provider's list of payments was read; zero when it never was.
func (s *Provider) Read(ctx context.Context, provider string) (until time.Time, err error) {
	rows, err := s.pool.Query(ctx, `SELECT read_until FROM provider_checkpoints WHERE provider = $1`, provider)
	until, _, err = one(rows, err, pgx.RowTo[time.Time])
	return until.UTC(), failed("read the provider's checkpoint", err)
}

// ReadUntil notes it. It never goes back.
func (s *Provider) ReadUntil(ctx context.Context, provider string, until time.Time) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO provider_checkpoints AS c (provider, read_until) VALUES ($1, $2)
		ON CONFLICT (provider) DO UPDATE SET read_until = greatest(c.read_until, excluded.read_until)`, provider, until)
	return failed("note the provider's checkpoint", err)
}
