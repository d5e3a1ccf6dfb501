package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/eventstore/storetest"
)

// Each test here takes the other guards away and shows that the one left does its work.

func exec(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	_, err := pool.Exec(context.WithoutCancel(t.Context()), sql, args...)
	require.NoError(t, err)
}

// begin opens a transaction of somebody else, rolled back at the end at the latest.
func begin(t testing.TB, pool *pgxpool.Pool) pgx.Tx {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

// waitsForLock polls until the committer waits for a lock.
func waitsForLock(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	require.Eventually(t, func() bool {
		var waiting bool
		err := pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'holdfast-append' AND wait_event_type = 'Lock')`).Scan(&waiting)
		return err == nil && waiting
	}, 5*time.Second, time.Millisecond)
}

// appending starts an append and gives its error once it is over.
func appending(t testing.TB, s *postgres.Store, a eventstore.Append) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := s.Append(t.Context(), a)
		done <- err
	}()
	return done
}

func TestTheUniqueVersionRefusesWhatTheHeadsLockDidNotSee(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	store := open(t, pool, postgres.Options{})
	_, err := store.Append(t.Context(), storetest.Of(storetest.Staged("a", 0, storetest.Noted{Text: "1"})))
	require.NoError(t, err)

	// Somebody writes version 2 without asking for the head, and has not committed yet.
	tx := begin(t, pool)
	_, err = tx.Exec(t.Context(), `INSERT INTO events SELECT 1000, stream_type, stream_id, 2, gen_random_uuid(), type, 1, data, metadata, recorded_at, leaf_hash FROM events`)
	require.NoError(t, err)
	done := appending(t, store, storetest.Of(storetest.Staged("a", 1, storetest.Noted{Text: "2"})))
	waitsForLock(t, pool)
	require.NoError(t, tx.Commit(t.Context()))
	require.ErrorIs(t, <-done, eventstore.ErrVersion)
	head, err := store.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, int64(1), head.Position)
}

func TestTheAccountsRowIsReadUnderItsLock(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	store := open(t, pool, postgres.Options{})
	_, err := store.Append(t.Context(), storetest.Of(storetest.Staged("m", 0, storetest.Fund(seller(1), 100))))
	require.NoError(t, err)
	exec(t, pool, `ALTER TABLE ledger_balances DROP CONSTRAINT ledger_balances_guard`)

	// Somebody takes 60 of the 100 and has not committed yet.
	tx := begin(t, pool)
	_, err = tx.Exec(t.Context(), `UPDATE ledger_balances SET debits_posted = debits_posted + 60 WHERE account = $1`, string(seller(1)))
	require.NoError(t, err)
	done := appending(t, store, storetest.Of(storetest.Staged("a", 0, storetest.Post(seller(1), seller(2), 60))))
	waitsForLock(t, pool)
	require.NoError(t, tx.Commit(t.Context()))
	require.ErrorIs(t, <-done, eventstore.ErrInsufficient)
	left, err := store.Balance(t.Context(), seller(1), storetest.USD)
	require.NoError(t, err)
	assert.Equal(t, "60", left.DebitsPosted.String(), "nothing was lost and nothing overdrawn")
}

func TestTheCheckRefusesWhatTheCodeLetsThroughAndHitsTheCulpritAlone(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	store := open(t, pool, postgres.Options{})
	_, err := store.Append(t.Context(), storetest.Of(storetest.Staged("m", 0, storetest.Fund(seller(1), 1000), storetest.Fund(seller(2), 1000))))
	require.NoError(t, err)
	// A bug that books more than the code believes, on one account.
	exec(t, pool, `CREATE FUNCTION bug() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN NEW.debits_posted := NEW.debits_posted + 5000; RETURN NEW; END $$`)
	exec(t, pool, `CREATE TRIGGER bug BEFORE UPDATE ON ledger_balances FOR EACH ROW WHEN (OLD.account = '`+string(seller(1))+`') EXECUTE FUNCTION bug()`)

	tx := begin(t, pool) // holds the head, so that all of them share a batch
	_, err = tx.Exec(t.Context(), `SELECT FROM log_head FOR UPDATE`)
	require.NoError(t, err)
	first := appending(t, store, storetest.Of(storetest.Staged("first", 0, storetest.Noted{Text: "x"})))
	waitsForLock(t, pool)
	var good []<-chan error
	for i := range 5 {
		good = append(good, appending(t, store, storetest.Of(storetest.Staged(fmt.Sprint("good-", i), 0, storetest.Post(seller(2), seller(3), 10)))))
	}
	bad := appending(t, store, storetest.Of(storetest.Staged("bad", 0, storetest.Post(seller(1), seller(3), 10))))
	require.Eventually(t, func() bool { return store.Stats().Waiting == 6 }, 30*time.Second, time.Millisecond)
	require.NoError(t, tx.Rollback(t.Context()))

	require.NoError(t, <-first)
	for _, g := range good {
		require.NoError(t, <-g)
	}
	require.ErrorIs(t, <-bad, eventstore.ErrInsufficient)
	assert.Equal(t, int64(6), store.Stats().Alone)
	got, err := store.Balance(t.Context(), seller(3), storetest.USD)
	require.NoError(t, err)
	assert.Equal(t, "50", got.CreditsPosted.String())
}

func TestTheSchemaRefusesBrokenAmounts(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	for name, sql := range map[string]string{
		"overdraft": `INSERT INTO ledger_balances (account, asset, debit_normal, guarded, debits_posted) VALUES ('a', 'x', false, true, 1)`,
		"negative":  `INSERT INTO ledger_balances (account, asset, debit_normal, guarded, debits_posted) VALUES ('a', 'x', true, false, -1)`,
		"fraction":  `INSERT INTO ledger_balances (account, asset, debit_normal, guarded, debits_posted) VALUES ('a', 'x', true, false, 1.5)`,
		"NaN":       `INSERT INTO ledger_balances (account, asset, debit_normal, guarded, debits_posted) VALUES ('a', 'x', true, false, 'NaN')`,
		"infinity":  `INSERT INTO ledger_balances (account, asset, debit_normal, guarded, debits_posted) VALUES ('a', 'x', true, false, 'Infinity')`,
		"2^256":     `INSERT INTO ledger_balances (account, asset, debit_normal, guarded, debits_posted) VALUES ('a', 'x', true, false, 2::numeric ^ 256)`,
		"no entry":  `INSERT INTO ledger_entries VALUES (1, 0, true, 'a', 'x', 0, 'post')`,
	} {
		_, err := pool.Exec(t.Context(), sql)
		assert.ErrorContains(t, err, "SQLSTATE 23514", name)
	}
}

func TestTwoStoresOnOneDatabaseKeepOneOrder(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	stores := []*postgres.Store{open(t, pool, postgres.Options{}), open(t, pool, postgres.Options{MaxBatch: 4})}
	_, err := stores[0].Append(t.Context(), storetest.Of(storetest.Staged("m", 0, storetest.Fund(seller(1), 50))))
	require.NoError(t, err)
	var mu sync.Mutex
	granted := 0
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 15 {
				id := fmt.Sprintf("%d-%d", w, i)
				_, err := stores[w%2].Append(t.Context(), storetest.Of(storetest.Staged(id, 0, storetest.Post(seller(1), seller(2), 1))))
				if err == nil {
					mu.Lock()
					granted++
					mu.Unlock()
					continue
				}
				assert.ErrorIs(t, err, eventstore.ErrInsufficient)
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 50, granted)
	verify(t, stores[0])
}

func verify(t testing.TB, s *postgres.Store) eventstore.Verified {
	t.Helper()
	head, err := s.Head(t.Context())
	require.NoError(t, err)
	v, err := eventstore.VerifyLog(t.Context(), s.ReadRaw, eventstore.VerifyOptions{Head: head})
	require.NoError(t, err)
	return v
}
