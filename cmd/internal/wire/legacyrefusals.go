package wire

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	legacy "holdfast/domain/migration"
	"holdfast/projections/legacymongo"
	"holdfast/reactors/legacyimport"
)

// toldSink writes refused documents where they go, and a gap for each: verify knows by it that the
// document is missing for a reason, and a move waits until somebody has looked at it.
type toldSink struct {
	legacyimport.Sink
	gaps       *legacymongo.Gaps
	collection string
}

// Told makes the refusals of an import gaps, too; those of a dry run are none.
func (c *Core) Told(sink legacyimport.Sink, dry bool) legacyimport.Sink {
	if dry {
		return sink
	}
	return &toldSink{Sink: sink, gaps: legacymongo.NewGaps(c.Jobs)}
}

func (t *toldSink) Begin(collection string, at int64) error {
	t.collection = collection
	return t.Sink.Begin(collection, at)
}

func (t *toldSink) Put(raw []byte, reasons []legacy.Problem) error {
	if err := t.Sink.Put(raw, reasons); err != nil {
		return err
	}
	hash, err := hashRaw(raw)
	if err != nil {
		return nil //nolint:nilerr // no document at all: there is nothing to name, and the file has it
	}
	id := bson.Raw(raw).Lookup("_id")
	name := id.String()
	if o, ok := id.ObjectIDOK(); ok {
		name = o.Hex()
	}
	if name == "" {
		return nil
	}
	for _, c := range legacymongo.Collections() {
		if c.Name == t.collection {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			return t.gaps.Remind(ctx, legacymongo.Gap{
				Domain: c.Domain, Collection: c.Name, Document: name, Severity: "critical", Kind: "refused", Mongo: hash, Error: legacy.Promises(reasons),
			})
		}
	}
	return nil // no collection of ours: nothing will look for it
}
