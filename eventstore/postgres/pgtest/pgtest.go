// Package pgtest gives each test a PostgreSQL database of its own, cloned from a template
// that was migrated once. It is safe across tests and across test processes.
//
// The server is the one of HOLDFAST_TEST_PG_URL (its user must be a superuser); without it,
// each test process starts a private one.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/adapters/localpg"
	"holdfast/migrations"
)

// New gives a pool on a fresh, migrated database. Both are gone when the test ends.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return Open(t, URL(t))
}

// Open gives one more pool on a database of URL, closed when the test ends.
func Open(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatalf("parse %s: %v", url, err)
	}
	cfg.MaxConns = 8
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		t.Fatalf("open a pool: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// URL gives the connection string of a fresh, migrated database, dropped when the test ends.
// Every call makes another one; that of a pool is in pool.Config().ConnString().
func URL(t testing.TB) string {
	t.Helper()
	return database(t, template(t))
}

// Empty is URL for a database without any schema.
func Empty(t testing.TB) string {
	t.Helper()
	return database(t, "template0")
}

func database(t testing.TB, template string) string {
	t.Helper()
	name := "holdfast_test_" + strings.ToLower(rand.Text())
	admin(t, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template)
		return err
	})
	t.Cleanup(func() {
		admin(t, func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
			return err
		})
	})
	return withDatabase(t, server(t), name)
}

// templateLock is the advisory lock under which one process of many makes the template.
const templateLock = 0x686f6c64 // "hold"

// template gives the name of the migrated template, making it when this set of migrations is
// new to the server.
func template(t testing.TB) string {
	t.Helper()
	digest, err := migrations.Digest()
	if err != nil {
		t.Fatalf("read the migrations: %v", err)
	}
	name := "holdfast_template_" + digest
	admin(t, func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
			return err
		}
		var exists bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil || exists {
			return err
		}
		// Renamed when it is whole, so that a process that dies half-way leaves no template.
		draft := name + "_draft"
		for _, sql := range []string{"DROP DATABASE IF EXISTS " + draft, "CREATE DATABASE " + draft + " TEMPLATE template0"} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				return err
			}
		}
		if err := migrations.Up(ctx, withDatabase(t, server(t), draft)); err != nil {
			return fmt.Errorf("migrate the template: %w", err)
		}
		_, err := conn.Exec(ctx, "ALTER DATABASE "+draft+" RENAME TO "+name)
		return err
	})
	return name
}

func admin(t testing.TB, do func(context.Context, *pgx.Conn) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server(t))
	if err != nil {
		t.Fatalf("connect to the test server: %v", err)
	}
	defer conn.Close(ctx)
	if err := do(ctx, conn); err != nil {
		t.Fatalf("prepare a test database: %v", err)
	}
}

func withDatabase(t testing.TB, server, name string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("HOLDFAST_TEST_PG_URL is not a URL: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}

// private is the server of this test process, when the environment names none. It ends with
// the process, which has no moment left to remove the folder: a later process does.
var private = sync.OnceValues(func() (string, error) {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), "holdfast-pgtest-*")) // the pattern is good
	for _, dir := range left {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > 6*time.Hour {
			_ = os.RemoveAll(dir)
		}
	}
	dir, err := os.MkdirTemp("", "holdfast-pgtest-")
	if err != nil {
		return "", err
	}
	s, err := localpg.Start(context.Background(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	return s.URL(), nil
})

func server(t testing.TB) string {
	t.Helper()
	if url := os.Getenv("HOLDFAST_TEST_PG_URL"); url != "" {
		return url
	}
	url, err := private()
	if err != nil {
		t.Fatalf("start a private PostgreSQL for the tests: %v", err)
	}
	return url
}
