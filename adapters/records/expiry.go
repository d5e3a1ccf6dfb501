package records

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// How long rows stay that nothing needs any more.
const (
	// endedSessionsFor is counted from a session's end. No token of it works from then on; it stays
	// so that a token of it is told apart from an invented one, that an admin who looks into a theft
	// finds the devices, and that a device of three months ago is no new one. A session that lives
	// keeps all its tokens, however old: the reuse of any of them ends it.
	endedSessionsFor = 90 * 24 * time.Hour
	// expiredCodesFor is at least the day in which codes are counted, so that removing a code
	// gives nobody another five, and lets a late one be called expired.
	expiredCodesFor = 24 * time.Hour
	// askersFor is more than the day and the hour in which they are counted.
	askersFor = 26 * time.Hour
	// keyUsesFor is more than a key can live (366 days).
	keyUsesFor = 400 * 24 * time.Hour
)

// removal deletes a batch of one kind of rows: $1 is how long they stay, $2 the size of a batch.
// Rows that somebody holds are left to the next one.
type removal struct {
	what string
	keep time.Duration
	sql  string
}

var removals = []removal{
	// Refresh tokens go with their session. A person's last session stays while the account does:
	// it is what a sign-in after a long time is compared with, before a letter says "a new device".
	{"sessions", endedSessionsFor, `WITH old AS (
			SELECT s.id FROM sessions s
			WHERE least(s.expires_at, s.revoked_at) < clock_timestamp() - $1::interval
				AND EXISTS (SELECT FROM sessions n WHERE n.user_id = s.user_id AND (n.created_at, n.id) > (s.created_at, s.id))
			ORDER BY least(s.expires_at, s.revoked_at) LIMIT $2 FOR UPDATE SKIP LOCKED)
		DELETE FROM sessions USING old WHERE sessions.id = old.id`},
	{"codes", expiredCodesFor, `WITH old AS (
			SELECT user_id, purpose FROM account_codes WHERE expires_at < clock_timestamp() - $1::interval LIMIT $2 FOR UPDATE SKIP LOCKED)
		DELETE FROM account_codes c USING old WHERE c.user_id = old.user_id AND c.purpose = old.purpose`},
	{"askers of codes", askersFor, `WITH old AS (
			SELECT user_id, purpose, asker FROM account_code_askers WHERE day_began < clock_timestamp() - $1::interval
			ORDER BY day_began LIMIT $2 FOR UPDATE SKIP LOCKED)
		DELETE FROM account_code_askers a USING old WHERE (a.user_id, a.purpose, a.asker) = (old.user_id, old.purpose, old.asker)`},
	{"challenges", usedFor, `WITH old AS (
			SELECT purpose, secret FROM signin_challenges WHERE expires_at < clock_timestamp() - $1::interval LIMIT $2 FOR UPDATE SKIP LOCKED)
		DELETE FROM signin_challenges c USING old WHERE c.purpose = old.purpose AND c.secret = old.secret`},
	// Too old to count, whether they were shown before or not.
	{"spent proofs", 0, `WITH old AS (
			SELECT kind, proof FROM signin_spent WHERE expires_at < clock_timestamp() - $1::interval LIMIT $2 FOR UPDATE SKIP LOCKED)
		DELETE FROM signin_spent s USING old WHERE s.kind = old.kind AND s.proof = old.proof`},
	{"uses of keys", keyUsesFor, `WITH old AS (
			SELECT key_id FROM api_key_uses WHERE last_used_at < clock_timestamp() - $1::interval LIMIT $2 FOR UPDATE SKIP LOCKED)
		DELETE FROM api_key_uses u USING old WHERE u.key_id = old.key_id`},
}

// Expiry removes rows of signing in that have had their time.
type Expiry struct{ pool *pgxpool.Pool }

// NewExpiry makes it over a migrated database.
func NewExpiry(pool *pgxpool.Pool) *Expiry { return &Expiry{pool} }

// Remove deletes at most so many rows of each kind and says how many went; more when there may be
// others. What goes wrong with one kind does not keep the others.
func (s *Expiry) Remove(ctx context.Context, batch int) (gone map[string]int64, more bool, err error) {
	gone = map[string]int64{}
	var problems []error
	for _, r := range removals {
		tag, err := s.pool.Exec(ctx, r.sql, r.keep, batch)
		if err != nil {
			problems = append(problems, failed("remove old "+r.what, err))
			continue
		}
		if n := tag.RowsAffected(); n > 0 {
			gone[r.what] = n
			more = more || n >= int64(batch)
		}
	}
	return gone, more, errors.Join(problems...)
}
