package sweepview

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain/sweepplan"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Plans is the name of the plans' projector and table.
const Plans = "sweep_plans"

// Plan is a plan as it stands.
type Plan struct {
	sweepplan.State
	PhaseName string `json:"phase"`
}

// PlanProjector keeps the plans.
func PlanProjector() projections.Projector {
	return projections.Documents(Plans, 1, sweepplan.Decider.Category, func(d *Plan, r eventstore.Recorded) (err error) {
		d.State, err = projections.Evolve(sweepplan.Decider, d.State, r)
		d.PhaseName = d.Phase()
		return err
	})
}

// PlanRow is a plan as queries give it.
type PlanRow = projections.Row[Plan]

// PlanQueries read the plans.
type PlanQueries struct{ rows projections.Collection[Plan] }

// NewPlans makes the queries.
func NewPlans(pool *pgxpool.Pool, codec *eventstore.Codec) PlanQueries {
	return PlanQueries{projections.NewCollection[Plan](pool, codec, Plans)}
}

// List gives plans, newest first.
func (q PlanQueries) List(ctx context.Context, phase string, page projections.Page) (projections.List[Plan], error) {
	return q.rows.List(ctx, new(projections.Filter).Eq("phase", phase), page)
}
