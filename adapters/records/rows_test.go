package records_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/eventstore/postgres/pgtest"
)

// An id comes from outside; one that no row can have is nobody's, and no error.
func TestWhatIsNoIDIsNotThere(t *testing.T) {
	t.Parallel()
	r := records.New(pgtest.New(t), 1)
	for _, id := range []string{"", "42", "'; DROP TABLE users", "00000000-0000-4000-8000-00000000a00"} {
		_, ok, err := r.Users.ByID(t.Context(), domain.UserID(id))
		require.NoError(t, err)
		assert.False(t, ok)
		_, ok, err = r.Sessions.Live(t.Context(), id)
		require.NoError(t, err)
		assert.False(t, ok)
		_, ok, err = r.Wallets.OfUser(t.Context(), records.Buyer1, id)
		require.NoError(t, err)
		assert.False(t, ok)
		active, err := r.Categories.Active(t.Context(), id)
		require.NoError(t, err)
		assert.False(t, active)
		all, err := r.Chains.Confirmations(t.Context(), domain.PaymentID(id))
		require.NoError(t, err)
		assert.Empty(t, all)
	}
}

func TestARefreshTokenInTwoHandsAtOnceWorksOnce(t *testing.T) {
	t.Parallel()
	r := records.New(pgtest.New(t), 1)
	require.NoError(t, r.Seed(t.Context(), 1, nil))
	opened, err := r.Sessions.Open(t.Context(), records.NewSession{User: records.Buyer1, Method: "password", Lives: time.Hour})
	require.NoError(t, err)
	var mu sync.Mutex
	good := 0
	var hands sync.WaitGroup
	for range 8 {
		hands.Go(func() {
			if done, err := r.Sessions.Rotate(t.Context(), opened.Refresh, nil, time.Hour); err == nil && !done.Reused {
				mu.Lock()
				good++
				mu.Unlock()
			}
		})
	}
	hands.Wait()
	assert.Equal(t, 1, good)
}

func TestPathIndexesAreGivenOnceAndWithoutGaps(t *testing.T) {
	t.Parallel()
	r := records.New(pgtest.New(t), 1)
	const n = 40
	seen := make([]uint32, n)
	var askers sync.WaitGroup
	for i := range n {
		askers.Go(func() {
			payment := domain.PaymentID(uuid.NewSHA1(uuid.NameSpaceOID, []byte(fmt.Sprint(i))).String())
			for range 2 { // asking again gives the same
				index, err := r.Destinations.Index(t.Context(), "dev", payment)
				assert.NoError(t, err)
				seen[i] = index
			}
		})
	}
	askers.Wait()
	given := map[uint32]bool{}
	for _, index := range seen {
		assert.Less(t, index, uint32(n))
		given[index] = true
	}
	assert.Len(t, given, n)
	other, err := r.Destinations.Index(t.Context(), "another xpub", domain.PaymentID(uuid.NewString()))
	require.NoError(t, err)
	assert.Zero(t, other)
}

// Many processes ask at once, each with a pool of its own; some ask for the same payment. One index
// a payment, none left out.
func TestManyProcessesShareThePathIndexes(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	processes := []*records.Records{records.New(pool, 1)}
	for range 3 {
		processes = append(processes, records.New(pgtest.Open(t, pool.Config().ConnString()), 1))
	}
	const payments, askers = 50, 4
	got := [payments][askers * 2]uint32{}
	var all sync.WaitGroup
	for a := range askers {
		for n := range payments {
			all.Go(func() {
				id := domain.PaymentID(uuid.NewSHA1(uuid.NameSpaceOID, []byte(fmt.Sprint("payment ", n))).String())
				for again := range 2 {
					index, err := processes[a].Destinations.Index(t.Context(), "shared", id)
					assert.NoError(t, err)
					got[n][a*2+again] = index
				}
			})
		}
	}
	all.Wait()
	given := map[uint32]int{}
	for n := range got {
		for _, index := range got[n] {
			assert.Equal(t, got[n][0], index, "a payment has one index")
		}
		given[got[n][0]]++
	}
	for i := range uint32(payments) {
		assert.Equal(t, 1, given[i], "index %d", i)
	}
	g, err := processes[0].Destinations.Given(t.Context(), "shared")
	require.NoError(t, err)
	assert.Equal(t, payments, g.Count)
	assert.Equal(t, uint32(payments-1), *g.Last)
}

