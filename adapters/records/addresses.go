package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// ErrAddressLimit: a person keeps so many addresses and no more.
var ErrAddressLimit = fault.New(fault.Rule, "ADDRESS_LIMIT", "no more than 20 addresses can be kept")

const (
	addressPlace = "addresses.sealed"
	maxAddresses = 20
)

// AddressText is where something can be sent.
type AddressText struct {
	Label      string `json:"label"`
	FullName   string `json:"fullName"`
	Line1      string `json:"line1"`
	Line2      string `json:"line2,omitempty"`
	City       string `json:"city"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postalCode"`
	Country    string `json:"country"`
	Phone      string `json:"phone"`
}

// Address is one of a person's addresses.
type Address struct {
	ID        string
	Default   bool
	CreatedAt time.Time
	UpdatedAt time.Time
	AddressText
}

// Addresses keeps them sealed.
type Addresses struct {
	pool   *pgxpool.Pool
	sealer eventstore.Sealer
}

// NewAddresses makes them over a migrated database.
func NewAddresses(pool *pgxpool.Pool, sealer eventstore.Sealer) *Addresses {
	return &Addresses{pool, sealer}
}

const addressSQL = `SELECT id::text, is_default, created_at, updated_at, sealed FROM addresses WHERE user_id = $1 `

// List gives a person's addresses, the default one first, then oldest first.
func (s *Addresses) List(ctx context.Context, u domain.UserID) ([]Address, error) {
	return s.read(ctx, u, addressSQL+`ORDER BY is_default DESC, created_at, id`, string(u))
}

// OfUser gives one address; ok is false when it is not theirs.
func (s *Addresses) OfUser(ctx context.Context, u domain.UserID, id string) (a Address, ok bool, err error) {
	if !isID(id) {
		return a, false, nil
	}
	all, err := s.read(ctx, u, addressSQL+`AND id = $2`, string(u), id)
	if err != nil || len(all) == 0 {
		return a, false, err
	}
	return all[0], true, nil
}

func (s *Addresses) read(ctx context.Context, u domain.UserID, sql string, args ...any) ([]Address, error) {
	if !isID(u) {
		return nil, nil
	}
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, failed("read addresses", err)
	}
	var sealed [][]byte
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a Address, err error) {
		var b []byte
		err = row.Scan(&a.ID, &a.Default, &a.CreatedAt, &a.UpdatedAt, &b)
		a.CreatedAt, a.UpdatedAt = a.CreatedAt.UTC(), a.UpdatedAt.UTC()
		sealed = append(sealed, b)
		return a, err
	})
	if err != nil {
		return nil, failed("read addresses", err)
	}
	for i := range all {
		plain, err := s.sealer.Open(ctx, u, addressPlace, sealed[i])
		if errors.Is(err, eventstore.ErrErased) {
			return nil, nil
		}
		if err == nil {
			err = json.Unmarshal(plain, &all[i].AddressText)
		}
		if err != nil {
			return nil, fmt.Errorf("read address %s: %w", all[i].ID, err)
		}
	}
	return all, nil
}

// Add keeps an address; the first one is the default. ADDRESS_LIMIT beyond twenty, counted
// under a lock on the person.
func (s *Addresses) Add(ctx context.Context, u domain.UserID, a Address) error {
	return s.write(ctx, u, a, func(tx pgx.Tx, sealed []byte) error {
		var have int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM addresses WHERE user_id = $1`, string(u)).Scan(&have); err != nil {
			return err
		}
		if have >= maxAddresses {
			return ErrAddressLimit
		}
		if err := onlyDefault(ctx, tx, u, a.Default); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO addresses (id, user_id, sealed, is_default) VALUES ($1, $2, $3, $4)`,
			a.ID, string(u), sealed, a.Default || have == 0)
		return err
	})
}

// Change replaces an address's text, and makes it the default where a says so; fault.ErrNotFound
// when it is not theirs. The default is given away only to another one.
func (s *Addresses) Change(ctx context.Context, u domain.UserID, a Address) error {
	return s.write(ctx, u, a, func(tx pgx.Tx, sealed []byte) error {
		if err := onlyDefault(ctx, tx, u, a.Default); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `UPDATE addresses SET sealed = $3, is_default = is_default OR $4, updated_at = clock_timestamp()
			WHERE id = $1 AND user_id = $2`, a.ID, string(u), sealed, a.Default)
		if err == nil && tag.RowsAffected() == 0 {
			err = fault.ErrNotFound
		}
		return err
	})
}

// onlyDefault takes the mark from the one that has it, when another is to get it.
func onlyDefault(ctx context.Context, tx pgx.Tx, u domain.UserID, given bool) error {
	if !given {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE addresses SET is_default = false WHERE user_id = $1 AND is_default`, string(u))
	return err
}

func (s *Addresses) write(ctx context.Context, u domain.UserID, a Address, put func(pgx.Tx, []byte) error) error {
	plain, err := json.Marshal(a.AddressText)
	if err != nil {
		return fmt.Errorf("encode an address: %w", err)
	}
	sealed, err := s.sealer.Seal(ctx, u, addressPlace, plain)
	if err != nil {
		return fmt.Errorf("seal an address: %w", err)
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := lockPerson(ctx, tx, u); err != nil {
			return err
		}
		return put(tx, sealed)
	})
	if _, refused := fault.From(err); refused {
		return err
	}
	return failed("write an address", err)
}

// lockPerson lets one writer at a person's rows at a time; fault.ErrNotFound for who is erased.
func lockPerson(ctx context.Context, tx pgx.Tx, u domain.UserID) error {
	var status string
	err := tx.QueryRow(ctx, `SELECT status FROM users WHERE id = $1 FOR UPDATE`, string(u)).Scan(&status)
	if errors.Is(err, pgx.ErrNoRows) || status == "erased" {
		return fault.ErrNotFound
	}
	return err
}

// Remove forgets an address; ok is false when it is not theirs. The oldest of the rest becomes
// the default when the default one goes.
func (s *Addresses) Remove(ctx context.Context, u domain.UserID, id string) (ok bool, err error) {
	if !isID(id) {
		return false, nil
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := lockPerson(ctx, tx, u); err != nil {
			return err
		}
		var was bool
		err := tx.QueryRow(ctx, `DELETE FROM addresses WHERE id = $1 AND user_id = $2 RETURNING is_default`, id, string(u)).Scan(&was)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		ok = err == nil
		if !was {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE addresses SET is_default = true
			WHERE id = (SELECT id FROM addresses WHERE user_id = $1 ORDER BY created_at, id LIMIT 1)`, string(u))
		return err
	})
	return ok, failed("remove an address", err)
}

// Used gives the statement that notes an order's address, to be carried out with the order's
// event.
func (s *Addresses) Used(id string, r domain.RequestID) []eventstore.Row {
	return []eventstore.Row{{
		SQL:  `INSERT INTO address_uses (address_id, request_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		Args: []any{id, string(r)}, Refused: fault.ErrValidation.At("deliveryInfo.addressId", "no address of yours"),
	}}
}

// Uses lists the orders that were to be sent to an address, newest first, at most 500.
func (s *Addresses) Uses(ctx context.Context, id string) ([]domain.RequestID, error) {
	rows, err := s.pool.Query(ctx, `SELECT request_id FROM address_uses WHERE address_id = $1 ORDER BY at DESC LIMIT 500`, id)
	if err != nil {
		return nil, failed("list an address's orders", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[domain.RequestID])
	return all, failed("list an address's orders", err)
}
