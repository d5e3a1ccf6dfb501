package records

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/eventstore"
)

// ErasureChannel is notified when a person was erased; the payload is the user's id.
const ErasureChannel = "holdfast_erasures"

// keyShredder destroys the key of a data subject.
type keyShredder interface {
	Destroy(ctx context.Context, subject domain.UserID) error
}

// Erasures forgets people: their key, and every row about them.
type Erasures struct {
	pool  *pgxpool.Pool
	keys  keyShredder
	mails *Mails
}

// NewErasures makes them over a migrated database.
func NewErasures(pool *pgxpool.Pool, keys keyShredder, mails *Mails) *Erasures {
	return &Erasures{pool, keys, mails}
}

// Erased gives the statements that go with the event that ends an account: nobody signs in any
// more, what signing in read is gone, and the rest is put up to be worked off. email is the
// person's, empty without one.
func (s *Erasures) Erased(u domain.UserID, email string) []eventstore.Row {
	hash := ""
	if email != "" {
		hash = s.mails.Address(email)
	}
	return []eventstore.Row{
		{SQL: `INSERT INTO erasures (user_id, mail_hash) VALUES ($1, nullif($2, '')) ON CONFLICT DO NOTHING`, Args: []any{string(u), hash}},
		{SQL: `UPDATE users SET email = NULL, name = '', password_hash = '', roles = '{}', status = 'erased', active = false,
			email_verified_at = NULL WHERE id = $1`, Args: []any{string(u)}},
		{SQL: `UPDATE sessions SET revoked_at = coalesce(revoked_at, clock_timestamp()), user_agent = '', address = '' WHERE user_id = $1`, Args: []any{string(u)}},
		{SQL: `DELETE FROM account_codes WHERE user_id = $1`, Args: []any{string(u)}},
		{SQL: `DELETE FROM account_code_askers WHERE user_id = $1`, Args: []any{string(u)}},
	}
}

// Answers deletes what was answered to an actor's keyed commands.
func (s *Erasures) Answers(actor string) eventstore.Row {
	return eventstore.Row{SQL: `DELETE FROM commands WHERE actor = $1`, Args: []any{actor}}
}

// Waiting lists the people who are still to be forgotten, at most a hundred.
func (s *Erasures) Waiting(ctx context.Context) ([]domain.UserID, error) {
	rows, err := s.pool.Query(ctx, `SELECT user_id::text FROM erasures WHERE purged_at IS NULL ORDER BY asked_at LIMIT 100`)
	if err != nil {
		return nil, failed("list erasures", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[domain.UserID])
	return all, failed("list erasures", err)
}

// ownedSQL lists the tables whose rows die with a person: they said so by their foreign key.
const ownedSQL = `SELECT c.conrelid::regclass::text, a.attname
	FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
	WHERE c.contype = 'f' AND c.confrelid = 'users'::regclass AND c.confdeltype = 'c' AND cardinality(c.conkey) = 1
	ORDER BY 1`

// Purge destroys a person's key and deletes every row that is theirs. Doing it again changes
// nothing, so that a crash in the middle is worked off by the next round.
func (s *Erasures) Purge(ctx context.Context, u domain.UserID) error {
	if err := s.keys.Destroy(ctx, u); err != nil {
		return err
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := deleteOwned(ctx, tx, u); err != nil {
			return err
		}
		// Answers to the person's own commands; nobody can send their keys again.
		if _, err := tx.Exec(ctx, `DELETE FROM commands WHERE actor = 'user:' || $1`, string(u)); err != nil {
			return fmt.Errorf("their commands' answers: %w", err)
		}
		if _, err := tx.Exec(ctx, `WITH who AS (SELECT mail_hash FROM erasures WHERE user_id = $1),
			letters AS (DELETE FROM mails m USING who WHERE m.user_id = $1 OR (m.address_hash = who.mail_hash AND m.template <> '`+LastLetter+`'))
			DELETE FROM mail_unsubscribed n USING who WHERE n.address_hash = who.mail_hash`, string(u)); err != nil {
			return fmt.Errorf("their letters: %w", err)
		}
		if _, err := tx.Exec(ctx, `UPDATE erasures SET mail_hash = NULL, purged_at = coalesce(purged_at, clock_timestamp()) WHERE user_id = $1`, string(u)); err != nil {
			return err
		}
		// Now that the key is gone, every process forgets what it remembers.
		_, err := tx.Exec(ctx, `SELECT pg_notify('`+ErasureChannel+`', $1)`, string(u))
		return err
	})
	return failed("forget a person's rows", err)
}

func deleteOwned(ctx context.Context, tx pgx.Tx, u domain.UserID) error {
	rows, err := tx.Query(ctx, ownedSQL)
	if err != nil {
		return err
	}
	type owned struct{ table, column string }
	tables, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o owned, err error) {
		err = row.Scan(&o.table, &o.column)
		return o, err
	})
	if err != nil {
		return err
	}
	for _, o := range tables {
		// regclass::text gives the name quoted as SQL wants it.
		if _, err := tx.Exec(ctx, `DELETE FROM `+o.table+` WHERE `+pgx.Identifier{o.column}.Sanitize()+` = $1`, string(u)); err != nil {
			return fmt.Errorf("rows of %s: %w", o.table, err)
		}
	}
	return nil
}
