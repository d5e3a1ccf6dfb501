package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/writeconcern"

	"holdfast/adapters/legacydb"
	"holdfast/adapters/localmongo"
	"holdfast/cmd/internal/config"
	"holdfast/cmd/internal/legacyfixture"
	"holdfast/cmd/internal/wire"
	"holdfast/projections/legacymongo"
	"holdfast/reactors/legacyimport"
)

// legacy measures the bridge on a log of its own: the import of a database of the old backend, its
// collections written and compared beside what the server does with the same documents by itself,
// and the lag under a steady load.
func (b *bench) legacy(ctx context.Context) error {
	uri := os.Getenv("MONGODB_URI")
	if uri == "" {
		server, err := localmongo.Start(ctx, filepath.Join(b.dir, "legacy-mongo"), slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		defer func() { _ = server.Stop(context.WithoutCancel(ctx)) }()
		uri = server.URI("bench")
	}
	core, err := b.ownLog(ctx, "legacy", func(c *config.Config) {
		c.MongoURI, c.MongoConnect, c.DataDir = uri, "always", filepath.Join(b.dir, "legacy-data")
		c.LegacyCurrencies = map[string]string{"USDT": "USDT@56", "USDC": "USDC@56"}
	})
	if err != nil {
		return err
	}
	defer func() { _ = core.Close(context.WithoutCancel(ctx)) }()
	fmt.Println("\nlegacy bridge (the old backend's database is made up; the server is MONGODB_URI, else FerretDB on SQLite)")
	if err := b.importLegacy(ctx, core); err != nil {
		return err
	}
	bridge, err := core.Bridge(ctx)
	if err != nil {
		return err
	}
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(uri).SetWriteConcern(writeconcern.Majority()))
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }()
	if err := follow(ctx, bridge, func() error { return b.lagOfLegacy(ctx, core, bridge) }); err != nil {
		return err
	}
	for _, name := range []string{"purchaserequests", "selleroffers"} {
		if err := compareWriter(ctx, bridge, client.Database("bench").Collection(name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	mib, err := memoryOf(os.Getpid(), "VmHWM:")
	if err == nil {
		fmt.Printf("  memory of this process, peak %.0f MiB, with the documents of one collection for the bare runs   (wanted: under 300)\n", mib)
	}
	return err
}

// importLegacy makes a database of the old backend and takes it over.
func (b *bench) importLegacy(ctx context.Context, core *wire.Core) error {
	folder := filepath.Join(b.dir, "legacy-dump")
	o := legacyfixture.Full()
	o.Requests, o.Users, o.Offers, o.Payments = b.requests, max(b.requests/5, 100), b.requests*12/5, b.requests*4/5
	if _, err := legacyfixture.Generate(ctx, o, &legacyfixture.Files{Folder: folder, Format: "bson"}, io.Discard); err != nil {
		return err
	}
	source, err := legacydb.Open(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close(context.WithoutCancel(ctx)) }()
	importer, err := core.Importer(ctx)
	if err != nil {
		return err
	}
	sink := legacydb.NewRefusals(filepath.Join(b.dir, "legacy-refused"))
	begin := time.Now()
	runs, err := importer.Run(ctx, legacyimport.Wish{Source: source, Sink: sink, Progress: importer.Progress})
	if err != nil {
		return err
	}
	took := time.Since(begin)
	var read, refused int64
	for _, r := range runs {
		read, refused = read+r.Read, refused+r.Refused
	}
	fmt.Printf("  import of a dump of %s: %d documents (%d refused) in %s, %.0f/s   (wanted: 2,000)\n", list(importer.Collections()), read, refused, took.Round(time.Millisecond), float64(read)/took.Seconds())
	return sink.Close()
}

func list(names []string) string {
	if len(names) < 3 {
		return fmt.Sprint(names)
	}
	return fmt.Sprintf("%d collections, %s … %s", len(names), names[0], names[len(names)-1])
}

// follow runs the projectors until they have caught up, and then do beside them.
func follow(ctx context.Context, l *wire.Legacy, do func() error) error {
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- l.Runner.Run(running) }()
	defer func() { stop(); <-done }()
	begin := time.Now()
	if err := settled(ctx, l.Runner, 10*time.Minute); err != nil {
		return err
	}
	fmt.Printf("  every collection written for the first time, as the log was followed: %s\n", time.Since(begin).Round(time.Millisecond))
	return do()
}

// compareWriter writes and compares one collection, beside the bare server.
func compareWriter(ctx context.Context, l *wire.Legacy, c *mongo.Collection) error {
	bare := c.Database().Collection("bare_" + c.Name())
	docs, reading, err := readAll(ctx, c)
	if err != nil {
		return err
	}
	n := len(docs)
	rebuild := func() (float64, error) {
		return rate(n, func() error { return l.Store.Rebuild(ctx, l.Pool, c.Name(), nil) })
	}
	if err := c.Drop(ctx); err != nil {
		return err
	}
	var rates []float64
	for _, measure := range []func() (float64, error){
		rebuild,
		func() (float64, error) { return rate(n, func() error { return upsert(ctx, bare, docs) }) },
		rebuild,
		func() (float64, error) { return rate(n, func() error { return upsert(ctx, bare, docs) }) },
		func() (float64, error) { return rate(n, func() error { return lookAndUpsert(ctx, bare, docs) }) },
	} {
		r, err := measure()
		if err != nil {
			return err
		}
		rates = append(rates, r)
	}
	var parity legacymongo.Parity
	verify, err := rate(n, func() (err error) {
		parity, err = l.Store.Verify(ctx, l.Pool, c.Name(), nil)
		return err
	})
	if err != nil {
		return err
	}
	if parity.Differences > 0 || parity.Documents != int64(n) {
		return fmt.Errorf("%d differences in %d documents", parity.Differences, parity.Documents)
	}
	fmt.Printf("  %s, %d documents:\n", c.Name(), n)
	fmt.Printf("    rebuilt into nothing  %6.0f/s; bare bulk upsert %6.0f/s: %3.0f %%   (wanted: 80)\n", rates[0], rates[1], 100*rates[0]/rates[1])
	fmt.Printf("    rebuilt over the same %6.0f/s; bare bulk upsert %6.0f/s: %3.0f %%; read and upserted, as a guard needs it on FerretDB, %6.0f/s: %3.0f %%\n",
		rates[2], rates[3], 100*rates[2]/rates[3], rates[4], 100*rates[2]/rates[4])
	fmt.Printf("    verify                %6.0f/s; the server's own reading %6.0f/s: %3.0f %%   (wanted: 2,000)\n", verify, reading, 100*verify/reading)
	return bare.Drop(ctx)
}

func rate(n int, do func() error) (float64, error) {
	begin := time.Now()
	err := do()
	return float64(n) / time.Since(begin).Seconds(), err
}

// quantile of durations.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(int(float64(len(all))*q), len(all)-1)]
}
