package records

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// LegacyNames are the ObjectIds of the old backend (id_map).
type LegacyNames struct{ pool *pgxpool.Pool }

// Resolve gives the id of what an ObjectId names; ok is false when it names nothing that has a
// UUID. What is named within something else is known by the last part of its name.
func (l *LegacyNames) Resolve(ctx context.Context, objectID string) (id string, ok bool, err error) {
	err = l.pool.QueryRow(ctx, `SELECT id FROM id_map WHERE object_id = $1`, objectID).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, failed("look an ObjectId up", err)
	}
	id = id[strings.LastIndexByte(id, '/')+1:]
	return id, isID(id), nil
}
