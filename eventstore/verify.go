package eventstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"holdfast/domain"
)

// RawSource gives up to limit events with position > after, in order, as they stand: Event and
// Metadata may be left undecoded.
type RawSource func(ctx context.Context, after int64, limit int) ([]Recorded, error)

// LogProblem is the first thing that is wrong with a log.
type LogProblem struct {
	Position int64
	What     string
}

func (p *LogProblem) Error() string {
	return fmt.Sprintf("the log is broken at position %d: %s", p.Position, p.What)
}

// VerifyOptions says what a log is held against.
type VerifyOptions struct {
	// Head, when its Root is set, is what the log claims to be: every position up to it must
	// be there and give its root.
	Head Head
	// Checkpoints are signed statements, verified before by ParseCheckpoint; each must agree
	// with the tree at its size.
	Checkpoints []Checkpoint
	// Each, when set, is called with every event after it was found good, and ends the
	// verification with its error.
	Each func(Recorded) error
}

// Verified is what a whole log was found to be.
type Verified struct {
	Events  int64
	Streams int64
	Root    []byte
}

// verifySlice is how many events are read at once.
const verifySlice = 2000

// VerifyLog reads a log from its first event and recomputes everything that proves it: leaf
// hashes, the tree, dense positions, dense versions of each stream, times that do not go
// back, and agreement with the head and with signed checkpoints. It needs only the events, so
// it serves for a database and for an export alike. A broken log gives a *LogProblem.
func VerifyLog(ctx context.Context, read RawSource, opts VerifyOptions) (Verified, error) {
	v := newVerifier(opts)
	ctx, stop := context.WithCancel(ctx)
	slices := readHashed(ctx, read)
	defer func() {
		stop()
		for range slices {
			continue // read is the caller's: it is not called any more when this returns
		}
	}()
	for s := range slices {
		if s.err != nil {
			return v.result(), fmt.Errorf("read after %d: %w", v.last.Position, s.err)
		}
		for i, r := range s.events {
			if opts.Head.Root != nil && r.Position > opts.Head.Position {
				return v.result(), v.end() // appended since the head was read
			}
			if err := v.event(r, s.leaves[i]); err != nil {
				return v.result(), err
			}
			if opts.Each == nil {
				continue
			}
			if err := opts.Each(r); err != nil {
				return v.result(), err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return v.result(), err
	}
	return v.result(), v.end()
}

// hashed is a slice of the log with what its events hash to.
type hashed struct {
	events []Recorded
	leaves [][]byte
	err    error
}

// readHashed reads slice after slice, one ahead of whoever takes them, until one is empty: while
// events are judged the next are on their way already.
func readHashed(ctx context.Context, read RawSource) <-chan hashed {
	slices := make(chan hashed, 1)
	go func() {
		defer close(slices)
		for after := int64(0); ; {
			var s hashed
			if s.events, s.err = read(ctx, after, verifySlice); s.err == nil && len(s.events) == 0 {
				return
			}
			s.leaves = make([][]byte, len(s.events))
			for i, r := range s.events {
				s.leaves[i], after = LeafHash(r), r.Position
			}
			select {
			case slices <- s:
			case <-ctx.Done():
				return
			}
			if s.err != nil {
				return
			}
		}
	}()
	return slices
}

type verifier struct {
	opts        VerifyOptions
	tree        *Tree
	last        Recorded
	versions    map[[16]byte]int64 // by digest of the stream's name: a log has many streams
	checkpoints map[int64][]Checkpoint
}

func newVerifier(opts VerifyOptions) *verifier {
	v := &verifier{opts: opts, versions: map[[16]byte]int64{}, checkpoints: map[int64][]Checkpoint{}}
	v.tree = &Tree{edge: ranges.NewEmptyRange(0)}
	for _, c := range opts.Checkpoints {
		v.checkpoints[c.Position] = append(v.checkpoints[c.Position], c)
	}
	return v
}

func (v *verifier) result() Verified {
	return Verified{Events: v.tree.Size(), Streams: int64(len(v.versions)), Root: v.tree.Root()}
}

func (v *verifier) event(r Recorded, leaf []byte) error {
	problem := func(format string, args ...any) error {
		return &LogProblem{Position: r.Position, What: fmt.Sprintf(format, args...)}
	}
	stream := streamDigest(r.Stream)
	switch {
	case r.Position != v.last.Position+1:
		return problem("it follows position %d: events are missing", v.last.Position)
	case r.Version != v.versions[stream]+1:
		return problem("stream %s goes from version %d to %d", r.Stream, v.versions[stream], r.Version)
	case r.RecordedAt.Before(v.last.RecordedAt):
		return problem("it was recorded at %s, before its predecessor", r.RecordedAt)
	}
	if !bytes.Equal(leaf, r.LeafHash) {
		return problem("the event (%s, version %d of %s) does not have the hash it was recorded with: it was changed", r.Type, r.Version, r.Stream)
	}
	if err := v.tree.Append(leaf, nil); err != nil {
		return problem("%v", err)
	}
	v.versions[stream], v.last = r.Version, r
	for _, c := range v.checkpoints[r.Position] {
		if !bytes.Equal(c.Root, v.tree.Root()) {
			return problem("the log differs from the checkpoint signed at this size: history was rewritten")
		}
	}
	delete(v.checkpoints, r.Position)
	return nil
}

func (v *verifier) end() error {
	last := v.last.Position
	for at := range v.checkpoints {
		if at > last {
			return &LogProblem{Position: last, What: fmt.Sprintf("a checkpoint was signed at position %d, but the log ends here: its end was cut off", at)}
		}
	}
	head := v.opts.Head
	if head.Root == nil {
		return nil
	}
	if head.Position != last {
		return &LogProblem{Position: last, What: fmt.Sprintf("the head says the log ends at %d", head.Position)}
	}
	if !bytes.Equal(head.Root, v.tree.Root()) {
		return &LogProblem{Position: last, What: "the root in the head is not that of the events"}
	}
	return nil
}

func streamDigest(s domain.Stream) (d [16]byte) {
	full := sha256.Sum256([]byte(s.Type + "\x00" + s.ID))
	copy(d[:], full[:])
	return d
}
