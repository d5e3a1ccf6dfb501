package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"holdfast/cmd/internal/progress"
	"holdfast/cmd/internal/wire"
	"holdfast/eventstore/audit"
)

func exportCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the whole log as NDJSON with a signed checkpoint, for an auditor",
		Long: `export writes one manifest line (log id, position, root, signed checkpoint) and one line an event.
"holdfast verify --export FILE" proves it on any machine. Personal text stays sealed.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withCore(c.Context(), func(core *wire.Core) error { return export(c.Context(), core, out) })
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "-", "file to write, - for standard output")
	return cmd
}

func export(ctx context.Context, core *wire.Core, out string) (err error) {
	checkpoint, _, err := core.Store.SignCheckpoint(ctx)
	if err != nil {
		return err
	}
	if checkpoint.Position == 0 {
		return errors.New("the log is empty")
	}
	w := os.Stdout
	if out != "-" {
		if w, err = os.Create(out); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, w.Close()) }()
	}
	bar := progress.Start("export", checkpoint.Position)
	defer bar.Done()
	m := audit.Manifest{
		LogID: core.Store.LogID(), Position: checkpoint.Position, Root: checkpoint.Root,
		Checkpoint: string(checkpoint.Note), Verifier: core.Signer.VerifierKey(),
	}
	if err := audit.Export(ctx, w, m, core.Store.ReadRaw, bar.Set); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}
