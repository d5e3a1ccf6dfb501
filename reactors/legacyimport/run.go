package legacyimport

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/migration"
)

// ErrRunning: only one import may run at a time.
var ErrRunning = fault.New(fault.Conflict, "IMPORT_RUNNING", "another import is running")

// Run is how the import of one collection goes, or went.
type Run struct {
	Collection string `json:"collection"`
	// Total is how many documents the source says that it has; it may be an estimate.
	Total     int64            `json:"total"`
	Read      int64            `json:"read"` // = Taken + Unchanged + Refused + Ours
	Taken     int64            `json:"taken"`
	Unchanged int64            `json:"unchanged"`
	Refused   int64            `json:"refused"`
	Ours      int64            `json:"ours"`
	Reasons   map[string]int64 `json:"reasons"` // of refusals
	Notes     map[string]int64 `json:"notes"`   // explained differences
	Resumed   bool             `json:"resumed,omitempty"`
	Started   time.Time        `json:"startedAt"`
	Finished  time.Time        `json:"finishedAt,omitzero"`

	Cursor    string `json:"-"`
	RefusedAt int64  `json:"-"` // length of the file of refused documents
}

// Progress is where the book keeps runs, and the lock that lets one import run.
type Progress interface {
	// Lock keeps others out until it is released or the connection is gone: ErrRunning.
	Lock(ctx context.Context) (Lock, error)
	// Begin gives the run of a collection: the one that was interrupted, else a new one.
	Begin(ctx context.Context, source, collection string, anew bool) (Run, error)
	// Save keeps how far a run has come; finished ends it.
	Save(ctx context.Context, source string, r Run, finished bool) (Run, error)
}

// Lock is held while an import runs. What was seen in the source and what a dry run decided is kept
// in temporary tables of its connection.
type Lock interface {
	Scratch
	// Held is an error once the lock is lost with its connection.
	Held(ctx context.Context) error
	Release(ctx context.Context)
}

// Scratch is memory that may grow with the source.
type Scratch interface {
	Keeper
	// See notes ObjectIds of a collection of the source; Seen tells which of them were noted.
	See(ctx context.Context, collection string, objectIDs []string) error
	Seen(ctx context.Context, refs []migration.Ref) (map[migration.Ref]bool, error)
	// Would keeps what a dry run has decided. WouldKnow, WouldHave and Holders (with what the log
	// has) give it back.
	Would(ctx context.Context, all []Would) error
	WouldKnow(ctx context.Context, objectIDs []string) (map[string]Known, error)
	WouldHave(ctx context.Context, streams []domain.Stream) (map[domain.Stream][]domain.Event, error)
	Holders(ctx context.Context, claims []string) (map[string]domain.Stream, error)
}

// Sink takes the documents that are refused (a file a collection).
type Sink interface {
	// Begin goes on writing a collection's file at a length; what stood beyond is cut off.
	Begin(collection string, at int64) error
	// Put writes a document with its reasons.
	Put(raw []byte, reasons []migration.Problem) error
	// Keep makes sure that it is on the disk, and tells the file's length.
	Keep() (at int64, err error)
}

// Wish is what an operator wants imported.
type Wish struct {
	Source      Source
	Collections []string // empty: all, in order
	Dry         bool     // decide everything, write nothing
	Anew        bool     // do not go on with a run that was interrupted
	Sink        Sink
	Progress    Progress
	Report      func(Run) // after each batch; may be nil
}

// Run imports collections. It may be interrupted at any time and run again. Errors: IMPORT_RUNNING.
func (e *Engine) Run(ctx context.Context, w Wish) (runs []Run, err error) {
	for _, name := range w.Collections {
		if _, ok := e.taker(name); !ok {
			return nil, fmt.Errorf("%s is no collection that is imported", name)
		}
	}
	lock, err := w.Progress.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer lock.Release(context.WithoutCancel(ctx))
	m := &importing{engine: e, Wish: w, lock: lock}
	if w.Dry {
		m.dry = &dryRun{lock, e.codec}
	}
	for _, t := range e.takers {
		if len(w.Collections) > 0 && !slices.Contains(w.Collections, t.Collection) {
			continue
		}
		run, err := m.collection(ctx, t)
		runs = append(runs, run)
		if err != nil {
			return runs, fmt.Errorf("import %s: %w", t.Collection, err)
		}
	}
	return runs, nil
}

// importing is one import on its way.
type importing struct {
	Wish
	engine *Engine
	lock   Lock
	kept   map[string]bool // collections whose documents have been kept by what they name
	noted  map[string]bool // collections of which the ids have been noted
	dry    *dryRun
}

// What one batch may hold.
const (
	batchDocuments = 1000
	batchBytes     = 4 << 20
)

func (m *importing) collection(ctx context.Context, t Taker) (run Run, err error) {
	if run, err = m.begin(ctx, t); err != nil {
		return run, err
	}
	if err := m.Sink.Begin(t.Collection, run.RefusedAt); err != nil {
		return run, err
	}
	if run.Total, err = m.Source.Count(ctx, t.Collection); err != nil {
		return run, err
	}
	m.report(run)
	b := &pile{m: m, t: t, run: &run}
	for doc, err := range m.Source.Read(ctx, t.Collection, run.Cursor) {
		if err != nil {
			return run, err
		}
		if err := b.add(ctx, doc); err != nil {
			return run, err
		}
	}
	if err := b.end(ctx); err != nil {
		return run, err
	}
	return m.save(ctx, run, true)
}

