package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/reconciliation"
	"holdfast/projections"
	"holdfast/projections/breakview"
	"holdfast/projections/reconciliationview"
)

const reconciliationPath = "/api/admin/reconciliation"

func reconciliationRoutes() []Route {
	get := func(rest, view, summary string) Route {
		return Route{Method: "GET", Path: reconciliationPath + rest, Roles: adminGuard, Class: Query, Rate: RateGeneral, Views: []string{view}, Summary: summary}
	}
	return []Route{
		on[listRunsInput, []ReconciliationRun](get("/runs", reconciliationview.Name, "Comparisons of chain, provider and ledger, newest first"), (*Server).reconciliations),
		on[runInput, ReconciliationRun](get("/runs/{id}", reconciliationview.Name, "One comparison"), (*Server).reconciliation),
		on[struct{}, RunStarted](Route{Method: "POST", Path: reconciliationPath + "/runs", Roles: adminGuard, Class: PlainWrite, Rate: RateGeneral, Status: 202, Summary: "Compare now, in the background", Errors: []string{"RECONCILIATION_RUNNING"}}, (*Server).reconcile),
		on[listBreaksInput, []BreakOut](get("/breaks", breakview.Name, "Differences, newest first; those that are not gone unless a state is asked for"), (*Server).listBreaks),
		on[runInput, BreakOut](get("/breaks/{id}", breakview.Name, "One difference: what each side says, what it means, what to do"), (*Server).getBreak),
		on[resolveBreakInput, funding.BreakAnswer](Route{
			Method: "POST", Path: reconciliationPath + "/breaks/{id}/resolve", Roles: adminGuard, Class: Command, Money: true, Rate: RateGeneral,
			Summary: "Explain a difference, look again, or book it; two admins where a variance is booked",
			Errors:  []string{"APPROVAL_REQUIRED", "SELF_APPROVAL", "REASON_REQUIRED", "RESOLUTION_NOT_ALLOWED", "BREAK_RESOLVED", "RESCAN_FOUND_NOTHING"},
		}, (*Server).resolveBreak),
	}
}

// ReconciliationRun is one comparison of chain, provider and ledger.
type ReconciliationRun struct {
	ID         string                       `json:"id"`
	State      string                       `json:"state"`
	By         domain.Actor                 `json:"by"`
	StartedAt  time.Time                    `json:"startedAt"`
	FinishedAt *time.Time                   `json:"finishedAt,omitempty"`
	OK         bool                         `json:"ok" doc:"Everything was read, and nothing is left to explain"`
	Result     *reconciliation.RunCompleted `json:"result,omitempty"`
}

func runOut(row reconciliationview.Row) ReconciliationRun {
	d := row.Doc
	return ReconciliationRun{
		ID: row.ID, State: d.Phase, By: d.By, StartedAt: d.StartedAt, FinishedAt: d.FinishedAt, OK: d.Result != nil && d.Result.OK(), Result: d.Result,
	}
}

// RunStarted is the answer to a run that was asked for.
type RunStarted struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

// BreakOut is a difference as operators see it.
type BreakOut struct {
	ID         string                         `json:"id"`
	Version    int64                          `json:"version"`
	State      string                         `json:"state"`
	Kind       reconciliation.Kind            `json:"kind"`
	Severity   reconciliation.Severity        `json:"severity"`
	Subject    reconciliation.Subject         `json:"subject"`
	Evidence   string                         `json:"evidence"`
	Ledger     string                         `json:"ledger,omitempty"`
	Chain      string                         `json:"chain,omitempty"`
	Provider   string                         `json:"provider,omitempty"`
	Amount     money.Amount                   `json:"amount"`
	Over       bool                           `json:"over"`
	At         reconciliation.Moment          `json:"at"`
	Probably   string                         `json:"probably" doc:"What has most likely happened"`
	Do         string                         `json:"do" doc:"What to do about it"`
	Ways       []reconciliation.Way           `json:"ways" doc:"How it may be resolved now"`
	Resolution *reconciliation.BreakResolved  `json:"resolution,omitempty"`
	Earlier    []reconciliation.BreakResolved `json:"earlier,omitempty"`
	FoundBy    string                         `json:"foundBy"`
	Times      int                            `json:"times"`
	CreatedAt  time.Time                      `json:"createdAt"`
	UpdatedAt  time.Time                      `json:"updatedAt"`
	ResolvedAt *time.Time                     `json:"resolvedAt,omitempty"`
	ClosedAt   *time.Time                     `json:"closedAt,omitempty"`
}

