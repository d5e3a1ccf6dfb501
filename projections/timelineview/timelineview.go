// Package timelineview knows which streams belong to which order: request, offers, payments, hold,
// disputes, refunds. Their events are read from the log.
package timelineview

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/offer"
	"holdfast/domain/payment"
	"holdfast/domain/refund"
	"holdfast/domain/request"
	"holdfast/eventstore"
)

// Name is the projector's name.
const Name = "timeline"

// Projector keeps the read model.
type Projector struct{}

// Name implements projections.Projector.
func (Projector) Name() string { return Name }

// Version implements projections.Projector.
func (Projector) Version() int { return 2 }

// Categories implements projections.Projector.
func (Projector) Categories() []string {
	return []string{
		request.Decider.Category, offer.Decider.Category, payment.Decider.Category,
		escrow.Decider.Category, dispute.Category, refund.Category,
	}
}

// Tables implements projections.Projector.
func (Projector) Tables() []string { return []string{"timeline_streams"} }

// opens gives the order of a stream, if this is the event that says so. A refund out of an
// unmatched deposit belongs to no order.
func opens(e domain.Event) (domain.RequestID, bool) {
	switch e := e.(type) {
	case request.Created:
		return e.Request, true
	case request.Imported:
		return e.Request, true
	case offer.Imported:
		return e.Request, true
	case offer.Submitted:
		return e.Request, true
	case payment.Initiated:
		return e.Request, true
	case payment.Imported:
		return e.Request, true
	case escrow.Opened:
		return e.Request, true
	case escrow.Imported:
		return e.Request, true
	case dispute.Opened:
		return e.Request, true
	case dispute.Imported:
		return e.Request, true
	case refund.Requested:
		return e.Request, e.Request != ""
	}
	return "", false
}

// Apply implements projections.Projector. Only the events that open a stream say anything.
func (Projector) Apply(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) error {
	out := &pgx.Batch{}
	for _, r := range batch {
		if order, ok := opens(r.Event); ok {
			out.Queue(`INSERT INTO timeline_streams (stream_type, stream_id, request, pos) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, r.Stream.Type, r.Stream.ID, string(order), r.Position)
		}
	}
	if out.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, out).Close(); err != nil {
		return fmt.Errorf("write the streams of orders: %w", err)
	}
	return nil
}
