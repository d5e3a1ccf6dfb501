package legacymongo_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"holdfast/domain/scenariotest"
	"holdfast/projections/legacymongo"
)

// installed gives the folder of one of tools/, with what it needs from npm.
func installed(t *testing.T, tool, needs string) string {
	t.Helper()
	folder, err := filepath.Abs("../../tools/" + tool)
	require.NoError(t, err)
	if _, err := os.Stat(filepath.Join(folder, "node_modules", needs)); err != nil {
		install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund")
		install.Dir = folder
		if said, err := install.CombinedOutput(); err != nil {
			t.Skipf("%s cannot be installed here: %s", needs, said)
		}
	}
	return folder
}

// The npm driver, as the old backend uses it, reads every collection: by ObjectId, by reference,
// by status, newest first, by the filters of its services, in pages and in groups.
func TestTheOldBackendsDriverReadsEveryCollection(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	tool := installed(t, "mongoreader", "mongodb")
	w := setup(t, 1000)
	scenariotest.Play(w.World, scenario(t, "S9"))
	w.caughtUp()
	args := []string{"read.mjs", w.uri}
	for _, c := range legacymongo.Collections() {
		args = append(args, c.Name)
	}
	read := exec.CommandContext(t.Context(), node, args...)
	read.Dir = tool
	var out, said bytes.Buffer
	read.Stdout, read.Stderr = &out, &said
	require.NoError(t, read.Run(), said.String())
	var found map[string]struct {
		Documents, References, Questions int
		Statuses                         map[string]int
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &found))
	total := 0
	for _, c := range legacymongo.Collections() {
		require.Len(t, w.dump(c.Name), found[c.Name].Documents, c.Name)
		total += found[c.Name].Documents
		if found[c.Name].Documents > 0 {
			require.Positive(t, found[c.Name].Questions, c.Name)
		}
	}
	require.Positive(t, total)
	require.Positive(t, found["payments"].References, "references lead to documents")
	require.NotEmpty(t, found["disputes"].Statuses)
}

// MongoDB's own shell sees the same.
func TestTheShellReadsEveryCollection(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	tool := installed(t, "mongosh", ".bin/mongosh")
	w := setup(t, 1000)
	scenariotest.Play(w.World, scenario(t, "S9"))
	w.caughtUp()
	look := exec.CommandContext(t.Context(), filepath.Join(tool, "node_modules", ".bin", "mongosh"), "--quiet", "--norc", w.uri, "look.js")
	look.Dir = tool
	look.Env = append(os.Environ(), "HOME="+t.TempDir()) // it keeps a history
	var out, said bytes.Buffer
	look.Stdout, look.Stderr = &out, &said
	require.NoError(t, look.Run(), said.String()+out.String())
	var found map[string]struct {
		Documents, Newest int
		Statuses          map[string]int
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &found), out.String())
	total := 0
	for _, c := range legacymongo.Collections() {
		require.Len(t, w.dump(c.Name), found[c.Name].Documents, c.Name)
		require.Equal(t, min(50, found[c.Name].Documents), found[c.Name].Newest)
		total += found[c.Name].Documents
	}
	require.Positive(t, total)
	require.NotEmpty(t, found["disputes"].Statuses)
}
