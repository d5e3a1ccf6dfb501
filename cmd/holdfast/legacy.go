package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"holdfast/cmd/internal/progress"
	"holdfast/cmd/internal/wire"
	"holdfast/projections"
	"holdfast/projections/legacymongo"
)

func legacyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "legacy",
		Short: "The bridge to the old backend's Mongo: import, compare, rebuild, see how it stands",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	cmd.AddCommand(legacyImportCmd(), legacyFollowCmd(), legacyVerifyCmd(), legacyRebuildCmd(), legacyStatusCmd())
	return cmd
}

func legacyVerifyCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify [DOMAIN…]",
		Short: "Compare every document with what the log implies, both ways; exit 1 on differences",
		Long: `verify renders every document of the legacy collections from the log and compares it, field by
field, with the one that stands in Mongo; then it looks for documents that nothing implies. What differs is
kept in pg_dualwrite_gaps until it is resolved or gone. Nothing in Mongo is changed, and the service may run.`,
		ValidArgs: legacymongo.Domains(),
		Args:      cobra.OnlyValidArgs,
		RunE: func(c *cobra.Command, domains []string) error {
			return withCore(c.Context(), func(core *wire.Core) error {
				l, err := core.Bridge(c.Context())
				if err != nil {
					return err
				}
				report, done := bars("verify ")
				all, err := l.Verify(c.Context(), domains, report)
				done()
				if err != nil {
					return err
				}
				if err := printParity(all, asJSON); err != nil {
					return err
				}
				if slices.ContainsFunc(all, func(p legacymongo.Parity) bool { return p.Differences > 0 }) {
					return errSilent
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// bars shows one bar after the other, one a collection.
func bars(prefix string) (report func(projections.Progress), done func()) {
	var bar *progress.Bar
	name := ""
	end := func() {
		if bar != nil {
			bar.Done()
		}
	}
	return func(p projections.Progress) {
		if p.Name != name {
			end()
			name, bar = p.Name, progress.Start(prefix+strings.TrimPrefix(p.Name, legacymongo.Prefix), p.Head)
		}
		bar.Set(p.Position, p.Head)
	}, end
}

func printParity(all []legacymongo.Parity, asJSON bool) error {
	if asJSON {
		return printJSON(all)
	}
	t := columns("DOMAIN", "COLLECTION", "POSITION", "DOCUMENTS", "DIFFERENCES", "EXPLAINED")
	for _, p := range all {
		t.row(p.Domain, p.Collection, p.Position, p.Documents, p.Differences, p.Explained)
	}
	return t.Flush()
}

// columnar prints rows in columns.
type columnar struct{ *tabwriter.Writer }

func columns(names ...any) columnar {
	c := columnar{tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)}
	c.row(names...)
	return c
}

func (c columnar) row(cells ...any) {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = fmt.Sprint(cell)
	}
	fmt.Fprintln(c, strings.Join(texts, "\t"))
}

func legacyRebuildCmd() *cobra.Command {
	var names []string
	for _, c := range legacymongo.Collections() {
		names = append(names, c.Name)
	}
	return &cobra.Command{
		Use:       "rebuild [COLLECTION…]",
		Short:     "Write every document anew from the log, and take away what has our mark and is none of ours",
		ValidArgs: names,
		Args:      cobra.OnlyValidArgs,
		RunE: func(c *cobra.Command, wanted []string) error {
			return withCore(c.Context(), func(core *wire.Core) error {
				l, err := core.Bridge(c.Context())
				if err != nil {
					return err
				}
				report, done := bars("rebuild ")
				defer done()
				if len(wanted) == 0 {
					wanted = l.Ours(names)
				}
				for _, name := range wanted {
					if err := l.Store.Rebuild(c.Context(), l.Pool, name, report); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func legacyStatusCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Where each domain is read, how far its collections lag, what differs",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withCore(c.Context(), func(core *wire.Core) error {
				l, err := core.Bridge(c.Context())
				switch {
				case errors.Is(err, wire.ErrNoLegacy): // where domains are read is known without it
					fmt.Fprintln(os.Stderr, "the legacy store is not connected: lags are not known")
				case err != nil:
					return err
				}
				states, err := l.States(c.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(states)
				}
				t := columns("DOMAIN", "OWNER", "MODE", "READS FROM", "LAG", "FOLLOWED", "OPEN GAPS", "LAST DIFFERENCE")
				for _, d := range legacymongo.Domains() {
					s, last := states[d], ""
					if g := s.LastGap; g != nil {
						last = strings.TrimSpace(fmt.Sprintf("%s %s %s", g.Kind, g.Collection, g.Field))
					}
					t.row(d, s.Owner, s.Mode, s.ReadsAt, s.Lag, followed(s.Following), s.OpenGaps, last)
				}
				return t.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// followed says in a few words how the old backend's changes are taken.
func followed(f *wire.Following) string {
	switch {
	case f == nil:
		return "-"
	case !f.Alive:
		return "nobody does"
	case f.Lag < 0:
		return f.Way + ", at the first look"
	}
	return fmt.Sprintf("%s, %.1f s behind", f.Way, f.Lag)
}
