package records

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// Wallet is an address of a user to which money may go.
type Wallet struct {
	ID           string
	ChainID      uint64
	Address      string // EIP-55
	Verified     bool
	CoolingUntil time.Time // zero when it may be used
	Screening    string    // "clean", "flagged" or empty
}

// ErrWalletThere: of two who add one address at once, the second.
var ErrWalletThere = fault.New(fault.Conflict, "WALLET_EXISTS", "this address has just been added")

// Wallets are users' addresses.
type Wallets struct{ pool *pgxpool.Pool }

const walletSQL = `SELECT id::text, chain_id, address, verified_at IS NOT NULL,
	CASE WHEN cooling_until > clock_timestamp() THEN cooling_until END, screening
	FROM wallets WHERE removed_at IS NULL AND user_id = $1 `

// OfUser gives one wallet of the user; ok is false when it is not theirs.
func (s *Wallets) OfUser(ctx context.Context, u domain.UserID, id string) (Wallet, bool, error) {
	if !isID(u) || !isID(id) {
		return Wallet{}, false, nil
	}
	rows, err := s.pool.Query(ctx, walletSQL+`AND id = $2`, string(u), id)
	w, ok, err := one(rows, err, scanWallet)
	return w, ok, failed("find a wallet", err)
}

// Default is the user's newest verified wallet on a chain.
func (s *Wallets) Default(ctx context.Context, u domain.UserID, chain uint64) (Wallet, bool, error) {
	if !isID(u) {
		return Wallet{}, false, nil
	}
	rows, err := s.pool.Query(ctx, walletSQL+`AND chain_id = $2 AND verified_at IS NOT NULL ORDER BY created_at DESC, id LIMIT 1`, string(u), int64(chain))
	w, ok, err := one(rows, err, scanWallet)
	return w, ok, failed("find the default wallet", err)
}

// List gives the user's wallets, newest first.
func (s *Wallets) List(ctx context.Context, u domain.UserID) ([]Wallet, error) {
	rows, err := s.pool.Query(ctx, walletSQL+`ORDER BY created_at DESC, id LIMIT 500`, string(u))
	if err != nil {
		return nil, failed("list wallets", err)
	}
	all, err := pgx.CollectRows(rows, scanWallet)
	return all, failed("list wallets", err)
}

// Add keeps a verified address that may be paid after cooling. The same address again, of the
// same user, changes nothing: it does not begin to rest anew.
func (s *Wallets) Add(ctx context.Context, u domain.UserID, w Wallet, cooling time.Duration) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO wallets (id, user_id, chain_id, address, verified_at, cooling_until, screening)
		VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp() + $5::interval, $6) ON CONFLICT DO NOTHING`,
		w.ID, string(u), int64(w.ChainID), w.Address, cooling, w.Screening)
	return failed("add a wallet", err)
}

// Linked goes with the event that links an address: it may be paid after cooling.
func (s *Wallets) Linked(u domain.UserID, w Wallet, cooling time.Duration) []eventstore.Row {
	return []eventstore.Row{{
		SQL: `INSERT INTO wallets (id, user_id, chain_id, address, verified_at, cooling_until, screening)
			VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp() + $5::interval, $6)`,
		Args: []any{w.ID, string(u), int64(w.ChainID), w.Address, cooling, w.Screening}, Refused: ErrWalletThere,
	}}
}

// Unlinked goes with the event that unlinks it. The row stays for what was paid there; nothing finds
// it any more.
func (s *Wallets) Unlinked(u domain.UserID, id string) []eventstore.Row {
	return []eventstore.Row{{SQL: `UPDATE wallets SET removed_at = clock_timestamp() WHERE user_id = $1 AND id = $2 AND removed_at IS NULL`, Args: []any{string(u), id}}}
}

// Screen records what screening said of an address, for every user who has it.
func (s *Wallets) Screen(ctx context.Context, chain uint64, address, verdict string) error {
	_, err := s.pool.Exec(ctx, `UPDATE wallets SET screening = $3, screened_at = clock_timestamp()
		WHERE chain_id = $1 AND lower(address) = lower($2)`, int64(chain), address, verdict)
	return failed("record a screening", err)
}

func scanWallet(row pgx.CollectableRow) (w Wallet, err error) {
	var chain int64
	var cooling *time.Time
	err = row.Scan(&w.ID, &chain, &w.Address, &w.Verified, &cooling, &w.Screening)
	w.ChainID = uint64(chain)
	if cooling != nil {
		w.CoolingUntil = cooling.UTC()
	}
	return w, err
}
