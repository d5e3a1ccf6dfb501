package legacyfollow

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"holdfast/domain/migration"
	"holdfast/eventstore"
	"holdfast/projections"
	"holdfast/projections/legacymongo"
	"holdfast/reactors/legacyimport"
)

// Source is the old backend's database (adapters/legacydb).
type Source interface {
	Name() string
	// Read gives the documents of a collection after an ObjectId, by their _id.
	Read(ctx context.Context, collection, after string) iter.Seq2[migration.Document, error]
	// Since gives those that a clock may have touched since a time.
	Since(ctx context.Context, collection string, at time.Time) iter.Seq2[migration.Document, error]
	// Get gives some as they stand now, without those that are not there.
	Get(ctx context.Context, collection string, objectIDs []string) ([]migration.Document, error)
	// Watch opens a stream of changes after a token; nil begins now.
	Watch(ctx context.Context, collections []string, after []byte) (Changes, error)
}

// Changes is a stream of changes.
type Changes interface {
	// Next waits for a change, at most as long as patience; ok is false when none came.
	Next(ctx context.Context, patience time.Duration) (c migration.Change, ok bool, err error)
	// Token is where to go on after everything that Next has given; empty when that is not known.
	Token() []byte
	Close(ctx context.Context) error
}

// Taker decides over documents (the engine of the import).
type Taker interface {
	Batch(ctx context.Context, collection string, docs [][]byte) ([]legacyimport.Outcome, error)
}

// Mark is how far a collection was followed.
type Mark struct {
	SeenTo, SweptAt, SweepFrom time.Time
	SweepID                    string
}

// State is how far a database was followed.
type State struct {
	Token    []byte
	Position int64 // of our log
	Marks    map[string]Mark
}

// Book keeps how far (adapters/records). Everything is kept after it has been appended, so that
// what was interrupted is done again.
type Book interface {
	// Lock lets one follower work; ok is false while another does.
	Lock(ctx context.Context) (l Lock, ok bool, err error)
	// Begin gives where to go on. way is stream or poll; a database that was never followed begins at
	// a position of our log.
	Begin(ctx context.Context, source, way string, collections []string, position int64) (State, error)
	Beat(ctx context.Context, source, problem string) error
	SaveToken(ctx context.Context, source string, token []byte) error
	SavePosition(ctx context.Context, source string, position int64) error
	Seen(ctx context.Context, source string, collections []string, to time.Time) error
	Sweep(ctx context.Context, source, collection string, from time.Time, id string) error
	Swept(ctx context.Context, source, collection string) error
	Count(ctx context.Context, source, collection string, taken, refused int64) error

	// Hashes gives what was imported last of some ObjectIds of a collection.
	Hashes(ctx context.Context, collection string, objectIDs []string) (map[string]string, error)
	// Imported lists a collection's ObjectIds that were imported, in order, after one and up to
	// another; an empty end is none.
	Imported(ctx context.Context, collection, after, upTo string, limit int) ([]string, error)

	// Refusals gives what documents said that could not be taken; Refuse keeps one until Forgive, and
	// Due gives those that are to be tried again.
	Refusals(ctx context.Context, collection string, documents []string) (map[string]string, error)
	Refuse(ctx context.Context, collection, document, hash string) error
	Due(ctx context.Context, collections []string, limit int) (map[string][]string, error)
	Forgive(ctx context.Context, collection string, documents []string) error
}

// Lock is held while a follower works.
type Lock interface {
	Held(ctx context.Context) error
	Release(ctx context.Context)
}

// Gaps is the table of differences.
type Gaps interface {
	// Remind notes one, unless somebody has resolved just that by hand.
	Remind(ctx context.Context, g legacymongo.Gap) error
	// Settle closes what was noted about documents before, of some kinds.
	Settle(ctx context.Context, collection string, documents, kinds []string, why string) error
}

// Log is our own log, for what changed here that the old backend owns.
type Log interface {
	Head(ctx context.Context) (position int64, err error)
	Slice(ctx context.Context, after int64, limit int) (projections.Slice, error)
	Decode(e *eventstore.Recorded) error
	// Document names the document that a stream came from, by import.
	Document(ctx context.Context, streamType, id string) (collection, objectID string, ok bool, err error)
}

// Options of a follower.
type Options struct {
	Source Source
	Taker  Taker
	Book   Book
	Gaps   Gaps
	Log    Log
	Hash   func(raw []byte) (string, error)
	Owners legacymongo.Owners
	// Collections are followed in this order: one that others name comes before them.
	Collections []string
	Domain      func(collection string) string
	// NoStreams and TokenLost are the source's errors that say so.
	NoStreams, TokenLost error

	Poll    time.Duration // between two looks
	Overlap time.Duration // by how much clocks may differ, and commits be late
	Sweep   time.Duration // between two looks at every document
	Logger  *slog.Logger
}

