package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/eventstore"
	"holdfast/eventstore/commit"
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

// ReadAt gives the events at some positions, in their order, by one statement; positions beyond
// the log's end are left out.
func (s *Store) ReadAt(ctx context.Context, positions []int64) ([]eventstore.Recorded, error) {
	rows, err := s.read.Query(ctx, `SELECT `+eventColumns+` FROM events WHERE position = ANY($1) ORDER BY position`, positions)
	events, err := recorded(rows, err)
	if err != nil {
		return nil, fmt.Errorf("read %d positions of the log: %w", len(positions), err)
	}
	return commit.DecodeAll(ctx, s.codec, events)
}
