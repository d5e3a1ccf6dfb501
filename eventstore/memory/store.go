package memory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"holdfast/domain"
	"holdfast/eventstore"
	"holdfast/eventstore/commit"
)

// Store is a log in memory, safe for concurrent use.
type Store struct {
	codec *eventstore.Codec
	*log
}

// log is what stores with different codecs share.
type log struct {
	id string

	mu        sync.Mutex
	now       func() time.Time
	book      *commit.Book
	events    []eventstore.Recorded
	streams   map[domain.Stream][]int // indexes into events
	entries   []eventstore.Entry
	deadlines map[deadlineKey]eventstore.StreamDeadline
	snapshots map[domain.Stream]eventstore.Snapshot
	tree      *eventstore.Tree
	rows      func([]eventstore.Row)
	nodes     map[nodeKey][]byte
}

type deadlineKey struct {
	stream domain.Stream
	key    string
}

type nodeKey struct {
	level int
	index int64
}

// New makes an empty log.
func New(codec *eventstore.Codec) *Store {
	tree, err := eventstore.NewTree(0, nil)
	if err != nil {
		panic(fmt.Sprintf("memory: an empty tree needs nothing: %v", err))
	}
	return &Store{codec: codec, log: &log{
		id: uuid.NewString(), now: time.Now, book: commit.NewBook(),
		streams: map[domain.Stream][]int{}, deadlines: map[deadlineKey]eventstore.StreamDeadline{},
		snapshots: map[domain.Stream]eventstore.Snapshot{}, tree: tree, nodes: map[nodeKey][]byte{},
	}}
}

// With gives the same log read and written with another codec, as another build would.
func (s *Store) With(codec *eventstore.Codec) *Store { return &Store{codec: codec, log: s.log} }

// SetNow replaces the log's clock.
func (s *Store) SetNow(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// SetRows says what to do with the statements on plain rows of an append; without it one that
// has any is refused, because there is no database here.
func (s *Store) SetRows(apply func([]eventstore.Row)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = apply
}

// Now is the log's clock.
func (s *Store) Now(context.Context) (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock(), nil
}

// clock never goes behind the last event, and has the database's microseconds.
func (s *Store) clock() time.Time {
	now := s.now().UTC().Truncate(time.Microsecond)
	if n := len(s.events); n > 0 && now.Before(s.events[n-1].RecordedAt) {
		return s.events[n-1].RecordedAt
	}
	return now
}

// Append implements eventstore.Store.
func (s *Store) Append(ctx context.Context, a eventstore.Append) (eventstore.Appended, error) {
	if err := ctx.Err(); err != nil {
		return eventstore.Appended{}, err
	}
	wish, err := commit.Prepare(ctx, s.codec, a)
	if err != nil {
		return eventstore.Appended{}, fmt.Errorf("prepare the append: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(wish.Rows) > 0 && s.rows == nil {
		return eventstore.Appended{}, errors.New("memory: an append has rows, and there are no tables here")
	}
	at := s.clock()
	written, replay, err := s.book.Decide(wish, at)
	if err != nil || replay != nil {
		return eventstore.Appended{Replay: replay}, err
	}
	if len(wish.Rows) > 0 {
		s.rows(wish.Rows)
	}
	for i := range wish.Events {
		if err := s.add(wish.Events[i].Recorded(wish, written.First+int64(i), at)); err != nil {
			return eventstore.Appended{}, err
		}
	}
	s.entries = append(s.entries, written.Entries...)
	for _, d := range written.Deadlines {
		key := deadlineKey{d.Stream, d.Key}
		if d.Cancel {
			delete(s.deadlines, key)
		} else {
			s.deadlines[key] = d.StreamDeadline
		}
	}
	return eventstore.Appended{First: written.First, Last: written.Last, RecordedAt: at}, nil
}

func (s *Store) add(r eventstore.Recorded) error {
	s.streams[r.Stream] = append(s.streams[r.Stream], len(s.events))
	s.events = append(s.events, r)
	return s.tree.Append(r.LeafHash, func(n eventstore.TreeNode) { s.nodes[nodeKey{n.Level, n.Index}] = n.Hash })
}

// LoadStream implements eventstore.Store.
func (s *Store) LoadStream(ctx context.Context, stream domain.Stream, after int64) ([]eventstore.Recorded, error) {
	s.mu.Lock()
	var found []eventstore.Recorded
	for _, i := range s.streams[stream] {
		if s.events[i].Version > after {
			found = append(found, s.events[i])
		}
	}
	s.mu.Unlock()
	// The stored bytes are decoded, so that a test sees what a reader of the real log sees.
	return commit.DecodeAll(ctx, s.codec, found)
}

// Read implements eventstore.Store.
func (s *Store) Read(ctx context.Context, after int64, limit int) ([]eventstore.Recorded, error) {
	found, err := s.ReadRaw(ctx, after, limit)
	if err != nil {
		return nil, err
	}
	return commit.DecodeKnown(ctx, s.codec, found)
}

// ReadRaw is Read without decoding.
func (s *Store) ReadRaw(_ context.Context, after int64, limit int) ([]eventstore.Recorded, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := int(min(max(after, 0), int64(len(s.events))))
	return slices.Clone(s.events[from:min(from+limit, len(s.events))]), nil
}

// Head implements eventstore.Store.
func (s *Store) Head(context.Context) (eventstore.Head, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return eventstore.Head{LogID: s.id, Position: s.tree.Size(), Root: s.tree.Root()}, nil
}

// Outcome implements eventstore.Store.
func (s *Store) Outcome(_ context.Context, k eventstore.Key) (*eventstore.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.book.Keys[commit.IDOf(k)]
	if !ok || (!known.Expires.IsZero() && !s.clock().Before(known.Expires)) {
		return nil, nil
	}
	return known.Match(k.Fingerprint)
}

// LoadSnapshot implements eventstore.Store.
func (s *Store) LoadSnapshot(_ context.Context, stream domain.Stream) (*eventstore.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if snap, ok := s.snapshots[stream]; ok {
		return &snap, nil
	}
	return nil, nil
}

// SaveSnapshot implements eventstore.Store; an older one than the kept one is ignored.
func (s *Store) SaveSnapshot(_ context.Context, stream domain.Stream, snap eventstore.Snapshot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.snapshots[stream].Version < snap.Version {
		s.snapshots[stream] = snap
	}
	return nil
}

// Deadlines lists the armed deadlines that are due at a time, earliest first.
func (s *Store) Deadlines(_ context.Context, until time.Time, limit int) ([]eventstore.StreamDeadline, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []eventstore.StreamDeadline
	for _, d := range s.deadlines {
		if !d.Due.After(until) {
			due = append(due, d)
		}
	}
	slices.SortFunc(due, func(a, b eventstore.StreamDeadline) int { return a.Due.Compare(b.Due) })
	return due[:min(limit, len(due))], nil
}
