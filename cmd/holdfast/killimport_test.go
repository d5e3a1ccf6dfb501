package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/localpg"
	"holdfast/cmd/internal/legacyfixture"
)

// importRun is what the verb prints.
type importRun struct {
	Collection                            string
	Read, Taken, Unchanged, Refused, Ours int64
	Resumed                               bool
}

// importing prepares the verb.
func (s *service) importing(ctx context.Context, from string, more ...string) *exec.Cmd {
	c := s.command(ctx, "legacy")
	c.Args = append(c.Args, append([]string{"import", "users", "categories", "purchaserequests", "selleroffers", "--json", "--from", from, "--refused", filepath.Join(s.dir, "refused")}, more...)...)
	c.Env = append(c.Env, "EVM_RPC_URLS=56=http://127.0.0.1:9") // its tokens are known; nobody is asked
	return c
}

// An import that is killed at random moments, or whose database is, goes on where it was: nothing
// is lost, nothing is there twice, and the counts and the refused documents add up.
func TestAnImportKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	kills, random := atRandom(t, 8)
	s := newService(t)
	s.env = []string{"SEED_USERS=false"} // its categories have slugs of the old backend's
	dump := t.TempDir()
	o := legacyfixture.Small(40, 11)
	o.Dirt = 0.05
	var text bytes.Buffer
	_, err := legacyfixture.Generate(t.Context(), o, &legacyfixture.Files{Folder: dump, Format: "bson.gz"}, &text)
	require.NoError(t, err)
	var truth legacyfixture.Truth
	require.NoError(t, json.Unmarshal(text.Bytes(), &truth))

	s.start()
	s.awaitReady()
	url := s.database()
	interrupted, total := 0, 0
	for _, c := range []string{"users", "categories", "purchaserequests", "selleroffers"} {
		total += truth.Collections[c].Documents - truth.Collections[c].Refused
	}
	for n := range kills {
		c := s.importing(t.Context(), dump)
		var said bytes.Buffer
		c.Stdout, c.Stderr = io.Discard, &said
		require.NoError(t, c.Start())
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		// Somewhere in what is left, however fast the machine is.
		have := imported(t, url)
		until := have + 1 + random.IntN(max(1, (total-have)/2))
		for deadline := time.Now().Add(6 * time.Second); have < total && imported(t, url) < until && time.Now().Before(deadline); {
			s.letRun(5 * time.Millisecond)
		}
		if have == total {
			s.letRun(time.Duration(random.Int64N(int64(2 * time.Second))))
		}
		if n%3 == 2 {
			s.killPostgres()
		} else {
			_ = c.Process.Kill()
		}
		select {
		case err = <-ended:
		case <-time.After(2 * time.Minute): // one that has not begun waits a minute for its database
			t.Fatal("an import whose database is gone does not end")
		}
		if err != nil {
			interrupted++
		}
		if n%3 == 2 {
			assert.NotContains(t, said.String(), "panic")
			s.kill()
			s.start()
			s.awaitReady()
		}
	}
	assert.Positive(t, interrupted, "no import was interrupted")

	runs := s.imported(dump)
	for _, r := range runs {
		want := truth.Collections[r.Collection]
		assert.Equal(t, r.Read, r.Taken+r.Unchanged+r.Refused+r.Ours, r.Collection)
		assert.EqualValues(t, want.Documents, r.Read, r.Collection)
		assert.EqualValues(t, want.Refused, r.Refused, r.Collection)
		assert.Equal(t, want.Refused, s.refusedLines(r.Collection), "%s: refused documents, each once", r.Collection)
	}
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	for kind, collection := range map[string]string{"user.imported": "users", "request.imported": "purchaserequests", "offer.imported": "selleroffers"} {
		var events, streams, names int
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*), count(DISTINCT stream_id) FROM events WHERE type = $1`, kind).Scan(&events, &streams))
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM id_map WHERE collection = $1 AND imported AND snapshot_hash <> ''`, collection).Scan(&names))
		want := truth.Collections[collection].Documents - truth.Collections[collection].Refused
		assert.Equal(t, []int{want, want, want}, []int{events, streams, names}, "%s: events, streams, names", kind)
	}
	again := s.imported(dump)
	for _, r := range again {
		assert.Zero(t, r.Taken, "%s is imported a second time", r.Collection)
		assert.False(t, r.Resumed)
	}
	out, err := s.run("verify")
	require.NoError(t, err, out)
}

// imported is how many documents have been taken.
func imported(t *testing.T, url string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM id_map WHERE imported AND snapshot_hash <> ''`).Scan(&n))
	return n
}

// imported runs the verb to its end.
func (s *service) imported(dump string) (runs []importRun) {
	s.t.Helper()
	c := s.importing(s.t.Context(), dump)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	require.NoError(s.t, err, said.String())
	require.NoError(s.t, json.Unmarshal(out, &runs), string(out))
	return runs
}

// refusedLines counts the lines of a file of refused documents.
func (s *service) refusedLines(collection string) int {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, "refused", "refused-"+collection+".jsonl"))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	require.NoError(s.t, err)
	return strings.Count(string(raw), "\n")
}

// Two imports at once would tread on each other's counts: the second is told so. What is wrong with
// the call is said before anything is done.
func TestImportSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.start()
	s.awaitReady()
	dump := t.TempDir()
	for says, args := range map[string][]string{
		"no such directory":         {"--from", filepath.Join(dump, "nowhere")},
		"holds no collections":      {"--from", dump},
		"does not answer":           {"--from", "mongodb://127.0.0.1:9/nickapp?serverSelectionTimeoutMS=200"},
		"names no database":         {"--from", "mongodb://127.0.0.1:9"},
		"passwords is not imported": {"passwords", "--from", s.oneUser()},
	} {
		c := s.importing(t.Context(), "overridden", args...)
		out, err := c.CombinedOutput()
		require.Error(t, err, says)
		assert.Contains(t, string(out), says)
	}

	conn, err := pgx.Connect(t.Context(), s.database())
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), `SELECT pg_advisory_lock(hashtext('holdfast.legacy'), hashtext('import'))`)
	require.NoError(t, err)
	from := s.oneUser()
	out, err := s.importing(t.Context(), from).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "another import is running")
	_, err = conn.Exec(t.Context(), `SELECT pg_advisory_unlock_all()`)
	require.NoError(t, err)

	require.NoError(t, s.importing(t.Context(), from).Run(), "a document was refused, and that is told")
	assert.Error(t, s.importing(t.Context(), from, "--strict").Run(), "and is an error where somebody wants it so")
}

// oneUser is a directory with a good document and a bad one.
func (s *service) oneUser() string {
	dir := s.t.TempDir()
	line := `{"_id":{"$oid":"65a000000000000000000001"},"email":"one@example.org","role":"buyer"}` + "\n" + `{"_id":{"$oid":"65a000000000000000000002"},"role":"king"}`
	require.NoError(s.t, os.WriteFile(filepath.Join(dir, "users.json"), []byte(line), 0o600))
	return dir
}

// database is the address of the embedded server, which runs.
func (s *service) database() string {
	s.t.Helper()
	server, err := localpg.Start(s.t.Context(), filepath.Join(s.dir, "postgres"), slog.New(slog.DiscardHandler))
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, server.Stop(context.Background())) }()
	return server.URL()
}
