package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/eventstore/storetest"
)

const benchAccounts = 10000

func seller(n int) ledger.Account { return ledger.SellerAvailable("u" + strconv.Itoa(n)) }

// BenchmarkAppend is one command: one event on a stream of its own, two entries, two balances.
func BenchmarkAppend(b *testing.B) {
	for _, clients := range []int{64, 256} {
		for name, command := range map[string]func() eventstore.Append{"random": random, "hot": hot, "whole": whole} {
			b.Run(fmt.Sprintf("%s/%d", name, clients), func(b *testing.B) { benchAppend(b, clients, command) })
		}
	}
}

func benchAppend(b *testing.B, clients int, command func() eventstore.Append) {
	store := open(b, pgtest.New(b), postgres.Options{})
	for n := 0; n < benchAccounts; n += 1000 {
		var events []domain.Event
		for i := range 1000 {
			m := storetest.Fund(seller(n+i), 1)
			m.Units = money.MustUnits("1000000000000000000000000")
			events = append(events, m)
		}
		_, err := store.Append(b.Context(), storetest.Of(storetest.Staged(fmt.Sprint("fund-", n), 0, events...)))
		require.NoError(b, err)
	}
	before := store.Stats()
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ResetTimer()
	for range clients {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := store.Append(b.Context(), command()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	after := store.Stats()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(after.Commands-before.Commands)/float64(after.Batches-before.Batches), "commands/batch")
}

// random moves between two of many accounts.
func random() eventstore.Append {
	from := rand.IntN(benchAccounts)
	return transfer(from, (from+1+rand.IntN(benchAccounts-1))%benchAccounts)
}

// hot moves to the same account always.
func hot() eventstore.Append { return transfer(1+rand.IntN(benchAccounts-1), 0) }

// whole is what a command over HTTP comes to: a key, a stream that was only read, two streams
// written, a claim and a deadline.
func whole() eventstore.Append {
	a := random()
	id := uuid.NewString()
	a.Streams = append(a.Streams, storetest.Staged("absent-"+id, 0), storetest.Staged(id, 0, storetest.Noted{Text: "beside"},
		storetest.Claimed{Name: id}, storetest.Timed{Key: "due", Due: time.Now().Add(time.Hour)}))
	a.Key = &eventstore.Key{Actor: "u", Key: id, Fingerprint: []byte(id)}
	return a
}

func transfer(from, to int) eventstore.Append {
	return storetest.Of(storetest.Staged(uuid.NewString(), 0, storetest.Post(seller(from), seller(to), 100)))
}

// BenchmarkVerify is what `holdfast verify` does first: every leaf hashed, the tree, positions,
// versions and times checked.
func BenchmarkVerify(b *testing.B) {
	store := open(b, pgtest.New(b), postgres.Options{})
	const size, stream = 100000, 500
	for n := range size / stream {
		events := make([]domain.Event, stream)
		for i := range events {
			events[i] = storetest.Fund(seller(i), 100)
		}
		_, err := store.Append(b.Context(), storetest.Of(storetest.Staged(uuid.NewString(), 0, events...)))
		require.NoError(b, err, n)
	}
	b.ResetTimer()
	for range b.N {
		require.Equal(b, int64(size), verify(b, store).Events)
	}
	b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "events/s")
}
