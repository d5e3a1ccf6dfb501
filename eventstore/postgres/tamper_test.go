package postgres_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/eventstore/storetest"
)

func signer(t testing.TB) *eventstore.Signer {
	t.Helper()
	s, err := eventstore.NewSigner("holdfast-test", bytes.Repeat([]byte{9}, 32))
	require.NoError(t, err)
	return s
}

// history is a log of 40 events with checkpoints signed at 20 and at 40.
func history(t testing.TB) (*pgxpool.Pool, *postgres.Store) {
	t.Helper()
	pool := pgtest.New(t)
	store := open(t, pool, postgres.Options{Signer: signer(t)})
	for i := range 2 {
		var events []domain.Event
		for n := range 20 {
			events = append(events, storetest.Fund(seller(1), uint64(n+1)))
		}
		_, err := store.Append(t.Context(), storetest.Of(storetest.Staged(fmt.Sprint("s-", i), 0, events...)))
		require.NoError(t, err)
		_, signed, err := store.SignCheckpoint(t.Context())
		require.NoError(t, err)
		require.True(t, signed)
	}
	return pool, store
}

func TestHistoryIsRefusedToEverybodyByTrigger(t *testing.T) {
	t.Parallel()
	pool, _ := history(t)
	for _, sql := range []string{
		`UPDATE events SET data = '{}'`, `DELETE FROM events WHERE position = 40`, `TRUNCATE events`,
		`UPDATE ledger_entries SET amount = 1`, `DELETE FROM ledger_entries`, `TRUNCATE ledger_entries`,
		`UPDATE log_checkpoints SET note = ''`, `DELETE FROM log_checkpoints`, `TRUNCATE log_checkpoints`,
	} {
		_, err := pool.Exec(t.Context(), sql)
		assert.Equal(t, "55000", state(err), sql)
	}
}

func TestHistoryIsRefusedToTheServiceByGrant(t *testing.T) {
	t.Parallel()
	pool, store := history(t)
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), `SET ROLE holdfast_app`)
	require.NoError(t, err)
	for _, sql := range []string{
		`UPDATE events SET data = '{}'`, `DELETE FROM events`, `TRUNCATE events`, `UPDATE ledger_entries SET amount = 1`,
		`DELETE FROM ledger_entries`, `DELETE FROM log_head`, `DELETE FROM ledger_balances`, `DROP TABLE events`,
		`ALTER TABLE events DISABLE TRIGGER ALL`,
	} {
		_, err := conn.Exec(t.Context(), sql)
		assert.Equal(t, "42501", state(err), sql)
	}
	_, err = conn.Exec(t.Context(), `RESET ROLE`)
	require.NoError(t, err)
	// And the service does work as that role: without the role's rights it cannot append.
	exec(t, pool, `REVOKE INSERT ON events FROM holdfast_app`)
	_, err = store.Append(t.Context(), storetest.Of(storetest.Staged("x", 0, storetest.Noted{Text: "x"})))
	assert.Equal(t, "42501", state(err))
}

func state(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return fmt.Sprint(err)
}

