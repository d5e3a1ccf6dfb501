package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/adapters/legacydb"
	"holdfast/adapters/records"
	"holdfast/eventstore"
	"holdfast/projections"
	"holdfast/projections/legacymongo"
	"holdfast/reactors/legacyfollow"
	"holdfast/reactors/legacyimport"
)

// ErrNothingToFollow: the old backend owns none of the domains.
var ErrNothingToFollow = errors.New("the old backend owns no domain that can be followed: set LEGACY_OWNER_<DOMAIN>=legacy")

// Follow says what an operator wants followed.
type Follow struct {
	From    string   // mongodb://…/<database>
	Domains []string // empty: all that the old backend owns
	Poll    time.Duration
	Overlap time.Duration
	Sweep   time.Duration

	through func(legacyfollow.Source) legacyfollow.Source // for tests: stands before the source
}

// Follower makes a follower of the old backend's changes; a service may be running beside it.
func (c *Core) Follower(ctx context.Context, w Follow) (*legacyfollow.Follower, error) {
	owners := legacyOwners(c.Config.Owners)
	for _, d := range w.Domains {
		if !owners.Legacy(d) {
			return nil, fmt.Errorf("%s is owned by Holdfast, which takes nothing of it: set LEGACY_OWNER_%s=legacy", d, d)
		}
	}
	importer, err := c.Importer(ctx)
	if err != nil {
		return nil, err
	}
	domains := map[string]string{}
	for _, l := range legacymongo.Collections() {
		domains[l.Name] = l.Domain
	}
	followed := slices.DeleteFunc(importer.Collections(), func(name string) bool {
		d := domains[name]
		return !owners.Legacy(d) || len(w.Domains) > 0 && !slices.Contains(w.Domains, d)
	})
	if len(followed) == 0 {
		return nil, ErrNothingToFollow
	}
	source, err := legacydb.OpenLive(ctx, w.From)
	if err != nil {
		return nil, err
	}
	c.onClose(source.Close)
	var from legacyfollow.Source = liveSource{source}
	if w.through != nil {
		from = w.through(from)
	}
	follows := records.NewFollows(c.Jobs)
	return legacyfollow.New(legacyfollow.Options{
		Source: from, Taker: importer.Asking(besideIn(source)), Book: followBook{follows, records.NewImports(c.Jobs)}, Gaps: legacymongo.NewGaps(c.Jobs),
		Log: followLog{c, follows, projections.NewReader(c.Jobs, c.Codec, ownedStreams(owners)...)}, Hash: hashRaw, Owners: owners,
		Collections: followed, Domain: func(collection string) string { return domains[collection] },
		NoStreams: legacydb.ErrNoChangeStreams, TokenLost: legacydb.ErrTokenLost,
		Poll: w.Poll, Overlap: w.Overlap, Sweep: w.Sweep, Logger: c.Log,
	}), nil
}

// besideIn looks documents up that are taken with those that they name.
func besideIn(source legacydb.Live) legacyimport.Beside {
	return func(ctx context.Context, n legacyimport.Naming, objectIDs []string) (map[string][][]byte, error) {
		all := map[string][][]byte{}
		if len(objectIDs) == 0 {
			return all, nil
		}
		for doc, err := range source.Naming(ctx, n.Collection, n.Field, objectIDs) {
			if err != nil {
				return nil, err
			}
			if id := n.Of(doc.Raw); id != "" {
				all[id] = append(all[id], doc.Raw)
			}
		}
		return all, nil
	}
}

func legacyOwners(settings map[string]string) legacymongo.Owners {
	owners := legacymongo.Owners{}
	for domain, owner := range settings {
		owners[domain] = owner == legacyOwner
	}
	return owners
}

// ownedStreams are the kinds of streams whose events may change a document of the old backend.
func ownedStreams(owners legacymongo.Owners) []string {
	var all []string
	for _, a := range Aggregates() {
		if _, theirs := owners.Writes(a.Category, ""); theirs {
			all = append(all, a.Category)
		}
	}
	return all
}

func hashRaw(raw []byte) (string, error) { return legacydb.Hash(bson.Raw(raw)) }

// What is followed, and the rows that remember it, speak their own words and the follower its own.

type liveSource struct{ legacydb.Live }

func (s liveSource) Watch(ctx context.Context, collections []string, after []byte) (legacyfollow.Changes, error) {
	return s.Live.Watch(ctx, collections, after)
}

type followBook struct {
	*records.Follows
	imports *records.Imports
}

func (b followBook) Lock(ctx context.Context) (legacyfollow.Lock, bool, error) {
	l, ok, err := b.Follows.Lock(ctx)
	if err != nil || !ok {
		return nil, false, err
	}
	return l, true, nil
}

func (b followBook) Begin(ctx context.Context, source, way string, collections []string, position int64) (legacyfollow.State, error) {
	f, err := b.Follows.Begin(ctx, source, way, collections, position)
	s := legacyfollow.State{Token: f.Token, Position: f.LogPosition, Marks: map[string]legacyfollow.Mark{}}
	for _, c := range f.Collections {
		s.Marks[c.Name] = legacyfollow.Mark{SeenTo: c.SeenTo, SweptAt: c.SweptAt, SweepFrom: c.SweepFrom, SweepID: c.SweepID}
	}
	return s, err
}

func (b followBook) Hashes(ctx context.Context, collection string, objectIDs []string) (map[string]string, error) {
	names, err := b.imports.Names(ctx, objectIDs)
	all := map[string]string{}
	for id, n := range names {
		if n.Imported && n.Collection == collection {
			all[id] = n.Hash
		}
	}
	return all, err
}

func (b followBook) Refuse(ctx context.Context, collection, document, hash string) error {
	return b.Follows.Refuse(ctx, records.FollowRefusal{Collection: collection, Document: document, Hash: hash})
}

func (b followBook) Due(ctx context.Context, collections []string, limit int) (map[string][]string, error) {
	due, err := b.Follows.Due(ctx, collections, limit)
	all := map[string][]string{}
	for _, r := range due {
		all[r.Collection] = append(all[r.Collection], r.Document)
	}
	return all, err
}

type followLog struct {
	core    *Core
	follows *records.Follows
	*projections.Reader
}

func (l followLog) Head(ctx context.Context) (int64, error) {
	head, err := l.core.Store.Head(ctx)
	return head.Position, err
}

func (l followLog) Decode(e *eventstore.Recorded) error { return l.Reader.Decode(e) }

func (l followLog) Document(ctx context.Context, streamType, id string) (string, string, bool, error) {
	return l.follows.Origin(ctx, streamType, id)
}
