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

// CodeLimits is how many codes of a purpose a person is sent and how often they are tried: at all, and by
// one asker. Tries are those of a day, over all codes; each code takes five besides.
type CodeLimits struct {
	Hour, Day, Tries                int
	AskerHour, AskerDay, AskerTries int
}

// NewCode is a code to keep.
type NewCode struct {
	User    domain.UserID
	Purpose string
	Hash    string
	Email   string
	Lives   time.Duration
	Asker   string // a name of the network address that asks
}

const (
	putCodeSQL = `INSERT INTO account_codes AS c (user_id, purpose, id, hash, email, expires_at)
		VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6::interval)
		ON CONFLICT (user_id, purpose) DO UPDATE SET id = excluded.id, hash = excluded.hash, email = excluded.email,
			expires_at = excluded.expires_at, tries = 0, uses = 0,
			window_began = CASE WHEN c.window_began < clock_timestamp() - interval '1 hour' THEN clock_timestamp() ELSE c.window_began END,
			sent = CASE WHEN c.window_began < clock_timestamp() - interval '1 hour' THEN 1 ELSE c.sent + 1 END,
			day_began = CASE WHEN c.day_began < clock_timestamp() - interval '1 day' THEN clock_timestamp() ELSE c.day_began END,
			sent_today = CASE WHEN c.day_began < clock_timestamp() - interval '1 day' THEN 1 ELSE c.sent_today + 1 END,
			tried_today = CASE WHEN c.day_began < clock_timestamp() - interval '1 day' THEN 0 ELSE c.tried_today END
		WHERE (c.sent < $7 OR c.window_began < clock_timestamp() - interval '1 hour')
			AND (c.sent_today < $8 OR c.day_began < clock_timestamp() - interval '1 day')`
	askedSQL = `INSERT INTO account_code_askers AS a (user_id, purpose, asker, sent, sent_today, tried_today) VALUES ($1, $2, $3, 1, 1, 0)
		ON CONFLICT (user_id, purpose, asker) DO UPDATE SET
			hour_began = CASE WHEN a.hour_began < clock_timestamp() - interval '1 hour' THEN clock_timestamp() ELSE a.hour_began END,
			sent = CASE WHEN a.hour_began < clock_timestamp() - interval '1 hour' THEN 1 ELSE a.sent + 1 END,
			day_began = CASE WHEN a.day_began < clock_timestamp() - interval '1 day' THEN clock_timestamp() ELSE a.day_began END,
			sent_today = CASE WHEN a.day_began < clock_timestamp() - interval '1 day' THEN 1 ELSE a.sent_today + 1 END,
			tried_today = CASE WHEN a.day_began < clock_timestamp() - interval '1 day' THEN 0 ELSE a.tried_today END
		WHERE (a.sent < $4 OR a.hour_began < clock_timestamp() - interval '1 hour')
			AND (a.sent_today < $5 OR a.day_began < clock_timestamp() - interval '1 day')`
	triedSQL = `INSERT INTO account_code_askers AS a (user_id, purpose, asker, sent, sent_today, tried_today) VALUES ($1, $2, $3, 0, 0, 1)
		ON CONFLICT (user_id, purpose, asker) DO UPDATE SET
			day_began = CASE WHEN a.day_began < clock_timestamp() - interval '1 day' THEN clock_timestamp() ELSE a.day_began END,
			sent_today = CASE WHEN a.day_began < clock_timestamp() - interval '1 day' THEN 0 ELSE a.sent_today END,
			tried_today = CASE WHEN a.day_began < clock_timestamp() - interval '1 day' THEN 1 ELSE a.tried_today + 1 END
		WHERE a.tried_today < $4 OR a.day_began < clock_timestamp() - interval '1 day'`
	tryCodeSQL = `UPDATE account_codes SET tries = tries + 1,
			day_began = CASE WHEN day_began < clock_timestamp() - interval '1 day' THEN clock_timestamp() ELSE day_began END,
			sent_today = CASE WHEN day_began < clock_timestamp() - interval '1 day' THEN 0 ELSE sent_today END,
			tried_today = CASE WHEN day_began < clock_timestamp() - interval '1 day' THEN 1 ELSE tried_today + 1 END
		WHERE user_id = $1 AND purpose = $2 AND tries < 5 AND uses = 0 AND (tried_today < $3 OR day_began < clock_timestamp() - interval '1 day')
		RETURNING id::text, hash, email, expires_at <= clock_timestamp()`
)

// Put makes a code the only one of its purpose; ok is false when the person was sent as many as the
// limits say, or this asker has asked for as many. Then nothing is counted.
func (s *AccountCodes) Put(ctx context.Context, c NewCode, most CodeLimits) (ok bool, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, askedSQL, string(c.User), c.Purpose, c.Asker, most.AskerHour, most.AskerDay)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		tag, err = tx.Exec(ctx, putCodeSQL, string(c.User), c.Purpose, uuid.NewString(), c.Hash, c.Email, c.Lives, most.Hour, most.Day)
		if err == nil && tag.RowsAffected() == 0 {
			return errTooMany
		}
		ok = err == nil
		return err
	})
	if errors.Is(err, errTooMany) {
		return false, nil
	}
	return ok && err == nil, failed("keep a code", err)
}

// errTooMany takes back that an asker was counted.
var errTooMany = errors.New("the person was sent enough codes")

// Try counts a try and gives the code to compare; ok is false when there is none, it was used, five
// tries were wrong, or there were too many today. The count comes first, so that guesses at the same
// time are counted; those of an asker who has had enough are not the person's.
func (s *AccountCodes) Try(ctx context.Context, u domain.UserID, purpose, asker string, most CodeLimits) (c AccountCode, ok bool, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, triedSQL, string(u), purpose, asker, most.AskerTries)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		err = tx.QueryRow(ctx, tryCodeSQL, string(u), purpose, most.Tries).Scan(&c.ID, &c.Hash, &c.Email, &c.Expired)
		ok = err == nil
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return AccountCode{}, false, failed("look a code up", err)
	}
	return c, ok, nil
}

// Used uses a code up, once: whoever comes second is refused with CODE_INVALID.
func (s *AccountCodes) Used(u domain.UserID, purpose, id string) []eventstore.Row {
	return []eventstore.Row{{
		SQL:  `UPDATE account_codes SET uses = uses + 1 WHERE user_id = $1 AND purpose = $2 AND id = $3`,
		Args: []any{string(u), purpose, id}, Refused: ErrCodeUsed,
	}}
}