// rewrite does what a superuser can: with triggers off.
func rewrite(t testing.TB, pool *pgxpool.Pool, statements ...string) {
	t.Helper()
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	for _, sql := range append([]string{`SET session_replication_role = replica`}, statements...) {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	_, err = conn.Exec(t.Context(), `RESET session_replication_role`)
	require.NoError(t, err)
}

// rechain does what a superuser who knows our code can: give every event the right hash again,
// and the head the right root.
func rechain(t testing.TB, pool *pgxpool.Pool, store *postgres.Store) {
	t.Helper()
	tree, err := eventstore.NewTree(0, nil)
	require.NoError(t, err)
	events, err := store.ReadRaw(t.Context(), 0, 1000)
	require.NoError(t, err)
	var last int64
	for _, e := range events {
		last = e.Position
		require.NoError(t, tree.Append(eventstore.LeafHash(e), nil))
		rewrite(t, pool, fmt.Sprintf(`UPDATE events SET leaf_hash = '\x%x' WHERE position = %d`, eventstore.LeafHash(e), e.Position))
	}
	rewrite(t, pool, `UPDATE log_head SET checkpoint_position = 0`,
		fmt.Sprintf(`UPDATE log_head SET position = %d, root = '\x%x', tree = '\x%x'`, last, tree.Root(), tree.Edge()))
}

func TestTamperingIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do      []string
		rechain bool
		found   string
	}{
		"an amount is changed":          {do: []string{`UPDATE events SET data = replace(data::text, '"units":"7"', '"units":"8"')::json WHERE position = 7`}, found: "position 7: the event"},
		"who did it is changed":         {do: []string{`UPDATE events SET metadata = replace(metadata::text, 'tester', 'friend')::json WHERE position = 9`}, found: "position 9: the event"},
		"spaces are changed":            {do: []string{`UPDATE events SET data = (data::text || ' ')::json WHERE position = 3`}, found: "position 3: the event"},
		"a time is changed":             {do: []string{`UPDATE events SET recorded_at = recorded_at + interval '1 microsecond' WHERE position = 40`}, found: "position 40: the event"},
		"an event is deleted":           {do: []string{`DELETE FROM events WHERE position = 12`}, found: "events are missing"},
		"the end is cut off":            {do: []string{`DELETE FROM events WHERE position > 35`}, found: "its end was cut off"},
		"two events are swapped":        {do: []string{`UPDATE events SET position = 999 WHERE position = 5`, `UPDATE events SET position = 5 WHERE position = 6`, `UPDATE events SET position = 6 WHERE position = 999`}, found: "goes from version 4 to 6"},
		"an event is moved to a stream": {do: []string{`UPDATE events SET stream_id = 's-2', version = 1 WHERE position = 40`}, found: "position 40: the event"},
		"all is hashed again":           {do: []string{`UPDATE events SET data = replace(data::text, '"units":"7"', '"units":"8"')::json WHERE position = 7`}, rechain: true, found: "history was rewritten"},
		"cut off and hashed again":      {do: []string{`DELETE FROM events WHERE position > 35`}, rechain: true, found: "its end was cut off"},
		"the leaf is replaced as well":  {do: []string{`UPDATE events SET leaf_hash = sha256('x') WHERE position = 40`}, found: "position 40: the event"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, store := history(t)
			kept, err := store.Checkpoints(t.Context(), 10) // as an auditor has them, from outside
			require.NoError(t, err)
			var trusted []eventstore.Checkpoint
			for _, k := range kept {
				c, err := eventstore.ParseCheckpoint(k.Note, signer(t).VerifierKey())
				require.NoError(t, err)
				trusted = append(trusted, c)
			}
			require.Len(t, trusted, 2)
			check := func() error {
				head, err := store.Head(t.Context())
				require.NoError(t, err)
				_, err = eventstore.VerifyLog(t.Context(), store.ReadRaw, eventstore.VerifyOptions{Head: head, Checkpoints: trusted})
				return err
			}
			require.NoError(t, check())
			rewrite(t, pool, c.do...)
			if c.rechain {
				rechain(t, pool, store)
			}
			err = check()
			var problem *eventstore.LogProblem
			require.ErrorAs(t, err, &problem)
			assert.ErrorContains(t, err, c.found)
		})
	}
}

func TestCheckpointsAreSignedWhenTheLogHasGrown(t *testing.T) {
	t.Parallel()
	_, store := history(t)
	again, signed, err := store.SignCheckpoint(t.Context())
	require.NoError(t, err)
	assert.False(t, signed)
	assert.Equal(t, int64(40), again.Position)
	head, err := store.Head(t.Context())
	require.NoError(t, err)
	c, err := eventstore.ParseCheckpoint(head.Checkpoint, signer(t).VerifierKey())
	require.NoError(t, err)
	assert.Equal(t, head.Position, c.Position)
	assert.Equal(t, head.Root, c.Root)
	assert.Equal(t, store.LogID(), c.LogID())

	p, err := store.ConsistencyProof(t.Context(), 20, 40)
	require.NoError(t, err)
	all, err := store.Checkpoints(t.Context(), 10)
	require.NoError(t, err)
	require.NoError(t, eventstore.VerifyConsistency(p, all[1].Root, all[0].Root))

	empty := open(t, pgtest.New(t), postgres.Options{Signer: signer(t)})
	_, signed, err = empty.SignCheckpoint(t.Context())
	require.NoError(t, err)
	assert.False(t, signed, "an empty log has nothing to say")
}
