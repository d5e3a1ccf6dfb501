package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
)

// About gives the positions after one and up to another at which a person acted, or is named.
// It reads the slice as a whole: for exports, in the background.
func (s *Store) About(ctx context.Context, u domain.UserID, after, upTo int64) ([]int64, error) {
	rows, err := s.read.Query(ctx, `SELECT position FROM events
		WHERE position > $2 AND position <= $3 AND (metadata->'actor'->>'id' = $1 OR position(lower($1) IN data::text) > 0)
		ORDER BY position`, string(u), after, upTo)
	if err != nil {
		return nil, fmt.Errorf("look for events about a person: %w", translate(err))
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("look for events about a person: %w", translate(err))
	}
	return all, nil
}
