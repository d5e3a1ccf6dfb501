package records

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/fault"
)

// Transactions keeps signed transactions of ours. The log says which of them count.
type Transactions struct{ pool *pgxpool.Pool }

// Keep stores a signed transaction before the log hears of it; a repeat changes nothing.
func (s *Transactions) Keep(ctx context.Context, chain uint64, hash, raw string) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO signed_transactions (chain_id, hash, raw) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		int64(chain), strings.ToLower(hash), raw)
	return failed("keep a signed transaction", err)
}

// Raw gives a kept transaction; ok is false when this process's database never saw it.
func (s *Transactions) Raw(ctx context.Context, chain uint64, hash string) (raw string, ok bool, err error) {
	rows, err := s.pool.Query(ctx, `SELECT raw FROM signed_transactions WHERE chain_id = $1 AND hash = $2`, int64(chain), strings.ToLower(hash))
	raw, ok, err = one(rows, err, pgx.RowTo[string])
	return raw, ok, failed("read a signed transaction", err)
}

// KeepFor stores a signed transaction that runs an errand, and gives the one that runs it: an
// earlier one when there is one, since no errand is run twice.
func (s *Transactions) KeepFor(ctx context.Context, purpose string, chain uint64, hash, raw string) (kept string, err error) {
	_, err = s.pool.Exec(ctx, `INSERT INTO signed_transactions (chain_id, hash, raw, purpose) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		int64(chain), strings.ToLower(hash), raw, purpose)
	if err != nil {
		return "", failed("keep a signed transaction", err)
	}
	kept, ok, err := s.For(ctx, purpose)
	if err == nil && !ok {
		err = fmt.Errorf("transaction %s runs another errand than %s", hash, purpose)
	}
	return kept, err
}

// For gives the signed transaction that runs an errand.
func (s *Transactions) For(ctx context.Context, purpose string) (raw string, ok bool, err error) {
	rows, err := s.pool.Query(ctx, `SELECT raw FROM signed_transactions WHERE purpose = $1`, purpose)
	raw, ok, err = one(rows, err, pgx.RowTo[string])
	return raw, ok, failed("read a signed transaction", err)
}

// Sent notes that a transaction was handed to the chain, or why that failed (reason not empty).
func (s *Transactions) Sent(ctx context.Context, chain uint64, hash, reason string) error {
	_, err := s.pool.Exec(ctx, `UPDATE signed_transactions SET sends = sends + 1, error = $3,
		sent_at = CASE WHEN $3 = '' THEN clock_timestamp() ELSE sent_at END WHERE chain_id = $1 AND hash = $2`,
		int64(chain), strings.ToLower(hash), reason)
	return failed("note a sent transaction", err)
}

// lastIndex is the last one that can be derived from a public key; those beyond are hardened.
const lastIndex = 1<<31 - 1

// ErrIndexesUsed: every index below the xpub was given out. Another account is needed.
var ErrIndexesUsed = fault.New(fault.Conflict, "DERIVATION_CONFLICT", "no path index is left below the configured key")

// Destinations hands out path indexes.
type Destinations struct{ pool *pgxpool.Pool }

// Index gives the payment's path index below the xpub with this fingerprint: the next free one,
// or the same again for the same payment.
func (s *Destinations) Index(ctx context.Context, fingerprint string, payment domain.PaymentID) (uint32, error) {
	var index int64
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// One at a time for an xpub, so that no index is skipped or given twice.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('destination:' || $1, 0))`, fingerprint); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `SELECT index FROM destination_indexes WHERE fingerprint = $1 AND payment_id = $2`, fingerprint, string(payment)).Scan(&index)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT COALESCE(max(index)::bigint + 1, 0) FROM destination_indexes WHERE fingerprint = $1`, fingerprint).Scan(&index); err != nil {
			return err
		}
		if index > lastIndex {
			return nil
		}
		_, err = tx.Exec(ctx, `INSERT INTO destination_indexes (fingerprint, index, payment_id) VALUES ($1, $2, $3)`, fingerprint, index, string(payment))
		return err
	})
	if err == nil && index > lastIndex {
		return 0, ErrIndexesUsed
	}
	return uint32(index), failed("give out a path index", err)
}

// Given is how path indexes stand below an xpub.
type Given struct {
	Count int
	Last  *uint32 // nil before the first
}

// Given counts the indexes that were given out.
func (s *Destinations) Given(ctx context.Context, fingerprint string) (g Given, err error) {
	var last *int32
	err = s.pool.QueryRow(ctx, `SELECT count(*), max(index) FROM destination_indexes WHERE fingerprint = $1`, fingerprint).Scan(&g.Count, &last)
	if last != nil {
		index := uint32(*last)
		g.Last = &index
	}
	return g, failed("count path indexes", err)
}
