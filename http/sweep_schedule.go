package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/sweepplan"
	"holdfast/domain/sweepschedule"
	"holdfast/eventstore"
)

func sweepScheduleRoutes() []Route {
	base := destinationsPath + "/cron"
	return []Route{
		on[struct{}, ScheduleOut](Route{Method: "GET", Path: base, Roles: admin, Class: Query, Rate: RateGeneral, Summary: "The schedule of sweeps, its limits, its last runs"}, (*Server).getSchedule),
		on[scheduleInput, ScheduleOut](Route{Method: "PUT", Path: base, Roles: admin, Class: Command, Rate: RateGeneral, Summary: "Change it; what is left out stays"}, (*Server).putSchedule),
		on[runScheduleInput, sweepplan.Report](Route{Method: "POST", Path: base + "/run", Roles: admin, Class: Command, Rate: RateGeneral, Summary: "Run it now, one at a time; a dry run keeps nothing", Errors: []string{"RUN_IN_PROGRESS"}}, (*Server).runSchedule),
	}
}

// ScheduleOut is the schedule as it stands.
type ScheduleOut struct {
	Enabled     bool        `json:"enabled"`
	Interval    string      `json:"interval" doc:"Such as 1h0m0s"`
	MinAmount   string      `json:"minAmount" doc:"In whole tokens"`
	MaxGasPrice money.Units `json:"maxGasPrice" doc:"Base units a unit of gas; holds for every plan"`
	DailyGas    money.Units `json:"dailyGas" doc:"Base units that top-ups of a chain may send in 24 hours"`
	MaxSweeps   int         `json:"maxSweeps" doc:"Of one plan"`
	Runs        []SweepRun  `json:"runs,omitempty"`
}

func showSchedule(s sweepschedule.Settings) ScheduleOut {
	return ScheduleOut{
		Enabled: s.Enabled, Interval: s.Interval.String(), MinAmount: s.MinAmount, MaxGasPrice: s.MaxGasPrice, DailyGas: s.DailyGas, MaxSweeps: s.MaxSweeps,
	}
}

func (s *Server) schedule(ctx context.Context) (sweepschedule.Settings, int64, error) {
	state, version, err := eventstore.FreshState(ctx, s.deps.Executor, sweepschedule.Decider, sweepschedule.Stream)
	return state.Settings, version, err
}

func (s *Server) getSchedule(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	settings, version, err := s.schedule(ctx)
	if err != nil {
		return reply{}, err
	}
	out := showSchedule(settings)
	if s.deps.SweepRunner != nil {
		out.Runs, err = s.deps.SweepRunner.Runs(ctx, 20)
	}
	return reply{data: out, version: version}, err
}

type scheduleInput struct {
	Body struct {
		Enabled     *bool    `json:"enabled,omitempty"`
		Interval    string   `json:"interval,omitempty" maxLength:"20" doc:"Such as 30m or 6h"`
		MinAmount   *Decimal `json:"minAmount,omitempty"`
		MaxGasPrice *Decimal `json:"maxGasPrice,omitempty"`
		DailyGas    *Decimal `json:"dailyGas,omitempty"`
		MaxSweeps   *int     `json:"maxSweeps,omitempty" minimum:"1" maximum:"200"`
	}
}

func (s *Server) putSchedule(ctx context.Context, c *call, in *scheduleInput) (reply, error) {
	n, _, err := s.schedule(ctx)
	if err != nil {
		return reply{}, err
	}
	b := in.Body
	if b.Enabled != nil {
		n.Enabled = *b.Enabled
	}
	if b.Interval != "" {
		if n.Interval, err = time.ParseDuration(b.Interval); err != nil {
			return reply{}, fault.ErrValidation.At("interval", "a time such as 30m or 6h")
		}
	}
	if b.MinAmount != nil {
		n.MinAmount = string(*b.MinAmount)
	}
	for _, u := range []struct {
		name string
		in   *Decimal
		to   *money.Units
	}{{"maxGasPrice", b.MaxGasPrice, &n.MaxGasPrice}, {"dailyGas", b.DailyGas, &n.DailyGas}} {
		if u.in == nil {
			continue
		}
		if *u.to, err = money.ParseUnits(string(*u.in)); err != nil {
			return reply{}, at(err, u.name)
		}
	}
	if b.MaxSweeps != nil {
		n.MaxSweeps = *b.MaxSweeps
	}
	return s.run(ctx, c, of(sweepschedule.Decider, scheduleID(sweepschedule.Stream)), rescheduled{funding.ChangeSweepSchedule{Issue: c.issue(), Settings: n}})
}

type scheduleID string

// rescheduled answers with the settings in the API's words.
type rescheduled struct{ funding.ChangeSweepSchedule }

func (f rescheduled) Run(u *domain.Unit) (any, error) {
	answer, err := f.ChangeSweepSchedule.Run(u)
	if err != nil {
		return nil, err
	}
	return showSchedule(answer.(sweepschedule.State).Settings), nil //nolint:errcheck // its own answer
}

type runScheduleInput struct {
	Body struct {
		DryRun bool `json:"dryRun,omitempty"`
		Limit  int  `json:"limit,omitempty" minimum:"1" maximum:"200" doc:"Sweeps of one plan; never more than the schedule allows"`
	}
}

func (s *Server) runSchedule(ctx context.Context, c *call, in *runScheduleInput) (reply, error) {
	if s.deps.SweepRunner == nil {
		return reply{}, errNotConfigured
	}
	report, err := s.deps.SweepRunner.RunNow(ctx, c.actor(), in.Body.DryRun, in.Body.Limit)
	return reply{data: report}, err
}
