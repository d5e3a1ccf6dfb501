package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/adapters/legacydb"
	"holdfast/cmd/internal/progress"
	"holdfast/cmd/internal/wire"
	"holdfast/reactors/legacyimport"
)

type importFlags struct {
	from, refused             string
	dry, anew, strict, asJSON bool
}

func legacyImportCmd() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import [COLLECTION…]",
		Short: "Take the documents of the old backend into the log",
		Long: `import reads the old backend's database and takes each document into the log, with its ObjectId as a
second name. It may be interrupted at any time and run again: it goes on where it was. What was taken before
and has not changed is not taken again. The service may run meanwhile.

A document that is not what its collection promises is refused, and written with the reasons to
refused-<collection>.jsonl in the directory of --refused. Mend it where it stands, and import again.

  holdfast legacy import --from mongodb://localhost:27017/nickapp --dry-run
  holdfast legacy import --from dump/nickapp
  holdfast legacy import users categories --from exported/`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, collections []string) error {
			return runImport(c.Context(), f, collections)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "mongodb://host/database, or a directory of mongodump or mongoexport (default: MONGODB_URI)")
	flags.StringVar(&f.refused, "refused", "refused", "directory for the documents that are refused")
	flags.BoolVar(&f.dry, "dry-run", false, "decide everything, write nothing but the refused documents")
	flags.BoolVar(&f.anew, "restart", false, "begin at the first document, even if a run was interrupted")
	flags.BoolVar(&f.strict, "strict", false, "exit 1 when a document was refused")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

func runImport(ctx context.Context, f importFlags, collections []string) error {
	return withCore(ctx, func(core *wire.Core) (err error) {
		if f.from == "" {
			f.from = core.Config.MongoURI
		}
		if f.from == "" {
			return errors.New("name what is to be imported: --from mongodb://host/database, or a directory")
		}
		source, err := legacydb.Open(ctx, f.from)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, source.Close(ctx)) }()
		importer, err := core.Importer(ctx)
		if err != nil {
			return err
		}
		for _, c := range collections {
			if !slices.Contains(importer.Collections(), c) {
				return fmt.Errorf("%s is not imported; these are: %s", c, strings.Join(importer.Collections(), ", "))
			}
		}
		if f.dry {
			f.refused = filepath.Join(f.refused, "dry-run") // the files of a run that is to go on stay as they are
		}
		sink := legacydb.NewRefusals(f.refused)
		bar := &importBar{}
		runs, err := importer.Run(ctx, legacyimport.Wish{
			Source: source, Collections: collections, Dry: f.dry, Anew: f.anew, Sink: core.Told(sink, f.dry), Progress: importer.Progress, Report: bar.show,
		})
		bar.end()
		err = errors.Join(err, sink.Close())
		if perr := printRuns(runs, f); perr != nil {
			return errors.Join(err, perr)
		}
		switch {
		case errors.Is(err, context.Canceled):
			return errors.New("interrupted; the same command goes on")
		case err != nil:
			return err
		case !slices.ContainsFunc(runs, func(r legacyimport.Run) bool { return r.Read > 0 }):
			return fmt.Errorf("%s holds no document of %s", source.Name(), strings.Join(collectionsOf(runs), ", "))
		case f.strict && slices.ContainsFunc(runs, func(r legacyimport.Run) bool { return r.Refused > 0 }):
			return errSilent
		}
		return nil
	})
}

func collectionsOf(runs []legacyimport.Run) (all []string) {
	for _, r := range runs {
		all = append(all, r.Collection)
	}
	return all
}

// importBar shows one bar after the other, one a collection.
type importBar struct {
	name string
	bar  *progress.Bar
}

func (b *importBar) show(r legacyimport.Run) {
	if r.Collection != b.name {
		b.end()
		b.name, b.bar = r.Collection, progress.Start("import "+r.Collection, r.Total)
	}
	b.bar.Set(r.Read, max(r.Total, r.Read))
}

func (b *importBar) end() {
	if b.bar != nil {
		b.bar.Done()
	}
	b.bar = nil
}

func printRuns(runs []legacyimport.Run, f importFlags) error {
	if f.asJSON {
		return printJSON(runs)
	}
	t := columns("COLLECTION", "READ", "TAKEN", "UNCHANGED", "OURS", "REFUSED", "TIME")
	var refused int64
	for _, r := range runs {
		took := "not finished"
		if !r.Finished.IsZero() {
			took = r.Finished.Sub(r.Started).Round(time.Millisecond).String()
		} else if f.dry {
			took = "dry run"
		}
		t.row(r.Collection, r.Read, r.Taken, r.Unchanged, r.Ours, r.Refused, took)
		refused += r.Refused
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range runs {
		tell(r.Collection+", refused", r.Reasons)
		tell(r.Collection+", taken with a difference that is explained", r.Notes)
	}
	if refused > 0 {
		_, err := fmt.Printf("\n%d documents were refused; they stand with their reasons in %s/refused-*.jsonl\n", refused, f.refused)
		return err
	}
	return nil
}

// tell lists reasons, the most frequent first.
func tell(title string, counts map[string]int64) {
	if len(counts) == 0 {
		return
	}
	fmt.Fprintf(os.Stdout, "\n%s:\n", title)
	reasons := slices.Collect(maps.Keys(counts))
	slices.SortFunc(reasons, func(a, b string) int {
		if counts[a] != counts[b] {
			return int(counts[b] - counts[a])
		}
		return strings.Compare(a, b)
	})
	for _, r := range reasons {
		fmt.Fprintf(os.Stdout, "  %6d  %s\n", counts[r], r)
	}
}
