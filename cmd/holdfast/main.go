// Command holdfast is the escrow backend and its operator's tools in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

// errSilent ends with exit code 1 after the verb has said what is wrong itself.
var errSilent = errors.New("")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errSilent) {
			fmt.Fprintln(os.Stderr, "holdfast:", err)
		}
		os.Exit(1)
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "holdfast",
		Short: "Escrow on a log that can be proved",
		Long: `holdfast holds other people's money between a buyer and a seller.

  holdfast serve     bring the service up (with nothing set: on embedded servers)
  holdfast demo      walk two orders through it, over HTTP
  holdfast verify    prove that log, ledger and views agree

Settings come from the environment; "holdfast config" prints them.`,
		Version:       version,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	cmd.AddCommand(serveCmd(), migrateCmd(), seedCmd(), demoCmd(), replayCmd(), verifyCmd(), exportCmd(),
		rebuildCmd(), reconcileCmd(), legacyCmd(), configCmd(), docsCmd(), hashesCmd())
	return cmd
}
