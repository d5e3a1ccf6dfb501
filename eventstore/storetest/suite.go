package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/eventstore"
)

// Store is what the suite needs beyond the contract.
type Store interface {
	eventstore.Store
	eventstore.NodeReader
	ReadRaw(ctx context.Context, after int64, limit int) ([]eventstore.Recorded, error)
	Deadlines(ctx context.Context, until time.Time, limit int) ([]eventstore.StreamDeadline, error)
	Deficits(ctx context.Context) ([]eventstore.Deficit, error)
	InclusionProof(ctx context.Context, position, size int64) (eventstore.InclusionProof, error)
	ConsistencyProof(ctx context.Context, from, to int64) (eventstore.ConsistencyProof, error)
}

// KeyRing is a ring whose keys can be destroyed.
type KeyRing interface {
	eventstore.KeyRing
	Destroy(ctx context.Context, subject domain.UserID) error
}

// World is one empty log and its key ring. Open gives a store on that same log, with the
// codec of some build.
type World struct {
	Keys KeyRing
	Open func(codec *eventstore.Codec) Store
	// Table makes a table of names beside the log; nil for a store that has no tables.
	Table func(t testing.TB) Table
}

// Table is plain rows written with the log: names, each at most once and none of them empty.
type Table struct {
	Insert func(name string) eventstore.Row
	Names  func() []string
}

// Run holds a store against the contract; world makes a fresh world for each test.
func Run(t *testing.T, world func(t testing.TB) World) {
	for name, test := range map[string]func(*testing.T, *harness){
		"versions guard streams":                            versions,
		"a stream that was only read is checked too":        assertions,
		"several streams are appended together or not":      several,
		"positions are gapless under 16 writers":            gapless,
		"a reader beside the writers sees 1, 2, 3 …":        tailing,
		"times do not go back and PositionAt finds them":    times,
		"a key gets its first outcome again":                replays,
		"a key with another fingerprint is refused":         reuse,
		"a refusal is remembered":                           refusals,
		"a key expires when it may":                         expiry,
		"8 identical commands at once have one effect":      identical,
		"a claim has one holder":                            claims,
		"a decision without funds is refused alone":         insufficient,
		"a fact is never refused and leaves a deficit":      facts,
		"a refusal can be the event's own":                  ownRefusal,
		"20 decisions at once do not overdraw":              contention,
		"pending is posted once":                            pendingPosted,
		"pending is voided once":                            pendingVoided,
		"pending counts against what is available":          pendingGuards,
		"balances of the past are folds of entries":         past,
		"amounts reach 2^256-1 and stop there":              large,
		"snapshots keep the newest":                         snapshots,
		"personal text is sealed and can be erased":         personal,
		"rows are written with their events or not at all":  rows,
		"a row that is refused fails alone":                 rowsAlone,
		"deadlines are set, moved and cancelled":            deadlines,
		"an unknown event type stops the reader at it":      unknown,
		"an append that does nothing is a bug":              nothing,
		"every event has a proof, and no other":             proofs,
		"the log verifies and agrees with its head":         verifies,
		"L1 L2 E1 E2: sums, versions and order always hold": invariants,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newHarness(t, world(t)))
		})
	}
}

// harness is a store with short names for what tests do most.
type harness struct {
	Store
	world World
}

func newHarness(t testing.TB, w World) *harness {
	t.Helper()
	codec, err := eventstore.NewCodec(w.Keys, Aggregate())
	require.NoError(t, err)
	return &harness{Store: w.Open(codec), world: w}
}

// must appends and expects success.
func (h *harness) must(t testing.TB, staged ...domain.Staged) eventstore.Appended {
	t.Helper()
	done, err := h.Append(t.Context(), Of(staged...))
	require.NoError(t, err)
	require.Nil(t, done.Replay)
	return done
}

// refused appends and expects a refusal that leaves the log as it was.
func (h *harness) refused(t testing.TB, target error, staged ...domain.Staged) error {
	t.Helper()
	before, err := h.Head(t.Context())
	require.NoError(t, err)
	_, err = h.Append(t.Context(), Of(staged...))
	require.ErrorIs(t, err, target)
	after, err2 := h.Head(t.Context())
	require.NoError(t, err2)
	require.Equal(t, before, after)
	return err
}

// all reads the whole log.
func (h *harness) all(t testing.TB) []eventstore.Recorded {
	t.Helper()
	var all []eventstore.Recorded
	for {
		slice, err := h.Read(t.Context(), int64(len(all)), 100)
		require.NoError(t, err)
		if len(slice) == 0 {
			return all
		}
		all = append(all, slice...)
	}
}
