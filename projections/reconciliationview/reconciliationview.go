// Package reconciliationview is the read model of reconciliation runs.
package reconciliationview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/reconciliation"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "reconciliations"

// Doc is a run.
type Doc struct {
	reconciliation.RunState
	By         domain.Actor                 `json:"by"`
	StartedAt  time.Time                    `json:"started_at"`
	FinishedAt *time.Time                   `json:"finished_at,omitempty"`
	Result     *reconciliation.RunCompleted `json:"result,omitempty"`
}

// Projector keeps the read model.
func Projector() projections.Projector {
	return projections.Documents(Name, 1, reconciliation.RunDecider.Category, fold)
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.RunState, err = projections.Evolve(reconciliation.RunDecider, d.RunState, r); err != nil {
		return err
	}
	at := r.RecordedAt
	switch e := r.Event.(type) {
	case reconciliation.RunStarted:
		d.By, d.StartedAt = e.By, at
	case reconciliation.RunCompleted:
		d.Result, d.FinishedAt = &e, &at
	}
	return nil
}

// Row is a run as queries give it.
type Row = projections.Row[Doc]

// Queries read the runs.
type Queries struct{ rows projections.Collection[Doc] }

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{projections.NewCollection[Doc](pool, codec, Name)}
}

// Get gives one run; fault.ErrNotFound when there is none.
func (q Queries) Get(ctx context.Context, id string) (Row, error) { return q.rows.Get(ctx, id) }

// List gives runs, newest first or as page.Sort says.
func (q Queries) List(ctx context.Context, page projections.Page) (projections.List[Doc], error) {
	return q.rows.List(ctx, new(projections.Filter), page)
}
