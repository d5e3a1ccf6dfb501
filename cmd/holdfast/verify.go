package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"holdfast/cmd/internal/progress"
	"holdfast/cmd/internal/wire"
	"holdfast/eventstore/audit"
)

// verdict is what `verify --json` prints.
type verdict struct {
	audit.Report
	Views   []checked `json:"views,omitempty"`
	Seconds float64   `json:"seconds"`
}

// checked is a read model that was compared with the fold of the log.
type checked struct {
	Name     string `json:"name"`
	Position int64  `json:"position"`
}

func verifyCmd() *cobra.Command {
	var asJSON, logOnly bool
	var export, key string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that log, checkpoints, ledger and views agree; exit 1 when they do not",
		Long: `verify recomputes everything that follows from the events and compares it with what is written:
leaf hashes and the Merkle tree, signed checkpoints, dense positions and versions, the ledger's
totals, each hold's identity, and every read model, row by row. It changes nothing.

With --export it verifies a file of "holdfast export" and needs no database.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			v, start := verdict{}, time.Now()
			var err error
			if export != "" {
				v.Report, err = wire.VerifyExport(c.Context(), export, key, nil)
			} else {
				err = withCore(c.Context(), func(core *wire.Core) error { return v.live(c.Context(), core, logOnly) })
			}
			if err != nil {
				return err
			}
			v.Seconds = time.Since(start).Seconds()
			if asJSON {
				if err := printJSON(v); err != nil {
					return err
				}
			} else {
				v.print()
			}
			if !v.OK {
				return errSilent
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&logOnly, "log-only", false, "leave the read models out")
	cmd.Flags().StringVar(&export, "export", "", "verify this export instead of the database")
	cmd.Flags().StringVar(&key, "key", "", "with --export: the log's verifier key, from a source you trust")
	return cmd
}

func (v *verdict) live(ctx context.Context, core *wire.Core, logOnly bool) (err error) {
	head, err := core.Store.Head(ctx)
	if err != nil {
		return err
	}
	bar := progress.Start("log and ledger", head.Position)
	v.Report, err = core.VerifyLog(ctx, bar.Set)
	bar.Done()
	if err != nil || logOnly {
		return err
	}
	runner, registry, err := core.NewRunner()
	if err != nil {
		return err
	}
	bar = progress.Start("views", int64(len(registry.Names())))
	defer bar.Done()
	for i, name := range registry.Names() {
		position, err := runner.Verify(ctx, name, nil)
		if err != nil {
			v.OK = false
			v.Problems = append(v.Problems, fmt.Sprintf("view %s: %v", name, err))
		} else {
			v.Views = append(v.Views, checked{name, position})
		}
		bar.Set(int64(i+1), int64(len(registry.Names())))
	}
	return nil
}

func (v *verdict) print() {
	fmt.Printf("log          %s, %d events in %d streams, root %x\n", v.LogID, v.Events, v.Streams, v.Root)
	fmt.Printf("checkpoints  %d, all signed by the log's key\n", v.Checkpoints)
	fmt.Printf("ledger       %d postings on %d accounts, %d pending\n", v.Postings, v.Accounts, v.OpenPending)
	fmt.Printf("holds        %d\n", v.Holds)
	if len(v.Views) > 0 {
		fmt.Printf("views        %d, each row by row what the log implies\n", len(v.Views))
	}
	for _, d := range v.Differences {
		fmt.Printf("DIFFERS      %s %s: the events say Dr %s Cr %s, the ledger Dr %s Cr %s\n", d.Account, d.Asset,
			d.Folded.DebitsPosted, d.Folded.CreditsPosted, d.Written.DebitsPosted, d.Written.CreditsPosted)
	}
	for _, p := range v.Problems {
		fmt.Printf("BROKEN       %s\n", p)
	}
	if v.OK {
		fmt.Printf("verify: ok (%.1f s)\n", v.Seconds)
	} else {
		fmt.Println("verify: FAILED")
	}
}
