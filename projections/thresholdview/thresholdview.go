// Package thresholdview is the read model of confirmation rules with their history.
package thresholdview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/threshold"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "thresholds"

// Doc is a chain's rule with every change of it, newest first.
type Doc struct {
	threshold.State
	History []Change `json:"history"`
}

// Change is one decision about a rule. To is nil when the registry's own rule applies again;
// Until is set when it applies only as long as the glass is broken.
type Change struct {
	At       time.Time       `json:"at"`
	From     threshold.Rule  `json:"from"`
	To       *threshold.Rule `json:"to,omitempty"`
	By       domain.UserID   `json:"by"`
	Approver domain.UserID   `json:"approver,omitempty"`
	Until    *time.Time      `json:"until,omitempty"`
	Reason   string          `json:"reason"`
}

// Projector keeps the read model.
func Projector() projections.Projector { return View().Projector() }

// View is the read model for those who keep it elsewhere too.
func View() projections.View[Doc] {
	return projections.View[Doc]{Name: Name, Version: 2, Category: threshold.Decider.Category, Fold: fold}
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(threshold.Decider, d.State, r); err != nil {
		return err
	}
	c := Change{At: r.RecordedAt.UTC()}
	switch e := r.Event.(type) {
	case threshold.Imported:
		c.To, c.By, c.Reason = &e.Rule, e.By, e.Reason
	case threshold.Changed:
		c.From, c.To, c.By, c.Approver, c.Reason = e.From, &e.To, e.By.User(), e.Approver.User(), e.Reason
	case threshold.Lowered:
		c.From, c.To, c.By, c.Until, c.Reason = e.From, &e.To, e.By.User(), &e.Until, e.Reason
	case threshold.Reset:
		c.From, c.By, c.Approver, c.Reason = e.From, e.By.User(), e.Approver.User(), e.Reason
	}
	d.History = append([]Change{c}, d.History...)
	return nil
}

// Row is a chain's rule as queries give it; its id is the chain's number.
type Row = projections.Row[Doc]

// Queries read the rules.
type Queries struct{ rows projections.Collection[Doc] }

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{projections.NewCollection[Doc](pool, codec, Name)}
}

// From answers the queries from another store while that serves them.
func (q Queries) From(e projections.Elsewhere) Queries {
	q.rows = q.rows.From(e)
	return q
}

// All gives the rule of every chain whose rule was ever changed.
func (q Queries) All(ctx context.Context) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter))
}
