package projections

import (
	"fmt"
	"time"

	"holdfast/eventstore"
)

// View is a read model that keeps one document a stream: what Documents is made of, for those who
// keep the same documents elsewhere.
type View[D any] struct {
	Name     string // of the projector and its table
	Version  int
	Category string
	// Fold is called in the stream's order and decides by r.Event; an error halts the projector.
	Fold func(doc *D, r eventstore.Recorded) error
}

// Projector keeps the view in Postgres.
func (v View[D]) Projector() Projector { return Documents(v.Name, v.Version, v.Category, v.Fold) }

// add folds the stream's next event into a row.
func (v View[D]) add(row *Row[D], r eventstore.Recorded) error {
	if r.Version != row.Version+1 {
		return fmt.Errorf("%s: version %d comes after %d", r.Stream, r.Version, row.Version)
	}
	if row.Version == 0 {
		row.ID, row.FirstPos, row.CreatedAt = r.Stream.ID, r.Position, r.RecordedAt
	}
	if err := v.Fold(&row.Doc, r); err != nil {
		return fmt.Errorf("fold %s at %d: %w", r.Type, r.Position, err)
	}
	row.Version, row.Pos = r.Version, r.Position
	if _, beside := r.Event.(interface{ WithImport() }); !beside {
		row.UpdatedAt = r.RecordedAt // what belongs to an import is no change of the thing
	}
	if e, dated := r.Event.(interface {
		Dates() (created, updated time.Time)
	}); dated {
		row.dated(e.Dates())
	}
	return nil
}

// dated is for events that tell of what began elsewhere: zero dates change nothing.
func (row *Row[D]) dated(created, updated time.Time) {
	if !created.IsZero() {
		row.CreatedAt = created
	}
	if !updated.IsZero() {
		row.UpdatedAt = updated
	}
}

// Row folds a whole stream, decoded and in order, into its document. Personal text stays sealed.
func (v View[D]) Row(stream []eventstore.Recorded) (row Row[D], err error) {
	for _, r := range stream {
		if err := v.add(&row, r); err != nil {
			return row, err
		}
	}
	return row, nil
}
