// Command devmongo is the legacy store of development and tests: FerretDB, which speaks MongoDB's
// protocol, over SQLite files in one folder. It is a module of its own so that its dependencies
// stay out of the service's.
//
//	devmongo --data DIR [--listen 127.0.0.1:0]
//
// It prints its address on one line, "mongodb://host:port/", once it accepts connections, and runs
// until it is interrupted. What it acknowledged survives a kill -9 at any moment.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "devmongo:", err)
		os.Exit(1)
	}
}

// pragmas: commits reach the write-ahead log, which a kill of the process does not touch, without
// waiting for the disk each time; only a crash of the machine can lose the last moments.
const pragmas = "_pragma=synchronous(normal)"

func run(ctx context.Context, args []string, out, log io.Writer) error {
	flags := flag.NewFlagSet("devmongo", flag.ContinueOnError)
	data := flags.String("data", "", "folder of the SQLite files; it is made when it is missing")
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *data == "" || flags.NArg() > 0 {
		return errors.New("usage: devmongo --data DIR [--listen 127.0.0.1:0]")
	}
	folder, err := filepath.Abs(*data)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	db, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: *listen},
		Logger:    slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError})),
		Handler:   "sqlite",
		SQLiteURL: (&url.URL{Scheme: "file", Path: folder + "/", RawQuery: pragmas}).String(),
	})
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- db.Run(ctx) }()
	go indexes(ctx, folder, log)
	fmt.Fprintln(out, db.MongoDBURI()) // waits for the listener
	return <-done
}
