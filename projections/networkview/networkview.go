// Package networkview is the read model of what admins have changed of chains. Together with
// the built-in table it is the registry in force (reactors.Networks).
package networkview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/listing"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "networks"

// Doc is a chain's listing with its latest changes, newest first.
type Doc struct {
	listing.State
	Changes []Change `json:"changes"`
}

// Change is one decision about a chain.
type Change struct {
	At       time.Time     `json:"at"`
	What     string        `json:"what"` // the event's type
	By       domain.UserID `json:"by"`
	Approver domain.UserID `json:"approver,omitempty"`
	Reason   string        `json:"reason"`
}

// kept is how many changes a row shows; the log has all.
const kept = 50

// Projector keeps the read model.
func Projector() projections.Projector {
	return projections.Documents(Name, 1, listing.Decider.Category, fold)
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(listing.Decider, d.State, r); err != nil {
		return err
	}
	who := who(r.Event)
	c := Change{At: r.RecordedAt.UTC(), What: r.Type, By: who.By.User(), Approver: who.Approver.User(), Reason: who.Reason}
	d.Changes = append([]Change{c}, d.Changes[:min(len(d.Changes), kept-1)]...)
	return nil
}

func who(e domain.Event) listing.Who {
	switch e := e.(type) {
	case listing.Enabled:
		return e.Who
	case listing.Changed:
		return e.Who
	case listing.Disabled:
		return e.Who
	case listing.TokenRegistered:
		return e.Who
	case listing.TokenChanged:
		return e.Who
	case listing.TokenDisabled:
		return e.Who
	case listing.ProxyAdded:
		return e.Who
	case listing.ProxyRetired:
		return e.Who
	}
	return listing.Who{}
}

// Row is a chain as queries give it; its id is the chain's number.
type Row = projections.Row[Doc]

// Queries read the listings.
type Queries struct{ rows projections.Collection[Doc] }

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{projections.NewCollection[Doc](pool, codec, Name)}
}

// All gives every chain of which something was changed, its nodes opened.
func (q Queries) All(ctx context.Context) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter))
}

// Get gives one chain; fault.ErrNotFound when nothing was changed of it.
func (q Queries) Get(ctx context.Context, chain uint64) (Row, error) {
	return q.rows.Get(ctx, listing.ID(chain))
}
