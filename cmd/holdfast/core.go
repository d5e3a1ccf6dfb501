package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"time"

	"holdfast/cmd/internal/config"
	"holdfast/cmd/internal/wire"
)

// withCore opens the database and log for a verb, and closes them after it. On the embedded
// default it joins the server of a running `holdfast serve`, or starts its own.
func withCore(ctx context.Context, run func(*wire.Core) error) (err error) {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	core, err := wire.Open(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		err = errors.Join(err, core.Close(stop))
	}()
	return run(core)
}

func printJSON(v any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
