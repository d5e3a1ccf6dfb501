package legacydb

import (
	"context"
	"fmt"
	"iter"
	"os"
	"strings"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/migration"
)

// Source is where the documents of the old backend stand. Everything is streamed.
type Source interface {
	// Name says which source it is, without secrets: a run goes on only in the same one.
	Name() string
	// Count gives how many documents a collection has; 0 for one that is not there. It reads a file
	// through, so that a broken one is found before anything is written.
	Count(ctx context.Context, collection string) (int64, error)
	// IDs gives the ObjectIds of a collection in hex.
	IDs(ctx context.Context, collection string) iter.Seq2[string, error]
	// Read gives the documents after a cursor, always in the same order; "" begins.
	Read(ctx context.Context, collection, after string) iter.Seq2[migration.Document, error]
	Close(ctx context.Context) error
}

// Open opens a source: mongodb://… or mongodb+srv://… with the database's name, or a directory.
func Open(ctx context.Context, from string) (Source, error) {
	if strings.HasPrefix(from, "mongodb://") || strings.HasPrefix(from, "mongodb+srv://") {
		return openMongo(ctx, from)
	}
	info, err := os.Stat(from)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: no such directory (a server begins with mongodb://)", from)
	case !info.IsDir():
		return nil, fmt.Errorf("%s is a file: name the directory that mongodump or mongoexport wrote (an archive is unpacked with mongorestore first)", from)
	}
	return openDirectory(from)
}

// idOf is a document's ObjectId in hex; empty for another kind of id.
func idOf(raw bson.Raw) string {
	if o, ok := raw.Lookup("_id").ObjectIDOK(); ok {
		return o.Hex()
	}
	return ""
}

// validate reports that a document is well formed. The driver's own check fails on some bytes with a
// panic.
func validate(raw bson.Raw) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("a length that cannot be: %v", broken)
		}
	}()
	if len(raw) < 5 {
		return fmt.Errorf("a document of %d bytes", len(raw))
	}
	return raw.Validate()
}
