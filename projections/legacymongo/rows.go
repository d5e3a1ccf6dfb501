package legacymongo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.mongodb.org/mongo-driver/bson"
)

// rowsEvery is how often collections that come from plain rows are compared with them.
const rowsEvery = 30 * time.Second

// FollowRows keeps the collections that come from plain rows, until ctx ends.
func (s *Store) FollowRows(ctx context.Context, pool *pgxpool.Pool) error {
	written := map[string][32]byte{}
	for {
		for _, c := range s.collections {
			if c.Rows == nil || !s.modes.Of(c.Domain).Kept() || s.owners.Legacy(c.Domain) {
				continue
			}
			if err := s.writeRows(ctx, pool, c, written); err != nil && ctx.Err() == nil {
				s.log.Warn("the rows of a legacy collection could not be written; it is tried again", "collection", c.Name, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rowsEvery):
		}
	}
}

// KeepRows writes a domain's collections that come from plain rows now, whatever its mode: it is
// about to be read here. FollowRows keeps them from then on.
func (s *Store) KeepRows(ctx context.Context, pool *pgxpool.Pool, domain string) error {
	for _, c := range s.collections {
		if c.Rows == nil || c.Domain != domain {
			continue
		}
		if err := s.writeRows(ctx, pool, c, map[string][32]byte{}); err != nil {
			return err
		}
	}
	return nil
}

// writeRows writes a collection of rows when they are not what was written last. One process does
// at a time.
func (s *Store) writeRows(ctx context.Context, pool *pgxpool.Pool, c Collection, written map[string][32]byte) error {
	var digest [32]byte
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if err := lockRows(ctx, tx, c); err != nil {
			return err
		}
		docs, err := c.Rows(ctx, tx, newReading(ctx, s.codec, s.assets, 0))
		if err != nil {
			return err
		}
		digest, err = digestOf(docs)
		if err != nil || written[c.Name] == digest {
			return err
		}
		return s.store(ctx, tx, c, docs)
	})
	if err == nil {
		written[c.Name] = digest // not before id_map has it too
	}
	return err
}

// lockRows makes the transaction the one writer of a collection of rows.
func lockRows(ctx context.Context, tx pgx.Tx, c Collection) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('holdfast.legacy'), hashtext($1))`, c.Name); err != nil {
		return fmt.Errorf("lock %s: %w", c.Name, err)
	}
	return nil
}

func digestOf(docs []rendered) (sum [32]byte, err error) {
	h := sha256.New()
	for _, d := range docs {
		raw, err := bson.Marshal(d.body)
		if err != nil {
			return sum, err
		}
		h.Write(raw)
	}
	h.Sum(sum[:0])
	return sum, nil
}
