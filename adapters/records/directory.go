package records

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/eventstore"
)

// Entry is a person in the directory that admins see.
type Entry struct {
	User
	Method    string // by which they came
	CreatedAt time.Time
}

// DirectoryFilter narrows the directory; empty fields do not. After is the id of the last one
// of the page before.
type DirectoryFilter struct {
	Role, Status, Search, After string
}

const entrySQL = `SELECT id::text, coalesce(email, ''), name, roles, status, email_verified_at IS NOT NULL, registered_method, created_at FROM users `

func scanEntry(row pgx.CollectableRow) (e Entry, err error) {
	var roles []string
	err = row.Scan(&e.ID, &e.Email, &e.Name, &roles, &e.Status, &e.Verified, &e.Method, &e.CreatedAt)
	e.Roles, e.CreatedAt = capacities(roles), e.CreatedAt.UTC()
	return e, err
}

// Directory lists people, newest first. Search is text in the name or the address; % and _
// mean themselves.
func (s *Users) Directory(ctx context.Context, f DirectoryFilter, limit int) ([]Entry, error) {
	if f.After != "" && !isID(f.After) {
		return nil, nil
	}
	pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(f.Search) + "%"
	rows, err := s.pool.Query(ctx, entrySQL+`
		WHERE ($1 = '' OR $1 = ANY (roles)) AND ($2 = '' OR status = $2)
		  AND ($3 = '%%' OR name ILIKE $3 OR email ILIKE $3)
		  AND ($4 = '' OR (created_at, id) < (SELECT created_at, id FROM users WHERE id = $4::uuid))
		ORDER BY created_at DESC, id DESC LIMIT $5`, f.Role, f.Status, pattern, f.After, limit)
	if err != nil {
		return nil, failed("list people", err)
	}
	all, err := pgx.CollectRows(rows, scanEntry)
	return all, failed("list people", err)
}

// Entry gives one person of the directory; ok is false for nobody.
func (s *Users) Entry(ctx context.Context, u domain.UserID) (Entry, bool, error) {
	if !isID(u) {
		return Entry{}, false, nil
	}
	rows, err := s.pool.Query(ctx, entrySQL+`WHERE id = $1`, string(u))
	e, ok, err := one(rows, err, scanEntry)
	return e, ok, failed("find a person", err)
}

// Census counts people.
type Census struct {
	Total    int64
	ByStatus map[string]int64
	ByRole   map[string]int64 // of those who are not erased
	Verified int64            // addresses
	Recent   int64            // registered within thirty days
}

// Census counts the directory.
func (s *Users) Census(ctx context.Context) (c Census, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE email_verified_at IS NOT NULL),
			count(*) FILTER (WHERE created_at > clock_timestamp() - interval '30 days'),
			coalesce((SELECT jsonb_object_agg(status, n) FROM (SELECT status, count(*) AS n FROM users GROUP BY status) s), '{}'),
			coalesce((SELECT jsonb_object_agg(role, n) FROM (SELECT role, count(*) AS n FROM users, unnest(roles) AS role WHERE status <> 'erased' GROUP BY role) r), '{}')
		FROM users`).Scan(&c.Total, &c.Verified, &c.Recent, &c.ByStatus, &c.ByRole)
	return c, failed("count people", err)
}

// KeepAnAdmin refuses the command it goes with when no active admin would be left. It comes
// after the statements that change people.
func (s *Users) KeepAnAdmin() []eventstore.Row {
	return []eventstore.Row{{SQL: `SELECT keep_an_admin()`, Refused: account.ErrLastAdmin}}
}
