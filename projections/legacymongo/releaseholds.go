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
		Name: "releaseholds", Domain: ReleaseHold, Version: 1,
		Streams: []string{escrow.Decider.Category}, Render: renderReleaseHold,
		Documents: func(r eventstore.Recorded) []string {
			switch e := r.Event.(type) {
			case escrow.ReleaseHoldPlaced:
				return []string{r.Stream.ID + "/" + e.ID}
			case escrow.ReleaseHoldLifted:
				return []string{r.Stream.ID + "/" + e.ID}
			}
			return nil
		},
		About: "What stops a release, one document a stop. The original kept none of them in Postgres while it wrote both stores; here they are views like all others.",
		Fields: []Field{
			{"escrowHoldId", "ObjectId → escrowholds", "escrow.release_hold_placed"},
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
		switch x := e.Event.(type) {
		case escrow.ReleaseHoldPlaced:
			if x.ID == stop {
				if version++; first == 0 {
					first = e.Position
				}
				r.pos = e.Position // the stop's own last event, not the hold's
			}
		case escrow.ReleaseHoldLifted:
			if x.ID == stop {
				version++
				r.pos = e.Position
			}
		}
	}
	named, err := r.refs(name{"escrowholds", hold}, name{"purchaserequests", string(row.Doc.Request)})
	if err != nil {
		return nil, err
	}
	placed, err := r.actor(found.PlacedBy)
	if err != nil {
		return nil, err
	}
	status, updated := "active", found.PlacedAt
	var lifted any
	if found.LiftedAt != nil {
		status, updated = "released", *found.LiftedAt
		if lifted, err = r.actor(*found.LiftedBy); err != nil {
			return nil, err
		}
	}
	return &Document{Version: version, First: first, Fields: stamped(bson.D{
		{Key: "escrowHoldId", Value: named[0]},
		{Key: "purchaseRequestId", Value: named[1]},
		{Key: "type", Value: string(found.Kind)},
		{Key: "reason", Value: found.Reason},
		{Key: "status", Value: status},
		{Key: "placedBy", Value: placed},
		{Key: "releasedBy", Value: lifted},
		{Key: "releasedAt", Value: dateOf(found.LiftedAt)},
		{Key: "releaseReason", Value: orNull(found.LiftedReason)},
	}, found.PlacedAt, updated)}, nil
}
