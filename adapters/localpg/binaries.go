package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Errors of Start that tell the operator what to do.
var (
	// ErrNoBinaries: the machine has no PostgreSQL. The message names the command to install it.
	ErrNoBinaries = errors.New("no PostgreSQL binaries found")
	// ErrOtherVersion: the data folder was made by another major version.
	ErrOtherVersion = errors.New("the data folder belongs to another version of PostgreSQL")
)

// oldest is the first major version whose behaviour the log is tested on.
const oldest = 15

// binaries is one installation.
type binaries struct {
	dir   string
	major int
}

func (b binaries) path(name string) string { return filepath.Join(b.dir, name) }

// places lists the folders to look in, beside PATH.
var places = []string{
	"/usr/lib/postgresql/*/bin",            // Debian, Ubuntu
	"/usr/pgsql-*/bin",                     // Red Hat
	"/opt/homebrew/opt/postgresql@*/bin",   // macOS on arm64
	"/usr/local/opt/postgresql@*/bin",      // macOS on amd64
	"/Applications/Postgres.app/*/*/*/bin", // Postgres.app
}

// find gives the installation to use out of some folders: of the wanted major version, or the
// newest when want is 0.
func find(ctx context.Context, folders []string, want int) (binaries, error) {
	var found []binaries
	for _, dir := range folders {
		if major, err := majorOf(ctx, dir); err == nil && major >= oldest {
			found = append(found, binaries{dir, major})
		}
	}
	slices.SortStableFunc(found, func(a, b binaries) int { return b.major - a.major })
	for _, b := range found {
		if want == 0 || b.major == want {
			return b, nil
		}
	}
	if len(found) > 0 {
		return binaries{}, fmt.Errorf("%w: it needs version %d, installed is %d; install version %d or move the folder away (pg_upgrade converts it)",
			ErrOtherVersion, want, found[0].major, want)
	}
	return binaries{}, fmt.Errorf("%w (version %d or newer): run `%s`, or set PG_URL to a running server", ErrNoBinaries, oldest, installCommand())
}

func candidates() []string {
	var dirs []string
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(p))
		}
	}
	for _, pattern := range places {
		matches, _ := filepath.Glob(pattern) // the patterns are constants, they cannot be malformed
		dirs = append(dirs, matches...)
	}
	return dirs
}

// majorOf asks the server binary; initdb must stand beside it.
func majorOf(ctx context.Context, dir string) (int, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0, err
	}
	//nolint:gosec // G204: dir comes from PATH or from places
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(out)) // postgres (PostgreSQL) 15.18 (Debian …)
	if len(fields) < 3 {
		return 0, fmt.Errorf("unexpected version line %q", out)
	}
	digits := fields[2][:len(fields[2])-len(strings.TrimLeft(fields[2], "0123456789"))]
	return strconv.Atoi(digits)
}

func installCommand() string {
	if runtime.GOOS == "darwin" {
		return "brew install postgresql@17"
	}
	for _, c := range []struct{ tool, command string }{
		{"apt-get", "apt-get install -y postgresql"},
		{"dnf", "dnf install -y postgresql-server"},
		{"apk", "apk add postgresql"},
		{"pacman", "pacman -S postgresql"},
	} {
		if _, err := exec.LookPath(c.tool); err == nil {
			if os.Geteuid() != 0 {
				return "sudo " + c.command
			}
			return c.command
		}
	}
	return "install PostgreSQL 15 or newer"
}
