package projections

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/eventstore"
)

// tail is the end of the log in memory, read and decoded once for all followers of this process:
// a dozen read models that each read every new event would cost more than the commands that
// wrote them. It holds only what is committed and never changes, so a follower may take from it
// or from the log as it likes.
type tail struct {
	pool *pgxpool.Pool
	log  *logReader

	mu     sync.Mutex
	logID  string
	after  int64 // events begin behind it …
	to     int64 // … and reach to it
	head   int64 // the log's end when it was last looked at
	events []eventstore.Recorded
	looked time.Time
}

const (
	// tailKept is how many events are kept for followers that lag a little.
	tailKept = 4000
	// tailGap is the least time between two looks at the log, so that followers which wake up
	// together look once.
	tailGap = 5 * time.Millisecond
)

// slice gives up to limit positions after a position; none when the log has not grown. Events that
// this build cannot decode come undecoded, for their projector to halt at. ok is false when the
// position is not in the tail: the log itself must be read.
func (t *tail) slice(ctx context.Context, categories []string, after int64, limit int) (s Slice, ok bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if after > t.to {
		t.forget() // it follows whoever is furthest
	}
	if t.logID == "" || after == t.to {
		if err := t.look(ctx, after); err != nil {
			return Slice{}, false, err
		}
	}
	if after < t.after || after > t.to {
		return Slice{}, false, nil
	}
	s = Slice{LogID: t.logID, After: after, To: min(after+int64(limit), t.to), Head: t.head}
	begin, _ := slices.BinarySearchFunc(t.events, after+1, byPosition)
	end, _ := slices.BinarySearchFunc(t.events, s.To+1, byPosition)
	for _, r := range t.events[begin:end] {
		if categories == nil || slices.Contains(categories, r.Stream.Type) {
			s.Events = append(s.Events, r)
		}
	}
	return s, true, nil
}

func byPosition(r eventstore.Recorded, position int64) int { return int(r.Position - position) }

// look reads what the log has grown by since the last look, or since after when nothing is held.
func (t *tail) look(ctx context.Context, after int64) error {
	if wait := tailGap - time.Since(t.looked); wait > 0 {
		pause(ctx, wait, nil)
	}
	if t.logID != "" {
		after = t.to
	}
	s, err := readSlice(ctx, t.pool, sliceSQL, nil, after, tailKept/4)
	if err != nil {
		t.forget()
		return err
	}
	t.looked = time.Now()
	if t.logID != s.LogID || s.Head < t.to {
		// The first look, or the database was restored under us.
		t.forget()
		t.logID, t.after, t.to = s.LogID, after, after
	}
	for i := range s.Events {
		// What cannot be decoded poisons those who need it, not all.
		if err := t.log.decode(&s.Events[i]); err != nil {
			s.Events[i].Event = nil
		}
	}
	t.events = append(t.events, s.Events...)
	t.to, t.head = s.To, s.Head
	if drop := len(t.events) - tailKept; drop > 0 {
		t.after = t.events[drop-1].Position
		t.events = append([]eventstore.Recorded(nil), t.events[drop:]...)
	}
	return nil
}

func (t *tail) forget() { t.logID, t.after, t.to, t.head, t.events = "", 0, 0, 0, nil }
