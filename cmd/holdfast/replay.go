package main

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"holdfast/cmd/internal/wire"
	"holdfast/domain"
	"holdfast/eventstore/audit"
)

func replayCmd() *cobra.Command {
	var at int64
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "replay [STREAM]",
		Short: "Fold the log to a position: the trial balance, or one aggregate's events",
		Long: `replay folds the events up to a position, from nothing, and prints the trial balance.
With a stream such as escrow_hold/6f9d0c52-… it prints that aggregate's events up to there.`,
		Example: "  holdfast replay --at 120\n  holdfast replay escrow_hold/7b0e… --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withCore(c.Context(), func(core *wire.Core) error {
				if len(args) == 1 {
					return replayStream(c.Context(), core, args[0], at, asJSON)
				}
				return trialBalance(c.Context(), core, at, asJSON)
			})
		},
	}
	cmd.Flags().Int64Var(&at, "at", 0, "position to stop at; 0 = the end")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func trialBalance(ctx context.Context, core *wire.Core, at int64, asJSON bool) error {
	head, err := core.Store.Head(ctx)
	if err != nil {
		return err
	}
	if at < 0 || at > head.Position {
		return fmt.Errorf("--at %d is not in the log; it ends at %d", at, head.Position)
	}
	if at == 0 {
		at = head.Position
	}
	books := audit.NewLedger(core.Codec)
	for done := int64(0); done < at; {
		slice, err := core.Store.ReadRaw(ctx, done, 2000)
		if err != nil {
			return err
		}
		for _, r := range slice {
			if r.Position > at {
				break
			}
			if r.Event, err = core.Codec.DecodeSealed(r.Type, r.Schema, r.Data); err != nil {
				return err
			}
			if err := books.Apply(r); err != nil {
				return err
			}
			done = r.Position
		}
	}
	lines := []audit.Line{}
	for _, t := range books.Totals() {
		line, err := audit.Balance(t)
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	if asJSON {
		return printJSON(map[string]any{"position": at, "accounts": lines})
	}
	printBalances(at, lines)
	return nil
}

func printBalances(at int64, lines []audit.Line) {
	fmt.Printf("Trial balance at position %d (base units, normal side positive)\n", at)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		if l.Balance.Sign() != 0 || l.Available.Cmp(l.Balance) != 0 {
			pending := ""
			if l.Available.Cmp(l.Balance) != 0 {
				pending = "available " + new(big.Int).Set(l.Available).String()
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", l.Account, l.Asset, l.Balance, pending)
		}
	}
	_ = w.Flush()
}

// event is one line of a stream's replay.
type event struct {
	Position int64        `json:"position"`
	Version  int64        `json:"version"`
	Type     string       `json:"type"`
	At       string       `json:"at"`
	By       domain.Actor `json:"by"`
	Data     string       `json:"data"`
}

func replayStream(ctx context.Context, core *wire.Core, name string, at int64, asJSON bool) error {
	kind, id, ok := cutStream(name)
	if !ok {
		return fmt.Errorf("%q is not a stream; write type/id, e.g. escrow_hold/7b0e…", name)
	}
	all, err := core.Store.LoadStream(ctx, domain.Stream{Type: kind, ID: id}, 0)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fmt.Errorf("there is no stream %s", name)
	}
	var events []event
	for _, r := range all {
		if at == 0 || r.Position <= at {
			events = append(events, event{r.Position, r.Version, r.Type, r.RecordedAt.Format("2006-01-02T15:04:05.000Z07:00"), r.Metadata.Actor, string(r.Data)})
		}
	}
	if asJSON {
		return printJSON(events)
	}
	for _, e := range events {
		fmt.Printf("%6d  v%-3d %s  %-32s by %s %s\n        %s\n", e.Position, e.Version, e.At, e.Type, e.By.Kind, e.By.ID, e.Data)
	}
	return nil
}
