package legacymongo

import (
	"fmt"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain"
	"holdfast/domain/legacyentry"
)

// renderLegacyEntry gives an entry of the old books as it stood there. What people had written into
// it is left out once they are erased.
func renderLegacyEntry(r *Reading, id string) (*Document, error) {
	events, err := r.Events(domain.Stream{Type: legacyentry.Decider.Category, ID: id})
	if err != nil || len(events) == 0 {
		return nil, err
	}
	last := events[len(events)-1]
	e, ok := last.Event.(legacyentry.Imported)
	if !ok {
		return nil, fmt.Errorf("%T is no entry of the old books", last.Event)
	}
	if err := r.Open(&e); err != nil {
		return nil, err
	}
	d := &Document{Version: last.Version, First: events[0].Position}
	for _, part := range []string{e.Body, e.Text.Text} {
		if part == "" {
			continue
		}
		var fields bson.D
		if err := bson.UnmarshalExtJSON([]byte(part), true, &fields); err != nil {
			return nil, fmt.Errorf("read entry %s: %w", id, err)
		}
		d.Fields = append(d.Fields, fields...)
	}
	if e.Text.Subject != "" {
		d.subjects = append(d.subjects, e.Text.Subject)
	}
	return d, nil
}
