package http

import (
	"context"
	"slices"
	"strings"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/listing"
	"holdfast/domain/network"
)

type registerTokenInput struct {
	ChainID uint64 `path:"chainId"`
	Body    struct {
		Address   string `json:"address" maxLength:"42"`
		Symbol    string `json:"symbol" minLength:"1" maxLength:"20" pattern:"^[A-Za-z0-9.$_-]+$"`
		Decimals  int    `json:"decimals" minimum:"0" maximum:"36"`
		Kind      string `json:"kind,omitempty" enum:"erc20,erc20_no_return,fee_on_transfer,rebasing" doc:"Left out = erc20; rebasing tokens are refused"`
		RequestID string `json:"requestNetworkId,omitempty" maxLength:"60"`
		Reason    string `json:"reason" minLength:"3" maxLength:"500"`
	}
}

func (s *Server) registerToken(ctx context.Context, c *call, in *registerTokenInput) (reply, error) {
	chain, err := s.listed(in.ChainID)
	if err != nil {
		return reply{}, err
	}
	b := in.Body
	t := network.Token{Symbol: b.Symbol, Decimals: uint8(b.Decimals), Kind: network.TokenKind(orElse(b.Kind, string(network.ERC20))), RequestID: b.RequestID}
	if t.Kind == network.Rebasing {
		return reply{}, network.ErrTokenUnsupported
	}
	if chain.Family != network.EVM {
		return reply{}, listing.ErrUnsupported.With("family", chain.Family)
	}
	if t.Address, err = s.deps.Nodes.Address(b.Address); err != nil {
		return reply{}, at(err, "address")
	}
	if was, again := listing.Token(chain, t.Address); again && !strings.EqualFold(was.Symbol, t.Symbol) {
		return reply{}, listing.ErrAlreadyListed.With("symbol", was.Symbol)
	} else if !again {
		chain.Tokens = append(chain.Tokens[:len(chain.Tokens):len(chain.Tokens)], t)
		if slices.ContainsFunc(chain.Tokens[:len(chain.Tokens)-1], func(o network.Token) bool { return strings.EqualFold(o.Symbol, t.Symbol) }) {
			return reply{}, listing.ErrAlreadyListed.With("symbol", t.Symbol)
		}
		if err := s.fits(chain); err != nil {
			return reply{}, err
		}
	}
	if err := s.sameDecimals(ctx, in.ChainID, t); err != nil {
		return reply{}, err
	}
	first, waiting, err := s.agreed(ctx, c, "network token", in.ChainID, t)
	if err != nil || first == "" {
		return waiting, err
	}
	d := s.decision(c, in.ChainID, b.Reason, first)
	return s.putInForce(ctx, c, listing.Decide{Decision: d, Commands: []domain.Command{listing.RegisterToken{Decision: d, Token: t}}})
}

// listed finds a chain of the registry.
func (s *Server) listed(id uint64) (network.Chain, error) {
	book, _, err := s.registryInForce()
	if err != nil {
		return network.Chain{}, err
	}
	chain, ok := book.Chain(id)
	if !ok {
		return chain, fault.ErrNotFound
	}
	return chain, nil
}

// sameDecimals holds what an admin says against the contract, where somebody follows the chain;
// elsewhere it is looked at when the chain is enabled.
func (s *Server) sameDecimals(ctx context.Context, chain uint64, t network.Token) error {
	said, ok, err := s.deps.Nodes.Decimals(ctx, chain, t.Address)
	if err != nil {
		if f, known := fault.From(err); known {
			return f
		}
		return network.ErrInvalidAddress.Because("the contract at this address says no decimals").At("address", "no token")
	}
	if ok && said != t.Decimals {
		return network.ErrDecimalsMismatch.With("token", t.Symbol).With("registry", t.Decimals).With("chain", said)
	}
	return nil
}

type changeTokenInput struct {
	ChainID uint64 `path:"chainId"`
	Address string `path:"address"`
	Body    struct {
		Symbol    string  `json:"symbol,omitempty" maxLength:"20" pattern:"^[A-Za-z0-9.$_-]+$"`
		Decimals  *int    `json:"decimals,omitempty" minimum:"0" maximum:"36"`
		Kind      string  `json:"kind,omitempty" enum:"erc20,erc20_no_return,fee_on_transfer,rebasing"`
		RequestID *string `json:"requestNetworkId,omitempty" maxLength:"60"`
		Enabled   *bool   `json:"enabled,omitempty"`
		Reason    string  `json:"reason" minLength:"3" maxLength:"500"`
	}
}

