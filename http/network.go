package http

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/listing"
	"holdfast/domain/network"
	"holdfast/projections/networkview"
)

const networksPath = "/api/admin/rn/networks"

var chainNames = map[string]string{"chainId": "a number"}

func networkRoutes() []Route {
	address := map[string]string{"chainId": "a number", "address": "an address"}
	query := func(rest, summary string, names map[string]string) Route {
		return Route{Method: "GET", Path: networksPath + rest, Names: names, Roles: admin, Class: Query, Rate: RateGeneral, Views: []string{networkview.Name}, Summary: summary}
	}
	command := func(method, rest, summary string, names map[string]string, errors ...string) Route {
		return Route{Method: method, Path: networksPath + rest, Names: names, Roles: admin, Class: Command, Rate: RateGeneral, Summary: summary, Errors: errors}
	}
	two := []string{"APPROVAL_REQUIRED", "SELF_APPROVAL", "CHAIN_MISMATCH", "DECIMALS_MISMATCH", "CHAIN_UNAVAILABLE", "URL_NOT_ALLOWED", "INVALID_ADDRESS", "REGISTRY_CONFLICT"}
	return []Route{
		on[struct{}, []NetworkOut](query("", "Every chain that is known, enabled or not", nil), (*Server).listNetworks),
		on[chainInput, NetworkOut](query("/{chainId}", "One chain with its changes", chainNames), (*Server).getNetwork),
		on[enableInput, listing.Answer](command("POST", "", "Enable a chain; two admins", nil, append(two, "CHAIN_UNSUPPORTED")...), (*Server).enableNetwork),
		on[changeNetworkInput, listing.Answer](command("PATCH", "/{chainId}", "Describe a chain otherwise; two admins for nodes, contracts and finality", chainNames, two...), (*Server).changeNetwork),
		on[disableNetworkInput, listing.Answer](command("DELETE", "/{chainId}", "Disable a chain for new payments", chainNames, "CHAIN_IN_USE"), (*Server).disableNetwork),
		on[registerTokenInput, listing.Answer](command("POST", "/{chainId}/tokens", "Take a token; two admins", chainNames, append(two, "TOKEN_UNSUPPORTED", "TOKEN_ALREADY_LISTED")...), (*Server).registerToken),
		on[changeTokenInput, listing.Answer](command("PATCH", "/{chainId}/tokens/{address}", "Describe a token otherwise or take it again; two admins for decimals and kind", address, append(two, "CHAIN_IN_USE", "TOKEN_UNSUPPORTED")...), (*Server).changeToken),
		on[disableTokenInput, listing.Answer](command("DELETE", "/{chainId}/tokens/{address}", "Stop taking a token for new payments", address), (*Server).disableToken),
		on[addProxyInput, listing.Answer](command("POST", "/{chainId}/proxies", "Believe one more payment contract; two admins", chainNames, two...), (*Server).addProxy),
		on[retireProxyInput, listing.Answer](command("DELETE", "/{chainId}/proxies/{address}", "Stop offering a payment contract, or believing it", address), (*Server).retireProxy),
		on[struct{}, Reloaded](command("POST", "/reload", "Put in force in this process what the log says now", nil), (*Server).reloadNetworks),
		on[chainInput, ProbeOut](command("POST", "/{chainId}/probe", "Ask the nodes of a chain; a token whose decimals differ is disabled", chainNames, "CHAIN_UNAVAILABLE", "CHAIN_MISMATCH", "CHAIN_NOT_CONFIGURED"), (*Server).probeNetwork),
	}
}

var errRegistryConflict = fault.New(fault.Rule, "REGISTRY_CONFLICT", "this cannot stand beside the other chains and tokens")

