package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"holdfast/cmd/internal/wire"
	"holdfast/projections/legacymongo"
	"holdfast/reactors/legacyfollow"
)

func legacyFollowCmd() *cobra.Command {
	var w wire.Follow
	cmd := &cobra.Command{
		Use:   "follow [DOMAIN…]",
		Short: "Take the old backend's changes while it still writes, until interrupted",
		Long: `follow takes what the old backend changes in the domains that it owns (LEGACY_OWNER_<DOMAIN>=legacy),
through the same checks as the import: by the server's change streams, else by what its clocks say was
touched, and every so often by a look at every document. What cannot be taken, what is gone, and what both
sides have changed, is kept in pg_dualwrite_gaps; nothing is deleted, and nothing of ours is overwritten.
It may be stopped or killed at any time and goes on where it was; one follower works at a time, others wait.
The service does the same with LEGACY_FOLLOW=true. How far it is: holdfast legacy status.`,
		ValidArgs: legacymongo.Domains(),
		Args:      cobra.OnlyValidArgs,
		RunE: func(c *cobra.Command, domains []string) error {
			return withCore(c.Context(), func(core *wire.Core) error {
				if w.Domains = domains; w.From == "" {
					w.From = core.Config.FollowFrom
				}
				if w.From == "" {
					return errors.New("say where the old backend's database is: --from mongodb://…/<database>, or MONGODB_URI")
				}
				for flag, d := range map[string]time.Duration{"--poll": w.Poll, "--overlap": w.Overlap, "--sweep": w.Sweep} {
					if d < 100*time.Millisecond {
						return errors.New(flag + " must be at least 100ms")
					}
				}
				f, err := core.Follower(c.Context(), w)
				if err != nil {
					return err
				}
				c.PrintErrln("following; interrupt to stop")
				return f.Run(c.Context())
			})
		},
	}
	cmd.Flags().StringVar(&w.From, "from", "", "the old backend's database, mongodb://…/<database> (MONGODB_URI)")
	cmd.Flags().DurationVar(&w.Poll, "poll", legacyfollow.DefaultPoll, "between two looks, where the server has no change streams")
	cmd.Flags().DurationVar(&w.Overlap, "overlap", legacyfollow.DefaultOverlap, "by how much clocks may differ, and commits be late")
	cmd.Flags().DurationVar(&w.Sweep, "sweep", legacyfollow.DefaultSweep, "between two looks at every document")
	return cmd
}
