package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/projections"
	"holdfast/projections/destinationview"
)

const destinationsPath = paymentsPath + "/derived-destinations"

func destinationRoutes() []Route {
	view := []string{destinationview.Name}
	route := func(method, rest, summary string, roles []domain.Capacity, class Class, errors ...string) Route {
		return Route{Method: method, Path: destinationsPath + rest, Roles: roles, Class: class, Rate: RateGeneral, Summary: summary, Errors: errors}
	}
	list := route("GET", "", "Derived pay-in addresses", admin, Query)
	one := route("GET", "/{id}", "One: path, payment, balances of ledger and chain, sweeps", admin, Query)
	list.Views, one.Views = view, view
	health := route("GET", "/health/config", "Key, addresses, gas, signer", admin, Query)
	health.Aliases = []string{destinationsPath + "/config/health"}
	return []Route{
		on[listDestinationsInput, []DestinationOut](list, (*Server).listDestinations),
		on[struct{}, SweepHealth](health, (*Server).sweepHealth),
		on[derivedInput, DestinationDetail](one, (*Server).getDestination),
		on[derivedInput, []DestinationBalance](route("POST", "/{id}/refresh-balance", "Ask the chain what stands there now", admin, PlainWrite, "CHAIN_UNAVAILABLE"), (*Server).refreshBalance),
		on[destinationReasonInput, funding.SweepAnswer](route("POST", "/{id}/quarantine", "Stop its money", adminGuard, Command), (*Server).quarantineDestination),
		on[destinationReasonInput, funding.SweepAnswer](route("POST", "/{id}/release", "Let its money move again", admin, Command), (*Server).releaseDestination),
		on[derivedInput, funding.SweepAnswer](route("POST", "/{id}/retire", "End the watch over an address that holds nothing", admin, Command), (*Server).retireDestination),
	}
}

// DestinationOut is a derived address in a list.
type DestinationOut struct {
	ID        domain.DestinationID `json:"id"`
	State     string               `json:"state"`
	Chain     uint64               `json:"chainId"`
	Address   string               `json:"address"`
	Path      string               `json:"path" doc:"Below the account's key"`
	Index     uint32               `json:"index"`
	PaymentID domain.PaymentID     `json:"paymentId,omitempty"`
	Confirmed []money.Amount       `json:"confirmed" doc:"Confirmed and not under way: what can be swept"`
	Reason    string               `json:"quarantineReason,omitempty"`
	CreatedAt time.Time            `json:"createdAt"`
}

// DestinationDetail is one derived address.
type DestinationDetail struct {
	DestinationOut
	Balances []DestinationBalance `json:"balances"`
	Sweeps   []SweepOut           `json:"sweeps"`
}

// DestinationBalance is an asset on an address: in the books, and what the chain last said.
type DestinationBalance struct {
	Ledger   BookedAmount  `json:"ledger"`
	Chain    *money.Amount `json:"chain" doc:"Null before anybody looked"`
	Agree    *bool         `json:"agree" doc:"Null before anybody looked; compared with the books of that moment"`
	LookedAt *time.Time    `json:"lookedAt,omitempty"`
}

// BookedAmount is an amount of the books, which a fact may have taken below zero.
type BookedAmount struct {
	Asset money.Asset `json:"asset"`
	Units string      `json:"units"`
}

type listDestinationsInput struct {
	Page
	Status string `query:"status" enum:"Derived,Assigned,Funded,Sweeping,Swept,Quarantined,Retired"`
	Chain  uint64 `query:"chain" minimum:"1"`
	Asset  string `query:"asset" maxLength:"200" doc:"That hold confirmed money in it"`
}

func (s *Server) listDestinations(ctx context.Context, _ *call, in *listDestinationsInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	f := destinationview.Filter{Phase: in.Status, Chain: in.Chain}
	if in.Asset != "" {
		asset, ok := s.deps.Registry.Asset(in.Asset)
		if !ok {
			return reply{}, fault.ErrValidation.At("query.asset", "unknown")
		}
		f.Asset = asset
	}
	list, err := v.Destinations.List(ctx, f, in.ask(projections.Newest))
	return listed(list, err, showDestination)
}

func showDestination(row destinationview.Row) DestinationOut {
	d := row.Doc
	out := DestinationOut{
		ID: domain.DestinationID(row.ID), State: d.PhaseName, Chain: d.Chain, Address: d.Address, Path: d.Path, Index: d.Index, PaymentID: d.Payment,
		Confirmed: []money.Amount{}, Reason: d.QuarantineReason, CreatedAt: row.CreatedAt,
	}
	for _, asset := range d.Assets() {
		if u := d.Balance[asset]; !u.IsZero() {
			out.Confirmed = append(out.Confirmed, money.Of(asset, u))
		}
	}
	return out
}

type derivedInput struct {
	ID string `path:"id"`
}

