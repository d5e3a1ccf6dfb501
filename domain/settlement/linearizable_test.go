package settlement_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/ledger"
	"holdfast/domain/refund"
	"holdfast/domain/scenariotest"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
)

const (
	rounds        = 12
	clients       = 6
	opsOfClient   = 10
	fundedAtFirst = 150
)

// Six clients of two processes release, refund and contest the money of one hold at the same
// time, and some give up waiting. Whatever they saw must be explained by some order of their
// operations, each between its call and its answer (docs/fault-model.md, 100 and 109); and the
// ledger, read beside them and at the end, must show that order's balances.
func TestOneHoldIsLinearizable(t *testing.T) {
	t.Parallel()
	first := pgtest.New(t)
	ring := postgres.NewKeyRing(first, make([]byte, 32))
	var processes []*scenariotest.World
	for _, pool := range []*pgxpool.Pool{first, pgtest.Open(t, first.Config().ConnString())} {
		codec, err := eventstore.NewCodec(ring, scenariotest.Aggregates()...)
		require.NoError(t, err)
		store, err := postgres.New(t.Context(), pool, codec, postgres.Options{})
		require.NoError(t, err)
		t.Cleanup(store.Close)
		processes = append(processes, scenariotest.NewWorld(t, store))
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	codes := map[string]int{}
	for round := range rounds {
		r := newRace(t, processes, domain.HoldID(fmt.Sprintf("h%d", round)))
		r.run(seed + uint64(round)*clients)
		r.check(codes)
	}
	t.Logf("outcomes: %v", codes)
	require.NotZero(t, codes[""], "nothing was ever accepted")
	require.NoError(t, solvent(processes[0]))
}

// race is one round: a hold of its own and the history of what its clients saw.
type race struct {
	t         *testing.T
	processes []*scenariotest.World
	hold      domain.HoldID
	start     time.Time

	mu      sync.Mutex
	history []porcupine.Operation
	refunds []domain.RefundID
}

func newRace(t *testing.T, processes []*scenariotest.World, hold domain.HoldID) *race {
	t.Helper()
	processes[0].Fund(scenariotest.Order{Hold: hold, Buyer: "B1", Seller: domain.UserID("S-" + hold), Due: amount(fundedAtFirst), Terms: escrow.Terms{}})
	return &race{t: t, processes: processes, hold: hold, start: time.Now()}
}

func (r *race) run(seed uint64) {
	var all sync.WaitGroup
	for n := range clients {
		c := &client{race: r, id: n, rand: rand.New(rand.NewPCG(seed, uint64(n)))}
		all.Go(func() {
			for range opsOfClient {
				c.step()
			}
		})
	}
	all.Wait()
}

func (r *race) now() int64 { return time.Since(r.start).Nanoseconds() }

// note adds an operation to the history; one without a known outcome stays open to the end.
func (r *race) note(client int, o op, call int64, saw outcome) {
	back := r.now()
	if saw.Unknown {
		back = int64(1) << 62
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, porcupine.Operation{ClientId: client, Input: o, Call: call, Output: saw, Return: back})
}

// check reads the ledger after the race, then asks whether one order explains it all.
func (r *race) check(codes map[string]int) {
	r.t.Helper()
	for _, account := range []string{"held", "releasable", "disputed", "released", "refunded"} {
		call := r.now()
		r.note(clients, op{Kind: opRead, From: account}, call, outcome{Balance: r.read(r.processes[1], account)})
	}
	for _, o := range r.history {
		saw := o.Output.(outcome)
		if saw.Unknown {
			saw.Code = "unknown"
		}
		if o.Input.(op).Kind != opRead {
			codes[saw.Code]++
		}
	}
	result, info := porcupine.CheckOperationsVerbose(modelOf(fundedAtFirst), r.history, 30*time.Second)
	if result != porcupine.Ok {
		picture := filepath.Join(os.TempDir(), "holdfast-linearizable.html")
		err := porcupine.VisualizePath(modelOf(fundedAtFirst), info, picture)
		r.t.Fatalf("no order of the operations explains what the clients saw (%s); see %s (%v)", result, picture, err)
	}
}

// read is a balance of the ledger; World.Balance fails the test when it is negative.
func (r *race) read(w *scenariotest.World, account string) uint64 {
	r.t.Helper()
	switch account {
	case "released":
		return whole(w.Balance(ledger.Account("seller:S-"+string(r.hold)+":available"), usdc))
	case "refunded":
		sum := uint64(0)
		for _, id := range r.refunds {
			sum += whole(w.Balance(ledger.ClearingRefund(id), usdc))
		}
		return sum
	}
	return whole(w.Balance(ledger.Account("escrow:"+string(r.hold)+":"+account), usdc))
}

// The judge itself: it must call wrong what is wrong, or the test above proves nothing.
func TestTheJudgeOfTheHoldHasTeeth(t *testing.T) {
	t.Parallel()
	did := func(client int, call, back int64, o op, saw outcome) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Call: call, Return: back, Input: o, Output: saw}
	}
	half := op{Kind: opApprove, From: string(refund.FromHeld), Amount: 60}
	for name, history := range map[string][]porcupine.Operation{
		"the same money twice": {did(0, 1, 4, half, outcome{}), did(1, 2, 3, half, outcome{})},
		"an answer forgotten":  {did(0, 1, 2, half, outcome{}), did(1, 3, 4, op{Kind: opRead, From: "held"}, outcome{Balance: 100})},
		"refused for nothing":  {did(0, 1, 2, half, outcome{Code: "REFUND_EXCEEDS_AVAILABLE"})},
	} {
		require.False(t, porcupine.CheckOperations(modelOf(100), history), name)
	}
	open := did(0, 1, 1<<62, half, outcome{Unknown: true})
	for _, seen := range []uint64{40, 100} {
		require.True(t, porcupine.CheckOperations(modelOf(100), []porcupine.Operation{open, did(1, 2, 3, op{Kind: opRead, From: "held"}, outcome{Balance: seen})}))
	}
}
