// Command legacyfixture makes a believable database of the old backend, with the dirt that real
// ones have (docs/legacy/original.md):
//
//	legacyfixture --into mongodb://127.0.0.1:27017/nickapp --truth truth.json
//	legacyfixture --into FOLDER [--format bson|bson.gz|json] [--dirt 0.01] [--users 10000 …]
//
// A folder is laid out as mongodump does, FOLDER/nickapp/<collection>.bson, and gets its truth.json
// beside. The same seed and sizes give the same bytes.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/x/mongo/driver/connstring"

	"holdfast/cmd/internal/legacyfixture"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "legacyfixture:", err)
		os.Exit(1)
	}
}

// database is the original's.
const database = "nickapp"

func run(ctx context.Context, args []string, out io.Writer) error {
	o := legacyfixture.Full()
	flags := flag.NewFlagSet("legacyfixture", flag.ContinueOnError)
	into := flags.String("into", "", "a mongodb:// URI with a database's name, or a folder")
	format := flags.String("format", "bson", "of a folder: bson, bson.gz or json")
	truth := flags.String("truth", "", "where the truth goes (default: truth.json in the folder)")
	flags.Uint64Var(&o.Seed, "seed", o.Seed, "another seed gives another database")
	flags.IntVar(&o.Users, "users", o.Users, "accounts")
	flags.IntVar(&o.Requests, "requests", o.Requests, "purchase requests")
	flags.IntVar(&o.Offers, "offers", o.Offers, "offers")
	flags.IntVar(&o.Payments, "payments", o.Payments, "payments, at most one a request")
	flags.Float64Var(&o.Dirt, "dirt", o.Dirt, "proportion of dirty documents")
	flags.BoolVar(&o.Decimal128, "decimal128", false, "some amounts are of this type, which FerretDB cannot store")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *into == "" || flags.NArg() > 0 {
		return errors.New("usage: legacyfixture --into URI|FOLDER [--truth FILE] …; --help lists the rest")
	}
	sink, at, done, err := open(ctx, *into, *format)
	if err != nil {
		return err
	}
	defer done()
	if *truth == "" && at == "" {
		return errors.New("--truth FILE: where the truth about the database goes")
	}
	if *truth == "" {
		*truth = filepath.Join(at, "truth.json")
	}
	file, err := os.Create(*truth)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(file)
	began := time.Now()
	counts, err := legacyfixture.Generate(ctx, o, sink, buffered)
	if err = errors.Join(err, buffered.Flush(), file.Close()); err != nil {
		return err
	}
	total := 0
	for _, name := range legacyfixture.Collections() {
		c := counts[name]
		total += c.Documents
		fmt.Fprintf(out, "%-24s %8d documents %6d to refuse %6d with a note\n", name, c.Documents, c.Refused, c.Noted)
	}
	fmt.Fprintf(out, "%d documents in %s; the truth is in %s\n", total, time.Since(began).Round(time.Millisecond), *truth)
	return nil
}

// open makes the sink; folder is empty for a server.
func open(ctx context.Context, into, format string) (sink legacyfixture.Sink, folder string, done func(), err error) {
	if !strings.HasPrefix(into, "mongodb://") && !strings.HasPrefix(into, "mongodb+srv://") {
		if err := os.MkdirAll(into, 0o750); err != nil {
			return nil, "", nil, err
		}
		return &legacyfixture.Files{Folder: filepath.Join(into, database), Format: format}, into, func() {}, nil
	}
	cs, err := connstring.ParseAndValidate(into)
	if err != nil {
		return nil, "", nil, errors.New("--into is no mongodb:// URI") // the error would show the password
	}
	if cs.Database == "" {
		cs.Database = database
	}
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(into).SetServerSelectionTimeout(5*time.Second))
	if err != nil {
		return nil, "", nil, fmt.Errorf("connect: %w", err)
	}
	return &legacyfixture.Mongo{DB: client.Database(cs.Database)}, "", func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }, nil
}
