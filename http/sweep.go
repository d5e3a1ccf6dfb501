package http

import (
	"context"
	"errors"
	"strconv"
	"time"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/sweepplan"
	"holdfast/domain/trezor"
	"holdfast/projections"
	"holdfast/projections/destinationview"
	"holdfast/projections/sweepview"
)

func sweepRoutes() []Route {
	route := func(method, rest, summary string, class Class, errors ...string) Route {
		return Route{Method: method, Path: destinationsPath + rest, Roles: admin, Class: class, Money: class == Command, Rate: RateGeneral, Summary: summary, Errors: errors}
	}
	sending := []string{"INSTRUCTION_MISMATCH", "PLAN_EXPIRED", "SWEEP_IN_FLIGHT", "NOTHING_TO_SWEEP", "SWEEP_NOT_ALLOWED", "TX_NOT_A_TRANSFER", "OPERATION_SIGNATURE_REQUIRED"}
	sweeps, plans := route("GET", "/sweeps", "Sweeps, newest first", Query), route("GET", "/sweep/plans", "Plans, newest first", Query)
	sweeps.Views, plans.Views = []string{sweepview.Name}, []string{sweepview.Plans}
	plan := route("POST", "/sweep/plan", "Prepare unsigned sweeps, with the gas that they need", Command, "SWEEP_IN_FLIGHT", "NOTHING_TO_SWEEP", "NOT_FINAL", "GAS_TOO_HIGH", "SIGNER_UNAVAILABLE", "SWEEP_NOT_ALLOWED")
	plan.Status = 201
	confirm := route("POST", "/sweep/{id}/confirm", "Look now whether a sweep is final; of a Safe, say which transaction executed it", Command, "NOT_FINAL", "SWEEP_NOT_ALLOWED", "INSTRUCTION_MISMATCH", "TX_ALREADY_USED")
	confirm.Views = []string{sweepview.Name, destinationview.Name} // its bytes stand with the address
	return []Route{
		on[listSweepsInput, []SweepOut](sweeps, (*Server).listSweeps),
		on[listPlansInput, []PlanOut](plans, (*Server).listPlans),
		on[planInput, PlanOut](route("GET", "/sweep/plans/{id}", "One plan, with what came back of it", Query), (*Server).getPlan),
		on[planSweepsInput, PlanOut](plan, (*Server).planSweeps),
		on[sendSweepsInput, funding.SweptAnswer](route("POST", "/sweep", "Bring a plan's signed transactions; they are compared, recorded, then sent", Command, sending...), (*Server).sendSweeps),
		on[sendSweepInput, funding.SweptAnswer](route("POST", "/{id}/sweep", "The same for one address", Command, sending...), (*Server).sendSweep),
		on[confirmSweepInput, funding.SweepAnswer](confirm, (*Server).confirmSweep),
	}
}

// SweepOut is one transfer to the treasury.
type SweepOut struct {
	ID          domain.SweepID       `json:"id"`
	Destination domain.DestinationID `json:"destinationId"`
	PlanID      sweepplan.ID         `json:"planId,omitempty"`
	Chain       uint64               `json:"chainId"`
	Amount      money.Amount         `json:"amount"`
	Tx          string               `json:"txHash"`
	State       string               `json:"state" doc:"broadcast, confirmed, failed, reorged"`
	Block       uint64               `json:"block,omitempty"`
	FailureCode string               `json:"failureCode,omitempty"`
	CreatedAt   time.Time            `json:"createdAt"`
}

// PlanOut is a plan with all that is to be signed.
type PlanOut struct {
	ID        sweepplan.ID     `json:"planId"`
	State     string           `json:"state" doc:"Open until everything came back signed"`
	Signer    string           `json:"signer"`
	Chain     uint64           `json:"chainId"`
	ExpiresAt time.Time        `json:"expiresAt"`
	Total     money.Amount     `json:"total"`
	Sweeps    []PlannedSweep   `json:"sweeps"`
	TopUps    []PlannedTopUp   `json:"topUps" doc:"Gas, to be signed by the gas wallet and sent along"`
	Skipped   []sweepplan.Left `json:"skipped,omitempty"`
}

