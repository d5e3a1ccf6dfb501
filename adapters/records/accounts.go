package records

import (
	"strings"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/eventstore"
)

// The statements here go with an account's events, in the append's own transaction. Every process
// that remembers sessions hears of them by the tables' triggers.

// Registered makes a person's row.
func (s *Users) Registered(u User, method string) []eventstore.Row {
	roles := make([]string, len(u.Roles))
	for i, r := range u.Roles {
		roles[i] = string(r)
	}
	return []eventstore.Row{{
		SQL: `INSERT INTO users (id, email, name, password_hash, roles, registered_method, email_verified_at)
			VALUES ($1, nullif($2, ''), $3, $4, $5, $6, CASE WHEN $7 THEN clock_timestamp() END)`,
		Args:    []any{string(u.ID), strings.ToLower(u.Email), u.Name, u.Password, roles, method, u.Verified},
		Refused: account.ErrEmailInUse,
	}}
}

// EmailVerified marks the present address.
func (s *Users) EmailVerified(u domain.UserID) []eventstore.Row {
	return []eventstore.Row{{SQL: `UPDATE users SET email_verified_at = clock_timestamp() WHERE id = $1`, Args: []any{string(u)}}}
}

// EmailChanged puts a verified address in the place of the one before.
func (s *Users) EmailChanged(u domain.UserID, email string) []eventstore.Row {
	return []eventstore.Row{{
		SQL:  `UPDATE users SET email = $2, email_verified_at = clock_timestamp() WHERE id = $1`,
		Args: []any{string(u), strings.ToLower(email)}, Refused: account.ErrEmailInUse,
	}}
}

// Renamed changes what the person is called.
func (s *Users) Renamed(u domain.UserID, name string) []eventstore.Row {
	return []eventstore.Row{{SQL: `UPDATE users SET name = $2 WHERE id = $1 AND status <> 'erased'`, Args: []any{string(u), name}}}
}

// PasswordSet replaces the hash.
func (s *Users) PasswordSet(u domain.UserID, hash string) []eventstore.Row {
	return []eventstore.Row{{SQL: `UPDATE users SET password_hash = $2 WHERE id = $1`, Args: []any{string(u), hash}}}
}

// RolesChanged replaces the roles.
func (s *Users) RolesChanged(u domain.UserID, to []domain.Capacity) []eventstore.Row {
	roles := make([]string, len(to))
	for i, r := range to {
		roles[i] = string(r)
	}
	return []eventstore.Row{{SQL: `UPDATE users SET roles = $2 WHERE id = $1`, Args: []any{string(u), roles}}}
}

// StatusChanged to active, suspended or erased. Older builds look at active alone.
func (s *Users) StatusChanged(u domain.UserID, status string) []eventstore.Row {
	return []eventstore.Row{{SQL: `UPDATE users SET status = $2, active = ($2 = 'active') WHERE id = $1`, Args: []any{string(u), status}}}
}

// SessionsRevoked ends one session, or all but keep when session is empty.
func (s *Users) SessionsRevoked(u domain.UserID, session, keep string) []eventstore.Row {
	return []eventstore.Row{{
		SQL: `UPDATE sessions SET revoked_at = clock_timestamp()
			WHERE user_id = $1 AND revoked_at IS NULL AND ($2 = '' OR id::text = $2) AND ($3 = '' OR id::text <> $3)`,
		Args: []any{string(u), session, keep},
	}}
}
