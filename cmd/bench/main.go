// Command bench prints the figures of docs/bench.md: the service over HTTP beside two
// baselines in bare SQL, on the same server in the same run, as ratios; then the speed of the read
// path and of verification. `make bench` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
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
	only := flag.String("only", "", "parts to measure, with commas between: "+strings.Join(partNames(), ", ")+"; all when empty")
	webhookSeconds := flag.Int("webhook-seconds", 30, "length of the webhook load")
	webhookRate := flag.Int("webhook-rate", 500, "deliveries a second")
	otherRate := flag.Int("other-rate", 100, "requests a second to another route beside the webhooks; 0 = as many as 4 clients can")
	requests := flag.Int("legacy-requests", 5000, "purchase requests of the old backend's database; everything else in proportion")
	profile := flag.String("profile", "", "folder for CPU profiles of the back-fill and the reconciliation")
	binary := flag.String("binary", "bin/holdfast", "the service's binary")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	hooks := webhookLoad{rate: max(*webhookRate, 1), seconds: max(*webhookSeconds, 1), other: max(*otherRate, 0)}
	b := &bench{profile: *profile, length: time.Duration(*seconds) * time.Second, size: size, hooks: hooks, requests: max(*requests, 100)}
	err := b.choose(*only)
	if err == nil {
		err = b.run(ctx, *binary)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(ctx context.Context, binary string) error {
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
	b.dir, b.url = dir, server.URL()
	env := map[string]string{"PG_URL": b.url, "HOLDFAST_DATA": filepath.Join(dir, "data"), "ACCESS_LOG": "false", "LOG_LEVEL": "error", "RATE_LIMIT": "false"}
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
	profile  string // folder, or empty
	length   time.Duration
	size     backfillSize
	hooks    webhookLoad
	requests int             // of the legacy database
	only     map[string]bool // parts to measure; all when empty
	config   *config.Config
	core     *wire.Core
	service  *service
	fixture  *fixture
}

// part is one of the figures.
type part struct {
	name    string
	measure func(b *bench, ctx context.Context) error
}

// parts in their order: the later ones find the log that the earlier ones have filled.
var parts = []part{
	{"commands", (*bench).commands},
	{"readpath", (*bench).readPath},
	{"accounts", (*bench).accounts},
	{"webhooks", (*bench).webhooks},
	{"verify", (*bench).verification},
	{"reconcile", (*bench).reconciliation},
	{"legacy", (*bench).legacy},
	{"backfill", (*bench).backfill},
}

func partNames() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// choose sets the parts that are measured.
func (b *bench) choose(only string) error {
	b.only = map[string]bool{}
	for _, name := range strings.FieldsFunc(only, func(r rune) bool { return r == ',' }) {
		if !slices.Contains(partNames(), name) {
			return fmt.Errorf("there is no part %q", name)
		}
		b.only[name] = true
	}
	return nil
}

func (b *bench) all(ctx context.Context) error {
	fmt.Printf("holdfast bench: %d processors' worth of everything on one machine, %s a load\n\n", runtime.NumCPU(), b.length)
	for _, p := range parts {
		if len(b.only) > 0 && !b.only[p.name] {
			continue
		}
		if err := p.measure(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
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
	f, err := b.made(ctx)
	if err != nil {
		return err
	}
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

// ownLog opens a log in a database of its own: the service that runs on the bench's has a chain of
// its own, and would undo what that one does not show.
func (b *bench) ownLog(ctx context.Context, name string, change ...func(*config.Config)) (*wire.Core, error) {
	pool, err := b.database(ctx, name)
	if err != nil {
		return nil, err
	}
	pool.Close()
	server, err := url.Parse(b.url)
	if err != nil {
		return nil, err
	}
	server.Path = "/" + name
	cfg := *b.config
	cfg.PGURL = server.String()
	for _, c := range change {
		c(&cfg)
	}
	return wire.Open(ctx, &cfg, slog.New(slog.DiscardHandler))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