// PlannedSweep is a sweep to be signed, or proposed to a Safe.
type PlannedSweep struct {
	sweepplan.Sweep
	Path string `json:"path" doc:"Of the key that signs, below the account's"`
	Tx   string `json:"txHash,omitempty"`
}

// PlannedTopUp is gas to be signed.
type PlannedTopUp struct {
	sweepplan.TopUp
	Tx      string `json:"txHash,omitempty"`
	Outcome string `json:"outcome,omitempty" doc:"arrived, failed, replaced"`
}

func showPlan(p sweepplan.State) PlanOut {
	out := PlanOut{
		ID: p.Plan, State: p.Phase(), Signer: p.Signer, Chain: p.Chain, ExpiresAt: p.ExpiresAt.UTC(), Total: p.Total(),
		Sweeps: []PlannedSweep{}, TopUps: []PlannedTopUp{},
	}
	for _, w := range p.Sweeps {
		out.Sweeps = append(out.Sweeps, PlannedSweep{Sweep: w, Path: "0/" + strconv.FormatUint(uint64(w.Index), 10), Tx: p.Signed[w.ID]})
	}
	for _, t := range p.TopUps {
		out.TopUps = append(out.TopUps, PlannedTopUp{TopUp: t, Tx: p.ToppedUp[t.Destination], Outcome: p.Ended[t.Destination]})
	}
	return out
}

func (s *Server) sweeping() (Sweeping, error) {
	if s.deps.Sweeping == nil {
		return nil, errNotConfigured
	}
	return s.deps.Sweeping, nil
}

type listSweepsInput struct {
	Page
	Status      string `query:"status" enum:"broadcast,confirmed,failed,reorged"`
	Chain       uint64 `query:"chain" minimum:"1"`
	Destination string `query:"destinationId" maxLength:"64"`
}

func (s *Server) listSweeps(ctx context.Context, _ *call, in *listSweepsInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	before, err := readPositionCursor("sweeps", in.Cursor)
	if err != nil {
		return reply{}, err
	}
	f := sweepview.Filter{Status: in.Status, Chain: in.Chain, Destination: domain.DestinationID(in.Destination), Before: before, Limit: in.Limit + 1}
	all, err := v.Sweeps.List(ctx, f)
	if err != nil {
		return reply{}, err
	}
	var meta Meta
	if len(all) > in.Limit {
		all = all[:in.Limit]
		meta.NextCursor = positionCursor("sweeps", all[in.Limit-1].Position)
	}
	out := make([]SweepOut, 0, len(all))
	for _, w := range all {
		out = append(out, SweepOut{
			ID: w.ID, Destination: w.Destination, PlanID: w.Plan, Chain: w.Chain, Amount: w.Amount, Tx: w.Tx, State: w.Status, Block: w.Block,
			FailureCode: w.Failure, CreatedAt: w.At,
		})
	}
	return reply{data: out, meta: meta}, nil
}

type listPlansInput struct {
	Page
	State string `query:"state" enum:"Open,Used,Over"`
}

func (s *Server) listPlans(ctx context.Context, _ *call, in *listPlansInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	list, err := v.SweepPlans.List(ctx, in.State, in.ask(projections.Newest))
	return listed(list, err, func(row sweepview.PlanRow) PlanOut { return showPlan(row.Doc.State) })
}

type planInput struct {
	ID string `path:"id"`
}

func (s *Server) getPlan(ctx context.Context, _ *call, in *planInput) (reply, error) {
	state, version, err := stateOf(ctx, s, sweepplan.Decider, sweepplan.ID(in.ID))
	return reply{data: showPlan(state), version: version}, err
}

