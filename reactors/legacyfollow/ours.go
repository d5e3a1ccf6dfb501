package legacyfollow

import (
	"context"
	"fmt"

	"holdfast/domain"
	"holdfast/eventstore"
	"holdfast/projections/legacymongo"
)

// slice is how many positions of our log are looked at in one go.
const slice = 5000

// ours looks which documents of the old backend we have changed: by a fact from a chain or a provider,
// or a deadline. Each is a gap, since the old backend does not know.
func (f *Follower) ours(ctx context.Context) error {
	for {
		s, err := f.Log.Slice(ctx, f.at, slice)
		if err != nil {
			return err
		}
		for _, e := range s.Events {
			if err := f.mine(ctx, e); err != nil {
				return err
			}
		}
		if s.To == f.at {
			return nil
		}
		if err := f.Book.SavePosition(ctx, f.Source.Name(), s.To); err != nil {
			return err
		}
		f.at = s.To
	}
}

// mine notes an event that changes a document of the old backend.
func (f *Follower) mine(ctx context.Context, e eventstore.Recorded) error {
	owner, theirs := f.Owners.Writes(e.Stream.Type, e.Type)
	if !theirs {
		return nil
	}
	if err := f.Log.Decode(&e); err != nil {
		return err
	}
	if _, imported := e.Event.(interface{ Snapshot() domain.Legacy }); imported {
		return nil
	}
	if _, beside := e.Event.(interface{ WithImport() }); beside {
		return nil
	}
	collection, object, ok, err := f.Log.Document(ctx, e.Stream.Type, e.Stream.ID)
	if err != nil || !ok {
		return err // it began here: the old backend has nothing of it
	}
	return f.Gaps.Remind(ctx, legacymongo.Gap{
		Domain: owner, Collection: collection, Document: object, Severity: "critical", Kind: "conflict", Field: e.Type,
		Postgres: fmt.Sprintf("position %d", e.Position), Error: "changed here while the old backend owns it",
	})
}
