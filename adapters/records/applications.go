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
	"holdfast/domain/account"
	"holdfast/eventstore"
)

const (
	applicationPlace = "seller_applications.sealed"
	reasonPlace      = "seller_applications.reason"
)

// ApplicationText is what a person says who wants to sell.
type ApplicationText struct {
	ShopName  string   `json:"shopName"`
	Documents []string `json:"documents,omitempty"`
}

// Application is a wish to sell.
type Application struct {
	ID        string
	User      domain.UserID
	Status    string // pending, approved or rejected
	Reason    string
	MadeAt    time.Time
	DecidedAt *time.Time
	ApplicationText
}

// Applications keeps them sealed. They change only together with the account's events.
type Applications struct {
	pool   *pgxpool.Pool
	sealer eventstore.Sealer
}

// NewApplications makes them over a migrated database.
func NewApplications(pool *pgxpool.Pool, sealer eventstore.Sealer) *Applications {
	return &Applications{pool, sealer}
}

// Submitted gives the statement that keeps an application.
func (s *Applications) Submitted(ctx context.Context, a Application) ([]eventstore.Row, error) {
	plain, err := json.Marshal(a.ApplicationText)
	if err != nil {
		return nil, fmt.Errorf("encode an application: %w", err)
	}
	sealed, err := s.sealer.Seal(ctx, a.User, applicationPlace, plain)
	if err != nil {
		return nil, fmt.Errorf("seal an application: %w", err)
	}
	return []eventstore.Row{{
		SQL:  `INSERT INTO seller_applications (id, user_id, sealed) VALUES ($1, $2, $3)`,
		Args: []any{a.ID, string(a.User), sealed}, Refused: account.ErrPending,
	}}, nil
}

// Decided gives the statement that notes a decision.
func (s *Applications) Decided(ctx context.Context, a Application, by domain.UserID) ([]eventstore.Row, error) {
	sealed, err := s.sealer.Seal(ctx, a.User, reasonPlace, []byte(a.Reason))
	if err != nil {
		return nil, fmt.Errorf("seal a decision: %w", err)
	}
	return []eventstore.Row{{
		SQL:  `UPDATE seller_applications SET status = $2, reason = $3, decided_at = clock_timestamp(), decided_by = $4 WHERE id = $1 AND status = 'pending'`,
		Args: []any{a.ID, a.Status, sealed, string(by)},
	}}, nil
}

const applicationSQL = `SELECT id::text, user_id::text, status, made_at, decided_at, sealed, reason FROM seller_applications `

// Newest gives a person's newest application; ok is false when there is none.
func (s *Applications) Newest(ctx context.Context, u domain.UserID) (Application, bool, error) {
	if !isID(u) {
		return Application{}, false, nil
	}
	return s.first(ctx, applicationSQL+`WHERE user_id = $1 ORDER BY made_at DESC LIMIT 1`, string(u))
}

// Get gives one application; ok is false when there is none.
func (s *Applications) Get(ctx context.Context, id string) (Application, bool, error) {
	if !isID(id) {
		return Application{}, false, nil
	}
	return s.first(ctx, applicationSQL+`WHERE id = $1`, id)
}

// List gives applications, oldest first; status may be empty. after is the id of the last one
// of the page before.
func (s *Applications) List(ctx context.Context, status, after string, limit int) ([]Application, error) {
	if after != "" && !isID(after) {
		return nil, nil
	}
	return s.read(ctx, applicationSQL+`WHERE ($1 = '' OR status = $1)
		AND ($2 = '' OR (made_at, id) > (SELECT made_at, id FROM seller_applications WHERE id = $2::uuid)) ORDER BY made_at, id LIMIT $3`, status, after, limit)
}

func (s *Applications) first(ctx context.Context, sql string, args ...any) (Application, bool, error) {
	all, err := s.read(ctx, sql, args...)
	if err != nil || len(all) == 0 {
		return Application{}, false, err
	}
	return all[0], true, nil
}

func (s *Applications) read(ctx context.Context, sql string, args ...any) ([]Application, error) {
	type sealedRow struct {
		Application
		text, reason []byte
	}
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, failed("read applications", err)
	}
	sealed, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r sealedRow, err error) {
		err = row.Scan(&r.ID, &r.User, &r.Status, &r.MadeAt, &r.DecidedAt, &r.text, &r.reason)
		r.MadeAt = r.MadeAt.UTC()
		return r, err
	})
	if err != nil {
		return nil, failed("read applications", err)
	}
	var all []Application
	for _, r := range sealed {
		plain, err := s.sealer.Open(ctx, r.User, applicationPlace, r.text)
		if errors.Is(err, eventstore.ErrErased) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(plain, &r.ApplicationText)
		}
		if err == nil && r.reason != nil {
			plain, err = s.sealer.Open(ctx, r.User, reasonPlace, r.reason)
			r.Reason = string(plain)
		}
		if err != nil {
			return nil, fmt.Errorf("read application %s: %w", r.ID, err)
		}
		all = append(all, r.Application)
	}
	return all, nil
}
