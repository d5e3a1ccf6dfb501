package http

import (
	"context"
	"strconv"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/listing"
	"holdfast/domain/network"
	"holdfast/domain/payment"
)

// NativeIn is a chain's coin.
type NativeIn struct {
	Symbol   string `json:"symbol" minLength:"1" maxLength:"20"`
	Decimals int    `json:"decimals" minimum:"0" maximum:"36"`
}

// FinalityIn says when a transfer counts, unless a confirmation threshold says otherwise.
type FinalityIn struct {
	Kind  string `json:"kind" enum:"tag,depth"`
	Value string `json:"value" pattern:"^(finalized|safe|[0-9]{1,9})$" doc:"finalized or safe for a tag, a number of blocks for a depth"`
}

// ChainIn is what may be said of a chain.
type ChainIn struct {
	Name         string      `json:"name,omitempty" maxLength:"40" pattern:"^[a-z0-9][a-z0-9-]*$"`
	RPCURLs      []string    `json:"rpcUrls,omitempty" maxItems:"8" doc:"JSON-RPC nodes; stored sealed, shown by their host alone"`
	Explorer     string      `json:"explorer,omitempty" maxLength:"200" pattern:"^https://"`
	Native       *NativeIn   `json:"nativeAsset,omitempty"`
	ProxyAddress string      `json:"proxyAddress,omitempty" maxLength:"42"`
	ProxyKind    string      `json:"proxyKind,omitempty" enum:"erc20_fee_proxy,ethereum_fee_proxy" doc:"Left out = erc20_fee_proxy"`
	BlockTime    *int        `json:"blockTime,omitempty" minimum:"0" maximum:"3600" doc:"Seconds"`
	Finality     *FinalityIn `json:"finality,omitempty"`
	Testnet      *bool       `json:"testnet,omitempty"`
}

// plan is a change of a chain that was looked at and may be agreed to.
type plan struct {
	definition listing.Definition
	proxy      *network.Proxy
	urls       []string // nil: as before
	chain      network.Chain
}

// plan reads what is said of a chain over what is known of it.
func (s *Server) plan(ctx context.Context, id uint64, in ChainIn) (p plan, err error) {
	p.chain, _ = s.deps.Networks.Chain(id)
	p.chain.ID = id
	d := listing.Definition{
		Name: p.chain.Name, Native: p.chain.Native, Explorer: p.chain.Explorer, BlockTime: p.chain.BlockTime, Testnet: p.chain.Testnet,
		Need: p.chain.Confirmations.Need, Tag: p.chain.Confirmations.Tag,
	}
	if was := s.deps.Networks.Listing(id).Definition; was != nil {
		d.Nodes = was.Nodes
	}
	if in.Name != "" {
		d.Name = in.Name
	}
	if in.Native != nil {
		d.Native = network.Native{Symbol: in.Native.Symbol, Decimals: uint8(in.Native.Decimals)}
	}
	if in.Explorer != "" {
		d.Explorer = in.Explorer
	}
	if in.BlockTime != nil {
		d.BlockTime = uint32(*in.BlockTime)
	}
	if in.Testnet != nil {
		d.Testnet = *in.Testnet
	}
	_, floor := s.deps.Networks.Table(id)
	if d.Need, d.Tag, err = in.finality(d, floor); err != nil {
		return p, err
	}
	if len(in.RPCURLs) > 0 {
		p.urls, d.Nodes = in.RPCURLs, nil
		for _, u := range in.RPCURLs {
			if err := s.deps.Nodes.CheckURL(ctx, u); err != nil {
				return p, err
			}
			d.Nodes = append(d.Nodes, domain.About(nodesSubject(id), u))
		}
	}
	p.definition = d
	c := &p.chain
	c.Name, c.Native, c.Explorer, c.BlockTime, c.Testnet = d.Name, d.Native, d.Explorer, d.BlockTime, d.Testnet
	c.Confirmations = network.Confirmations{Need: max(d.Need, floor), Floor: floor, Tag: d.Tag}
	if in.ProxyAddress != "" {
		if p.proxy, err = s.proxy(in.ProxyAddress, in.ProxyKind, ""); err != nil {
			return p, at(err, "proxyAddress")
		}
		if _, listed := listing.Proxy(*c, p.proxy.Address); !listed {
			c.Proxies = append(c.Proxies[:len(c.Proxies):len(c.Proxies)], *p.proxy)
		}
	}
	return p, nil
}

