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
	Email    string
	Name     string
	Roles    []domain.Capacity
	Password string // PHC string
	Active   bool
}

// Users keeps people.
type Users struct {
	pool   *pgxpool.Pool
	hasher *Hasher
}

// Verify compares a password with a PHC string; see Hasher.Verify.
func (s *Users) Verify(ctx context.Context, phc, password string) (bool, error) {
	return s.hasher.Verify(ctx, phc, password)
}

const userColumns = `SELECT id::text, email, name, password_hash, roles, active FROM users `

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
	err = s.pool.QueryRow(ctx, sql, arg).Scan(&u.ID, &u.Email, &u.Name, &u.Password, &roles, &u.Active)
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, false, nil
	}
	for _, r := range roles {
		u.Roles = append(u.Roles, domain.Capacity(r))
	}
	return u, err == nil, failed("find a user", err)
}

// Put writes a person as given; an id that is known is overwritten.
func (s *Users) Put(ctx context.Context, u User) error {
	var roles []string
	for _, r := range u.Roles {
		roles = append(roles, string(r))
	}
	_, err := s.pool.Exec(ctx, `
		INSERT INTO users (id, email, name, password_hash, roles, active) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name, roles = excluded.roles, active = excluded.active,
		    password_hash = CASE WHEN excluded.password_hash = '' THEN users.password_hash ELSE excluded.password_hash END`,
		string(u.ID), strings.ToLower(u.Email), u.Name, u.Password, roles, u.Active)
	return failed("put a user", err)
}