// The last index that a public key can derive is given out; after it there is none, for as many as
// ask, and who has one keeps it.
func TestAfterTheLastPathIndexThereIsNone(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	r := records.New(pool, 1)
	_, err := pool.Exec(t.Context(), `INSERT INTO destination_indexes (fingerprint, index, payment_id) VALUES ('full', 2147483646, $1)`, uuid.NewString())
	require.NoError(t, err)
	last := domain.PaymentID(uuid.NewString())
	index, err := r.Destinations.Index(t.Context(), "full", last)
	require.NoError(t, err)
	assert.Equal(t, uint32(1<<31-1), index)
	var late sync.WaitGroup
	for range 8 {
		late.Go(func() {
			_, err := r.Destinations.Index(t.Context(), "full", domain.PaymentID(uuid.NewString()))
			f, ok := fault.From(err)
			if assert.True(t, ok, "%v", err) {
				assert.Equal(t, "DERIVATION_CONFLICT", f.Code)
			}
		})
	}
	late.Wait()
	again, err := r.Destinations.Index(t.Context(), "full", last)
	require.NoError(t, err)
	assert.Equal(t, index, again)
	g, err := r.Destinations.Given(t.Context(), "full")
	require.NoError(t, err)
	assert.Equal(t, 2, g.Count)
}

func TestOfTwoWhoAgreeAtOnceOneIsTheFirst(t *testing.T) {
	t.Parallel()
	r := records.New(pgtest.New(t), 1)
	now := time.Now()
	var mu sync.Mutex
	var firsts []domain.UserID
	var people sync.WaitGroup
	for _, by := range []domain.UserID{records.Admin1, records.Admin2} {
		people.Go(func() {
			first, err := r.Approvals.Agree(t.Context(), "release", []byte{1}, by, now)
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			firsts = append(firsts, first)
		})
	}
	people.Wait()
	assert.Contains(t, firsts, domain.UserID(""), "somebody is the first")
	assert.Len(t, firsts, 2)
	assert.NotEqual(t, firsts[0], firsts[1])
	again, err := r.Approvals.Agree(t.Context(), "release", []byte{2}, records.Admin1, now)
	require.NoError(t, err)
	assert.Empty(t, again, "another operation")
	again, err = r.Approvals.Agree(t.Context(), "release", []byte{2}, records.Admin1, now)
	require.NoError(t, err)
	assert.Empty(t, again, "the same person twice is one person")
	late, err := r.Approvals.Agree(t.Context(), "release", []byte{2}, records.Admin2, now.Add(25*time.Hour))
	require.NoError(t, err)
	assert.Empty(t, late, "an agreement does not wait for ever")
}

func TestAScanGoesBackToWhatTheChainStillHas(t *testing.T) {
	t.Parallel()
	r := records.New(pgtest.New(t), 1)
	hash := func(n uint64) string { return fmt.Sprintf("0x%064X", n) }
	for n := uint64(10); n <= 60; n += 10 {
		require.NoError(t, r.Chains.Reach(t.Context(), 56, records.Block{Number: n, Hash: hash(n)}))
	}
	require.NoError(t, r.Chains.Reach(t.Context(), 1, records.Block{Number: 7, Hash: hash(7)}))
	require.NoError(t, r.Chains.GoBack(t.Context(), 56, 40))
	require.NoError(t, r.Chains.Reach(t.Context(), 56, records.Block{Number: 35, Hash: hash(99)}))
	all, err := r.Chains.Scanned(t.Context(), 56)
	require.NoError(t, err)
	var numbers []uint64
	for _, b := range all {
		numbers = append(numbers, b.Number)
	}
	assert.Equal(t, []uint64{35, 30, 20, 10}, numbers)
	assert.Equal(t, fmt.Sprintf("0x%064x", 99), all[0].Hash)
	other, err := r.Chains.Scanned(t.Context(), 1)
	require.NoError(t, err)
	assert.Len(t, other, 1)
}

func TestTheSameDeliveryIsKeptOnceAndAnotherBodyIsAnotherDelivery(t *testing.T) {
	t.Parallel()
	r := records.New(pgtest.New(t), 1)
	store := func(id, body, quarantine string) {
		t.Helper()
		require.NoError(t, r.Inbox.Store(t.Context(), records.Delivery{Source: "rn", ID: id, Body: []byte(body), ReceivedAt: time.Now(), Quarantine: quarantine}))
	}
	store("d1", "{}", "")
	store("d1", "{}", "")
	store("d1", `{"other":1}`, "")
	store("", "{}", "")
	store("d2", "\x00", "not JSON")
	all, err := r.Inbox.List(t.Context(), records.DeliveryFilter{}, 10)
	require.NoError(t, err)
	require.Len(t, all, 4)
	assert.Equal(t, records.Quarantined, all[0].Status, "newest first")
	n, err := r.Inbox.Replay(t.Context(), "d2", time.Time{}, time.Time{})
	require.NoError(t, err)
	assert.Zero(t, n, "what cannot be read is not read again")
	waiting, parked, err := r.Inbox.Waiting(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []int{3, 1}, []int{waiting, parked})
	below, err := r.Inbox.List(t.Context(), records.DeliveryFilter{Before: all[1].ID}, 10)
	require.NoError(t, err)
	assert.Len(t, below, 2)
}
