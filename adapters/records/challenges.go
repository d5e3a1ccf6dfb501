package records

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
)

// Challenge is what was asked of somebody who signs in or links.
type Challenge struct {
	User domain.UserID // whose it is; empty when nobody was signed in
	Data json.RawMessage
}

// What became of a challenge that somebody answers.
const (
	ChallengeTaken   = "taken" // by this very answer
	ChallengeUsed    = "used"  // by one before
	ChallengeExpired = "expired"
	ChallengeUnknown = "unknown"
)

// Challenges keeps what was asked, under the hash of its secret, and takes each answer once.
type Challenges struct{ pool *pgxpool.Pool }

// usedFor is how long a used or expired challenge is remembered.
const usedFor = 24 * time.Hour

// Keep remembers a challenge. Old ones go with it, a few at a time.
func (s *Challenges) Keep(ctx context.Context, purpose, secret string, c Challenge, lives time.Duration) error {
	if c.Data == nil {
		c.Data = json.RawMessage("{}")
	}
	var user *string
	if c.User != "" {
		id := string(c.User)
		user = &id
	}
	_, err := s.pool.Exec(ctx, `WITH old AS (
			DELETE FROM signin_challenges WHERE (purpose, secret) IN (
				SELECT purpose, secret FROM signin_challenges WHERE expires_at < clock_timestamp() - $6::interval LIMIT 20 FOR UPDATE SKIP LOCKED)),
		-- What nobody fetched may name a person: it goes as soon as nobody can.
		unanswered AS (
			UPDATE signin_challenges SET data = '{}' WHERE (purpose, secret) IN (
				SELECT purpose, secret FROM signin_challenges
				WHERE expires_at BETWEEN clock_timestamp() - $6::interval AND clock_timestamp() AND data <> '{}' LIMIT 20 FOR UPDATE SKIP LOCKED))
		INSERT INTO signin_challenges (purpose, secret, user_id, data, expires_at) VALUES ($1, $2, $3, $4, clock_timestamp() + $5::interval)`,
		purpose, hashOf(secret), user, c.Data, lives, usedFor)
	return failed("keep a challenge", err)
}

// Take uses a challenge up, whatever the answer is worth; of two at once one takes it. The challenge
// is given when it was taken.
func (s *Challenges) Take(ctx context.Context, purpose, secret string) (c Challenge, became string, err error) {
	hash := hashOf(secret)
	var user *string
	// What it said is forgotten with that: it may name a person.
	err = s.pool.QueryRow(ctx, `WITH waiting AS (
			SELECT user_id, data FROM signin_challenges
			WHERE purpose = $1 AND secret = $2 AND used_at IS NULL AND expires_at > clock_timestamp() FOR UPDATE)
		UPDATE signin_challenges c SET used_at = clock_timestamp(), data = '{}' FROM waiting
		WHERE c.purpose = $1 AND c.secret = $2 RETURNING waiting.user_id::text, waiting.data`, purpose, hash).Scan(&user, &c.Data)
	if err == nil {
		if user != nil {
			c.User = domain.UserID(*user)
		}
		return c, ChallengeTaken, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return c, "", failed("take a challenge", err)
	}
	err = s.pool.QueryRow(ctx, `SELECT CASE WHEN used_at IS NOT NULL THEN '`+ChallengeUsed+`' ELSE '`+ChallengeExpired+`' END
		FROM signin_challenges WHERE purpose = $1 AND secret = $2`, purpose, hash).Scan(&became)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, ChallengeUnknown, nil
	}
	return c, became, failed("find a challenge", err)
}

// Spend notes that a proof was shown; fresh is false when it had been before. It is remembered for
// so long: as long as it would count.
func (s *Challenges) Spend(ctx context.Context, kind string, proof []byte, lives time.Duration) (fresh bool, err error) {
	sum := sha256.Sum256(proof)
	tag, err := s.pool.Exec(ctx, `WITH old AS (
			DELETE FROM signin_spent WHERE (kind, proof) IN (
				SELECT kind, proof FROM signin_spent WHERE expires_at < clock_timestamp() LIMIT 20 FOR UPDATE SKIP LOCKED))
		INSERT INTO signin_spent (kind, proof, expires_at) VALUES ($1, $2, clock_timestamp() + $3::interval) ON CONFLICT DO NOTHING`,
		kind, sum[:], lives)
	return tag.RowsAffected() == 1, failed("spend a proof", err)
}
