package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type pkg struct {
	ImportPath string
	Imports    []string
}

// mayImport says which of our own rooms a room may import, beside itself.
var mayImport = map[string][]string{
	"domain":      {},
	"eventstore":  {"domain"},
	"projections": {"domain", "eventstore"},
	"adapters":    {"domain", "eventstore"},
	"reactors":    {"domain", "eventstore", "projections"},
	"http":        {"domain", "eventstore", "projections"},
	"migrations":  {},
	"cmd":         {"domain", "eventstore", "projections", "adapters", "reactors", "http", "migrations"},
}

// outside lists what a room may import beyond the standard library and its own rooms;
// nil means anything.
var outside = map[string][]string{
	"domain":      {"github.com/holiman/uint256", "github.com/shopspring/decimal", "github.com/google/uuid"},
	"eventstore":  {"github.com/jackc/pgx", "github.com/ThreeDotsLabs/watermill", "github.com/transparency-dev/merkle", "golang.org/x/mod", "github.com/google/uuid"},
	"projections": {"github.com/jackc/pgx", "go.mongodb.org/mongo-driver", "golang.org/x/sync", "github.com/ThreeDotsLabs/watermill", "github.com/google/uuid", "github.com/prometheus/client_golang"},
	"migrations":  {"github.com/pressly/goose", "github.com/jackc/pgx"},
}

// impure is what the domain must not know: I/O, clocks are functions of time and are caught
// by the linter (forbidigo), randomness, context, logging.
var impure = []string{"context", "os", "io", "net", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand", "database/sql", "sync", "bufio"}

// testOnly are packages that exist for tests alone; they may look everywhere.
var testOnly = []string{"pgtest", "storetest", "machinetest", "scenariotest", "rndouble", "mongotest"}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "holdfast/...").Output()
	require.NoError(t, err)
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
}

func room(path string) string {
	rest, ours := strings.CutPrefix(path, "holdfast/")
	if !ours {
		return ""
	}
	first, _, _ := strings.Cut(rest, "/")
	return first
}

func TestArrowsRunOneWay(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, p := range packages(t) {
		from := room(p.ImportPath)
		if slices.ContainsFunc(testOnly, func(s string) bool { return strings.HasSuffix(p.ImportPath, "/"+s) }) {
			continue
		}
		seen++
		allowed, known := mayImport[from]
		if !known {
			t.Errorf("%s stands in no room; rooms are listed in docs/architecture.md", p.ImportPath)
			continue
		}
		for _, i := range p.Imports {
			checkImport(t, p.ImportPath, from, i, allowed)
		}
	}
	require.Greater(t, seen, 20, "go list found too few packages to mean anything")
}

func checkImport(t *testing.T, path, from, imported string, allowed []string) {
	t.Helper()
	to := room(imported)
	switch {
	case to == from && from == "adapters" && folder(path) != folder(imported):
		t.Errorf("%s imports %s: adapters never import each other", path, imported)
	case to != "" && to != from && !slices.Contains(allowed, to):
		t.Errorf("%s imports %s: %s may import only %v", path, imported, from, allowed)
	case to == "" && strings.Contains(imported, ".") && outside[from] != nil &&
		!slices.ContainsFunc(outside[from], func(ok string) bool { return strings.HasPrefix(imported, ok) }):
		t.Errorf("%s imports %s: %s may use only %v", path, imported, from, outside[from])
	case from == "domain" && slices.Contains(impure, imported):
		t.Errorf("%s imports %s: the domain does no I/O and knows no clock", path, imported)
	case from == "cmd" && imported == "net/http" && path != "holdfast/cmd/internal/apiclient":
		t.Errorf("%s imports net/http: that belongs to the http room", path)
	}
}

// folder is an adapter's own folder: holdfast/adapters/<folder>/…
func folder(path string) string {
	parts := strings.SplitN(path, "/", 4)
	return strings.Join(parts[:min(3, len(parts))], "/")
}
