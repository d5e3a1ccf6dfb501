package wire

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/payment"
	"holdfast/domain/sweepplan"
	"holdfast/eventstore"
	apihttp "holdfast/http"
	"holdfast/projections/destinationview"
	"holdfast/projections/sweepview"
	"holdfast/projections/watchview"
	"holdfast/reactors"
)

// sweeps is what the server knows of derived addresses and their sweeps.
type sweeps struct {
	*reactors.SweepPlanner
	cron         *reactors.SweepCron
	chains       *Chains
	records      *records.Records
	executor     *eventstore.Executor
	destinations destinationview.Queries
}

// openSweeps makes the planner and the schedule.
func (s *Service) openSweeps(watch watchview.Queries) {
	views := sweepview.New(s.Jobs)
	planner := reactors.NewSweepPlanner(reactors.PlannerOptions{
		Chain: func(id uint64) (reactors.PlanChain, bool) {
			c, err := s.Chains.Client(id)
			return c, err == nil
		}, Token: s.Chains.Registry.Token, Executor: s.Executor, Watch: watch, Sweeps: views,
		Custodian: s.custodian(), Treasury: s.Chains.Treasury, Gas: s.Chains.Gas,
	})
	s.sweeps = &sweeps{
		SweepPlanner: planner, chains: s.Chains, records: s.Records, executor: s.Executor, destinations: destinationview.New(s.HTTP, s.Codec),
		cron: reactors.NewSweepCron(reactors.SweepCronOptions{
			Planner: planner, Runs: s.Records.Sweeps, Executor: s.Executor, Watch: watch, Plans: sweepview.NewPlans(s.Jobs, s.Codec),
			Chains: func() []uint64 { return slices.Collect(maps.Keys(s.Chains.All())) }, Token: s.Chains.Registry.Token, Log: s.Log,
		}),
	}
	if s.Config.SweepSigner != "local" && !s.sweptElsewhere() { // there the Sweeper does it
		s.loops = append(s.loops, s.sweeps.cron)
	}
}

// custodian is the signer that DERIVED_DESTINATION_SWEEP_SIGNER names.
func (s *Service) custodian() reactors.Custodian {
	switch s.Config.SweepSigner {
	case "safe":
		return reactors.Safe{Propose: evm.Propose}
	case "hardware":
		return reactors.Hardware{Registered: s.Records.Operations.Devices}
	}
	return reactors.BuildOnly{Local: s.Config.SweepSigner == "local"}
}

func (s *sweeps) Read(raw string) (outgoing.Signed, error) { return evm.DecodeSigned(raw) }

func (s *sweeps) Keep(ctx context.Context, txs []outgoing.Signed) error {
	for _, tx := range txs {
		if err := s.records.Transactions.Keep(ctx, tx.Chain, tx.Hash, tx.Raw); err != nil {
			return err
		}
	}
	return nil
}

func (s *sweeps) Settled(ctx context.Context, w sweepview.Sweep) (funding.SettleSweep, error) {
	chain, ok := s.chains.Registry.Chain(w.Chain)
	if !ok {
		return funding.SettleSweep{}, errNoChain.With("chain", w.Chain)
	}
	raw, err := s.raw(ctx, w)
	if err != nil {
		return funding.SettleSweep{}, err
	}
	c := chain.Confirmations
	rule := payment.Threshold{Need: max(c.Need, c.Floor, 1), Floor: c.Floor, Finalized: c.Tag == network.Finalized, Safe: c.Tag == network.Safe}
	return s.SweepPlanner.Settled(ctx, w, raw, evm.Decode, rule)
}

// raw gives the bytes of a sweep; none of one that a Safe's owners executed.
func (s *sweeps) raw(ctx context.Context, w sweepview.Sweep) (string, error) {
	d, err := s.destinations.Get(ctx, w.Destination)
	if err != nil {
		return "", err
	}
	for _, h := range slices.Backward(d.Doc.History) {
		if h.ID == w.ID {
			return h.Raw, nil
		}
	}
	return "", nil
}

func (s *sweeps) RunNow(ctx context.Context, by domain.Actor, dry bool, limit int) (sweepplan.Report, error) {
	return s.cron.RunNow(ctx, by, dry, limit)
}

