// Package apikeyview is the read model of API keys: what each may, and since when.
package apikeyview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/apikey"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "api_keys"

// Doc is a key with who made and who closed it.
type Doc struct {
	apikey.State
	CreatedBy    domain.UserID `json:"created_by"`
	RotatedAt    *time.Time    `json:"rotated_at,omitempty"`
	RevokedAt    *time.Time    `json:"revoked_at,omitempty"`
	RevokedBy    domain.UserID `json:"revoked_by,omitempty"`
	RevokeReason string        `json:"revoke_reason,omitempty"`
}

// Projector keeps the read model.
func Projector() projections.Projector {
	return projections.Documents(Name, 1, apikey.Decider.Category, fold)
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(apikey.Decider, d.State, r); err != nil {
		return err
	}
	at := r.RecordedAt.UTC()
	switch e := r.Event.(type) {
	case apikey.Created:
		d.CreatedBy = e.By.User()
	case apikey.Rotated:
		d.RotatedAt = &at
	case apikey.Revoked:
		d.RevokedAt, d.RevokedBy, d.RevokeReason = &at, e.By.User(), e.Reason
	}
	return nil
}

// Row is a key as queries give it.
type Row = projections.Row[Doc]

// Queries read the keys.
type Queries struct{ rows projections.Collection[Doc] }

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{projections.NewCollection[Doc](pool, codec, Name)}
}

// List pages through all keys, newest first.
func (q Queries) List(ctx context.Context, p projections.Page) (projections.List[Doc], error) {
	return q.rows.List(ctx, new(projections.Filter), p)
}

// Get finds one key.
func (q Queries) Get(ctx context.Context, id string) (Row, error) { return q.rows.Get(ctx, id) }
