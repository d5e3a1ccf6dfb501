package reactors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/sweepplan"
	"holdfast/domain/sweepschedule"
	"holdfast/eventstore"
	"holdfast/projections/sweepview"
	"holdfast/projections/watchview"
)

// PlannerOptions join a SweepPlanner.
type PlannerOptions struct {
	Chain     func(id uint64) (PlanChain, bool) // one may be added while the service runs
	Token     func(money.Asset) (network.Token, bool)
	Executor  *eventstore.Executor
	Watch     watchview.Queries
	Sweeps    sweepview.Queries
	Custodian Custodian
	Treasury  string        // where sweeps go
	Gas       string        // the address that pays for gas
	Life      time.Duration // of a plan; 30 minutes when 0: nonces and prices move on
}

// SweepPlanner prepares sweeps for a signer outside. It writes nothing.
type SweepPlanner struct{ o PlannerOptions }

// NewSweepPlanner makes one.
func NewSweepPlanner(o PlannerOptions) *SweepPlanner {
	o.Life = orDefault(o.Life, 30*time.Minute)
	return &SweepPlanner{o}
}

// Mode says which signer is in force.
func (p *SweepPlanner) Mode() string { return p.o.Custodian.Mode() }

// errBelow is a reason to leave money where it is, not a refusal.
var errBelow = destination.ErrNothing.Because("the amount is not worth a sweep")

// Prepare looks everything up and makes a plan of what may be swept now. Errors when nothing is:
// that of the only destination, else NOTHING_TO_SWEEP; GAS_TOO_HIGH for the whole plan.
func (p *SweepPlanner) Prepare(ctx context.Context, wish sweepplan.Wish) (plan sweepplan.Planned, left []sweepplan.Left, err error) {
	token, ok := p.o.Token(wish.Asset)
	chain, configured := p.o.Chain(token.Chain)
	if !ok || !configured {
		return plan, nil, network.ErrUnknownAsset.With("found", wish.Asset)
	}
	settings, _, err := eventstore.FreshState(ctx, p.o.Executor, sweepschedule.Decider, sweepschedule.Stream)
	if err != nil {
		return plan, nil, err
	}
	now, err := p.o.Executor.Store().Now(ctx)
	if err != nil {
		return plan, nil, err
	}
	ids, err := p.candidates(ctx, token.Chain, wish)
	if err != nil {
		return plan, nil, err
	}
	d := &draft{
		p: p, chain: chain, token: token, limits: settings.Settings, min: wish.Min, filling: map[domain.DestinationID]bool{},
		plan: sweepplan.Planned{Chain: token.Chain, Signer: p.Mode(), ExpiresAt: now.Add(p.o.Life)},
	}
	if err := d.gasSoFar(ctx, now); err != nil {
		return plan, nil, err
	}
	limit := min(cmp.Or(wish.Limit, d.limits.MaxSweeps), d.limits.MaxSweeps)
	var first error
	for _, id := range ids {
		if len(d.plan.Sweeps) == limit {
			break
		}
		err := d.add(ctx, id)
		f, refused := fault.From(err)
		switch {
		case err == nil:
		case !refused || judge(err) != final || errors.Is(err, sweepplan.ErrGasTooHigh):
			return plan, nil, err
		default:
			first = cmp.Or[error](first, err)
			left = append(left, sweepplan.Left{Destination: id, Code: f.Code, Reason: f.Message})
		}
	}
	if len(d.plan.Sweeps) > 0 {
		return d.plan, left, nil
	}
	if len(ids) != 1 || first == nil {
		first = destination.ErrNothing
	}
	return plan, left, first
}

func (p *SweepPlanner) candidates(ctx context.Context, chain uint64, wish sweepplan.Wish) ([]domain.DestinationID, error) {
	if len(wish.Destinations) > 0 {
		return wish.Destinations, nil
	}
	all, err := p.o.Watch.Sweepable(ctx, chain)
	var ids []domain.DestinationID
	for _, s := range all {
		if s.Asset == wish.Asset {
			ids = append(ids, s.Destination)
		}
	}
	return ids, err
}

// draft is a plan that grows.
type draft struct {
	p      *SweepPlanner
	chain  PlanChain
	token  network.Token
	limits sweepschedule.Settings
	min    money.Units
	plan   sweepplan.Planned

	gas     money.Units                   // sent as top-ups in the last day, and in this plan
	nonce   *uint64                       // the gas address's next
	filling map[domain.DestinationID]bool // gas is under way to it
}

func (d *draft) gasSoFar(ctx context.Context, now time.Time) (err error) {
	if d.gas, err = d.p.o.Sweeps.GasSince(ctx, d.token.Chain, now.Add(-24*time.Hour)); err != nil {
		return err
	}
	open, err := d.p.o.Sweeps.TopUps(ctx, d.token.Chain)
	for _, t := range open {
		d.filling[t.Destination] = true
	}
	return err
}

