package migration

import "time"

// Change says that the old backend has changed something; what, the document itself tells.
type Change struct {
	Collection string // empty: nothing that concerns documents, or (with Whole) every collection
	ObjectID   string // empty for a document of another kind of id
	// Whole: a collection is gone or has another name, so all of its documents must be looked at.
	Whole bool
	At    time.Time // by the server's clock
}
