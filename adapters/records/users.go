package records

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
)

// User is a person.
type User struct {
	ID       domain.UserID
	Email    string // empty for a person without an address
	Name     string
	Roles    []domain.Capacity
	Password string // PHC string
	Status   string // active, suspended or erased
	Verified bool   // the address
}

// Users keeps people. Their rows change only together with events: accounts.go.
type Users struct {
	pool   *pgxpool.Pool
	hasher *Hasher
}

// Verify compares a password with a PHC string; see Hasher.Verify.
func (s *Users) Verify(ctx context.Context, phc, password string) (bool, error) {
	return s.hasher.Verify(ctx, phc, password)
}

// Hash gives what is stored of a new password.
func (s *Users) Hash(ctx context.Context, password string) (string, error) {
	return s.hasher.Hash(ctx, password)
}

// Rehash replaces a hash that is not of today's kind or cost, now that the password is at hand.
// Nothing else about the account changes, so no event goes with it.
func (s *Users) Rehash(ctx context.Context, u domain.UserID, stored, password string) error {
	if !s.hasher.Stale(stored) {
		return nil
	}
	hash, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	_, err = s.pool.Exec(ctx, `UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2`, string(u), stored, hash)
	return failed("replace an old hash", err)
}

// EmailHeld says which account holds an address, by the name of its claim.
func (s *Users) EmailHeld(ctx context.Context, claim string) (u domain.UserID, ok bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT stream_id FROM claims WHERE name = $1`, claim).Scan(&u)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	return u, err == nil, failed("look an address up", err)
}

const userColumns = `SELECT id::text, coalesce(email, ''), name, password_hash, roles, status, email_verified_at IS NOT NULL FROM users `

// ByEmail finds a person; ok is false for nobody. Case does not matter.
func (s *Users) ByEmail(ctx context.Context, email string) (u User, ok bool, err error) {
	return s.one(ctx, userColumns+`WHERE email = $1`, strings.ToLower(strings.TrimSpace(email)))
}

// ByID finds a person by id.
func (s *Users) ByID(ctx context.Context, id domain.UserID) (u User, ok bool, err error) {
	if !isID(id) {
		return User{}, false, nil
	}
	return s.one(ctx, userColumns+`WHERE id = $1`, string(id))
}

func (s *Users) one(ctx context.Context, sql string, arg any) (u User, ok bool, err error) {
	var roles []string
	err = s.pool.QueryRow(ctx, sql, arg).Scan(&u.ID, &u.Email, &u.Name, &u.Password, &roles, &u.Status, &u.Verified)
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, false, nil
	}
	u.Roles = capacities(roles)
	return u, err == nil, failed("find a user", err)
}

func capacities(roles []string) []domain.Capacity {
	var all []domain.Capacity
	for _, r := range roles {
		all = append(all, domain.Capacity(r))
	}
	return all
}
