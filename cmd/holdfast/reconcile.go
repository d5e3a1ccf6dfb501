package main

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"holdfast/cmd/internal/config"
	"holdfast/cmd/internal/progress"
	"holdfast/cmd/internal/wire"
)

func reconcileCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Compare ledger, chains and provider; exit 1 on differences nobody has explained",
		Long: `reconcile compares what the ledger says with what the chains and the payment provider say: every
payment and derived address, the treasury, what is under way, pending entries, each asset. It
books nothing. Differences ("breaks") are kept in the log until they are explained or gone
(docs/runbooks/breaks.md). A run that is under way elsewhere is joined.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := config.Load()
			if err != nil {
				return err
			}
			bar := progress.Start("reconcile", 1)
			r, err := wire.Reconcile(c.Context(), cfg, slog.New(slog.DiscardHandler), bar.Set)
			bar.Done()
			if err != nil {
				return err
			}
			if asJSON {
				if err := printJSON(r); err != nil {
					return err
				}
			} else {
				printReconciled(r)
			}
			if !r.OK {
				return errSilent
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printReconciled(r wire.Reconciled) {
	for _, b := range r.Breaks {
		f := b.Finding
		fmt.Printf("%-9s %-8s  %s  %s/%s\n", b.State, b.Advice.Severity, f.Kind, f.Subject.Type, f.Subject.ID)
		for _, side := range []struct{ name, says string }{{"ledger", f.Ledger}, {"chain", f.Chain}, {"provider", f.Provider}} {
			if side.says != "" {
				fmt.Printf("          %-9s %s\n", side.name, side.says)
			}
		}
		if !f.Amount.IsZero() {
			fmt.Printf("          %-9s %s\n", "about", f.Amount)
		}
		if b.Resolution != nil {
			fmt.Printf("          %-9s %s: %s\n", "resolved", b.Resolution.Way, b.Resolution.Reason)
		} else {
			fmt.Printf("          probably  %s\n          do        %s\n", b.Advice.Probably, b.Advice.Do)
		}
		fmt.Printf("          id        %s\n", b.ID)
	}
	n := r.Result.Counts
	for _, chain := range slices.Sorted(maps.Keys(r.Result.Unread)) {
		fmt.Printf("NOT READ  %s: %s\n", chain, r.Result.Unread[chain])
	}
	for _, chain := range slices.Sorted(maps.Keys(r.Result.Heads)) {
		fmt.Printf("chain     %s, compared at block %d\n", chain, r.Result.Heads[chain])
	}
	fmt.Printf("compared  %d payments, %d addresses, %d transfers, %d reports of the provider, %d assets; log %d … %d\n",
		n.Payments, n.Addresses, n.Transfers, n.Reports, n.Assets, r.Result.From, r.Result.To)
	fmt.Printf("reconcile: %d differences, %d unexplained, %d gone since\n", n.Breaks, n.Open, n.Closed)
}
