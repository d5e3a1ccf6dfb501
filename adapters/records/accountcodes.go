package records

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// ErrCodeUsed: the code was used by another request meanwhile.
var ErrCodeUsed = fault.New(fault.Rule, "CODE_INVALID", "the code is not valid; ask for a new one")

// AccountCode is a code as it was sent to a person.
type AccountCode struct {
	ID      string
	Hash    string
	Email   string // where it was sent
	Expired bool
}

// AccountCodes are codes sent to people.
type AccountCodes struct{ pool *pgxpool.Pool }

const putCodeSQL = `INSERT INTO account_codes AS c (user_id, purpose, id, hash, email, expires_at)
	VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6::interval)
	ON CONFLICT (user_id, purpose) DO UPDATE SET id = excluded.id, hash = excluded.hash, email = excluded.email,
		expires_at = excluded.expires_at, tries = 0, uses = 0,
		window_began = CASE WHEN c.window_began < clock_timestamp() - interval '1 hour' THEN clock_timestamp() ELSE c.window_began END,
		sent = CASE WHEN c.window_began < clock_timestamp() - interval '1 hour' THEN 1 ELSE c.sent + 1 END
	WHERE c.sent < $7 OR c.window_began < clock_timestamp() - interval '1 hour'`

// Put makes a code the only one of its purpose; ok is false when the person was sent so many
// within the hour already.
func (s *AccountCodes) Put(ctx context.Context, u domain.UserID, purpose, hash, email string, lives time.Duration, anHour int) (ok bool, err error) {
	tag, err := s.pool.Exec(ctx, putCodeSQL, string(u), purpose, uuid.NewString(), hash, email, lives, anHour)
	return tag.RowsAffected() > 0, failed("keep a code", err)
}

// Try counts a try and gives the code to compare; ok is false when there is none, it was used, or
// five tries were wrong. The count comes first, so that guesses at the same time are counted.
func (s *AccountCodes) Try(ctx context.Context, u domain.UserID, purpose string) (c AccountCode, ok bool, err error) {
	err = s.pool.QueryRow(ctx, `UPDATE account_codes SET tries = tries + 1 WHERE user_id = $1 AND purpose = $2 AND tries < 5 AND uses = 0
		RETURNING id::text, hash, email, expires_at <= clock_timestamp()`, string(u), purpose).Scan(&c.ID, &c.Hash, &c.Email, &c.Expired)
	if errors.Is(err, pgx.ErrNoRows) {
		return AccountCode{}, false, nil
	}
	return c, err == nil, failed("look a code up", err)
}

// Used uses a code up, once: whoever comes second is refused with CODE_INVALID.
func (s *AccountCodes) Used(u domain.UserID, purpose, id string) []eventstore.Row {
	return []eventstore.Row{{
		SQL:  `UPDATE account_codes SET uses = uses + 1 WHERE user_id = $1 AND purpose = $2 AND id = $3`,
		Args: []any{string(u), purpose, id}, Refused: ErrCodeUsed,
	}}
}