// Follower follows one database. It is run by one goroutine.
type Follower struct {
	Options
	token []byte
	marks map[string]Mark
	at    int64 // of our log
}

// Defaults of a follower.
const (
	DefaultPoll    = 2 * time.Second
	DefaultOverlap = time.Minute
	DefaultSweep   = 15 * time.Minute
)

// New makes a follower.
func New(o Options) *Follower {
	if o.Poll <= 0 {
		o.Poll = DefaultPoll
	}
	if o.Overlap <= 0 {
		o.Overlap = DefaultOverlap
	}
	if o.Sweep <= 0 {
		o.Sweep = DefaultSweep
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Follower{Options: o}
}

// longestPause is the most that is waited after tries that failed.
const longestPause = 15 * time.Second

// Run follows until ctx ends, and returns nil then. Servers that are away are waited for.
func (f *Follower) Run(ctx context.Context) error {
	pause := time.Second / 4
	for ctx.Err() == nil {
		began := time.Now()
		err := f.work(ctx)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) > longestPause {
			pause = time.Second / 4
		}
		switch {
		case errors.Is(err, errBusy):
			f.Logger.DebugContext(ctx, "another follower is at work")
		case err != nil:
			f.Logger.WarnContext(ctx, "following the old backend failed; it is tried again", "error", err)
			_ = f.Book.Beat(ctx, f.Source.Name(), err.Error()) // the database may be what is away
		}
		wait(ctx, pause)
		pause = min(2*pause, longestPause)
	}
	return nil //nolint:nilerr // ctx has ended: that is how it stops
}

var errBusy = errors.New("another follower is at work")

// work follows under the lock until something fails.
func (f *Follower) work(ctx context.Context) error {
	lock, ok, err := f.Book.Lock(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return errBusy
	}
	defer lock.Release(context.WithoutCancel(ctx))
	stream, err := f.open(ctx)
	if err != nil {
		return err
	}
	if stream == nil {
		return f.poll(ctx, lock)
	}
	defer func() { _ = stream.Close(context.WithoutCancel(ctx)) }()
	return f.stream(ctx, lock, stream)
}

// open finds out how the source can be followed, and where to go on. The stream is nil where the
// server has none.
func (f *Follower) open(ctx context.Context) (Changes, error) {
	head, err := f.Log.Head(ctx)
	if err != nil {
		return nil, err
	}
	probe, err := f.Source.Watch(ctx, f.Collections, nil)
	if errors.Is(err, f.NoStreams) {
		return nil, f.begin(ctx, "poll", head)
	}
	if err != nil {
		return nil, err
	}
	if err := f.begin(ctx, "stream", head); err != nil {
		return nil, errors.Join(err, probe.Close(ctx))
	}
	if len(f.token) == 0 {
		f.forget()
		return probe, nil
	}
	stream, err := f.Source.Watch(ctx, f.Collections, f.token)
	if errors.Is(err, f.TokenLost) {
		f.Logger.WarnContext(ctx, "the stream cannot go on where it was; every document is looked at", "why", err)
		f.forget()
		return probe, nil
	}
	f.lookAfterOthers()
	return stream, errors.Join(err, probe.Close(ctx))
}

// lookAfterOthers has every document looked at of collections that did not come this far: somebody
// followed the others alone meanwhile, and there is one token for them all.
func (f *Follower) lookAfterOthers() {
	var newest time.Time
	for _, m := range f.marks {
		if m.SeenTo.After(newest) {
			newest = m.SeenTo
		}
	}
	for _, name := range f.Collections {
		if f.marks[name].SeenTo.Before(newest) {
			f.marks[name] = Mark{}
		}
	}
}

// forget gives a token up: every document is looked at once more, from the first one on, after the
// new stream has begun.
func (f *Follower) forget() {
	f.token = nil
	for name, m := range f.marks {
		f.marks[name] = Mark{SeenTo: m.SeenTo}
	}
}

func (f *Follower) begin(ctx context.Context, way string, head int64) error {
	s, err := f.Book.Begin(ctx, f.Source.Name(), way, f.Collections, head)
	f.token, f.at, f.marks = s.Token, s.Position, s.Marks
	return err
}

// alive ends the work when the lock is lost, and says that somebody is here.
func (f *Follower) alive(ctx context.Context, lock Lock) error {
	if err := lock.Held(ctx); err != nil {
		return err
	}
	return f.Book.Beat(ctx, f.Source.Name(), "")
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
