// Package breakview is the read model of reconciliation breaks.
package breakview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain/reconciliation"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "breaks"

// Doc is a break: the aggregate's own state and what only readers want to know.
type Doc struct {
	reconciliation.State
	Severity   reconciliation.Severity        `json:"severity"`
	FoundBy    string                         `json:"found_by"` // the run that found it last anew
	Times      int                            `json:"times"`    // how often it came (back)
	Resolution *reconciliation.BreakResolved  `json:"resolution,omitempty"`
	ResolvedAt *time.Time                     `json:"resolved_at,omitempty"`
	ClosedBy   string                         `json:"closed_by,omitempty"`
	ClosedAt   *time.Time                     `json:"closed_at,omitempty"`
	Earlier    []reconciliation.BreakResolved `json:"earlier,omitempty"` // resolutions of earlier times
}

// Projector keeps the read model.
func Projector() projections.Projector {
	return projections.Documents(Name, 1, reconciliation.Decider.Category, fold)
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(reconciliation.Decider, d.State, r); err != nil {
		return err
	}
	at := r.RecordedAt
	switch e := r.Event.(type) {
	case reconciliation.BreakFound:
		d.FoundBy, d.Severity = e.Run, reconciliation.AdviceOn(e.Finding.Kind).Severity
		d.Times++
		if d.Resolution != nil {
			d.Earlier = append(d.Earlier, *d.Resolution)
		}
		d.Resolution, d.ResolvedAt, d.ClosedBy, d.ClosedAt = nil, nil, "", nil
	case reconciliation.BreakResolved:
		d.Resolution, d.ResolvedAt = &e, &at
	case reconciliation.BreakClosed:
		d.ClosedBy, d.ClosedAt = e.Run, &at
	}
	return nil
}

// Row is a break as queries give it.
type Row = projections.Row[Doc]

// Queries read the breaks.
type Queries struct{ rows projections.Collection[Doc] }

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{projections.NewCollection[Doc](pool, codec, Name)}
}

// Get gives one break; fault.ErrNotFound when there is none.
func (q Queries) Get(ctx context.Context, id string) (Row, error) { return q.rows.Get(ctx, id) }

// Filter narrows a list; empty fields do not.
type Filter struct {
	Phase, Kind, Severity, Asset, Subject string
	// Standing leaves out those that are closed.
	Standing bool
}

// List gives breaks, newest first or as page.Sort says.
func (q Queries) List(ctx context.Context, f Filter, page projections.Page) (projections.List[Doc], error) {
	s := new(projections.Filter).Eq("phase", f.Phase).Eq("kind", f.Kind).Eq("severity", f.Severity).Eq("asset", f.Asset).Eq("subject", f.Subject)
	if f.Standing {
		s.Where("phase <> ?", reconciliation.Closed)
	}
	return q.rows.List(ctx, s, page)
}
