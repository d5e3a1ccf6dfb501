// Command withpg runs another command with a private PostgreSQL: it starts one from the
// machine's own binaries in a temporary folder, sets HOLDFAST_TEST_PG_URL, and stops it
// afterwards. `make test` uses it, so that all test packages share one server.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"holdfast/adapters/localpg"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: withpg -- COMMAND [ARG …]")
		os.Exit(2)
	}
	code, err := run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpg:", err)
	}
	os.Exit(code)
}

func run(args []string) (int, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	url := os.Getenv("HOLDFAST_TEST_PG_URL")
	if url == "" {
		dir, err := os.MkdirTemp("", "holdfast-test-pg-")
		if err != nil {
			return 1, err
		}
		defer os.RemoveAll(dir)
		server, err := localpg.Start(ctx, dir, slog.New(slog.DiscardHandler))
		if err != nil {
			return 1, err
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			_ = server.Stop(ctx)
		}()
		url = server.URL()
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // running what it is told is its purpose
	cmd.Env = append(os.Environ(), "HOLDFAST_TEST_PG_URL="+url)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
