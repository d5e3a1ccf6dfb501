package records

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain/fault"
)

// ErrUnavailable: the rows cannot be read or written now.
var ErrUnavailable = fault.New(fault.Unavailable, "RECORDS_UNAVAILABLE", "the database does not answer; retry").Retry(1)

// Records is every kind of row over one pool.
type Records struct {
	Users        *Users
	Sessions     *Sessions
	Wallets      *Wallets
	Categories   *Categories
	Inbox        *Inbox
	Chains       *Chains
	Transactions *Transactions
	Destinations *Destinations
	Approvals    *Approvals
	Claims       *Claims
	Rescreening  *Rescreening
	Provider     *Provider
	Sweeps       *Sweeps
	Operations   *Operations
	KeyUses      *KeyUses
	AccountCodes *AccountCodes
	Challenges   *Challenges
	SignIns      *SignIns
	Passkeys     *Passkeys
	Telegram     *Telegram
}

// New joins the rows of a migrated database. hashes bounds how many passwords are hashed at
// once (19 MiB each); 0 means half of the cores.
func New(pool *pgxpool.Pool, hashes int) *Records { return NewWith(pool, NewHasher(hashes, 0)) }

// NewWith is New with a hasher.
func NewWith(pool *pgxpool.Pool, hasher *Hasher) *Records {
	return &Records{
		Users: &Users{pool: pool, hasher: hasher}, Sessions: &Sessions{pool}, Wallets: &Wallets{pool},
		Categories: &Categories{pool}, Inbox: &Inbox{pool}, Chains: &Chains{pool}, Transactions: &Transactions{pool},
		Destinations: &Destinations{pool}, Approvals: &Approvals{pool}, Claims: &Claims{pool}, Provider: &Provider{pool},
		Sweeps: &Sweeps{pool}, Operations: &Operations{pool}, Rescreening: &Rescreening{pool}, KeyUses: &KeyUses{pool}, AccountCodes: &AccountCodes{pool},
		Challenges: &Challenges{pool}, SignIns: &SignIns{pool}, Passkeys: &Passkeys{pool}, Telegram: &Telegram{pool},
	}
}

// failed names what was tried; a connection that is gone is a reason to try again.
func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	if _, answered := errors.AsType[*pgconn.PgError](err); !answered && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%s: %w (%w)", what, ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// isID reports whether text can be the id of a row. Others are simply not there; the database
// would call them an error, and comparing ids as text would not use its indexes.
func isID[T ~string](id T) bool { return len(id) == 36 && uuid.Validate(string(id)) == nil }

// one reads a row that may be missing.
func one[T any](rows pgx.Rows, err error, scan pgx.RowToFunc[T]) (v T, ok bool, _ error) {
	if err != nil {
		return v, false, err
	}
	v, err = pgx.CollectOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return v, false, nil
	}
	return v, err == nil, err
}