func (s *Server) destinationRow(ctx context.Context, id string) (destinationview.Row, error) {
	v, err := s.views()
	if err != nil {
		return destinationview.Row{}, err
	}
	return v.Destinations.Get(ctx, domain.DestinationID(id))
}

func (s *Server) getDestination(ctx context.Context, _ *call, in *derivedInput) (reply, error) {
	row, err := s.destinationRow(ctx, in.ID)
	if err != nil {
		return reply{}, err
	}
	out := DestinationDetail{DestinationOut: showDestination(row), Sweeps: []SweepOut{}}
	for _, w := range row.Doc.History {
		out.Sweeps = append(out.Sweeps, SweepOut{
			ID: w.ID, Destination: out.ID, Chain: out.Chain, Amount: w.Amount, Tx: w.Tx, State: w.Status, Block: w.Block, FailureCode: w.FailureCode, CreatedAt: w.At,
		})
	}
	var looked []ChainBalance
	if s.deps.SweepBooks != nil {
		if looked, err = s.deps.SweepBooks.Looked(ctx, out.ID); err != nil {
			return reply{}, err
		}
	}
	if out.Balances, err = s.balancesOf(ctx, row, looked); err != nil {
		return reply{}, err
	}
	return reply{data: out, version: row.Version}, nil
}

// balancesOf puts what the books say beside what the chain said.
func (s *Server) balancesOf(ctx context.Context, row destinationview.Row, looked []ChainBalance) ([]DestinationBalance, error) {
	all := []DestinationBalance{}
	seen := map[money.Asset]bool{}
	for _, b := range looked {
		seen[b.Asset] = true
		found, agree := money.Of(b.Asset, b.Found), b.Found.String() == b.Booked
		booked, err := s.booked(ctx, domain.DestinationID(row.ID), b.Asset)
		if err != nil {
			return nil, err
		}
		all = append(all, DestinationBalance{Ledger: booked, Chain: &found, Agree: &agree, LookedAt: timeOf(b.LookedAt)})
	}
	for _, asset := range row.Doc.Assets() {
		if seen[asset] {
			continue
		}
		booked, err := s.booked(ctx, domain.DestinationID(row.ID), asset)
		if err != nil {
			return nil, err
		}
		all = append(all, DestinationBalance{Ledger: booked})
	}
	return all, nil
}

// booked is what the ledger says stands on an address; of debit kind, like all custody.
func (s *Server) booked(ctx context.Context, d domain.DestinationID, asset money.Asset) (BookedAmount, error) {
	t, err := s.deps.Executor.Store().Balance(ctx, ledger.Derived(d), asset)
	if err != nil {
		return BookedAmount{}, err
	}
	if short, below := t.CreditsPosted.Sub(t.DebitsPosted); below && !short.IsZero() {
		return BookedAmount{Asset: asset, Units: "-" + short.String()}, nil
	}
	have, _ := t.DebitsPosted.Sub(t.CreditsPosted)
	return BookedAmount{Asset: asset, Units: have.String()}, nil
}

func (s *Server) sweepHealth(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	if s.deps.SweepBooks == nil {
		return reply{}, errNotConfigured
	}
	h, err := s.deps.SweepBooks.Health(ctx)
	return reply{data: h}, err
}

func (s *Server) refreshBalance(ctx context.Context, _ *call, in *derivedInput) (reply, error) {
	row, err := s.destinationRow(ctx, in.ID)
	if err != nil {
		return reply{}, err
	}
	if s.deps.SweepBooks == nil {
		return reply{}, errNotConfigured
	}
	looked, err := s.deps.SweepBooks.Look(ctx, row.Doc.State, row.Doc.Chain)
	if err != nil {
		return reply{}, err
	}
	all, err := s.balancesOf(ctx, row, looked)
	return reply{data: all}, err
}

type destinationReasonInput struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"3" maxLength:"500"`
	}
}

func (s *Server) onDestination(ctx context.Context, c *call, id string, f flow) (reply, error) {
	if _, _, err := stateOf(ctx, s, destination.Decider, domain.DestinationID(id)); err != nil {
		return reply{}, err
	}
	return s.run(ctx, c, of(destination.Decider, domain.DestinationID(id)), f)
}

func (s *Server) quarantineDestination(ctx context.Context, c *call, in *destinationReasonInput) (reply, error) {
	return s.onDestination(ctx, c, in.ID, funding.QuarantineDestination{Issue: c.issue(), Destination: domain.DestinationID(in.ID), Reason: in.Body.Reason})
}

func (s *Server) releaseDestination(ctx context.Context, c *call, in *destinationReasonInput) (reply, error) {
	return s.onDestination(ctx, c, in.ID, funding.ReleaseDestination{Issue: c.issue(), Destination: domain.DestinationID(in.ID), Reason: in.Body.Reason})
}

func (s *Server) retireDestination(ctx context.Context, c *call, in *derivedInput) (reply, error) {
	return s.onDestination(ctx, c, in.ID, funding.RetireDestination{Issue: c.issue(), Destination: domain.DestinationID(in.ID)})
}
