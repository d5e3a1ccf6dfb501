package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
)

// Claimed says who holds each of the names; a name that nobody holds is absent. It is a look
// before a command: only the append itself decides who gets a name.
func (s *Store) Claimed(ctx context.Context, names []string) (map[string]domain.Stream, error) {
	rows, err := s.read.Query(ctx, claimsSQL, names)
	if err != nil {
		return nil, translate(err)
	}
	held := map[string]domain.Stream{}
	var name string
	var holder domain.Stream
	_, err = pgx.ForEachRow(rows, []any{&name, &holder.Type, &holder.ID}, func() error {
		held[name] = holder
		return nil
	})
	return held, translate(err)
}
