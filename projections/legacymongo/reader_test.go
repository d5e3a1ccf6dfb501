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

// The npm driver, as the old backend uses it, reads every collection: by ObjectId, by reference,
// by status, newest first.
func TestTheOldBackendsDriverReadsEveryCollection(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	tool, err := filepath.Abs("../../tools/mongoreader")
	require.NoError(t, err)
	if _, err := os.Stat(filepath.Join(tool, "node_modules", "mongodb")); err != nil {
		install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund")
		install.Dir = tool
		if said, err := install.CombinedOutput(); err != nil {
			t.Skipf("the npm driver cannot be installed here: %s", said)
		}
	}
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
		Documents, References int
		Statuses              map[string]int
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &found))
	total := 0
	for _, c := range legacymongo.Collections() {
		require.Len(t, w.dump(c.Name), found[c.Name].Documents, c.Name)
		total += found[c.Name].Documents
	}
	require.Positive(t, total)
	require.Positive(t, found["payments"].References, "references lead to documents")
	require.NotEmpty(t, found["disputes"].Statuses)
}
