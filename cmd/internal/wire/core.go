// Package wire joins the rooms: what is made of what, and in which order it starts and stops.
package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/adapters/localpg"
	"holdfast/cmd/internal/config"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/migrations"
)

// Core is what every verb needs: the database and the log on it.
type Core struct {
	Config   *config.Config
	Log      *slog.Logger
	URL      string // of the database
	Embedded bool   // the database is our own private server
	DataDir  string // of the embedded server
	HTTP     *pgxpool.Pool
	Views    *pgxpool.Pool
	Jobs     *pgxpool.Pool
	Keys     *postgres.KeyRing
	Codec    *eventstore.Codec
	Signer   *eventstore.Signer
	Store    *postgres.Store
	Executor *eventstore.Executor

	closers []func(context.Context) error
}

// onClose runs f when the core closes, last first.
func (c *Core) onClose(f func(context.Context) error) { c.closers = append(c.closers, f) }

// Close stops everything in the reverse order of its start.
func (c *Core) Close(ctx context.Context) error {
	var errs []error
	for _, f := range slices.Backward(c.closers) {
		errs = append(errs, f(ctx))
	}
	c.closers = nil
	return errors.Join(errs...)
}

// Open brings up the database (embedded when PG_URL is not set), migrates it, and opens the
// log. On an error everything that was started is stopped again.
func Open(ctx context.Context, cfg *config.Config, log *slog.Logger) (c *Core, err error) {
	if err := cfg.Generate(); err != nil {
		return nil, err
	}
	c = &Core{Config: cfg, Log: log, URL: cfg.PGURL}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := c.startPostgres(ctx); err != nil {
		return c, err
	}
	if err := migrations.Up(ctx, c.URL); err != nil {
		return c, fmt.Errorf("migrate: %w", err)
	}
	if err := c.openPools(ctx); err != nil {
		return c, err
	}
	return c, c.openLog(ctx)
}

func (c *Core) startPostgres(ctx context.Context) error {
	if c.URL != "" {
		return nil
	}
	server, err := localpg.Start(ctx, c.Config.Path("postgres"), c.Log)
	if err != nil {
		return fmt.Errorf("start the embedded PostgreSQL: %w", err)
	}
	c.URL, c.Embedded, c.DataDir = server.URL(), true, server.Dir()
	c.onClose(server.Stop)
	return nil
}

// openPools keeps HTTP, projectors and jobs apart: subscribers that hold a connection each
// must never starve the requests (docs/fault-model.md, fault 24).
func (c *Core) openPools(ctx context.Context) error {
	for _, p := range []struct {
		pool **pgxpool.Pool
		size int
		name string
	}{{&c.HTTP, c.Config.PGPoolHTTP, "http"}, {&c.Views, c.Config.PGPoolProjectors, "projectors"}, {&c.Jobs, c.Config.PGPoolJobs, "jobs"}} {
		cfg, err := pgxpool.ParseConfig(c.URL)
		if err != nil {
			return fmt.Errorf("PG_URL is not a connection string: %w", err)
		}
		cfg.MaxConns = int32(p.size)
		cfg.ConnConfig.RuntimeParams["application_name"] = "holdfast-" + p.name
		cfg.ConnConfig.RuntimeParams["statement_timeout"] = "60000"
		pool, err := pgxpool.NewWithConfig(ctx, cfg)
		if err != nil {
			return fmt.Errorf("open the %s pool: %w", p.name, err)
		}
		*p.pool = pool
		c.onClose(func(context.Context) error { pool.Close(); return nil })
	}
	return nil
}

func (c *Core) openLog(ctx context.Context) error {
	master, err := config.Key32(c.Config.PIIMasterKey)
	if err != nil {
		return fmt.Errorf("PII_MASTER_KEY: %w", err)
	}
	seed, err := config.Key32(c.Config.LogSigningKey)
	if err != nil {
		return fmt.Errorf("LOG_SIGNING_KEY: %w", err)
	}
	c.Keys = postgres.NewKeyRing(c.HTTP, master)
	if c.Codec, err = eventstore.NewCodec(c.Keys, Aggregates()...); err != nil {
		return err
	}
	if c.Signer, err = eventstore.NewSigner("holdfast", seed); err != nil {
		return err
	}
	if c.Store, err = postgres.New(ctx, c.HTTP, c.Codec, postgres.Options{Signer: c.Signer}); err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	c.onClose(func(context.Context) error { c.Store.Close(); return nil })
	c.Executor = eventstore.NewExecutor(c.Store)
	return nil
}
