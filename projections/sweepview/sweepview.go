// Package sweepview is the read model of sweeps and of the plans that they were signed for.
package sweepview

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"holdfast/domain/destination"
	"holdfast/domain/sweepplan"
	"holdfast/eventstore"
)

// Name is the name of the sweeps' projector and table.
const Name = "sweeps"

// Projector keeps the sweeps.
type Projector struct{}

// Name implements projections.Projector.
func (Projector) Name() string { return Name }

// Version implements projections.Projector.
func (Projector) Version() int { return 1 }

// Categories implements projections.Projector.
func (Projector) Categories() []string {
	return []string{destination.Decider.Category, sweepplan.Decider.Category}
}

// Tables implements projections.Projector.
func (Projector) Tables() []string { return []string{Name, "gas_top_ups"} }

const (
	// A plan's event stands before those of its destinations in the log, in the same append: it
	// makes the row, and the broadcast fills it in.
	plannedSQL = `INSERT INTO sweeps (sweep, destination, plan, asset, amount, tx, nonce, status, first_pos, at)
		VALUES ($1, '', $2, '', 0, $3, 0, 'broadcast', $4, $5) ON CONFLICT (sweep) DO NOTHING`
	sentSQL = `INSERT INTO sweeps (sweep, destination, chain, asset, amount, tx, nonce, status, first_pos, at)
		VALUES ($1, $2, substring($3 from '^eip155:([0-9]+)/')::bigint, $3, $4::text::numeric, $5, $6, 'broadcast', $7, $8)
		ON CONFLICT (sweep) DO UPDATE SET destination = excluded.destination, chain = excluded.chain, asset = excluded.asset, amount = excluded.amount,
			tx = excluded.tx, nonce = excluded.nonce, status = 'broadcast', failure = '', block = 0`
	topUpSQL  = `INSERT INTO gas_top_ups (chain, hash, plan, destination, amount, made_at) VALUES ($1, $2, $3, $4, $5::text::numeric, $6) ON CONFLICT DO NOTHING`
	statusSQL = `UPDATE sweeps SET status = $2, block = $3, failure = $4 WHERE sweep = $1`
	minedSQL  = `UPDATE sweeps SET status = 'confirmed', block = $2, failure = '', tx = coalesce(nullif($3, ''), tx) WHERE sweep = $1`
)

// Apply implements projections.Projector.
func (Projector) Apply(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) error {
	var b pgx.Batch
	for _, r := range batch {
		switch e := r.Event.(type) {
		case sweepplan.SweepSigned:
			b.Queue(plannedSQL, string(e.Sweep), r.Stream.ID, e.Tx, r.Position, r.RecordedAt)
		case sweepplan.TopUpSigned:
			b.Queue(topUpSQL, int64(e.Transfer.Chain), e.Tx, r.Stream.ID, string(e.Destination), e.Transfer.Amount.Units.String(), r.RecordedAt)
		case sweepplan.TopUpEnded:
			b.Queue(`UPDATE gas_top_ups SET outcome = $3 WHERE plan = $1 AND hash = $2`, r.Stream.ID, e.Tx, e.Outcome)
		case sweepplan.Event:
		case destination.SweepBroadcast:
			b.Queue(sentSQL, string(e.Sweep), string(e.Destination), string(e.Amount.Asset), e.Amount.Units.String(), e.Tx, int64(e.Nonce), r.Position, r.RecordedAt)
		case destination.SweepConfirmed:
			b.Queue(minedSQL, string(e.Sweep), int64(e.Block), e.Tx)
		case destination.SweepFailed:
			b.Queue(statusSQL, string(e.Sweep), "failed", 0, e.Code)
		case destination.SweepLost:
			b.Queue(statusSQL, string(e.Sweep), "failed", 0, e.Code)
		case destination.SweepReorged:
			b.Queue(statusSQL, string(e.Sweep), "reorged", 0, "")
		case destination.Event:
		default:
			return fmt.Errorf("event %s of %s is not known here", r.Type, r.Stream)
		}
	}
	if b.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
