// Package trezorview is the read model of people's hardware wallets and the addresses that were
// given out of them.
package trezorview

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/trezor"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "trezor_wallets"

// Projector keeps the read model.
func Projector() projections.Projector { return View().Projector() }

// View is the read model for those who keep it elsewhere too: the aggregate's own state, a person
// a row.
func View() projections.View[trezor.State] {
	return projections.View[trezor.State]{Name: Name, Version: 1, Category: trezor.Decider.Category, Fold: func(d *trezor.State, r eventstore.Recorded) (err error) {
		*d, err = projections.Evolve(trezor.Decider, *d, r)
		return err
	}}
}

// Row is a person's wallet as queries give it; its id is the person's.
type Row = projections.Row[trezor.State]

// Queries read the wallets.
type Queries struct {
	rows projections.Collection[trezor.State]
}

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{projections.NewCollection[trezor.State](pool, codec, Name)}
}

// From answers the queries from another store while that serves them.
func (q Queries) From(e projections.Elsewhere) Queries {
	q.rows = q.rows.From(e)
	return q
}

// Of gives a person's wallet; fault.ErrNotFound for who never registered one. Account is nil once
// it was removed.
func (q Queries) Of(ctx context.Context, u domain.UserID) (Row, error) {
	return q.rows.Get(ctx, string(u))
}
