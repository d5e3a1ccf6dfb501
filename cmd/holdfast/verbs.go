package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/adapters/records"
	"holdfast/cmd/internal/config"
	"holdfast/cmd/internal/progress"
	"holdfast/cmd/internal/wire"
	"holdfast/migrations"
	"holdfast/projections"
)

// cutStream splits "type/id"; ids may hold slashes themselves.
func cutStream(name string) (kind, id string, ok bool) {
	kind, id, ok = strings.Cut(name, "/")
	return kind, id, ok && kind != "" && id != ""
}

func migrateCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this build's schema and say which it has",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withCore(c.Context(), func(core *wire.Core) error {
				applied, known, err := migrations.Version(c.Context(), core.URL)
				if err == nil {
					fmt.Printf("schema %d of %d\n", applied, known)
				}
				return err
			})
		},
	}
}

func seedCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "seed",
		Short: "Make the development users, categories and wallets (repeatable)",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := config.Load()
			if err != nil {
				return err
			}
			if !cfg.Development() {
				return errors.New("seed makes users with a public password; it is refused unless HOLDFAST_ENV=development")
			}
			return withCore(c.Context(), func(core *wire.Core) error {
				chain, addresses := wire.DevelopmentWallets()
				if err := core.SeedUsers(c.Context(), records.New(core.Jobs, 1), chain, addresses); err != nil {
					return err
				}
				fmt.Printf("users admin, admin2, buyer, buyer2, seller, seller2, resolver, resolver2, guard @holdfast.test with password %s\n", records.DemoPassword)
				return nil
			})
		},
	}
}

func rebuildCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild NAME",
		Short: "Build a read model anew from the log and swap it in; readers notice nothing",
		Args:  cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return wire.ViewNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			return withCore(c.Context(), func(core *wire.Core) error {
				runner, _, err := core.NewRunner()
				if err != nil {
					return err
				}
				bar := progress.Start("rebuild "+args[0], 1)
				err = runner.Rebuild(c.Context(), args[0], func(p projections.Progress) { bar.Set(p.Position, p.Head) })
				bar.Done()
				if errors.Is(err, projections.ErrUnknown) {
					return fmt.Errorf("there is no read model %q; there are: %s", args[0], strings.Join(wire.ViewNames(), ", "))
				}
				return err
			})
		},
	}
}
