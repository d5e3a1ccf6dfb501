package legacymongo

import (
	"context"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain"
	"holdfast/eventstore"
)

// The domains that are moved one by one, as the settings REPO_<DOMAIN> name them.
const (
	User        = "USER"
	Payment     = "PAYMENT"
	Points      = "POINTS"
	Marketplace = "MARKETPLACE"
	Trezor      = "TREZOR"
	Destination = "DERIVED_DESTINATION"
	Blog        = "BLOG"
	Note        = "NOTIFICATION"
	Dispute     = "DISPUTE"
	Chat        = "CHAT"
	ReleaseHold = "RELEASE_HOLD"
)

// Domains lists them all, in the order of the original's table.
func Domains() []string {
	return []string{User, Payment, Points, Marketplace, Trezor, Destination, Blog, Note, Dispute, ReleaseHold, Chat}
}

// Collection is one collection of the legacy store.
type Collection struct {
	Name   string // as Mongoose pluralises the model's name
	Domain string
	// Version counts the shapes of its documents; a new one makes the runner write all anew.
	Version int
	// Streams are the stream types that its documents come from, Reads those that they look at beside.
	Streams, Reads []string
	// Documents names those that an event of Streams brings about or changes; nil: the one of the
	// stream's id.
	Documents func(r eventstore.Recorded) []string
	// Find names the documents in place of Streams, for a collection that comes from every stream
	// and needs nothing of an event but its position.
	Find func(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) ([]string, error)
	// Rows renders all documents of a collection that comes from plain rows and follows no stream.
	Rows func(ctx context.Context, tx pgx.Tx, r *Reading) ([]rendered, error)
	// Render gives a document as it stands; nil when there is none (yet).
	Render func(r *Reading, id string) (*Document, error)
	// View is the read model whose queries this collection can answer, with the columns that they
	// look at; empty for none.
	View    string
	Columns map[string]Column
	// Fields describes the document for people: docs/legacy has it as a table.
	Fields []Field
	// About is a sentence or two for the docs: what it holds, and what differs from the original's.
	About string
}

// Document is a document before it gets its _id and our marks.
type Document struct {
	Fields bson.D // in the order in which they are written; createdAt and updatedAt among them
	// Version is the stream's (__v counts from 0), First the position of its first event.
	Version, First int64
	// view is what our own queries need; nil for a document that answers none.
	view *view
	// subjects are people whose personal text is in a document without a view part.
	subjects []domain.UserID
}

// Field is one field of a document, for the docs.
type Field struct {
	Name, Type, From string
}

func (c Collection) categories() []string {
	return append(append([]string{}, c.Streams...), c.Reads...)
}
