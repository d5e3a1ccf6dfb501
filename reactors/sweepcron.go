package reactors

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/sweepplan"
	"holdfast/domain/sweepschedule"
	"holdfast/eventstore"
	"holdfast/projections"
	"holdfast/projections/sweepview"
	"holdfast/projections/watchview"
)

// SweepRuns lets one run of the schedule at a time through, in all processes, and remembers them.
type SweepRuns interface {
	// Run calls work unless due says no to the time of the last run; ran says whether it did. A
	// second run at once is refused with a Conflict.
	Run(ctx context.Context, actor string, dry bool, due func(last time.Time) bool, work func(ctx context.Context, id string) (report any, err error)) (ran bool, err error)
}

// SweepCronOptions join a SweepCron.
type SweepCronOptions struct {
	Planner  *SweepPlanner
	Runs     SweepRuns
	Executor *eventstore.Executor
	Watch    watchview.Queries
	Plans    sweepview.PlanQueries
	Chains   func() []uint64 // those there are at this moment
	Token    func(money.Asset) (network.Token, bool)
	Every    time.Duration // between two looks at the schedule; 15 s when 0
	Log      *slog.Logger
}

// SweepCron makes the plans that the schedule asks for. It signs nothing: the plans wait for the
// signer that is configured.
type SweepCron struct {
	*loop
	o SweepCronOptions
}

// NewSweepCron makes the loop.
func NewSweepCron(o SweepCronOptions) *SweepCron {
	c := &SweepCron{o: o}
	c.loop = newLoop("sweep schedule", orDefault(o.Every, 15*time.Second), o.Log, c.round)
	return c
}

func (c *SweepCron) round(ctx context.Context) (bool, error) {
	s, _, err := eventstore.FreshState(ctx, c.o.Executor, sweepschedule.Decider, sweepschedule.Stream)
	if err != nil || !s.Settings.Enabled {
		return false, err
	}
	now, err := c.o.Executor.Store().Now(ctx)
	if err != nil {
		return false, err
	}
	by := domain.Machine(domain.Process, c.name)
	_, err = c.run(ctx, by, false, 0, func(last time.Time) bool { return !now.Before(last.Add(s.Settings.Interval)) })
	if judge(err) == final {
		return false, nil // another process runs it
	}
	return false, err
}

// RunNow runs the schedule for a person, whether it is switched on or not. A dry run plans and
// keeps nothing.
func (c *SweepCron) RunNow(ctx context.Context, by domain.Actor, dry bool, limit int) (sweepplan.Report, error) {
	return c.run(ctx, by, dry, limit, func(time.Time) bool { return true })
}

func (c *SweepCron) run(ctx context.Context, by domain.Actor, dry bool, limit int, due func(time.Time) bool) (report sweepplan.Report, err error) {
	_, err = c.o.Runs.Run(ctx, by.ID, dry, due, func(ctx context.Context, id string) (any, error) {
		report = sweepplan.Report{Run: id, Dry: dry, Plans: []sweepplan.Line{}}
		waiting, err := c.waiting(ctx)
		if err != nil {
			return report, err
		}
		var problems []error
		for _, chain := range slices.Sorted(slices.Values(c.o.Chains())) {
			lines, err := c.onChain(ctx, chain, id, by, dry, limit, waiting)
			report.Plans, problems = append(report.Plans, lines...), append(problems, err)
		}
		return report, errors.Join(problems...)
	})
	return report, err
}

func (c *SweepCron) onChain(ctx context.Context, chain uint64, run string, by domain.Actor, dry bool, limit int, waiting map[string]bool) ([]sweepplan.Line, error) {
	all, err := c.o.Watch.Sweepable(ctx, chain)
	if err != nil {
		return nil, err
	}
	byAsset := map[money.Asset][]domain.DestinationID{}
	var assets []money.Asset
	for _, s := range all {
		if !slices.Contains(assets, s.Asset) {
			assets = append(assets, s.Asset)
		}
		if !waiting[string(s.Destination)+string(s.Asset)] {
			byAsset[s.Asset] = append(byAsset[s.Asset], s.Destination)
		}
	}
	slices.Sort(assets)
	var lines []sweepplan.Line
	var problems []error
	for _, asset := range assets {
		line := sweepplan.Line{Chain: chain, Asset: asset, Total: money.Of(asset, money.Zero)}
		if err := c.plan(ctx, &line, byAsset[asset], run, by, dry, limit); err != nil {
			line.Code = code(err)
			if judge(err) != final {
				problems = append(problems, err)
			}
		}
		lines = append(lines, line)
	}
	return lines, errors.Join(problems...)
}

// plan makes the plan of one asset. Destinations that wait in an open plan are not planned again.
func (c *SweepCron) plan(ctx context.Context, line *sweepplan.Line, ids []domain.DestinationID, run string, by domain.Actor, dry bool, limit int) error {
	if len(ids) == 0 {
		return destination.ErrNothing
	}
	s, _, err := eventstore.FreshState(ctx, c.o.Executor, sweepschedule.Decider, sweepschedule.Stream)
	if err != nil {
		return err
	}
	token, _ := c.o.Token(line.Asset)
	least, err := wholeTokens(s.Settings.MinAmount, token.Decimals)
	if err != nil {
		return err
	}
	plan, left, err := c.o.Planner.Prepare(ctx, sweepplan.Wish{Destinations: ids, Asset: line.Asset, Min: least, Limit: limit})
	line.Skipped = left
	if err != nil {
		return err
	}
	line.Sweeps, line.TopUps, line.Total = len(plan.Sweeps), len(plan.TopUps), plan.Total()
	if dry {
		return nil
	}
	now, err := c.o.Executor.Store().Now(ctx)
	if err != nil {
		return err
	}
	id := sweepplan.ID(domain.DeriveID(run+"/"+string(line.Asset), "sweep plan"))
	f := funding.PlanSweeps{Issue: domain.Issue{By: by, At: now}, Plan: plan.Named(id)}
	meta := eventstore.Metadata{Actor: by, CommandID: domain.DeriveID(string(id), "plan"), CausationID: run, Source: "job"}
	if _, err := c.o.Executor.Execute(ctx, meta, nil, f.Run); err != nil {
		return err
	}
	line.Plan = id
	c.log.InfoContext(ctx, "sweeps planned", "plan", id, "chain", line.Chain, "asset", line.Asset, "sweeps", line.Sweeps, "total", line.Total.Units)
	return nil
}

// waiting gives what stands unsigned in an open plan that has not expired.
func (c *SweepCron) waiting(ctx context.Context) (map[string]bool, error) {
	now, err := c.o.Executor.Store().Now(ctx)
	if err != nil {
		return nil, err
	}
	waiting := map[string]bool{}
	for cursor := ""; ; {
		page, err := c.o.Plans.List(ctx, sweepplan.Open, projections.Page{Cursor: cursor, Limit: 100})
		if err != nil {
			return nil, err
		}
		for _, row := range page.Rows {
			for _, w := range row.Doc.Sweeps {
				if row.Doc.ExpiresAt.After(now) && row.Doc.Signed[w.ID] == "" {
					waiting[string(w.Destination)+string(w.Instruction.Amount.Asset)] = true
				}
			}
		}
		if cursor = page.Next; cursor == "" {
			return waiting, nil
		}
	}
}

// wholeTokens reads a decimal number of tokens; digits finer than the token's are cut off.
func wholeTokens(text string, decimals uint8) (money.Units, error) {
	whole, fraction, found := strings.Cut(text, ".")
	if found && len(fraction) > int(decimals) {
		fraction = fraction[:decimals]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return money.ParseDecimal(whole, decimals)
}
