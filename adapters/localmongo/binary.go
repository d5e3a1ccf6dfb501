package localmongo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrNoBinary: there is no devmongo, and no source to build it from.
var ErrNoBinary = errors.New("no devmongo found: run `make build`, set MONGODB_URI to a running server, or MONGO_CONNECT_MODE=never")

// find gives the program: beside our own binary, on PATH, or built from the source of the checkout
// we stand in (`go run`, `go test`).
func find(ctx context.Context, log *slog.Logger) (string, error) {
	if path, ok := installed(); ok {
		return path, nil
	}
	source, ok := checkout()
	if !ok {
		return "", ErrNoBinary
	}
	log.Info("building the legacy store of development; the first time takes some minutes", "source", source)
	return build(ctx, source)
}

// Installed reports whether the program is at hand without building it.
func Installed() bool { _, ok := installed(); return ok }

func installed() (string, bool) {
	if own, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(own), "devmongo")
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, true
		}
	}
	path, err := exec.LookPath("devmongo")
	return path, err == nil
}

// checkout walks up from the working directory to tools/devmongo.
func checkout() (string, bool) {
	dir, err := os.Getwd()
	for err == nil {
		source := filepath.Join(dir, "tools", "devmongo")
		if _, err := os.Stat(filepath.Join(source, "go.mod")); err == nil {
			return source, true
		}
		above := filepath.Dir(dir)
		if above == dir {
			break
		}
		dir = above
	}
	return "", false
}

// build compiles the source into the user's cache. Go's own build cache makes a repeat cheap; the
// program is put in place in one step, so that one that runs is never written to.
func build(ctx context.Context, source string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "holdfast")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	draft, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(draft) }()
	made, path := filepath.Join(draft, "devmongo"), filepath.Join(dir, "devmongo")
	var said bytes.Buffer
	//nolint:gosec // G204: our own tool from our own source
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", made, ".")
	cmd.Dir, cmd.Stderr = source, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", source, err, said.String())
	}
	return path, os.Rename(made, path)
}
