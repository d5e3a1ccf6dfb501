package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"holdfast/adapters/records"
	"holdfast/cmd/internal/config"
	"holdfast/cmd/internal/demo"
	"holdfast/cmd/internal/wire"
)

func demoCmd() *cobra.Command {
	var base string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Walk two orders through the running service over HTTP, step by step",
		Long: `demo plays buyer, sellers, admin, resolvers, the payment provider and the custody signer against a
running "holdfast serve" on its built-in chain. It prints each step, the events it left, the trial
balance, and the result of "holdfast verify".`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDemo(c.Context(), base) },
	}
	cmd.Flags().StringVar(&base, "url", "", "address of the service; http://localhost:PORT when empty")
	return cmd
}

func runDemo(ctx context.Context, base string) error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	if err := cfg.Generate(); err != nil {
		return err
	}
	if base == "" {
		base = fmt.Sprintf("http://localhost:%d", cfg.Port)
	}
	chain, err := wire.RunningDevChain(ctx, cfg)
	if err != nil {
		return fmt.Errorf("%w (start `make run` in another terminal, in this folder)", err)
	}
	stage, err := demo.NewStage(ctx, demo.Options{Base: base, ChainURL: chain, Secret: cfg.RequestNetworkWebhookSecret, Password: records.DemoPassword, Out: os.Stdout})
	if err != nil {
		return err
	}
	defer stage.Close()
	for _, act := range []func(context.Context) error{stage.HappyOrder, stage.DisputedOrder, stage.Books} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("\n== holdfast verify ==\n\n")
	v := verdict{}
	if err := withCore(ctx, func(core *wire.Core) error { return v.live(ctx, core, false) }); err != nil {
		return err
	}
	v.print()
	if !v.OK {
		return errSilent
	}
	return nil
}