func (s *sweeps) Runs(ctx context.Context, limit int) ([]apihttp.SweepRun, error) {
	rows, err := s.records.Sweeps.Runs(ctx, limit)
	all := make([]apihttp.SweepRun, len(rows))
	for i, r := range rows {
		all[i] = apihttp.SweepRun{ID: r.ID, Actor: r.Actor, Dry: r.Dry, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt, Report: r.Report}
	}
	return all, err
}

// Look asks for what the books know of the address, and for its coin: gas that was left.
func (s *sweeps) Look(ctx context.Context, d destination.State, chain uint64) ([]apihttp.ChainBalance, error) {
	client, err := s.chains.Client(chain)
	if err != nil {
		return nil, err
	}
	assets := d.Assets()
	if coin := network.NativeAsset(chain); !slices.Contains(assets, coin) {
		assets = append(assets, coin)
	}
	var all []apihttp.ChainBalance
	for _, asset := range assets {
		found, err := client.Balance(ctx, asset, d.Address)
		if err != nil {
			return nil, err
		}
		booked, err := s.booked(ctx, d.ID, asset)
		if err != nil {
			return nil, err
		}
		b, err := s.records.Sweeps.Look(ctx, d.ID, records.ChainBalance{Asset: asset, Found: found, Booked: booked})
		if err != nil {
			return nil, err
		}
		all = append(all, apihttp.ChainBalance(b))
	}
	return all, nil
}

func (s *sweeps) booked(ctx context.Context, id domain.DestinationID, asset money.Asset) (string, error) {
	t, err := s.executor.Store().Balance(ctx, ledger.Derived(id), asset)
	if err != nil {
		return "", err
	}
	if short, below := t.CreditsPosted.Sub(t.DebitsPosted); below && !short.IsZero() {
		return "-" + short.String(), nil
	}
	have, _ := t.DebitsPosted.Sub(t.CreditsPosted)
	return have.String(), nil
}

func (s *sweeps) Looked(ctx context.Context, d domain.DestinationID) ([]apihttp.ChainBalance, error) {
	rows, err := s.records.Sweeps.Looked(ctx, d)
	all := make([]apihttp.ChainBalance, len(rows))
	for i, r := range rows {
		all[i] = apihttp.ChainBalance(r)
	}
	return all, err
}

// gapLimit is after how many unused addresses a wallet stops to look for money (BIP-44).
const gapLimit = 20

func (s *sweeps) Health(ctx context.Context) (h apihttp.SweepHealth, err error) {
	fingerprint := s.chains.Fingerprint()
	h = apihttp.SweepHealth{Signer: s.Mode(), SignerReady: true, Fingerprint: fingerprint, Matches: true, Treasury: s.chains.Treasury, GasWallet: s.chains.Gas}
	if s.Mode() == "hardware" {
		if h.SignerReady, err = s.records.Operations.Devices(ctx); err != nil {
			return h, err
		}
	}
	if h.First, _, err = s.chains.Deriver.Address(0); err != nil {
		return h, err
	}
	ends, err := s.destinations.Ends(ctx, fingerprint)
	if err != nil {
		return h, err
	}
	for _, row := range ends {
		address, _, err := s.chains.Deriver.Address(row.Doc.Index)
		h.Matches = h.Matches && err == nil && outgoing.SameAddress(address, row.Doc.Address)
	}
	given, err := s.records.Destinations.Given(ctx, fingerprint)
	if err != nil {
		return h, err
	}
	h.LastIndex, h.Given = given.Last, given.Count
	if given.Last != nil {
		h.Holes = int(*given.Last) + 1 - given.Count
	}
	if h.Gap, err = s.destinations.Gap(ctx, fingerprint); err != nil {
		return h, err
	}
	h.GapTooLong, h.Gas = h.Gap > gapLimit, s.gas(ctx)
	return h, nil
}

// gas asks every chain; one that does not answer does not hide the others.
func (s *sweeps) gas(ctx context.Context) []apihttp.GasWallet {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	all := []apihttp.GasWallet{}
	for _, id := range slices.Sorted(maps.Keys(s.chains.All())) {
		coin := network.NativeAsset(id)
		found, err := s.chains.All()[id].Balance(ctx, coin, s.chains.Gas)
		g := apihttp.GasWallet{Chain: id, Balance: money.Of(coin, found)}
		if f, ok := errors.AsType[*fault.Error](err); ok {
			g.Error = f.Code
		} else if err != nil {
			g.Error = "CHAIN_UNAVAILABLE"
		}
		all = append(all, g)
	}
	return all
}
