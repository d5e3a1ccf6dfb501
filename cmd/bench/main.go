// Command bench prints the figures of docs/bench.md: the service over HTTP beside two
// baselines in bare SQL, on the same server in the same run, as ratios; then the speed of the read
// path and of verification. `make bench` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/adapters/localpg"
	"holdfast/cmd/internal/config"
	"holdfast/cmd/internal/wire"
)

func main() {
	seconds := flag.Int("seconds", 8, "length of each load")
	size := backfillSize{logs: 10_000, payments: 1_000}
	flag.IntVar(&size.blocks, "backfill-blocks", 100_000, "blocks that the watcher catches up with; 0 = leave it out")
	flag.IntVar(&size.logs, "backfill-logs", size.logs, "payments in them")
	flag.IntVar(&size.payments, "backfill-payments", size.payments, "addresses that they go to")
	flag.BoolVar(&size.only, "backfill-only", false, "measure nothing else")
	webhookSeconds := flag.Int("webhook-seconds", 30, "length of the webhook load")
	webhookRate := flag.Int("webhook-rate", 500, "deliveries a second")
	binary := flag.String("binary", "bin/holdfast", "the service's binary")
	accountsOnly := flag.Bool("accounts-only", false, "measure nothing but accounts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	hooks := webhookLoad{rate: max(*webhookRate, 1), seconds: max(*webhookSeconds, 1)}
	if err := run(ctx, *binary, time.Duration(*seconds)*time.Second, size, hooks, *accountsOnly); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary string, d time.Duration, size backfillSize, hooks webhookLoad, accountsOnly bool) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "holdfast-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	server, err := localpg.Start(ctx, filepath.Join(dir, "postgres"), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop(context.WithoutCancel(ctx)) }()
	b := &bench{dir: dir, url: server.URL(), length: d, size: size, hooks: hooks, accountsOnly: accountsOnly}
	env := map[string]string{"PG_URL": b.url, "HOLDFAST_DATA": filepath.Join(dir, "data"), "ACCESS_LOG": "false", "RATE_LIMIT": "false", "LOG_LEVEL": "error"}
	for k, v := range env {
		if err := os.Setenv(k, v); err != nil {
			return err
		}
	}
	if b.config, err = config.Load(); err != nil {
		return err
	}
	core, err := wire.Open(ctx, b.config, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { _ = core.Close(context.WithoutCancel(ctx)) }()
	b.core = core
	if b.service, err = startService(ctx, binary, dir, nil); err != nil {
		return err
	}
	defer b.service.stop()
	return b.all(ctx)
}

// bench is one run: one server, one service.
type bench struct {
	dir, url string
	length   time.Duration
	size     backfillSize
	hooks    webhookLoad
	config   *config.Config
	core     *wire.Core
	service  *service
	fixture  *fixture
	// accountsOnly measures nothing but accounts.
	accountsOnly bool
}

func (b *bench) all(ctx context.Context) error {
	fmt.Printf("holdfast bench: %d processors' worth of everything on one machine, %s a load\n\n", 2, b.length)
	if b.size.only {
		return b.backfill(ctx, b.size)
	}
	if b.accountsOnly {
		return b.justAccounts(ctx)
	}
	for _, part := range []func(context.Context) error{b.commands, b.readPath, b.accounts, b.webhooks, b.verification, b.reconciliation} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	if err := b.backfill(ctx, b.size); err != nil {
		return fmt.Errorf("back-fill: %w", err)
	}
	mib, err := b.service.peakMemory()
	if err != nil {
		return err
	}
	fmt.Printf("\nservice memory   peak %.0f MiB   (wanted: under 300)\n", mib)
	return nil
}

// commands compares releases over HTTP with bare SQL.
func (b *bench) commands(ctx context.Context) error {
	f, err := newFixture(ctx, b)
	if err != nil {
		return fmt.Errorf("fixture: %w", err)
	}
	b.fixture = f
	// A cold cache and read models that still catch up are not what is measured.
	if err := b.settle(ctx); err != nil {
		return err
	}
	if err := f.warm(ctx, b.service.addr); err != nil {
		return err
	}
	pool, err := b.baselinePool(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	fmt.Println("commands a second (a partial release: JWT, Idempotency-Key, rules, event, 3 entries, 3 balances)")
	fmt.Printf("  %-34s %10s %10s %8s %8s\n", "", "clients", "per s", "p50", "p99")
	for _, load := range []struct {
		name  string
		holds []string
		hot   bool
	}{{"random accounts", f.random, false}, {"one hot seller account", f.hot, true}} {
		var ours float64
		for _, n := range []int{64, 256} {
			before, err := b.spent(ctx)
			if err != nil {
				return err
			}
			l, err := hammer(ctx, b.service.addr, n, b.length, f.release(load.holds))
			if err != nil {
				return err
			}
			after, err := b.spent(ctx)
			if err != nil {
				return err
			}
			if l.refused > l.count/100 {
				return fmt.Errorf("%d of %d commands were refused, e.g. %s", l.refused, l.count, l.firstBad)
			}
			fmt.Printf("  %-34s %10d %10.0f %8s %8s\n", "holdfast over HTTP, "+load.name, n, l.rate(), ms(l.quantile(0.5)), ms(l.quantile(0.99)))
			fmt.Printf("  %34s %s\n", "", after.since(before, l.count))
			if n == 64 {
				ours = l.rate()
			}
		}
		for _, base := range []struct {
			name      string
			pipelined bool
		}{{"SQL, a round trip a statement", false}, {"SQL, pipelined", true}} {
			rate, err := baseline(ctx, pool, 64, b.length, load.hot, base.pipelined)
			if err != nil {
				return err
			}
			fmt.Printf("  %-34s %10d %10.0f %26s\n", base.name, 64, rate, fmt.Sprintf("ours is %.2f×", ours/rate))
		}
	}
	return nil
}

func (b *bench) baselinePool(ctx context.Context) (*pgxpool.Pool, error) {
	pool, err := b.database(ctx, "baseline")
	if err != nil {
		return nil, err
	}
	_, err = pool.Exec(ctx, baselineSQL)
	return pool, err
}

// database makes another database on the same server.
func (b *bench) database(ctx context.Context, name string) (*pgxpool.Pool, error) {
	if _, err := b.core.Jobs.Exec(ctx, `CREATE DATABASE `+name); err != nil {
		return nil, err
	}
	cfg, err := pgxpool.ParseConfig(b.url)
	if err != nil {
		return nil, err
	}
	cfg.ConnConfig.Database = name
	cfg.MaxConns = 64
	return pgxpool.NewWithConfig(ctx, cfg)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
