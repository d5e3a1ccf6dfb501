package postgres_test

import (
	"fmt"
	neturl "net/url"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/eventstore/storetest"
)

// proxied gives a store whose way to the database leads through a proxy that can be disturbed.
func proxied(t *testing.T) (*postgres.Store, *toxiproxy.Proxy) {
	t.Helper()
	url := pgtest.URL(t)
	u, err := neturl.Parse(url)
	require.NoError(t, err)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(server, "pg", "127.0.0.1:0", u.Host)
	require.NoError(t, p.Start())
	t.Cleanup(p.Stop)
	u.Host = p.Listen
	return open(t, pgtest.Open(t, u.String()), postgres.Options{}), p
}

func poison(t *testing.T, p *toxiproxy.Proxy, kind, direction, attributes string) {
	t.Helper()
	_, err := p.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name":%q,"type":%q,"stream":%q,"attributes":%s}`, kind, kind, direction, attributes)))
	require.NoError(t, err)
}

func keyed(key string, n int64) eventstore.Append {
	a := storetest.Of(storetest.Staged("c", n, storetest.Fund(seller(1), 1)))
	a.Key = &eventstore.Key{Actor: "u", Key: key, Fingerprint: []byte("f")}
	return a
}

// Each fault of the way stands between the commit and its answer, or before it. Whatever happened,
// the same key sent again once the way is free is answered, and has happened once.
func TestTheWayToTheDatabaseMayBreakAnywhere(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct{ kind, direction, attributes string }{
		"the answer is lost and the line is dead": {"timeout", "downstream", `{"timeout":0}`},
		"the question is lost":                    {"timeout", "upstream", `{"timeout":0}`},
		"the line is reset in mid-answer":         {"reset_peer", "downstream", `{"timeout":0}`},
		"the answer is cut after some bytes":      {"limit_data", "downstream", `{"bytes":200}`},
		"the line is slower than the deadline":    {"latency", "downstream", `{"latency":20000,"jitter":0}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, p := proxied(t)
			_, err := store.Append(t.Context(), keyed("before", 0))
			require.NoError(t, err)

			poison(t, p, fault.kind, fault.direction, fault.attributes)
			start := time.Now()
			_, err = store.Append(t.Context(), keyed("during", 1))
			require.ErrorIs(t, err, eventstore.ErrUnavailable)
			assert.Less(t, time.Since(start), 20*time.Second, "a caller is told within the deadline")

			require.NoError(t, p.Toxics.RemoveToxic(t.Context(), fault.kind))
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				_, err := store.Append(t.Context(), keyed("during", 1))
				assert.NoError(c, err)
			}, 30*time.Second, 50*time.Millisecond, "the same key is answered once the way is free")
			_, err = store.Append(t.Context(), keyed("after", 2))
			require.NoError(t, err)
			assert.Equal(t, int64(3), verify(t, store).Events, "each once")
		})
	}
}

// A link that is slow but alive only costs time.
func TestASlowLinkOnlyCostsTime(t *testing.T) {
	t.Parallel()
	store, p := proxied(t)
	poison(t, p, "latency", "downstream", `{"latency":150,"jitter":50}`)
	for i := range int64(3) {
		_, err := store.Append(t.Context(), keyed(fmt.Sprint(i), i))
		require.NoError(t, err)
	}
	assert.Equal(t, int64(3), verify(t, store).Events)
}

// A database that takes no writes (a full disk, a standby, an operator's switch) is unavailable,
// nothing is half written, and it is used again without a restart.
func TestAReadOnlyDatabaseIsUnavailableUntilItIsNot(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	store := open(t, pool, postgres.Options{})
	_, err := store.Append(t.Context(), keyed("before", 0))
	require.NoError(t, err)
	name := pool.Config().ConnConfig.Database
	turn := func(setting string) {
		t.Helper()
		admin, err := pgx.Connect(t.Context(), pool.Config().ConnString())
		require.NoError(t, err)
		defer admin.Close(t.Context())
		_, err = admin.Exec(t.Context(), `SET default_transaction_read_only = off`)
		require.NoError(t, err)
		_, err = admin.Exec(t.Context(), `ALTER DATABASE `+name+` `+setting)
		require.NoError(t, err)
		_, err = admin.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		require.NoError(t, err)
	}
	turn(`SET default_transaction_read_only = on`)
	for range 3 {
		_, err = store.Append(t.Context(), keyed("during", 1))
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
	}
	turn(`RESET default_transaction_read_only`)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, err := store.Append(t.Context(), keyed("during", 1))
		assert.NoError(c, err)
	}, 30*time.Second, 50*time.Millisecond)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		head, err := store.Head(t.Context())
		assert.NoError(c, err)
		assert.Equal(c, int64(2), head.Position)
	}, 30*time.Second, 50*time.Millisecond)
	assert.Equal(t, int64(2), verify(t, store).Events)
}
