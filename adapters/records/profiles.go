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
	"holdfast/eventstore"
)

const profilePlace = "profiles.sealed"

// Profile is what a person says about themselves. The name stands with what signing in reads.
type Profile struct {
	Avatar string `json:"avatar,omitempty"`
	Bio    string `json:"bio,omitempty"`
	Locale string `json:"locale,omitempty"`
	Phone  string `json:"phone,omitempty"`
}

// Profiles keeps them sealed.
type Profiles struct {
	pool   *pgxpool.Pool
	sealer eventstore.Sealer
}

// NewProfiles makes them over a migrated database.
func NewProfiles(pool *pgxpool.Pool, sealer eventstore.Sealer) *Profiles {
	return &Profiles{pool, sealer}
}

// Of gives a person's profile; an empty one before they said anything.
func (s *Profiles) Of(ctx context.Context, u domain.UserID) (p Profile, err error) {
	if !isID(u) {
		return p, nil
	}
	var sealed []byte
	err = s.pool.QueryRow(ctx, `SELECT sealed FROM profiles WHERE user_id = $1`, string(u)).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return p, failed("read a profile", err)
	}
	return p, s.open(ctx, u, sealed, &p)
}

func (s *Profiles) open(ctx context.Context, u domain.UserID, sealed []byte, into any) error {
	plain, err := s.sealer.Open(ctx, u, profilePlace, sealed)
	if errors.Is(err, eventstore.ErrErased) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}

// Put replaces a person's profile.
func (s *Profiles) Put(ctx context.Context, u domain.UserID, p Profile) error {
	plain, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode a profile: %w", err)
	}
	sealed, err := s.sealer.Seal(ctx, u, profilePlace, plain)
	if err != nil {
		return fmt.Errorf("seal a profile: %w", err)
	}
	_, err = s.pool.Exec(ctx, `INSERT INTO profiles (user_id, sealed) SELECT id, $2 FROM users WHERE id = $1 AND status <> 'erased'
		ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, updated_at = clock_timestamp()`, string(u), sealed)
	return failed("write a profile", err)
}

// Preferences gives a person's preferences as JSON; an empty object before they chose.
func (s *Profiles) Preferences(ctx context.Context, u domain.UserID) (raw json.RawMessage, err error) {
	if !isID(u) {
		return json.RawMessage("{}"), nil
	}
	err = s.pool.QueryRow(ctx, `SELECT preferences FROM profiles WHERE user_id = $1`, string(u)).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return json.RawMessage("{}"), nil
	}
	return raw, failed("read preferences", err)
}

// PutPreferences replaces them.
func (s *Profiles) PutPreferences(ctx context.Context, u domain.UserID, raw json.RawMessage) error {
	empty, err := s.sealer.Seal(ctx, u, profilePlace, []byte("{}"))
	if err != nil {
		return fmt.Errorf("seal a profile: %w", err)
	}
	_, err = s.pool.Exec(ctx, `INSERT INTO profiles (user_id, sealed, preferences) SELECT id, $2, $3::jsonb FROM users WHERE id = $1 AND status <> 'erased'
		ON CONFLICT (user_id) DO UPDATE SET preferences = excluded.preferences, updated_at = clock_timestamp()`, string(u), empty, string(raw))
	return failed("write preferences", err)
}

// Since is when a person's row was made.
func (s *Users) Since(ctx context.Context, u domain.UserID) (at time.Time, err error) {
	if !isID(u) {
		return at, nil
	}
	err = s.pool.QueryRow(ctx, `SELECT created_at FROM users WHERE id = $1`, string(u)).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, nil
	}
	return at.UTC(), failed("find a user", err)
}