func breakOut(row breakview.Row) BreakOut {
	d, f := row.Doc, row.Doc.Finding
	advice := reconciliation.AdviceOn(f.Kind)
	out := BreakOut{
		ID: row.ID, Version: row.Version, State: d.Phase, Kind: f.Kind, Severity: d.Severity, Subject: f.Subject, Evidence: f.Evidence,
		Ledger: f.Ledger, Chain: f.Chain, Provider: f.Provider, Amount: f.Amount, Over: f.Over, At: f.At, Probably: advice.Probably, Do: advice.Do,
		Ways: []reconciliation.Way{}, Resolution: d.Resolution, Earlier: d.Earlier, FoundBy: d.FoundBy, Times: d.Times,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, ResolvedAt: d.ResolvedAt, ClosedAt: d.ClosedAt,
	}
	if d.Phase == reconciliation.Open {
		out.Ways = append(out.Ways, f.Ways()...)
	}
	return out
}

type listRunsInput struct{ Page }

func (s *Server) reconciliations(ctx context.Context, _ *call, in *listRunsInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	list, err := v.Reconciliations.List(ctx, in.ask(projections.Newest))
	return listed(list, err, runOut)
}

type runInput struct {
	ID string `path:"id"`
}

func (s *Server) reconciliation(ctx context.Context, _ *call, in *runInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	row, err := v.Reconciliations.Get(ctx, in.ID)
	return reply{data: runOut(row), version: row.Version}, err
}

func (s *Server) reconcile(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	if s.deps.Reconciler == nil {
		return reply{}, errNotConfigured
	}
	id, err := s.deps.Reconciler.Start(ctx, c.actor())
	return reply{data: RunStarted{ID: id, State: reconciliation.Running}}, err
}

type listBreaksInput struct {
	Page
	State    string `query:"state" enum:"Open,Explained,Settled,Closed"`
	Kind     string `query:"kind" enum:"missing_in_ledger,missing_on_chain,amount_differs,wrong_asset,provider_only,chain_only,double_report,custody_short,custody_over,in_transit_stuck,pending_too_old,custody_below_owed"`
	Severity string `query:"severity" enum:"critical,warning,info"`
	Asset    string `query:"asset" maxLength:"200"`
	Subject  string `query:"subject" maxLength:"200" doc:"Id of a payment, destination, sweep, chain …"`
}

func (s *Server) listBreaks(ctx context.Context, _ *call, in *listBreaksInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	asset, err := s.assetFilter(in.Asset)
	if err != nil {
		return reply{}, err
	}
	f := breakview.Filter{Phase: in.State, Kind: in.Kind, Severity: in.Severity, Asset: string(asset), Subject: in.Subject, Standing: in.State == ""}
	list, err := v.Breaks.List(ctx, f, in.ask(projections.Newest))
	return listed(list, err, breakOut)
}

func (s *Server) getBreak(ctx context.Context, _ *call, in *runInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	row, err := v.Breaks.Get(ctx, in.ID)
	return reply{data: breakOut(row), version: row.Version}, err
}

type resolveBreakInput struct {
	ID   string `path:"id"`
	Body struct {
		Way    string `json:"way" enum:"explain,rescan,book_found,write_off"`
		Reason string `json:"reason" maxLength:"500" doc:"What it is, for the auditors"`
	}
}

// resolveBreak checks what the break allows before anybody's agreement is noted, so that a refusal
// writes nothing at all.
func (s *Server) resolveBreak(ctx context.Context, c *call, in *resolveBreakInput) (reply, error) {
	state, _, err := stateOf(ctx, s, reconciliation.Decider, in.ID)
	if err != nil {
		return reply{}, err
	}
	way := reconciliation.Way(in.Body.Way)
	switch err := state.Allows(way); {
	case err != nil:
		return reply{}, err
	case len(in.Body.Reason) < 5:
		return reply{}, reconciliation.ErrReason
	case way != reconciliation.Explain && !c.has(domain.Admin):
		return reply{}, fault.ErrForbidden
	}
	f := funding.ResolveBreak{Issue: c.issue(), Break: in.ID, Way: way, Reason: in.Body.Reason}
	if way.Books() {
		// The amount is part of what is agreed to: the difference may change in between.
		first, waiting, err := s.second(ctx, c, "reconciliation", in.ID, in.Body.Way, state.Finding.Amount.String())
		if err != nil || first == "" {
			return waiting, err
		}
		f.Approver = domain.User(first, domain.Admin)
	}
	if way == reconciliation.Rescan {
		if s.deps.Reconciler == nil {
			return reply{}, errNotConfigured
		}
		if f.Shown, err = s.deps.Reconciler.Shown(ctx, *state.Finding.Deposit); err != nil {
			return reply{}, err
		}
	}
	return s.run(ctx, c, of(reconciliation.Decider, in.ID), f)
}
