package legacyimport

import (
	"context"
	"slices"

	"holdfast/domain/migration"
)

// names is what is known of the ObjectIds of a batch.
type names struct {
	ids  map[string]Known
	seen map[migration.Ref]bool // of later collections
	look bool                   // whether later collections were looked at
}

// lookUp asks for everything that the documents name.
func (e *Engine) lookUp(ctx context.Context, items []*item, s scope) (n names, err error) {
	var ids []string
	var later []migration.Ref
	for _, x := range items {
		if x.found.ObjectID == "" || x.found.Ours {
			continue
		}
		ids = append(ids, x.found.ObjectID)
		for _, r := range append(slices.Clone(x.found.Refs), x.found.Later...) {
			ids = append(ids, r.ObjectID)
		}
		later = append(later, x.found.Later...)
	}
	if n.ids, err = e.book.Names(ctx, ids); err != nil {
		return n, err
	}
	if s.dry != nil {
		if err := s.dry.names(ctx, ids, n.ids); err != nil {
			return n, err
		}
	}
	if s.seen != nil && len(later) > 0 {
		n.look = true
		n.seen, err = s.seen(ctx, later)
	}
	return n, err
}

// of gives our id of a reference, empty for an unknown one.
func (n names) of(r migration.Ref) string {
	known, ok := n.ids[r.ObjectID]
	if ok && known.Collection == r.Collection && (!known.Imported || known.Hash != "") {
		return known.ID
	}
	return ""
}

// name implements migration.Names: a document that comes later has its name already.
func (n names) name(collection, objectID string) string {
	if objectID == "" {
		return ""
	}
	if id := n.of(migration.Ref{Collection: collection, ObjectID: objectID}); id != "" {
		return id
	}
	return migration.ID(collection, objectID)
}

// missing lists references that name nothing.
func (n names) missing(found migration.Found) []migration.Problem {
	var all []migration.Problem
	dangling := func(r migration.Ref) {
		all = append(all, migration.Problem{Field: r.Field, Found: r.ObjectID, Promised: "a document of " + r.Collection + " that is there and was not refused"})
	}
	for _, r := range found.Refs {
		if n.of(r) == "" {
			dangling(r)
		}
	}
	for _, r := range found.Later {
		if n.look && n.of(r) == "" && !n.seen[migration.Ref{Collection: r.Collection, ObjectID: r.ObjectID}] {
			dangling(r)
		}
	}
	return all
}
