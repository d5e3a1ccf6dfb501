package migration

import (
	"fmt"
	"strings"

	"holdfast/domain"
)

// Collections, by the names that Mongoose gave them.
const (
	Users            = "users"
	Categories       = "categories"
	PurchaseRequests = "purchaserequests"
	SellerOffers     = "selleroffers"
	Payments         = "payments"
	LedgerEntries    = "fundsledgerentries"
	ReleaseHolds     = "releaseholds"
	Disputes         = "disputes"
	TrezorAccounts   = "trezoraccounts"
	Destinations     = "deriveddestinations"
	Thresholds       = "confirmationthresholds"
)

// ID names the thing that a document stands for: the same document gives the same UUID in any run.
func ID(collection, objectID string) string {
	return domain.DeriveID("legacy\x00"+collection, objectID)
}

// HoldID names the money of an order: the old backend had no document for it. It follows from the
// purchase request, so that request, offer and payments agree on it without having met.
func HoldID(request string) domain.HoldID {
	return domain.HoldID(domain.DeriveID("legacy\x00holds", request))
}

// Document is one document as it stands in its source.
type Document struct {
	Raw []byte // BSON
	// Cursor is where the source goes on after this document; empty where it cannot.
	Cursor string
}

// Ref names another document. Field is where the name stood.
type Ref struct {
	Field, Collection, ObjectID string
}

// Problem is what keeps a document out: what was found in a field, and what is promised of it.
type Problem struct {
	Field    string `json:"field"`
	Found    string `json:"found,omitempty"`
	Promised string `json:"promised"`
}

func (p Problem) String() string {
	if p.Found == "" {
		return fmt.Sprintf("%s: %s", p.Field, p.Promised)
	}
	return fmt.Sprintf("%s: %s, found %s", p.Field, p.Promised, p.Found)
}

// Promises tells of problems without what was found: that may be about people, and erasing them does
// not reach every place where the reasons are kept.
func Promises(all []Problem) string {
	texts := make([]string, len(all))
	for i, p := range all {
		texts[i] = Problem{Field: p.Field, Promised: p.Promised}.String()
	}
	return strings.Join(texts, "; ")
}

// Note explains how what was taken differs from the document.
type Note struct {
	Field string `json:"field"`
	What  string `json:"what"` // without values, so that equal ones can be counted
}

func (n Note) String() string { return n.Field + ": " + n.What }

// Found is what a decoder says of any document, whatever stands for.
type Found struct {
	domain.Legacy
	// Ours: the document was written by us, as a view.
	Ours bool
	// Refs must be known already; Later come in a collection that is imported after this one, and
	// must stand in the source.
	Refs, Later []Ref
	Problems    []Problem
	Notes       []Note
}

// Names gives our id of what an ObjectId of a collection names; empty for none.
type Names func(collection, objectID string) string

// Import is who imports, and when.
func Import(i domain.Issue) domain.Issue {
	i.By = domain.Machine(domain.Import, "legacy")
	return i
}
