// Package depositview is the read model of deposits that match no open payment.
package depositview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/payment"
	"holdfast/domain/suspense"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "deposits"

// Doc is a deposit: the aggregate's own state and what only readers want to know.
type Doc struct {
	suspense.State
	Evidence   payment.Evidence   `json:"evidence"`
	Custody    ledger.Account     `json:"custody"`
	From       string             `json:"from"`
	Reason     suspense.Reason    `json:"reason"`
	Payment    domain.PaymentID   `json:"payment,omitempty"` // whose destination it came to
	Assigned   *suspense.Assigned `json:"assigned,omitempty"`
	AssignedAt *time.Time         `json:"assigned_at,omitempty"`
}

// Projector keeps the read model.
func Projector() projections.Projector {
	return projections.Documents(Name, 1, suspense.Decider.Category, fold)
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(suspense.Decider, d.State, r); err != nil {
		return err
	}
	switch e := r.Event.(type) {
	case suspense.Recorded:
		d.Evidence, d.Custody, d.From, d.Reason, d.Payment = e.Evidence, e.Custody, e.From, e.Reason, e.Payment
	case suspense.Assigned:
		at := r.RecordedAt
		d.Assigned, d.AssignedAt = &e, &at
	}
	return nil
}

// Row is a deposit as queries give it; its id is the evidence key.
type Row = projections.Row[Doc]

// Queries read the deposits.
type Queries struct{ rows projections.Collection[Doc] }

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{projections.NewCollection[Doc](pool, codec, Name)}
}

// Get gives one deposit by its evidence key; fault.ErrNotFound when there is none.
func (q Queries) Get(ctx context.Context, key string) (Row, error) { return q.rows.Get(ctx, key) }

// List gives deposits of a phase (empty: all), newest first or as page.Sort says.
func (q Queries) List(ctx context.Context, phase string, page projections.Page) (projections.List[Doc], error) {
	return q.rows.List(ctx, new(projections.Filter).Eq("phase", phase), page)
}
