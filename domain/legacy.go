package domain

import (
	"time"

	"holdfast/domain/fault"
)

// ErrLegacyConflict: a document of the old backend has changed, and so have we: neither may be
// written over the other.
var ErrLegacyConflict = fault.New(fault.Conflict, "LEGACY_CONFLICT", "the document was changed in the old backend after it had been changed here")

// Legacy is what the imported event of a stream says of the document that it stands for.
type Legacy struct {
	ObjectID string `json:"legacy_object_id"` // 24 hex digits
	// Hash is the SHA-256 of the document's canonical form, in hex.
	Hash      string    `json:"snapshot_hash"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
}

// Dates are those of the thing itself: views show them in place of the time of the import. Either
// is zero where the document did not say.
func (l Legacy) Dates() (created, updated time.Time) { return l.CreatedAt, l.UpdatedAt }

// Snapshot gives what was imported; events that embed Legacy are recognised by it.
func (l Legacy) Snapshot() Legacy { return l }

// Snapshot is what a state remembers of its import.
type Snapshot struct {
	Hash string `json:"hash,omitempty"` // of the document that was taken last; empty for what began here
	// Ours: something else has happened since, so no later document replaces the state.
	Ours bool `json:"ours,omitempty"`
}

// After is the snapshot after an event. Events with the method WithImport belong to the import of
// another document and change nothing.
func (s Snapshot) After(e Event) Snapshot {
	if i, imported := e.(interface{ Snapshot() Legacy }); imported {
		return Snapshot{Hash: i.Snapshot().Hash}
	}
	if _, beside := e.(interface{ WithImport() }); !beside && s.Hash != "" {
		s.Ours = true
	}
	return s
}

// Takes decides whether a document may begin or replace a state: again is true for the document
// that it stands for already. began says that the stream exists. Errors: LEGACY_CONFLICT.
func (s Snapshot) Takes(began bool, l Legacy) (again bool, err error) {
	switch {
	case l.ObjectID == "" || l.Hash == "":
		return false, fault.ErrValidation.At("legacy_object_id", "the document's id and hash are needed")
	case began && s.Hash == l.Hash:
		return true, nil
	case began && (s.Ours || s.Hash == ""):
		return false, ErrLegacyConflict
	}
	return false, nil
}