// nodesSubject is whose key seals the nodes of a chain.
func nodesSubject(chain uint64) domain.UserID {
	return domain.UserID(domain.DeriveID(strconv.FormatUint(chain, 10), "nodes of a network"))
}

// finality reads the rule of confirmation; what is not said stays.
func (in ChainIn) finality(d listing.Definition, floor uint64) (need uint64, tag network.Tag, err error) {
	need = max(d.Need, floor)
	if in.Finality == nil {
		return need, d.Tag, nil
	}
	blocks, wrong := strconv.ParseUint(in.Finality.Value, 10, 31)
	number := wrong == nil
	switch {
	case in.Finality.Kind == "tag" && !number:
		return need, network.Tag(in.Finality.Value), nil
	case in.Finality.Kind == "depth" && number && blocks >= floor:
		return blocks, network.NoTag, nil
	case in.Finality.Kind == "depth" && number:
		return 0, "", payment.ErrBelowFloor.With("floor", floor).With("found", blocks)
	}
	return 0, "", fault.ErrValidation.At("finality.value", "finalized or safe for a tag, a number of blocks for a depth")
}

func (s *Server) proxy(address, kind, version string) (*network.Proxy, error) {
	canonical, err := s.deps.Nodes.Address(address)
	if err != nil {
		return nil, err
	}
	return &network.Proxy{Kind: network.ProxyKind(orElse(kind, string(network.ERC20FeeProxy))), Address: canonical, Version: version}, nil
}

type enableInput struct {
	Body struct {
		ChainID uint64 `json:"chainId" minimum:"1" maximum:"9007199254740991"`
		ChainIn
		Reason string `json:"reason" minLength:"3" maxLength:"500"`
	}
}

func (s *Server) enableNetwork(ctx context.Context, c *call, in *enableInput) (reply, error) {
	return s.enable(ctx, c, in.Body.ChainID, in.Body.ChainIn, in.Body.Reason)
}

// enable looks at everything an admin alone can get wrong before it asks for the second one.
func (s *Server) enable(ctx context.Context, c *call, id uint64, in ChainIn, reason string) (reply, error) {
	_, nodes, err := s.registryInForce()
	if err != nil {
		return reply{}, err
	}
	p, err := s.plan(ctx, id, in)
	if err != nil {
		return reply{}, err
	}
	if p.chain.Family != network.EVM {
		return reply{}, listing.ErrUnsupported.With("family", p.chain.Family)
	}
	if len(p.definition.Nodes) == 0 && !nodes.Watched(id) {
		return reply{}, fault.ErrValidation.At("rpcUrls", "a chain that nobody watches needs at least one node")
	}
	p.chain.Disabled = false
	if err := s.fits(p.chain); err != nil {
		return reply{}, err
	}
	if err := s.believable(ctx, p); err != nil {
		return reply{}, err
	}
	first, waiting, err := s.agreed(ctx, c, "network enable", id, in)
	if err != nil || first == "" {
		return waiting, err
	}
	d := s.decision(c, id, reason, first)
	f := listing.Decide{Decision: d, Commands: []domain.Command{listing.Enable{Decision: d, Definition: p.definition}}, Restart: p.urls != nil && nodes.Watched(id)}
	if p.proxy != nil {
		f.Commands = append(f.Commands, listing.AddProxy{Decision: d, Proxy: *p.proxy})
	}
	return s.putInForce(ctx, c, f)
}

// believable asks the nodes whether they serve the chain, and its contracts whether they are
// what is said of them.
func (s *Server) believable(ctx context.Context, p plan) error {
	found, err := s.deps.Nodes.Probe(ctx, p.chain, p.urls)
	if err != nil {
		return err
	}
	if err := found.Check(); err != nil {
		return err
	}
	return missing(found, p.proxy)
}

