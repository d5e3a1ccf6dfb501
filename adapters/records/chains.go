package records

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
)

// Block is a height of a chain with the hash that it had.
type Block struct {
	Number uint64
	Hash   string
}

// keptBlocks is how many ends of scans are remembered for finding the way back after a
// reorganisation.
const keptBlocks = 512

// Chains remembers how far each chain was scanned.
type Chains struct{ pool *pgxpool.Pool }

// Scanned gives the blocks at which scans of a chain ended, newest first; none when the chain
// was never scanned.
func (s *Chains) Scanned(ctx context.Context, chain uint64) ([]Block, error) {
	rows, err := s.pool.Query(ctx, `SELECT block, hash FROM chain_blocks WHERE chain_id = $1 ORDER BY block DESC`, int64(chain))
	if err != nil {
		return nil, failed("read the scan's blocks", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b Block, err error) {
		var n int64
		err = row.Scan(&n, &b.Hash)
		b.Number = uint64(n)
		return b, err
	})
	return all, failed("read the scan's blocks", err)
}

// Reach notes that a scan ended at a block. Blocks at or above it are forgotten: after a
// reorganisation they are not what they were.
func (s *Chains) Reach(ctx context.Context, chain uint64, b Block) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM chain_blocks WHERE chain_id = $1 AND (block >= $2
			OR block < (SELECT min(block) FROM (SELECT block FROM chain_blocks WHERE chain_id = $1 ORDER BY block DESC LIMIT $3) kept))`,
			int64(chain), int64(b.Number), keptBlocks); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO chain_blocks (chain_id, block, hash) VALUES ($1, $2, $3)`, int64(chain), int64(b.Number), strings.ToLower(b.Hash))
		return err
	})
	return failed("note the scan's end", err)
}

// GoBack forgets every block above a height, so that the next scan begins there.
func (s *Chains) GoBack(ctx context.Context, chain, above uint64) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM chain_blocks WHERE chain_id = $1 AND block > $2`, int64(chain), int64(above))
	return failed("go back in the chain", err)
}

// Confirmation is how deep a transfer of a payment stands: telemetry.
type Confirmation struct {
	Evidence  string
	Payment   domain.PaymentID
	Chain     uint64
	Tx        string
	Block     uint64
	Have      uint64
	Need      uint64
	Finalized bool
	SeenAt    time.Time
}

// Confirming notes how deep transfers stand.
func (s *Chains) Confirming(ctx context.Context, all ...Confirmation) error {
	batch := &pgx.Batch{}
	for _, c := range all {
		batch.Queue(`INSERT INTO payment_confirmations (evidence, payment_id, chain_id, tx, block, have, need, finalized)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (evidence) DO UPDATE SET block = EXCLUDED.block, have = EXCLUDED.have, need = EXCLUDED.need,
				finalized = EXCLUDED.finalized, seen_at = clock_timestamp()`,
			c.Evidence, string(c.Payment), int64(c.Chain), c.Tx, int64(c.Block), int64(c.Have), int64(c.Need), c.Finalized)
	}
	return failed("note confirmations", s.pool.SendBatch(ctx, batch).Close())
}

// Confirmations gives a payment's transfers with their depth.
func (s *Chains) Confirmations(ctx context.Context, payment domain.PaymentID) ([]Confirmation, error) {
	if !isID(payment) {
		return nil, nil
	}
	rows, err := s.pool.Query(ctx, `SELECT evidence, payment_id::text, chain_id, tx, block, have, need, finalized, seen_at
		FROM payment_confirmations WHERE payment_id = $1 ORDER BY evidence`, string(payment))
	if err != nil {
		return nil, failed("read confirmations", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Confirmation, err error) {
		var chain, block, have, need int64
		err = row.Scan(&c.Evidence, &c.Payment, &chain, &c.Tx, &block, &have, &need, &c.Finalized, &c.SeenAt)
		c.Chain, c.Block, c.Have, c.Need, c.SeenAt = uint64(chain), uint64(block), uint64(have), uint64(need), c.SeenAt.UTC()
		return c, err
	})
	return all, failed("read confirmations", err)
}
