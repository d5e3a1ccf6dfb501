package watchview

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain/destination"
	"holdfast/domain/payment"
	"holdfast/domain/payout"
	"holdfast/domain/refund"
	"holdfast/domain/suspense"
	"holdfast/domain/treasury"
	"holdfast/eventstore"
)

// Name is the projector's.
const Name = "watch"

// Projector keeps the read model.
type Projector struct{}

// Name implements projections.Projector.
func (Projector) Name() string { return Name }

// Version implements projections.Projector.
func (Projector) Version() int { return 3 }

// Categories implements projections.Projector.
func (Projector) Categories() []string {
	return []string{payment.Decider.Category, payout.Category, refund.Category, destination.Decider.Category, suspense.Decider.Category, treasury.Decider.Category}
}

// Tables implements projections.Projector.
func (Projector) Tables() []string {
	return []string{"watched_payments", "watched_transfers", "watched_transactions", "watched_sweeps", "watched_addresses", "watched_deposits", "watched_claims", "watched_fees"}
}

// Apply implements projections.Projector. A batch is one round trip.
func (Projector) Apply(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) error {
	w := &writer{}
	for _, r := range batch {
		w.id, w.at = r.Stream.ID, r.RecordedAt
		switch e := r.Event.(type) {
		case payment.Event:
			w.payment(e)
		case payout.Event:
			w.payout(e)
		case refund.Event:
			w.refund(e)
		case destination.Event:
			w.destination(e)
		case suspense.Event:
			w.deposit(e)
		case treasury.Event:
			w.treasury(e)
		default:
			return fmt.Errorf("event %s of %s is not known here", r.Type, r.Stream)
		}
	}
	if w.batch.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, &w.batch).Close(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// writer gathers the statements of a batch.
type writer struct {
	id    string // of the event's stream
	at    time.Time
	batch pgx.Batch
}

func (w *writer) do(sql string, args ...any) { w.batch.Queue(sql, args...) }

func (w *writer) payment(e payment.Event) {
	switch e := e.(type) {
	case payment.Initiated:
		t := e.Threshold
		w.do(`INSERT INTO watched_payments (payment, hold, seller, asset, need, floor, finality, safe) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			w.id, string(e.Hold), string(e.Seller), string(e.Due.Asset), int64(t.Need), int64(t.Floor), t.Finalized, t.Safe)
	case payment.Imported:
		w.imported(e)
	case payment.DestinationAssigned:
		w.do(`UPDATE watched_payments SET chain = $2, destination = $3, address = $4 WHERE payment = $1`, w.id, int64(e.Chain), string(e.Destination), e.Address)
	case payment.IntentRegistered:
		w.do(`UPDATE watched_payments SET reference = NULLIF(lower($2), ''), request_id = NULLIF($3, '') WHERE payment = $1`, w.id, e.Reference, e.RequestID)
	case payment.TransactionReported:
		w.do(`INSERT INTO watched_claims (payment, tx, claimed_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, w.id, strings.ToLower(e.Tx), w.at)
	case payment.Detected:
		v := e.Evidence
		w.do(`INSERT INTO watched_transfers (evidence, payment, chain, tx, log, block, block_hash, confirmed) VALUES ($1, $2, $3, $4, $5, $6, $7, false)`,
			v.Key(), w.id, int64(v.Chain), v.Tx, int64(v.Log), int64(v.Block), v.BlockHash)
	case payment.Confirmed:
		w.do(`UPDATE watched_transfers SET confirmed = true WHERE evidence = $1`, e.Evidence.Key())
	case payment.Dropped:
		w.do(`DELETE FROM watched_transfers WHERE evidence = $1`, e.Evidence.Key())
	case payment.Reorged:
		w.do(`DELETE FROM watched_transfers WHERE evidence = $1`, e.Evidence.Key())
		w.do(openSQL, w.id)
	case payment.LateAccepted:
		w.do(openSQL, w.id)
	case payment.Paid, payment.Expired, payment.Cancelled, payment.ReviewRejected:
		w.do(`UPDATE watched_payments SET closed_at = $2 WHERE payment = $1`, w.id, w.at)
	}
}

// imported writes a payment of the old backend, again when its document has changed. One without
// an address of its own is not watched.
func (w *writer) imported(e payment.Imported) {
	t := e.Threshold
	w.do(`INSERT INTO watched_payments (payment, hold, seller, asset, need, floor, finality, safe) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (payment) DO UPDATE SET hold = excluded.hold, seller = excluded.seller, asset = excluded.asset, need = excluded.need, floor = excluded.floor`,
		w.id, string(e.Hold), string(e.Seller), string(e.Due.Asset), int64(t.Need), int64(t.Floor), t.Finalized, t.Safe)
	if e.Destination != "" {
		w.payment(payment.DestinationAssigned{Destination: e.Destination, Address: e.Address, Chain: e.Chain})
	}
	if e.Intent != nil {
		w.payment(*e.Intent)
	}
	var closed any
	switch e.Phase {
	case payment.PaidPhase, payment.ExpiredPhase, payment.CancelledPhase, payment.RejectedPhase:
		closed = w.at
	}
	w.do(`UPDATE watched_payments SET closed_at = $2 WHERE payment = $1`, w.id, closed)
	for _, tx := range e.Claimed {
		w.payment(payment.TransactionReported{Tx: tx})
	}
}

func (w *writer) deposit(e suspense.Event) {
	switch e := e.(type) {
	case suspense.Recorded:
		v := e.Evidence
		w.do(`INSERT INTO watched_deposits (evidence, payment, chain, tx, log, block, block_hash) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			v.Key(), string(e.Payment), int64(v.Chain), v.Tx, int64(v.Log), int64(v.Block), v.BlockHash)
	case suspense.Undone:
		w.do(`DELETE FROM watched_deposits WHERE evidence = $1`, e.Evidence.Key())
	}
}

const openSQL = `UPDATE watched_payments SET closed_at = NULL WHERE payment = $1`
