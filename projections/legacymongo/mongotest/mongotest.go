// Package mongotest gives each test a Mongo database of its own on a server that the test process
// shares: that of HOLDFAST_TEST_MONGO_URI, else a devmongo which is started once.
package mongotest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"holdfast/adapters/localmongo"
)

// New gives an empty database, dropped when the test ends.
func New(t testing.TB) *mongo.Database {
	t.Helper()
	db := Open(t, URI(t))
	t.Cleanup(func() {
		if err := db.Drop(context.Background()); err != nil {
			t.Errorf("drop the test's Mongo database: %v", err)
		}
	})
	return db
}

// URI names a database that nobody else uses.
func URI(t testing.TB) string {
	t.Helper()
	u, err := url.Parse(server(t))
	if err != nil {
		t.Fatalf("HOLDFAST_TEST_MONGO_URI is not a URI: %v", err)
	}
	u.Path = "/holdfast_test_" + strings.ToLower(rand.Text())
	return u.String()
}

// Open connects to the database of a URI; the client is closed when the test ends.
func Open(t testing.TB, uri string) *mongo.Database {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatalf("parse %s: %v", uri, err)
	}
	client, err := mongo.Connect(context.Background(), options.Client().ApplyURI(uri).SetServerSelectionTimeout(5*time.Second))
	if err != nil {
		t.Fatalf("connect to %s: %v", uri, err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	return client.Database(strings.TrimPrefix(u.Path, "/"))
}

// private is the server of this test process. It ends with the process; a later one removes its
// folder.
var private = sync.OnceValues(func() (string, error) {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), "holdfast-mongotest-*")) // the pattern is good
	for _, dir := range left {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > 6*time.Hour {
			_ = os.RemoveAll(dir)
		}
	}
	dir, err := os.MkdirTemp("", "holdfast-mongotest-")
	if err != nil {
		return "", err
	}
	s, err := localmongo.Start(context.Background(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	return s.URI(""), nil
})

func server(t testing.TB) string {
	t.Helper()
	if uri := os.Getenv("HOLDFAST_TEST_MONGO_URI"); uri != "" {
		return uri
	}
	uri, err := private()
	if err != nil {
		t.Fatalf("start a private Mongo for the tests: %v", err)
	}
	return uri
}