// codeAt demands that there is a contract where the new one is said to be.
func (s *Server) codeAt(ctx context.Context, chain network.Chain, x network.Proxy) error {
	chain.Tokens, chain.Proxies = nil, []network.Proxy{x}
	found, err := s.deps.Nodes.Probe(ctx, chain, nil)
	if err != nil {
		return err
	}
	return missing(found, &x)
}

func missing(found network.Probe, x *network.Proxy) error {
	for _, is := range found.Proxies {
		if x != nil && is.Address == x.Address && !is.OK {
			return network.ErrInvalidAddress.Because("there is no contract at this address").With("address", is.Address)
		}
	}
	return nil
}

type changeNetworkInput struct {
	ChainID uint64 `path:"chainId"`
	Body    struct {
		ChainIn
		Enabled *bool  `json:"enabled,omitempty"`
		Reason  string `json:"reason" minLength:"3" maxLength:"500"`
	}
}

func (s *Server) changeNetwork(ctx context.Context, c *call, in *changeNetworkInput) (reply, error) {
	book, nodes, err := s.registryInForce()
	if err != nil {
		return reply{}, err
	}
	if _, ok := book.Chain(in.ChainID); !ok {
		return reply{}, fault.ErrNotFound
	}
	b := in.Body
	if b.Enabled != nil && *b.Enabled {
		return s.enable(ctx, c, in.ChainID, b.ChainIn, b.Reason)
	}
	p, err := s.plan(ctx, in.ChainID, b.ChainIn)
	if err != nil {
		return reply{}, err
	}
	if err := s.fits(p.chain); err != nil {
		return reply{}, err
	}
	var first domain.UserID
	if b.RPCURLs != nil || b.Finality != nil || b.Native != nil || b.ProxyAddress != "" {
		if p.urls != nil || nodes.Watched(in.ChainID) {
			if err := s.believable(ctx, p); err != nil {
				return reply{}, err
			}
		}
		var waiting reply
		if first, waiting, err = s.agreed(ctx, c, "network change", in.ChainID, b.ChainIn); err != nil || first == "" {
			return waiting, err
		}
	}
	d := s.decision(c, in.ChainID, b.Reason, first)
	f := listing.Decide{Decision: d, Commands: []domain.Command{listing.Change{Decision: d, Definition: p.definition}}, Restart: p.urls != nil && nodes.Watched(in.ChainID)}
	if p.proxy != nil {
		f.Commands = append(f.Commands, listing.AddProxy{Decision: d, Proxy: *p.proxy})
	}
	if b.Enabled != nil {
		f.Commands = append(f.Commands, listing.Disable{Decision: d})
	}
	return s.putInForce(ctx, c, f)
}

type disableNetworkInput struct {
	ChainID uint64 `path:"chainId"`
	Body    struct {
		Reason  string `json:"reason" minLength:"3" maxLength:"500"`
		Unwatch bool   `json:"unwatch,omitempty" doc:"Do not follow it any more either; refused while anything is under way there"`
	}
}

func (s *Server) disableNetwork(ctx context.Context, c *call, in *disableNetworkInput) (reply, error) {
	book, nodes, err := s.registryInForce()
	if err != nil {
		return reply{}, err
	}
	if _, ok := book.Chain(in.ChainID); !ok {
		return reply{}, fault.ErrNotFound
	}
	d := s.decision(c, in.ChainID, in.Body.Reason, "")
	disable := listing.Disable{Decision: d, Unwatch: in.Body.Unwatch}
	if disable.InUse, err = s.deps.Views.Payments.UnderWay(ctx, in.ChainID, ""); err != nil {
		return reply{}, err
	}
	return s.putInForce(ctx, c, listing.Decide{Decision: d, Commands: []domain.Command{disable}, Restart: in.Body.Unwatch && nodes.Watched(in.ChainID)})
}