func (s *Server) changeToken(ctx context.Context, c *call, in *changeTokenInput) (reply, error) {
	chain, err := s.listed(in.ChainID)
	if err != nil {
		return reply{}, err
	}
	was, ok := listing.Token(chain, in.Address)
	if !ok {
		return reply{}, fault.ErrNotFound
	}
	b, t := in.Body, was
	t.Symbol, t.Kind = orElse(b.Symbol, t.Symbol), network.TokenKind(orElse(b.Kind, orElse(string(t.Kind), string(network.ERC20))))
	if b.Decimals != nil {
		t.Decimals = uint8(*b.Decimals)
	}
	if b.RequestID != nil {
		t.RequestID = *b.RequestID
	}
	if b.Enabled != nil {
		t.Disabled = !*b.Enabled
	}
	if t.Kind == network.Rebasing {
		return reply{}, network.ErrTokenUnsupported
	}
	chain.Tokens = slices.Clone(chain.Tokens)
	chain.Tokens[slices.Index(chain.Tokens, was)] = t
	if err := s.fits(chain); err != nil {
		return reply{}, err
	}
	change := listing.ChangeToken{Token: t}
	var first domain.UserID
	if !t.Disabled {
		if err := s.sameDecimals(ctx, in.ChainID, t); err != nil {
			return reply{}, err
		}
	}
	if was.Decimals != t.Decimals || (b.Kind != "" && network.TokenKind(b.Kind) != was.Kind) {
		if change.InUse, err = s.deps.Views.Payments.UnderWay(ctx, in.ChainID, network.TokenAsset(in.ChainID, t.Address)); err != nil {
			return reply{}, err
		}
		if was.Decimals != t.Decimals && change.InUse > 0 {
			return reply{}, listing.ErrInUse.With("under_way", change.InUse)
		}
		var waiting reply
		if first, waiting, err = s.agreed(ctx, c, "network token", in.ChainID, t); err != nil || first == "" {
			return waiting, err
		}
	}
	change.Decision = s.decision(c, in.ChainID, b.Reason, first)
	return s.putInForce(ctx, c, listing.Decide{Decision: change.Decision, Commands: []domain.Command{change}})
}

type disableTokenInput struct {
	ChainID uint64 `path:"chainId"`
	Address string `path:"address"`
	Body    struct {
		Reason string `json:"reason" minLength:"3" maxLength:"500"`
	}
}

func (s *Server) disableToken(ctx context.Context, c *call, in *disableTokenInput) (reply, error) {
	if _, err := s.listed(in.ChainID); err != nil {
		return reply{}, err
	}
	d := s.decision(c, in.ChainID, in.Body.Reason, "")
	return s.putInForce(ctx, c, listing.Decide{Decision: d, Commands: []domain.Command{listing.DisableToken{Decision: d, Address: in.Address}}})
}

type addProxyInput struct {
	ChainID uint64 `path:"chainId"`
	Body    struct {
		Address string `json:"address" maxLength:"42"`
		Kind    string `json:"kind,omitempty" enum:"erc20_fee_proxy,ethereum_fee_proxy" doc:"Left out = erc20_fee_proxy"`
		Version string `json:"version,omitempty" maxLength:"20"`
		Reason  string `json:"reason" minLength:"3" maxLength:"500"`
	}
}

func (s *Server) addProxy(ctx context.Context, c *call, in *addProxyInput) (reply, error) {
	chain, err := s.listed(in.ChainID)
	if err != nil {
		return reply{}, err
	}
	if chain.Family != network.EVM {
		return reply{}, listing.ErrUnsupported.With("family", chain.Family)
	}
	proxy, err := s.proxy(in.Body.Address, in.Body.Kind, in.Body.Version)
	if err != nil {
		return reply{}, at(err, "address")
	}
	if s.deps.Nodes.Watched(in.ChainID) {
		if err := s.codeAt(ctx, chain, *proxy); err != nil {
			return reply{}, err
		}
	}
	first, waiting, err := s.agreed(ctx, c, "network proxy", in.ChainID, proxy)
	if err != nil || first == "" {
		return waiting, err
	}
	d := s.decision(c, in.ChainID, in.Body.Reason, first)
	return s.putInForce(ctx, c, listing.Decide{Decision: d, Commands: []domain.Command{listing.AddProxy{Decision: d, Proxy: *proxy}}})
}

type retireProxyInput struct {
	ChainID uint64 `path:"chainId"`
	Address string `path:"address"`
	Body    struct {
		Reason   string `json:"reason" minLength:"3" maxLength:"500"`
		Distrust bool   `json:"distrust,omitempty" doc:"Do not believe its events any more either"`
	}
}

func (s *Server) retireProxy(ctx context.Context, c *call, in *retireProxyInput) (reply, error) {
	if _, err := s.listed(in.ChainID); err != nil {
		return reply{}, err
	}
	d := s.decision(c, in.ChainID, in.Body.Reason, "")
	return s.putInForce(ctx, c, listing.Decide{Decision: d, Commands: []domain.Command{listing.RetireProxy{Decision: d, Address: in.Address, Distrust: in.Body.Distrust}}})
}