// NetworkOut is a chain as admins see it.
type NetworkOut struct {
	ChainID       uint64                `json:"chainId"`
	Name          string                `json:"name"`
	Aliases       []string              `json:"aliases,omitempty"`
	Family        network.Family        `json:"family,omitempty" doc:"Empty for EVM; others are listed only"`
	Enabled       bool                  `json:"enabled"`
	Watched       bool                  `json:"watched" doc:"This process follows it"`
	State         string                `json:"state" enum:"Untouched,Enabled,Disabled"`
	Testnet       bool                  `json:"testnet"`
	Native        network.Native        `json:"nativeAsset"`
	Confirmations network.Confirmations `json:"confirmations"`
	Explorer      string                `json:"explorer,omitempty"`
	BlockTime     uint32                `json:"blockTime,omitempty" doc:"Seconds"`
	Nodes         []string              `json:"nodes" doc:"Hosts of the nodes that admins have named; their paths may hold keys"`
	Proxies       []ProxyOut            `json:"proxies"`
	Tokens        []ListedToken         `json:"tokens"`
	Changes       []networkview.Change  `json:"changes,omitempty"`
}

// ProxyOut is a payment contract of a chain.
type ProxyOut struct {
	Kind    network.ProxyKind `json:"kind"`
	Address string            `json:"address"`
	Version string            `json:"version,omitempty"`
	Retired bool              `json:"retired" doc:"Still believed, not offered"`
}

// ListedToken is a token of a chain, taken or not.
type ListedToken struct {
	OfferedToken
	Kind      network.TokenKind `json:"kind"`
	Enabled   bool              `json:"enabled"`
	RequestID string            `json:"requestNetworkId,omitempty"`
}

func (s *Server) registryInForce() (Networks, Nodes, error) {
	if s.deps.Networks == nil || s.deps.Nodes == nil {
		return nil, nil, errNotConfigured
	}
	return s.deps.Networks, s.deps.Nodes, nil
}

func (s *Server) networkOut(c network.Chain) NetworkOut {
	l := s.deps.Networks.Listing(c.ID)
	out := NetworkOut{
		ChainID: c.ID, Name: c.Name, Aliases: c.Aliases, Family: c.Family, Enabled: !c.Disabled, Watched: s.deps.Nodes.Watched(c.ID), State: l.Phase(),
		Testnet: c.Testnet, Native: c.Native, Confirmations: c.Confirmations, Explorer: c.Explorer, BlockTime: c.BlockTime,
		Nodes: []string{}, Proxies: []ProxyOut{}, Tokens: []ListedToken{},
	}
	if l.Definition != nil {
		for _, n := range l.Definition.Nodes {
			out.Nodes = append(out.Nodes, s.deps.Nodes.Host(n.Text))
		}
	}
	for _, p := range c.Proxies {
		out.Proxies = append(out.Proxies, ProxyOut(p))
	}
	for _, t := range c.Tokens {
		t.Chain = c.ID
		if t.Kind == "" {
			t.Kind = network.ERC20
		}
		out.Tokens = append(out.Tokens, ListedToken{
			OfferedToken: OfferedToken{Asset: string(t.Asset()), Alias: t.Alias(), Symbol: t.Symbol, Address: t.Address, Decimals: t.Decimals},
			Kind:         t.Kind, Enabled: !t.Disabled, RequestID: t.RequestID,
		})
	}
	return out
}

func (s *Server) listNetworks(context.Context, *call, *struct{}) (reply, error) {
	book, _, err := s.registryInForce()
	if err != nil {
		return reply{}, err
	}
	all := []NetworkOut{}
	for _, c := range book.Chains() {
		all = append(all, s.networkOut(c))
	}
	return reply{data: all}, nil
}

type chainInput struct {
	ChainID uint64 `path:"chainId"`
}

func (s *Server) getNetwork(ctx context.Context, _ *call, in *chainInput) (reply, error) {
	book, _, err := s.registryInForce()
	if err != nil {
		return reply{}, err
	}
	c, ok := book.Chain(in.ChainID)
	if !ok {
		return reply{}, fault.ErrNotFound
	}
	out := s.networkOut(c)
	row, err := s.deps.Views.Networks.Get(ctx, in.ChainID)
	if err == nil {
		out.Changes = row.Doc.Changes
	} else if errors.Is(err, fault.ErrNotFound) {
		err = nil
	}
	return reply{data: out, version: row.Version}, err
}

// decision begins a command about a chain.
func (s *Server) decision(c *call, chain uint64, reason string, first domain.UserID) listing.Decision {
	base, _ := s.deps.Networks.Table(chain)
	d := listing.Decision{Issue: c.issue(), Chain: chain, Base: base, Reason: reason}
	if first != "" {
		d.Approver = domain.User(first, domain.Admin)
	}
	return d
}

