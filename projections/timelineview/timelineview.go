// Package timelineview knows which events belong to which order, whatever their stream: request,
// offers, payments, hold, disputes, refunds. The events themselves stay in the log.
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

// Name is the projector's and the table's name.
const Name = "timeline"

// Projector keeps the read model.
type Projector struct{}

// Name implements projections.Projector.
func (Projector) Name() string { return Name }

// Version implements projections.Projector.
func (Projector) Version() int { return 1 }

// Categories implements projections.Projector.
func (Projector) Categories() []string {
	return []string{
		request.Decider.Category, offer.Decider.Category, payment.Decider.Category,
		escrow.Decider.Category, dispute.Category, refund.Category,
	}
}

// Tables implements projections.Projector.
func (Projector) Tables() []string { return []string{Name, "timeline_streams"} }

// opens gives the order of a stream, if this is the event that says so. A refund out of an
// unmatched deposit belongs to no order.
func opens(e domain.Event) (domain.RequestID, bool) {
	switch e := e.(type) {
	case request.Created:
		return e.Request, true
	case offer.Submitted:
		return e.Request, true
	case payment.Initiated:
		return e.Request, true
	case escrow.Opened:
		return e.Request, true
	case dispute.Opened:
		return e.Request, true
	case refund.Requested:
		return e.Request, e.Request != ""
	}
	return "", false
}

// Apply implements projections.Projector.
func (Projector) Apply(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) error {
	orders, fresh, err := ordersOf(ctx, tx, batch)
	if err != nil {
		return fmt.Errorf("learn the orders of the streams: %w", err)
	}
	var pos []int64
	var of, types, ids []string
	for _, r := range batch {
		if order, ok := orders[r.Stream]; ok {
			pos, of, types, ids = append(pos, r.Position), append(of, string(order)), append(types, r.Stream.Type), append(ids, r.Stream.ID)
		}
	}
	out := &pgx.Batch{}
	out.Queue(`INSERT INTO timeline (pos, request, stream_type, stream_id) SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])`, pos, of, types, ids)
	for _, r := range fresh {
		out.Queue(`INSERT INTO timeline_streams (stream_type, stream_id, request, pos) VALUES ($1, $2, $3, $4)`, r.Stream.Type, r.Stream.ID, string(orders[r.Stream]), r.Position)
	}
	if err := tx.SendBatch(ctx, out).Close(); err != nil {
		return fmt.Errorf("write the timeline: %w", err)
	}
	return nil
}

// ordersOf gives the order of each stream of the batch, from its opening event or from what was
// learnt before; fresh are the opening events among the batch.
func ordersOf(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) (orders map[domain.Stream]domain.RequestID, fresh []eventstore.Recorded, err error) {
	orders = map[domain.Stream]domain.RequestID{}
	asked := map[domain.Stream]bool{}
	var types, ids []string
	for _, r := range batch {
		if order, ok := opens(r.Event); ok {
			orders[r.Stream] = order
			fresh = append(fresh, r)
		} else if _, known := orders[r.Stream]; !known && !asked[r.Stream] {
			asked[r.Stream] = true
			types, ids = append(types, r.Stream.Type), append(ids, r.Stream.ID)
		}
	}
	if len(ids) == 0 {
		return orders, fresh, nil
	}
	rows, err := tx.Query(ctx, `SELECT s.stream_type, s.stream_id, s.request FROM timeline_streams s
		JOIN unnest($1::text[], $2::text[]) AS x (t, i) ON s.stream_type = x.t AND s.stream_id = x.i`, types, ids)
	if err != nil {
		return nil, nil, err
	}
	var s domain.Stream
	var order domain.RequestID
	_, err = pgx.ForEachRow(rows, []any{&s.Type, &s.ID, &order}, func() error { orders[s] = order; return nil })
	return orders, fresh, err
}
