package postgres_test

import (
	"context"
	"fmt"
	neturl "net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/eventstore/storetest"
	"holdfast/migrations"
)

func TestACallerWhoGoesAwayBreaksNobodysBatch(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	store := open(t, pool, postgres.Options{})
	tx := begin(t, pool)
	_, err := tx.Exec(t.Context(), `SELECT FROM log_head FOR UPDATE`)
	require.NoError(t, err)
	impatient, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := store.Append(impatient, storetest.Of(storetest.Staged("gone", 0, storetest.Noted{Text: "x"})))
		gone <- err
	}()
	waitsForLock(t, pool)
	stays := appending(t, store, storetest.Of(storetest.Staged("stays", 0, storetest.Noted{Text: "x"})))
	leave()
	require.ErrorIs(t, <-gone, context.Canceled)
	require.NoError(t, tx.Rollback(t.Context()))
	require.NoError(t, <-stays)
	verify(t, store)
}

// An append whose connection dies may or may not have happened. With its key it is sent again
// until it is answered, and has then happened once.
func TestKilledConnectionsLoseNothingAndDoubleNothing(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	store := open(t, pool, postgres.Options{})
	table := nameTable(t, pool)
	const clients, each = 8, 40
	stop := make(chan struct{})
	var killer, wg sync.WaitGroup
	var answered atomic.Int64
	killer.Go(func() {
		// The next kill waits for an answer: on a busy machine a new connection takes longer than
		// a tick, and killing each one at birth would show nothing but patience.
		for tick, before := time.NewTicker(15*time.Millisecond), int64(-1); ; {
			select {
			case <-stop:
				return
			case <-tick.C:
				now := answered.Load()
				if now == before {
					continue
				}
				before = now
				_, _ = pool.Exec(context.Background(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
					WHERE datname = current_database() AND application_name = 'holdfast-append'`)
			}
		}
	})
	var failures atomic.Int64
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				a := storetest.Of(storetest.Staged(fmt.Sprint("c-", c), int64(i), storetest.Fund(seller(1), 1)))
				a.Key = &eventstore.Key{Actor: "u", Key: fmt.Sprintf("%d-%d", c, i), Fingerprint: []byte("f")}
				a.Rows = []eventstore.Row{table.Insert(a.Key.Key)}
				for {
					_, err := store.Append(t.Context(), a)
					if err == nil {
						answered.Add(1)
						break
					}
					failures.Add(1)
					if !assert.ErrorIs(t, err, eventstore.ErrUnavailable) {
						return
					}
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	killer.Wait()
	t.Log("answers lost on the way:", failures.Load())
	v := verify(t, store)
	assert.Equal(t, int64(clients*each), v.Events)
	assert.Len(t, table.Names(), clients*each, "as many rows as events")
	got, err := store.Balance(t.Context(), seller(1), storetest.USD)
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprint(clients*each), got.CreditsPosted.String())
}

func TestAHeldHeadGives503AndTheLogRecovers(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	store := open(t, pool, postgres.Options{})
	tx := begin(t, pool)
	_, err := tx.Exec(t.Context(), `SELECT FROM log_head FOR UPDATE`)
	require.NoError(t, err)
	start := time.Now()
	_, err = store.Append(t.Context(), storetest.Of(storetest.Staged("a", 0, storetest.Noted{Text: "x"})))
	require.ErrorIs(t, err, eventstore.ErrUnavailable)
	assert.Less(t, time.Since(start), 10*time.Second)
	assert.Positive(t, store.Stats().Retries)
	require.NoError(t, tx.Rollback(t.Context()))
	_, err = store.Append(t.Context(), storetest.Of(storetest.Staged("a", 0, storetest.Noted{Text: "x"})))
	require.NoError(t, err)
}

func TestAClosedStoreAnswersAndRefuses(t *testing.T) {
	t.Parallel()
	store := open(t, pgtest.New(t), postgres.Options{})
	var wg sync.WaitGroup
	var written atomic.Int64
	for i := range 20 {
		wg.Go(func() {
			_, err := store.Append(t.Context(), storetest.Of(storetest.Staged(fmt.Sprint(i), 0, storetest.Noted{Text: "x"})))
			if err == nil {
				written.Add(1)
			} else {
				assert.ErrorIs(t, err, eventstore.ErrUnavailable)
			}
		})
	}
	store.Close()
	wg.Wait()
	head, err := store.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, written.Load(), head.Position, "what was answered well is there, and nothing else")
}

func TestAForeignIsolationLevelIsRefused(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	store := open(t, pool, postgres.Options{})
	// BEGIN names the level itself; a default of the database cannot change it.
	exec(t, pool, `ALTER DATABASE "`+pool.Config().ConnConfig.Database+`" SET default_transaction_isolation = 'repeatable read'`)
	other := open(t, pool, postgres.Options{})
	for i, s := range []*postgres.Store{store, other} {
		_, err := s.Append(t.Context(), storetest.Of(storetest.Staged(fmt.Sprint(i), 0, storetest.Noted{Text: "x"})))
		require.NoError(t, err)
	}
}

func TestALogWithANewerSchemaOfAKnownTypeStopsTheStart(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	store := open(t, pool, postgres.Options{})
	_, err := store.Append(t.Context(), storetest.Of(storetest.Staged("a", 0, storetest.Noted{Text: "x"})))
	require.NoError(t, err)
	exec(t, pool, `INSERT INTO event_types VALUES ('never.heard_of', 3)`) // halts only who reads it
	open(t, pool, postgres.Options{})
	exec(t, pool, `INSERT INTO event_types VALUES ('sample.noted', 2)`)
	codec, err := eventstore.NewCodec(postgres.NewKeyRing(pool, master), storetest.Aggregate())
	require.NoError(t, err)
	_, err = postgres.New(t.Context(), pool, codec, postgres.Options{})
	var unknown *eventstore.UnknownEventError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, 2, unknown.Schema)
}

// An installation where the service's user is nobody special: it owns its database and can make
// no roles.
func TestAnOrdinaryUserCanRunTheLog(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	pool := pgtest.Open(t, url)
	name := pool.Config().ConnConfig.Database
	exec(t, pool, `CREATE ROLE `+name+` LOGIN PASSWORD 'x'`)
	exec(t, pool, `ALTER DATABASE `+name+` OWNER TO `+name)
	t.Cleanup(func() {
		exec(t, pool, `ALTER DATABASE `+name+` OWNER TO CURRENT_USER`)
		exec(t, pool, `DROP OWNED BY `+name)
		exec(t, pool, `DROP ROLE `+name)
	})
	parsed, err := neturl.Parse(url)
	require.NoError(t, err)
	parsed.User = neturl.UserPassword(name, "x")
	require.NoError(t, migrations.Up(t.Context(), parsed.String()))
	store := open(t, pgtest.Open(t, parsed.String()), postgres.Options{})
	_, err = store.Append(t.Context(), storetest.Of(storetest.Staged("a", 0, storetest.Noted{Text: "x"})))
	require.NoError(t, err)
}

// Somebody holds a plain row: the command that wants it is refused for now, and keeps nobody waiting.
func TestALockedRowIsItsOwnCommandsTrouble(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	store := open(t, pool, postgres.Options{})
	exec(t, pool, `CREATE TABLE shelf (id int PRIMARY KEY, n int NOT NULL)`)
	exec(t, pool, `GRANT SELECT, UPDATE ON shelf TO holdfast_app`)
	exec(t, pool, `INSERT INTO shelf VALUES (1, 0)`)
	head, row := begin(t, pool), begin(t, pool)
	_, err := row.Exec(t.Context(), `SELECT FROM shelf WHERE id = 1 FOR UPDATE`)
	require.NoError(t, err)
	_, err = head.Exec(t.Context(), `SELECT FROM log_head FOR UPDATE`)
	require.NoError(t, err)
	first := appending(t, store, storetest.Of(storetest.Staged("first", 0, storetest.Noted{Text: "x"})))
	waitsForLock(t, pool)
	wants := storetest.Of(storetest.Staged("wants", 0, storetest.Noted{Text: "x"}))
	wants.Rows = []eventstore.Row{{SQL: `UPDATE shelf SET n = n + 1 WHERE id = 1`}}
	refused, beside := appending(t, store, wants), appending(t, store, storetest.Of(storetest.Staged("beside", 0, storetest.Noted{Text: "x"})))
	require.Eventually(t, func() bool { return store.Stats().Waiting == 2 }, 30*time.Second, time.Millisecond, "they must share a batch")
	require.NoError(t, head.Rollback(t.Context()))
	require.NoError(t, <-first)
	require.NoError(t, <-beside)
	require.ErrorIs(t, <-refused, eventstore.ErrUnavailable)
	require.NoError(t, row.Rollback(t.Context()))
	_, err = store.Append(t.Context(), wants)
	require.NoError(t, err)
	verify(t, store)
}

// A plain row whose argument has no encoding, or one too many: its own command fails, plainly and at once,
// as the mistake of the code that it is; those that share its batch are written.
func TestARowThatCannotBeSentFailsItsOwnCommand(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	store := open(t, pool, postgres.Options{})
	exec(t, pool, `CREATE TABLE shelf (id int PRIMARY KEY, n int NOT NULL)`)
	exec(t, pool, `GRANT SELECT, INSERT, UPDATE ON shelf TO holdfast_app`)
	for name, args := range map[string][]any{
		"no encoding":  {1, struct{ X chan int }{}},
		"one too many": {1, 2, 3},
	} {
		head := begin(t, pool)
		_, err := head.Exec(t.Context(), `SELECT FROM log_head FOR UPDATE`)
		require.NoError(t, err)
		first := appending(t, store, storetest.Of(storetest.Staged("first "+name, 0, storetest.Noted{Text: "x"})))
		waitsForLock(t, pool)
		wants := storetest.Of(storetest.Staged("wants "+name, 0, storetest.Noted{Text: "x"}))
		wants.Rows = []eventstore.Row{{SQL: `INSERT INTO shelf VALUES ($1, $2)`, Args: args}}
		broken, beside := appending(t, store, wants), appending(t, store, storetest.Of(storetest.Staged("beside "+name, 0, storetest.Noted{Text: "x"})))
		require.Eventually(t, func() bool { return store.Stats().Waiting == 2 }, 5*time.Second, time.Millisecond, "they must share a batch")
		require.NoError(t, head.Rollback(t.Context()))
		require.NoError(t, <-first, name)
		require.NoError(t, <-beside, name)
		err = <-broken
		require.ErrorContains(t, err, "INSERT INTO shelf", name)
		require.NotErrorIs(t, err, eventstore.ErrUnavailable, "%s: it would be tried again for ever", name)
	}
	assert.Equal(t, int64(4), verify(t, store).Events)
}