func (m *importing) begin(ctx context.Context, t Taker) (Run, error) {
	if m.Dry {
		return Run{Collection: t.Collection, Reasons: map[string]int64{}, Notes: map[string]int64{}}, nil
	}
	return m.Progress.Begin(ctx, m.Source.Name(), t.Collection, m.Anew)
}

// save keeps a run, when what was refused is safe.
func (m *importing) save(ctx context.Context, run Run, finished bool) (Run, error) {
	at, err := m.Sink.Keep()
	if err != nil {
		return run, err
	}
	run.RefusedAt = at
	if m.Dry {
		return run, nil
	}
	if err := m.lock.Held(ctx); err != nil {
		return run, err
	}
	return m.Progress.Save(ctx, m.Source.Name(), run, finished)
}

func (m *importing) report(run Run) {
	if m.Report != nil {
		m.Report(run)
	}
}

// seen looks documents up that come in later collections; their ids are noted before.
func (m *importing) seen(ctx context.Context, refs []migration.Ref) (map[migration.Ref]bool, error) {
	for _, r := range refs {
		if m.noted[r.Collection] {
			continue
		}
		if err := m.note(ctx, r.Collection); err != nil {
			return nil, fmt.Errorf("look into %s: %w", r.Collection, err)
		}
	}
	return m.lock.Seen(ctx, refs)
}

func (m *importing) note(ctx context.Context, collection string) error {
	var ids []string
	for id, err := range m.Source.IDs(ctx, collection) {
		if err != nil {
			return err
		}
		if ids = append(ids, id); len(ids) == 5000 {
			if err := m.lock.See(ctx, collection, ids); err != nil {
				return err
			}
			ids = ids[:0]
		}
	}
	if m.noted == nil {
		m.noted = map[string]bool{}
	}
	m.noted[collection] = true
	return m.lock.See(ctx, collection, ids)
}

func (m *importing) scope(patient bool) scope {
	return scope{seen: m.seen, dry: m.dry, patient: patient, beside: m.besides}
}

// pile gathers documents to a batch.
type pile struct {
	m     *importing
	t     Taker
	run   *Run
	docs  []migration.Document
	bytes int
	// waiting name documents of their own collection that have not come yet. The run's cursor does
	// not move while there are any.
	waiting []migration.Document
}

func (b *pile) add(ctx context.Context, doc migration.Document) error {
	b.docs = append(b.docs, doc)
	b.bytes += len(doc.Raw)
	if len(b.docs) < batchDocuments && b.bytes < batchBytes {
		return nil
	}
	return b.flush(ctx)
}

func (b *pile) flush(ctx context.Context) error {
	docs := b.docs
	b.docs, b.bytes = nil, 0
	waiting, err := b.take(ctx, docs, true)
	if err != nil {
		return err
	}
	b.waiting = append(b.waiting, waiting...)
	if len(docs) > 0 && docs[len(docs)-1].Cursor != "" {
		b.run.Cursor = docs[len(docs)-1].Cursor
	}
	b.m.report(*b.run)
	if len(b.waiting) > 0 {
		return nil
	}
	*b.run, err = b.m.save(ctx, *b.run, false)
	return err
}

// end takes what is left; those that wait are asked until none of them gets further.
func (b *pile) end(ctx context.Context) error {
	if err := b.flush(ctx); err != nil {
		return err
	}
	for len(b.waiting) > 0 {
		docs, still := b.waiting, []migration.Document(nil)
		for part := range slices.Chunk(docs, batchDocuments) {
			left, err := b.take(ctx, part, true)
			if err != nil {
				return err
			}
			still = append(still, left...)
		}
		b.waiting = still
		if len(still) < len(docs) {
			continue
		}
		b.waiting = nil
		for part := range slices.Chunk(still, batchDocuments) {
			if _, err := b.take(ctx, part, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// take takes documents and counts what became of them; it gives back those that must wait.
func (b *pile) take(ctx context.Context, docs []migration.Document, patient bool) (waiting []migration.Document, err error) {
	if len(docs) == 0 {
		return nil, nil
	}
	raw := make([][]byte, len(docs))
	for i, d := range docs {
		raw[i] = d.Raw
	}
	outcomes, err := b.m.engine.batch(ctx, b.t, raw, b.m.scope(patient))
	if err != nil {
		return nil, err
	}
	var problems []error
	for i, o := range outcomes {
		if o.Result == later {
			waiting = append(waiting, docs[i])
			continue
		}
		b.run.count(o)
		if o.Result == Refused {
			problems = append(problems, b.m.Sink.Put(docs[i].Raw, o.Reasons))
		}
	}
	return waiting, errors.Join(problems...)
}

// count adds one document up.
func (r *Run) count(o Outcome) {
	r.Read++
	switch o.Result {
	case Taken:
		r.Taken++
		for _, n := range o.Notes {
			r.Notes[n.String()]++
		}
	case Unchanged:
		r.Unchanged++
	case Ours:
		r.Ours++
	case Refused:
		r.Refused++
		for _, p := range o.Reasons {
			r.Reasons[migration.Problem{Field: p.Field, Promised: p.Promised}.String()]++
		}
	}
}
