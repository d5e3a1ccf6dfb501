package legacymongo

import (
	"strings"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/eventstore"
	"holdfast/projections/escrowview"
)

// releaseHolds is the collection of what stops a release: a document for each stop of each hold,
// named <hold>/<stop>.
func releaseHolds() Collection {
	return Collection{
		Name: "releaseholds", Domain: ReleaseHold, Version: 2,
		Streams: []string{escrow.Decider.Category}, Render: renderReleaseHold,
		Documents: func(r eventstore.Recorded) []string {
			if id := stopOf(r); id != "" {
				return []string{r.Stream.ID + "/" + id}
			}
			return nil
		},
		About: "What stops a release, one document a stop. The original kept none of them in Postgres while it wrote both stores; here they are views like all others.",
		Fields: []Field{
			{"escrowHoldId", "ObjectId → escrowholds", "escrow.release_hold_placed"},
			{"paymentId", "ObjectId → payments, or null", "escrow.release_hold_imported"},
			{"purchaseRequestId", "ObjectId → purchaserequests", "escrow.opened"},
			{"type", "string", "escrow.release_hold_placed"},
			{"reason", "string", "escrow.release_hold_placed"},
			{"status", "active, released", "escrow.release_hold_placed, escrow.release_hold_lifted"},
			{"placedBy", "ObjectId → users, or a machine's name", "escrow.release_hold_placed"},
			{"releasedBy", "the same, or null", "escrow.release_hold_lifted"},
			{"releasedAt", "date or null", "escrow.release_hold_lifted"},
			{"releaseReason", "string or null", "escrow.release_hold_lifted"},
		},
	}
}

// stopOf names the stop that an event of a hold is about, empty for none.
func stopOf(r eventstore.Recorded) string {
	switch e := r.Event.(type) {
	case escrow.ReleaseHoldImported:
		return e.ID
	case escrow.ReleaseHoldPlaced:
		return e.ID
	case escrow.ReleaseHoldLifted:
		return e.ID
	}
	return ""
}

func renderReleaseHold(r *Reading, id string) (*Document, error) {
	hold, stop, _ := strings.Cut(id, "/")
	events, err := r.Events(domain.Stream{Type: escrow.Decider.Category, ID: hold})
	if err != nil {
		return nil, err
	}
	var found *escrowview.ReleaseStop
	row, err := escrowview.View().Row(events)
	if err != nil {
		return nil, err
	}
	for i := range row.Doc.StopHistory {
		if row.Doc.StopHistory[i].ID == stop {
			found = &row.Doc.StopHistory[i]
		}
	}
	if found == nil {
		return nil, nil
	}
	version, first := int64(0), int64(0)
	for _, e := range events {
		if stopOf(e) != stop {
			continue
		}
		if version++; first == 0 {
			first = e.Position
		}
		r.pos = e.Position // the stop's own last event, not the hold's
	}
	named, err := r.refs(name{"escrowholds", hold}, name{"purchaserequests", string(row.Doc.Request)}, name{"payments", string(found.Payment)})
	if err != nil {
		return nil, err
	}
	placed, err := r.actor(found.PlacedBy)
	if err != nil {
		return nil, err
	}
	kind, status, created, updated := string(found.Kind), "active", found.PlacedAt, found.PlacedAt
	if found.Word != "" {
		kind = found.Word
	}
	var lifted any
	if found.LiftedAt != nil {
		status, updated = "released", *found.LiftedAt
	}
	if found.Over {
		status = "released"
	}
	if found.LiftedBy != nil {
		if lifted, err = r.actor(*found.LiftedBy); err != nil {
			return nil, err
		}
	}
	if found.Imported != nil {
		if found.PlacedBy.User() == "" {
			placed = nil // the document names nobody
		}
		created, updated = found.Imported.CreatedAt, later(found.Imported.UpdatedAt, updated)
	}
	return &Document{Version: version, First: first, Fields: stamped(bson.D{
		{Key: "escrowHoldId", Value: named[0]},
		{Key: "paymentId", Value: named[2]},
		{Key: "purchaseRequestId", Value: named[1]},
		{Key: "type", Value: kind},
		{Key: "reason", Value: orNull(found.Reason)},
		{Key: "status", Value: status},
		{Key: "placedBy", Value: placed},
		{Key: "releasedBy", Value: lifted},
		{Key: "releasedAt", Value: dateOf(found.LiftedAt)},
		{Key: "releaseReason", Value: orNull(found.LiftedReason)},
	}, created, updated)}, nil
}