// agreed finds the other admin who has asked for the same change of a chain; what was said to
// be the reason does not matter.
func (s *Server) agreed(ctx context.Context, c *call, kind string, chain uint64, what any) (domain.UserID, reply, error) {
	raw, err := json.Marshal(what)
	if err != nil {
		return "", reply{}, err
	}
	return s.second(ctx, c, kind, strconv.FormatUint(chain, 10), string(raw))
}

// putInForce runs commands about a chain and waits until this process uses what they changed.
func (s *Server) putInForce(ctx context.Context, c *call, f listing.Decide) (reply, error) {
	_, f.Floor = s.deps.Networks.Table(f.Chain)
	answer, err := s.run(ctx, c, of(listing.Decider, listing.ID(f.Chain)), f)
	if err != nil || answer.meta.Position == 0 {
		return answer, err
	}
	wait, cancel := context.WithTimeout(ctx, lagLimit)
	defer cancel()
	// The change is made; that this process is late to use it is no refusal.
	if err := s.deps.Networks.Reach(wait, answer.meta.Position); err != nil {
		s.log.WarnContext(ctx, "a change of a network is in the log and not in force here yet", "chain", f.Chain, "error", err)
	}
	return answer, nil
}

// fits says whether the registry could be built with the chain as it is going to be.
func (s *Server) fits(c network.Chain) error {
	if err := s.deps.Networks.Try(c); err != nil {
		if f, ok := fault.From(err); ok {
			return f
		}
		return errRegistryConflict.Because("%s", errRegistryConflict.Message).With("problem", err)
	}
	return nil
}

// Reloaded is how many chains are in force, and up to which position of the log.
type Reloaded struct {
	Chains   int       `json:"chains"`
	Position int64     `json:"position"`
	At       time.Time `json:"at"`
}

func (s *Server) reloadNetworks(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	book, _, err := s.registryInForce()
	if err != nil {
		return reply{}, err
	}
	head, err := s.deps.Executor.Store().Head(ctx)
	if err != nil {
		return reply{}, err
	}
	wait, cancel := context.WithTimeout(ctx, lagLimit)
	defer cancel()
	if err := book.Reach(wait, head.Position); err != nil {
		if ctx.Err() == nil && wait.Err() != nil {
			return reply{}, errLag.With("view", networkview.Name)
		}
		return reply{}, err
	}
	return reply{data: Reloaded{Chains: len(book.Chains()), Position: head.Position, At: time.Now().UTC()}}, nil
}

// ProbeOut is what the nodes say, and which tokens were disabled for it.
type ProbeOut struct {
	network.Probe
	OK       bool     `json:"ok"`
	Disabled []string `json:"disabledTokens" doc:"Their contracts say other decimals than the registry"`
}

func (s *Server) probeNetwork(ctx context.Context, c *call, in *chainInput) (reply, error) {
	book, nodes, err := s.registryInForce()
	if err != nil {
		return reply{}, err
	}
	chain, ok := book.Chain(in.ChainID)
	if !ok {
		return reply{}, fault.ErrNotFound
	}
	p, err := nodes.Probe(ctx, chain, nil)
	if err != nil {
		return reply{}, err
	}
	out := ProbeOut{Probe: p, OK: p.Check() == nil, Disabled: []string{}}
	f := listing.Decide{Decision: s.decision(c, in.ChainID, "the contract says other decimals than the registry", "")}
	for _, t := range p.Tokens {
		if t.OnChain != nil && *t.OnChain != t.Decimals {
			out.Disabled = append(out.Disabled, t.Address)
			f.Commands = append(f.Commands, listing.DisableToken{Decision: f.Decision, Address: t.Address})
		}
		out.OK = out.OK && t.OK
	}
	for _, x := range p.Proxies {
		out.OK = out.OK && x.OK
	}
	if len(f.Commands) == 0 {
		return reply{data: out}, nil
	}
	s.log.ErrorContext(ctx, "tokens are disabled: their contracts say other decimals than the registry", "chain", in.ChainID, "tokens", out.Disabled)
	answer, err := s.putInForce(ctx, c, f)
	answer.data = out
	return answer, err
}
