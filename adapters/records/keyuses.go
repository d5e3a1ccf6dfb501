package records

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// NewsChannel carries what instances of the service must forget at once: `session:<id>`,
// `user:<id>` (by triggers, see migration 0081) and `api_key:<id>`.
const NewsChannel = "holdfast_sessions"

// KeyUses keeps when API keys were last shown.
type KeyUses struct{ pool *pgxpool.Pool }

// Used notes a use; a row is written once a minute at most.
func (k *KeyUses) Used(ctx context.Context, id string) error {
	_, err := k.pool.Exec(ctx, `
		INSERT INTO api_key_uses (key_id, last_used_at) VALUES ($1, clock_timestamp())
		ON CONFLICT (key_id) DO UPDATE SET last_used_at = excluded.last_used_at
		WHERE api_key_uses.last_used_at < excluded.last_used_at - interval '1 minute'`, id)
	return failed("note the use of a key", err)
}

// LastUsed gives when each key was last shown; those that never were are missing.
func (k *KeyUses) LastUsed(ctx context.Context, ids []string) (map[string]time.Time, error) {
	rows, err := k.pool.Query(ctx, `SELECT key_id::text, last_used_at FROM api_key_uses WHERE key_id = ANY ($1::uuid[])`, ids)
	if err != nil {
		return nil, failed("read the uses of keys", err)
	}
	defer rows.Close()
	all := map[string]time.Time{}
	for rows.Next() {
		var (
			id string
			at time.Time
		)
		if err := rows.Scan(&id, &at); err != nil {
			return nil, failed("read the uses of keys", err)
		}
		all[id] = at
	}
	return all, failed("read the uses of keys", rows.Err())
}

// Tell says on the news channel that a key has changed.
func (k *KeyUses) Tell(ctx context.Context, apiKey string) error {
	_, err := k.pool.Exec(ctx, `SELECT pg_notify($1, 'api_key:' || $2)`, NewsChannel, apiKey)
	return failed("tell about a key", err)
}