type planSweepsInput struct {
	Body struct {
		Destinations []string  `json:"destinations,omitempty" maxItems:"200" doc:"Left out with all"`
		All          bool      `json:"all,omitempty"`
		Asset        string    `json:"asset" minLength:"1" maxLength:"200"`
		MinAmount    *AmountIn `json:"minAmount,omitempty" doc:"Less is left where it is"`
		Limit        int       `json:"limit,omitempty" minimum:"1" maximum:"200" doc:"Never more than the schedule allows"`
		DryRun       bool      `json:"dryRun,omitempty"`
	}
}

func (s *Server) planSweeps(ctx context.Context, c *call, in *planSweepsInput) (reply, error) {
	sweeping, err := s.sweeping()
	if err != nil {
		return reply{}, err
	}
	wish, err := s.wish(ctx, in)
	if err != nil {
		return reply{}, err
	}
	plan, left, err := sweeping.Prepare(ctx, wish)
	if err != nil {
		return reply{}, err
	}
	f := planned{funding.PlanSweeps{Issue: c.issue(), Plan: plan.Named(sweepplan.ID(c.newID("sweep plan")))}, left}
	if in.Body.DryRun {
		return s.rehearse(ctx, c, f)
	}
	return s.run(ctx, c, of(sweepplan.Decider, f.Plan.Plan), f)
}

// planned answers with what is left out beside the plan.
type planned struct {
	funding.PlanSweeps
	left []sweepplan.Left
}

func (f planned) Run(u *domain.Unit) (any, error) {
	answer, err := f.PlanSweeps.Run(u)
	if err != nil {
		return nil, err
	}
	out := showPlan(answer.(sweepplan.State)) //nolint:errcheck // its own answer
	out.Skipped = f.left
	return out, nil
}

func (s *Server) wish(ctx context.Context, in *planSweepsInput) (w sweepplan.Wish, err error) {
	b := in.Body
	if b.All == (len(b.Destinations) > 0) {
		return w, fault.ErrValidation.At("destinations", "name destinations or all, not both")
	}
	asset, ok := s.deps.Registry.Asset(b.Asset)
	if !ok {
		return w, fault.New(fault.Rule, "ASSET_NOT_SUPPORTED", "nobody registered this asset").At("asset", "unknown")
	}
	w.Asset, w.Limit = asset, b.Limit
	seen := map[domain.DestinationID]bool{}
	for _, text := range b.Destinations {
		id := domain.DestinationID(text)
		if seen[id] {
			return w, fault.ErrValidation.At("destinations", "one of them is named twice")
		}
		seen[id] = true
		if _, _, err := stateOf(ctx, s, destination.Decider, id); err != nil {
			return w, err
		}
		w.Destinations = append(w.Destinations, id)
	}
	if b.MinAmount != nil {
		amount, err := s.read("minAmount", *b.MinAmount, asset)
		if err != nil {
			return w, err
		}
		w.Min = amount.Units
	}
	return w, nil
}

// signedSweeps is the body of both routes that bring signed transactions.
type signedSweeps struct {
	PlanID    string   `json:"planId" format:"uuid"`
	SignedTxs []string `json:"signedTxs" minItems:"1" maxItems:"400" doc:"Raw transactions in hex, sweeps and top-ups, in any order"`
}

type sendSweepsInput struct{ Body signedSweeps }

type sendSweepInput struct {
	ID   string `path:"id"`
	Body signedSweeps
}

func (s *Server) sendSweep(ctx context.Context, c *call, in *sendSweepInput) (reply, error) {
	plan, _, err := stateOf(ctx, s, sweepplan.Decider, sweepplan.ID(in.Body.PlanID))
	if err != nil {
		return reply{}, err
	}
	for _, w := range plan.Sweeps {
		if string(w.Destination) == in.ID {
			return s.takeSigned(ctx, c, in.Body)
		}
	}
	return reply{}, fault.ErrNotFound
}

func (s *Server) sendSweeps(ctx context.Context, c *call, in *sendSweepsInput) (reply, error) {
	return s.takeSigned(ctx, c, in.Body)
}

