package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/adapters/records"
	"holdfast/cmd/internal/config"
	"holdfast/cmd/internal/wire"
)

func serveCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Bring the service up; with nothing set, on embedded servers",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return serve(c.Context()) },
	}
}

func serve(ctx context.Context) (err error) {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	log := newLog(cfg)
	collectLess()
	if binary, err := os.Executable(); err == nil { // else the service hashes by itself
		cfg.HashCommand = []string{binary, hashesName}
	}
	s, err := wire.Start(ctx, cfg, log, version)
	if err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		err = errors.Join(err, s.Close(stop))
	}()
	l, err := s.Listen(ctx)
	if err != nil {
		return err
	}
	banner(s)
	if err := s.Run(l); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// collectLess trades memory for processor time, within what a small machine has to spare. Whoever
// set GOGC or GOMEMLIMIT has decided already.
func collectLess() {
	const percent, limit = 150, 220 << 20
	if was := debug.SetGCPercent(percent); was != 100 {
		debug.SetGCPercent(was)
	}
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(limit)
	}
}

func newLog(cfg *config.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // checked by config
	options := &slog.HandlerOptions{Level: level}
	if cfg.Development() {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}

// banner says what runs where, what persists, and what to try first.
func banner(s *wire.Service) {
	where := func(embedded bool, name string) string {
		if embedded {
			return "embedded, " + name
		}
		return "yours"
	}
	chain := "yours (EVM_RPC_URLS)"
	if s.Chains.Dev != nil {
		chain = "built-in development chain 1337 at " + s.Chains.Dev.URL() + ", kept in " + s.Config.Path("chain")
	}
	fmt.Printf(`
  Holdfast %s is up at %s

    API docs     %s/docs          health  %s/health
    PostgreSQL   %s
    Redis        %s
    chain        %s
    provider     %s
`, version, s.Addr, s.Addr, s.Addr,
		where(s.Embedded, "kept in "+s.DataDir), where(s.Redis.Embedded, "in memory, gone at the end"), chain, provider(s))
	if s.Config.Seeds() {
		fmt.Printf("    users        admin@, admin2@, buyer@, buyer2@, seller@, seller2@, resolver@, guard@holdfast.test, password %s\n", records.DemoPassword)
	}
	if s.GoogleDouble != "" {
		fmt.Printf("    sign-in      double of Google at %s\n", s.GoogleDouble)
	}
	if s.TelegramDouble != nil {
		fmt.Printf("    bot          double of Telegram at %s; docs/telegram.md\n", s.TelegramDouble.URL())
	}
	fmt.Printf(`
  Try first, in a second terminal:

    bin/holdfast demo      two orders, step by step, over HTTP
    bin/holdfast verify    prove log, ledger and views

  What persists: %s; remove it to begin anew.
  Stop with Ctrl-C.

`, persists(s))
}

// provider says who watches for payments beside us.
func provider(s *wire.Service) string {
	switch {
	case s.Double != nil:
		return "built-in double of Request Network at " + s.Double.URL() + "; sends real webhooks, twice and once more as .client_id"
	case s.Config.RequestNetworkKey != "":
		return "Request Network at " + s.Config.RequestNetworkURL
	}
	return "none; our own checkout and the chain"
}

// persists names the folders that survive a restart. The database lies elsewhere when its
// user could not get through to the data folder.
func persists(s *wire.Service) string {
	if !s.Embedded || strings.HasPrefix(s.DataDir, absolute(s.Config.DataDir)) {
		return "everything under " + s.Config.DataDir
	}
	return "everything under " + s.Config.DataDir + " and " + s.DataDir + " (remove both)"
}

func absolute(path string) string {
	a, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return a
}