// add puts a destination's money into the plan, or says why not.
func (d *draft) add(ctx context.Context, id domain.DestinationID) error {
	state, _, err := eventstore.FreshState(ctx, d.p.o.Executor, destination.Decider, string(id))
	if err != nil {
		return err
	}
	amount, err := d.sweepable(ctx, state)
	if err != nil {
		return err
	}
	w := sweepplan.Sweep{
		Destination: id, Index: state.Index,
		Instruction: outgoing.Signable{Transfer: outgoing.Transfer{Chain: d.token.Chain, From: state.Address, To: d.p.o.Treasury, Token: d.token.Address, Amount: amount}},
	}
	u, err := d.p.o.Custodian.Arrange(ctx, d.chain, len(d.plan.Sweeps), &w)
	if err == nil && u != nil && d.token.Address == "" {
		if w.Instruction.Amount, err = lessGas(w.Instruction.Amount, *u); err == nil {
			u, err = d.p.o.Custodian.Arrange(ctx, d.chain, len(d.plan.Sweeps), &w)
		}
	}
	if err != nil {
		return err
	}
	if u != nil {
		if d.limits.MaxGasPrice.Less(u.MaxFee) {
			return sweepplan.ErrGasTooHigh.With("limit", d.limits.MaxGasPrice).With("found", u.MaxFee)
		}
		if err := d.fill(ctx, id, state.Address, *u); err != nil {
			return err
		}
	}
	d.plan.Sweeps = append(d.plan.Sweeps, w)
	return nil
}

// sweepable is the confirmed money of a destination. More may stand there that the chain can
// still undo; it stays.
func (d *draft) sweepable(ctx context.Context, s destination.State) (money.Amount, error) {
	asset := d.token.Asset()
	amount := money.Of(asset, s.Balance[asset])
	found := money.Zero
	if s.ID != "" {
		var err error
		if found, err = d.chain.Balance(ctx, asset, s.Address); err != nil {
			return amount, err
		}
	}
	err := s.Sweepable(amount)
	switch {
	case errors.Is(err, destination.ErrNothing) && !found.IsZero():
		return amount, sweepplan.ErrNotFinal.With("found", found)
	case err != nil:
		return amount, err
	case s.InFlight(""):
		return amount, destination.ErrInFlight
	case s.Undone(asset):
		return amount, destination.ErrInFlight.Because("the chain has undone a sweep of it, and may carry it out again")
	case amount.Units.Less(d.min):
		return amount, errBelow
	case d.token.Address == "":
		// What earlier sweeps of coin cost was paid from it.
		amount.Units = amount.Units.Min(found)
	case found.Less(amount.Units):
		return amount, sweepplan.ErrNotAllowed.Because("the address holds less than the books say").With("booked", amount.Units).With("found", found)
	}
	return amount, nil
}

// lessGas leaves at an address what its sweep of native coin may cost, and a quarter more: prices
// move until the transaction is built anew. What is not used stays there.
func lessGas(amount money.Amount, u network.Unsigned) (money.Amount, error) {
	left, ok := amount.Units.Sub(u.Cost().MulDivFloor(money.FromUint64(5), money.FromUint64(4)))
	if !ok || left.IsZero() {
		return amount, errBelow
	}
	return money.Of(amount.Asset, left), nil
}

// fill plans gas for an address that lacks it: what is missing, and a quarter more.
func (d *draft) fill(ctx context.Context, id domain.DestinationID, address string, u network.Unsigned) error {
	short, err := d.chain.Shortfall(ctx, u)
	if err != nil || short.IsZero() {
		return err
	}
	if d.filling[id] {
		return sweepplan.ErrSigned.Because("gas for this destination is under way")
	}
	more := short.MulDivFloor(money.FromUint64(5), money.FromUint64(4))
	sum := d.gas.Plus(more)
	if d.limits.DailyGas.Less(sum) {
		return sweepplan.ErrGasTooHigh.Because("top-ups of this chain would be more than is allowed in a day").With("limit", d.limits.DailyGas).With("found", sum)
	}
	if d.nonce == nil {
		n, err := d.chain.NextNonce(ctx, d.p.o.Gas)
		if err != nil {
			return err
		}
		d.nonce = &n
	}
	coin := money.Of(network.NativeAsset(d.token.Chain), more)
	i, _, err := d.chain.Instruct(ctx, outgoing.Transfer{Chain: d.token.Chain, From: d.p.o.Gas, To: address, Amount: coin, Nonce: *d.nonce})
	if err != nil {
		return fmt.Errorf("plan gas for %s: %w", address, err)
	}
	d.gas, *d.nonce = sum, *d.nonce+1
	d.plan.TopUps = append(d.plan.TopUps, sweepplan.TopUp{Destination: id, Instruction: i})
	return nil
}
