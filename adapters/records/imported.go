package records

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/eventstore"
)

// The statements here go with what is imported from the old backend. Each may come again with a
// later document of the same thing, and then replaces what it wrote.

// ImportedUser is a person as the old backend knew them.
type ImportedUser struct {
	User
	Method    string
	Since     time.Time
	SignIns   []SignInMethod // of Google and Telegram
	Chat      int64          // with the bot, 0 for none
	Profile   Profile
	Addresses []Address
}

// Imported makes or replaces a person's rows but for those that are sealed. A wrong or missing
// password of the document takes one away that was imported before.
func (s *Users) Imported(u ImportedUser) []eventstore.Row {
	roles := make([]string, len(u.Roles))
	for i, r := range u.Roles {
		roles[i] = string(r)
	}
	rows := []eventstore.Row{{
		SQL: `INSERT INTO users (id, email, name, password_hash, roles, registered_method, email_verified_at, status, active, created_at)
			VALUES ($1, nullif($2, ''), $3, $4, $5, $6, CASE WHEN $7 THEN $9::timestamptz END, $8, $8 = 'active', $9)
			ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name, password_hash = excluded.password_hash, roles = excluded.roles,
				email_verified_at = coalesce(users.email_verified_at, excluded.email_verified_at), status = excluded.status, active = excluded.active`,
		Args:    []any{string(u.ID), strings.ToLower(u.Email), u.Name, u.Password, roles, u.Method, u.Verified, u.Status, u.Since},
		Refused: account.ErrEmailInUse,
	}}
	subjects := []string{}
	for _, m := range u.SignIns {
		subjects = append(subjects, m.Method+"/"+m.Subject)
		rows = append(rows, eventstore.Row{
			SQL: `INSERT INTO signin_methods (method, subject, user_id, label) VALUES ($1, $2, $3, $4)
				ON CONFLICT (method, subject) DO UPDATE SET label = excluded.label WHERE signin_methods.user_id = excluded.user_id`,
			Args: []any{m.Method, m.Subject, string(u.ID), m.Label}, Refused: account.ErrSignInInUse,
		})
	}
	if u.Chat != 0 {
		rows = append(rows, eventstore.Row{
			SQL:  `INSERT INTO telegram_chats (user_id, chat_id) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET chat_id = excluded.chat_id`,
			Args: []any{string(u.ID), u.Chat}, Refused: account.ErrSignInInUse,
		})
	}
	gone := eventstore.Row{
		SQL:  `DELETE FROM signin_methods WHERE user_id = $1 AND method IN ('google', 'telegram') AND method || '/' || subject <> ALL ($2::text[])`,
		Args: []any{string(u.ID), subjects},
	}
	// What is gone goes first: a person has one Google account here.
	return append([]eventstore.Row{rows[0], gone}, rows[1:]...)
}

// Imported makes or replaces the profile; nil for one that says nothing.
func (s *Profiles) Imported(ctx context.Context, u domain.UserID, p Profile) ([]eventstore.Row, error) {
	if p == (Profile{}) {
		return nil, nil
	}
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode a profile: %w", err)
	}
	sealed, err := s.sealer.Seal(ctx, u, profilePlace, plain)
	if err != nil {
		return nil, fmt.Errorf("seal a profile: %w", err)
	}
	return []eventstore.Row{{
		SQL: `INSERT INTO profiles (user_id, sealed) VALUES ($1, $2)
			ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, updated_at = clock_timestamp()`,
		Args: []any{string(u), sealed},
	}}, nil
}

// Imported makes or replaces a person's addresses, which are named by their place in the list. One
// of them is the default.
func (s *Addresses) Imported(ctx context.Context, u domain.UserID, list []Address) ([]eventstore.Row, error) {
	if len(list) == 0 {
		return nil, nil
	}
	rows := []eventstore.Row{{SQL: `UPDATE addresses SET is_default = false WHERE user_id = $1 AND is_default`, Args: []any{string(u)}}}
	standard := 0
	for i, a := range list {
		if a.Default {
			standard = i
		}
	}
	for i, a := range list {
		plain, err := json.Marshal(a.AddressText)
		if err != nil {
			return nil, fmt.Errorf("encode an address: %w", err)
		}
		sealed, err := s.sealer.Seal(ctx, u, addressPlace, plain)
		if err != nil {
			return nil, fmt.Errorf("seal an address: %w", err)
		}
		rows = append(rows, eventstore.Row{
			SQL: `INSERT INTO addresses (id, user_id, sealed, is_default) VALUES ($1, $2, $3, $4)
				ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed, is_default = excluded.is_default, updated_at = clock_timestamp()`,
			Args: []any{a.ID, string(u), sealed, i == standard},
		})
	}
	return rows, nil
}
