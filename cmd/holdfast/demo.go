package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"holdfast/adapters/records"
	"holdfast/cmd/internal/config"
	"holdfast/cmd/internal/demo"
	"holdfast/cmd/internal/wire"
)

func demoCmd() *cobra.Command {
	var base string
	var all bool
	cmd := &cobra.Command{
		Use:   "demo [STORY …]",
		Short: "Walk two orders through the running service over HTTP, step by step",
		Long: `demo plays buyer, sellers, admin, resolvers, the payment provider and the custody signer against a
running "holdfast serve" on its built-in chain. It prints each step, the events it left, the trial
balance, and the result of "holdfast verify".`,
		ValidArgs: storyNames(),
		Args:      cobra.OnlyValidArgs,
		RunE:      func(c *cobra.Command, names []string) error { return runDemo(c.Context(), base, names, all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "tell every story: how payments arrive, leave, are doubted and undone")
	cmd.Flags().StringVar(&base, "url", "", "address of the service; http://localhost:PORT when empty")
	return cmd
}

func storyNames() (names []string) {
	for _, s := range slices.Concat(demo.Stories(), demo.MoreStories()) {
		names = append(names, s.Name)
	}
	return names
}

// chosen gives the stories that were asked for: those named, else the usual ones, else all.
func chosen(names []string, all bool) []demo.Story {
	stories := demo.Stories()
	if all || len(names) > 0 {
		stories = append(stories, demo.MoreStories()...)
	}
	if len(names) == 0 {
		return stories
	}
	return slices.DeleteFunc(stories, func(s demo.Story) bool { return !slices.Contains(names, s.Name) })
}

func runDemo(ctx context.Context, base string, names []string, all bool) error {
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
	for _, story := range chosen(names, all) {
		if err := story.Play(stage, ctx); err != nil {
			return fmt.Errorf("story %s: %w", story.Name, err)
		}
	}
	if err := stage.Books(ctx); err != nil {
		return err
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