func (s *Server) takeSigned(ctx context.Context, c *call, b signedSweeps) (reply, error) {
	sweeping, err := s.sweeping()
	if err != nil {
		return reply{}, err
	}
	id := sweepplan.ID(b.PlanID)
	plan, _, err := stateOf(ctx, s, sweepplan.Decider, id)
	if err != nil {
		return reply{}, err
	}
	txs := make([]outgoing.Signed, 0, len(b.SignedTxs))
	for _, raw := range b.SignedTxs {
		tx, err := sweeping.Read(raw)
		if err != nil {
			return reply{}, err
		}
		txs = append(txs, tx)
	}
	if err := s.safekept(ctx, trezor.SweepKind, b.PlanID, plan.Signer == "hardware"); err != nil {
		return reply{}, err
	}
	f := funding.RecordSweeps{Issue: c.issue(), Plan: id, Txs: txs}
	// Every refusal of the decision comes before a word with the chain.
	if _, err := s.rehearse(ctx, c, f); err != nil {
		return reply{}, err
	}
	if err := sweeping.Ready(ctx, plan, txs); err != nil {
		return reply{}, err
	}
	if err := sweeping.Keep(ctx, txs); err != nil {
		return reply{}, err
	}
	answer, err := s.run(ctx, c, of(sweepplan.Decider, id), f)
	if err != nil {
		return answer, err
	}
	if err := sweeping.Send(ctx, plan, txs); err != nil {
		s.log.Warn("sweeps were recorded and not all sent yet", "plan", id, "error", err)
	}
	return answer, nil
}

type confirmSweepInput struct {
	ID   string `path:"id"`
	Body struct {
		PlanID string `json:"planId,omitempty" format:"uuid" doc:"Of a Safe's proposal"`
		TxHash string `json:"txHash,omitempty" pattern:"^(0x)?[0-9a-fA-F]{64}$" doc:"Which executed it"`
	}
}

func (s *Server) confirmSweep(ctx context.Context, c *call, in *confirmSweepInput) (reply, error) {
	sweeping, err := s.sweeping()
	if err != nil {
		return reply{}, err
	}
	id := domain.SweepID(in.ID)
	if in.Body.TxHash != "" {
		return s.executeSweep(ctx, c, sweeping, id, sweepplan.ID(in.Body.PlanID), in.Body.TxHash)
	}
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	w, err := v.Sweeps.Get(ctx, id)
	if err != nil {
		return reply{}, err
	}
	f, err := sweeping.Settled(ctx, w)
	if err != nil {
		return reply{}, err
	}
	// What is booked is what the chain showed; that somebody asked stands in the metadata.
	by := domain.Issue{By: domain.Machine(domain.Chain, "api"), At: c.issue().At}
	return s.run(ctx, c, of(destination.Decider, w.Destination), f.WitnessedBy(by))
}

func (s *Server) executeSweep(ctx context.Context, c *call, sweeping Sweeping, id domain.SweepID, plan sweepplan.ID, hash string) (reply, error) {
	state, _, err := stateOf(ctx, s, sweepplan.Decider, plan)
	if err != nil {
		return reply{}, err
	}
	w, ok := state.Find(id)
	if !ok || w.Proposal == nil {
		return reply{}, fault.ErrNotFound
	}
	tx, err := network.ParseTx(hash)
	if err != nil {
		return reply{}, err
	}
	if err := s.safekept(ctx, trezor.SweepKind, string(plan), false); err != nil {
		return reply{}, err
	}
	if err := sweeping.Executed(ctx, w, tx); err != nil {
		return reply{}, err
	}
	answer, err := s.run(ctx, c, of(sweepplan.Decider, plan), funding.ExecuteSweep{Issue: c.issue(), Plan: plan, Sweep: id, Tx: tx})
	if errors.Is(err, destination.ErrSweep) {
		err = fault.ErrNotFound
	}
	return answer, err
}
