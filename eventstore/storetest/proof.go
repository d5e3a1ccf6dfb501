package storetest

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
)

// verify recomputes the whole log and holds it against its head.
func (h *harness) verify(t testing.TB) eventstore.Verified {
	t.Helper()
	head, err := h.Head(t.Context())
	require.NoError(t, err)
	v, err := eventstore.VerifyLog(t.Context(), h.ReadRaw, eventstore.VerifyOptions{Head: head})
	require.NoError(t, err)
	assert.Equal(t, head.Position, v.Events)
	return v
}

func verifies(t *testing.T, h *harness) {
	h.verify(t)
	h.write(t)
	v := h.verify(t)
	assert.Equal(t, int64(writers/2+1), v.Streams)
}

func proofs(t *testing.T, h *harness) {
	const size = 600 // beyond two stored nodes of level 8
	roots := map[int64][]byte{}
	for n := int64(0); n < size; {
		var batch []domain.Event
		for range 1 + n%37 {
			batch = append(batch, Noted{fmt.Sprint(n)})
		}
		n = h.must(t, Staged("a", n, batch...)).Last
		head, err := h.Head(t.Context())
		require.NoError(t, err)
		roots[n] = head.Root
	}
	events, err := h.ReadRaw(t.Context(), 0, 2*size)
	require.NoError(t, err)
	for to, root := range roots {
		for _, position := range []int64{1, to / 2, to} {
			if position < 1 {
				continue
			}
			p, err := h.InclusionProof(t.Context(), position, to)
			require.NoError(t, err)
			leaf := eventstore.LeafHash(events[position-1])
			require.NoError(t, eventstore.VerifyInclusion(p, leaf, root))
			assert.Equal(t, root, p.Root)
			forged := events[position-1]
			forged.Data = bytes.Replace(forged.Data, []byte("text"), []byte("TEXT"), 1)
			require.Error(t, eventstore.VerifyInclusion(p, eventstore.LeafHash(forged), root))
		}
		for from, old := range roots {
			if from > to {
				continue
			}
			p, err := h.ConsistencyProof(t.Context(), from, to)
			require.NoError(t, err)
			require.NoError(t, eventstore.VerifyConsistency(p, old, root))
			if from < to {
				require.Error(t, eventstore.VerifyConsistency(p, root, old))
			}
		}
	}
	end := int64(len(events))
	for _, bad := range [][2]int64{{0, 5}, {6, 5}, {-1, 5}, {1, end + 1}} {
		_, err := h.InclusionProof(t.Context(), bad[0], bad[1])
		require.ErrorIs(t, err, eventstore.ErrNoSuchProof, bad)
	}
	_, err = h.ConsistencyProof(t.Context(), 5, end+1)
	require.ErrorIs(t, err, eventstore.ErrNoSuchProof)
}

// invariants appends random histories, some of them bad, and checks what must hold at all
// times. A history is short: the database is a real one.
func invariants(t *testing.T, h *harness) {
	accounts := []ledger.Account{purse, till, ledger.Suspense, ledger.Treasury, ledger.PlatformFee, ledger.Held("h")}
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		for n := range rapid.IntRange(1, 12).Draw(r, "commands") {
			var staged []domain.Staged
			for s := range rapid.IntRange(1, 3).Draw(r, "streams") {
				var events []domain.Event
				for range rapid.IntRange(0, 2).Draw(r, "events") {
					i := rapid.IntRange(0, len(accounts)-1).Draw(r, "debit")
					j := (i + rapid.IntRange(1, len(accounts)-1).Draw(r, "credit")) % len(accounts)
					events = append(events, Moved{
						Mode: ledger.Post, Fact: rapid.IntRange(0, 3).Draw(r, "fact") == 0,
						Debit: accounts[i], Credit: accounts[j], Units: money.FromUint64(rapid.Uint64Range(1, 50).Draw(r, "units")),
					})
				}
				id := fmt.Sprintf("%d-%d-%d", run, s, rapid.IntRange(0, n).Draw(r, "stream"))
				staged = append(staged, domain.Staged{Stream: Stream(id), Expected: rapid.Int64Range(0, 1).Draw(r, "expected"), Events: events})
			}
			a := Of(staged...)
			a.Key = key(fmt.Sprint(run, "-", n), "f")
			_, _ = h.Append(t.Context(), a) // refused or not: the rules below hold
		}
		h.sumsHold(t.Context(), r)
	})
	h.wellOrdered(t, h.all(t))
	h.verify(t)
	h.sumsHold(t.Context(), t)
}

// sumsHold checks L1 (each event's entries sum to zero), L2 (so do all accounts), and that no
// account is below zero by more than its deficit.
func (h *harness) sumsHold(ctx context.Context, t rapid.TB) {
	t.Helper()
	entries, err := h.Entries(ctx, "", "", 0, 100000)
	require.NoError(t, err)
	perEvent := map[int64]int64{}
	perAccount := map[ledger.Account]int64{}
	for _, e := range entries {
		units := int64(e.Amount.Uint256().Uint64())
		if !e.Debit {
			units = -units
		}
		perEvent[e.Position] += units
		perAccount[e.Account] += units
	}
	for position, sum := range perEvent {
		require.Zero(t, sum, "position %d", position)
	}
	all, err := h.Balances(ctx, "", 0)
	require.NoError(t, err)
	deficits, err := h.Deficits(ctx)
	require.NoError(t, err)
	allowed := map[ledger.Account]int64{}
	for _, d := range deficits {
		allowed[d.Account] = int64(d.Amount.Uint256().Uint64())
	}
	var total int64
	for _, a := range all {
		net := int64(a.DebitsPosted.Uint256().Uint64()) - int64(a.CreditsPosted.Uint256().Uint64())
		require.Equal(t, perAccount[a.Account], net, a.Account)
		total += net
		kind, err := ledger.KindOf(a.Account)
		require.NoError(t, err)
		if kind.Guarded {
			if !kind.Debit {
				net = -net
			}
			require.Equal(t, max(0, -net), allowed[a.Account], "%s stands at %d", a.Account, net)
		}
	}
	require.Zero(t, total)
}
