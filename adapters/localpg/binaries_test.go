package localpg

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// install makes a folder that looks like an installation of a version.
func install(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
	for _, name := range []string{"postgres", "initdb"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755))
	}
	return dir
}

func TestTheRightInstallationIsFound(t *testing.T) {
	t.Parallel()
	v14, v15, v18 := install(t, "14.9"), install(t, "15.18 (Debian 15.18-0+deb12u1)"), install(t, "18beta2")
	newest, err := find(t.Context(), []string{v14, v15, v18}, 0)
	require.NoError(t, err)
	assert.Equal(t, binaries{v18, 18}, newest)
	wanted, err := find(t.Context(), []string{v14, v15, v18}, 15)
	require.NoError(t, err)
	assert.Equal(t, binaries{v15, 15}, wanted)

	_, err = find(t.Context(), []string{v15}, 17)
	require.ErrorIs(t, err, ErrOtherVersion)
	assert.ErrorContains(t, err, "it needs version 17, installed is 15")

	_, err = find(t.Context(), []string{v14, t.TempDir()}, 0)
	require.ErrorIs(t, err, ErrNoBinaries, "14 is too old")
	assert.ErrorContains(t, err, "run `")
}
