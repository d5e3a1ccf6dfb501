package legacymongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Assets knows how people write amounts (domain/network's registry).
type Assets interface {
	Decimals(asset money.Asset) (decimals uint8, ok bool)
	Alias(asset money.Asset) (alias string, ok bool)
}

// Reading is the log up to a position, as documents see it. What a document asks for and is not
// at hand is noted; it is fetched for all documents at once, and they are rendered again.
type Reading struct {
	ctx    context.Context
	codec  *eventstore.Codec
	assets Assets
	upTo   int64
	since  int64 // documents that begin here or later were never written

	streams map[domain.Stream][]eventstore.Recorded
	objects map[name]primitive.ObjectID
	entries map[int64][]Entry // ledger entries by position

	wanted  map[domain.Stream]bool
	unnamed map[name]bool
	unread  map[int64]bool

	erased  map[domain.UserID]bool // who has been asked about
	unasked map[domain.UserID]bool

	// of the document that is being rendered
	sources map[string]bool
	pos     int64
}

// name is a thing of a collection.
type name struct{ collection, id string }

// errWanted: the document must be rendered again, when what it asked for is there.
var errWanted = errors.New("more must be read first")

func newReading(ctx context.Context, codec *eventstore.Codec, assets Assets, upTo int64) *Reading {
	r := &Reading{
		ctx: ctx, assets: assets, upTo: upTo,
		streams: map[domain.Stream][]eventstore.Recorded{}, objects: map[name]primitive.ObjectID{}, entries: map[int64][]Entry{},
		wanted: map[domain.Stream]bool{}, unnamed: map[name]bool{}, unread: map[int64]bool{},
		erased: map[domain.UserID]bool{}, unasked: map[domain.UserID]bool{},
	}
	r.codec = codec.WithKeys(forgetful{codec.Keys(), r})
	return r
}

// Events gives a stream, decoded, up to the reading's position; empty for one that has not begun.
func (r *Reading) Events(s domain.Stream) ([]eventstore.Recorded, error) {
	events, ok := r.streams[s]
	if !ok {
		r.wanted[s] = true
		return nil, errWanted
	}
	r.sources[s.Type+"/"+s.ID] = true
	if n := len(events); n > 0 {
		r.pos = max(r.pos, events[n-1].Position)
	}
	return events, nil
}

// Row folds a stream as a view does; ok is false for one that has not begun. Its personal text is
// sealed.
func Row[D any](r *Reading, v projections.View[D], id string) (row projections.Row[D], ok bool, err error) {
	events, err := r.Events(domain.Stream{Type: v.Category, ID: id})
	if err != nil || len(events) == 0 {
		return row, false, err
	}
	row, err = v.Row(events)
	return row, true, err
}

// Open opens the personal text below p; that of erased people is empty. The document is written
// again when one of them is erased.
func (r *Reading) Open(p any) error { return r.codec.Open(r.ctx, p) }

// Ref is the legacy name of a thing of a collection: that of the import, or the derived one. Nil
// for an empty id: the old backend leaves such fields out or null.
func (r *Reading) Ref(collection, id string) (any, error) {
	if id == "" {
		return nil, nil
	}
	return r.object(name{collection, id})
}

func (r *Reading) object(n name) (primitive.ObjectID, error) {
	o, ok := r.objects[n]
	if !ok {
		r.unnamed[n] = true
		return o, errWanted
	}
	return o, nil
}

// Decimal writes an amount as people read it, "12.5"; in base units for an asset nobody knows.
func (r *Reading) Decimal(a money.Amount) string {
	decimals, ok := r.assets.Decimals(a.Asset)
	if !ok {
		return a.Units.String()
	}
	return a.Units.Decimal(decimals)
}

// Alias is the asset's short name, "USDT@56", or its id.
func (r *Reading) Alias(a money.Asset) string {
	if alias, ok := r.assets.Alias(a); ok {
		return alias
	}
	return string(a)
}

// fetch reads what was asked for, all in one round trip. more is false when nothing was.
func (r *Reading) fetch(tx pgx.Tx) (more bool, err error) {
	if len(r.wanted)+len(r.unnamed)+len(r.unread)+len(r.unasked) == 0 {
		return false, nil
	}
	batch := &pgx.Batch{}
	r.fetchStreams(batch)
	r.fetchNames(batch)
	r.fetchEntries(batch)
	r.fetchErased(batch)
	if err := tx.SendBatch(r.ctx, batch).Close(); err != nil {
		return false, fmt.Errorf("read what the documents need: %w", err)
	}
	clear(r.wanted)
	clear(r.unnamed)
	clear(r.unread)
	clear(r.unasked)
	return true, r.decode()
}

const streamsSQL = `SELECT e.position, e.stream_type, e.stream_id, e.version, e.event_id, e.type, e.schema_version, e.data, e.recorded_at
	FROM unnest($1::text[], $2::text[]) AS s (type, id)
	JOIN public.events e ON e.stream_type = s.type AND e.stream_id = s.id AND e.position <= $3
	ORDER BY e.position`

func (r *Reading) fetchStreams(batch *pgx.Batch) {
	if len(r.wanted) == 0 {
		return
	}
	var types, ids []string
	for s := range r.wanted {
		types, ids = append(types, s.Type), append(ids, s.ID)
		r.streams[s] = nil
	}
	batch.Queue(streamsSQL, types, ids, r.upTo).Query(func(rows pgx.Rows) error {
		var e eventstore.Recorded
		_, err := pgx.ForEachRow(rows, []any{&e.Position, &e.Stream.Type, &e.Stream.ID, &e.Version, &e.EventID, &e.Type, &e.Schema, &e.Data, &e.RecordedAt}, func() error {
			e.RecordedAt = e.RecordedAt.UTC()
			r.streams[e.Stream] = append(r.streams[e.Stream], e)
			return nil
		})
		return err
	})
}

// decode fills in the events of the streams that were read just now.
func (r *Reading) decode() (err error) {
	for _, events := range r.streams {
		for i := range slices.Backward(events) {
			e := &events[i]
			if e.Event != nil {
				break // the others are decoded too
			}
			if e.Event, err = r.codec.DecodeSealed(e.Type, e.Schema, e.Data); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Reading) fetchNames(batch *pgx.Batch) {
	if len(r.unnamed) == 0 {
		return
	}
	var collections, ids []string
	for n := range r.unnamed {
		collections, ids = append(collections, n.collection), append(ids, n.id)
		r.objects[n] = ObjectID(n.collection, n.id)
	}
	batch.Queue(`SELECT m.collection, m.id, m.object_id FROM unnest($1::text[], $2::text[]) AS n (collection, id)
		JOIN public.id_map m ON m.collection = n.collection AND m.id = n.id`, collections, ids).Query(func(rows pgx.Rows) error {
		var n name
		var hex string
		_, err := pgx.ForEachRow(rows, []any{&n.collection, &n.id, &hex}, func() (err error) {
			r.objects[n], err = primitive.ObjectIDFromHex(hex)
			return err
		})
		return err
	})
}

// date is a time as Mongo keeps it: milliseconds.
func date(t time.Time) primitive.DateTime { return primitive.NewDateTimeFromTime(t) }

// dateOf is null for no time.
func dateOf(t *time.Time) any {
	if t == nil || t.IsZero() {
		return nil
	}
	return date(*t)
}
