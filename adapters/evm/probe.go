package evm

import (
	"context"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"holdfast/domain/fault"
	"holdfast/domain/network"
)

// Probe asks every node who it is, and one that serves this chain about each token and payment
// contract that a registry says it has. What is wrong or cannot be found out stands in the answer; an error means
// that no node serves the chain: ErrUnavailable, or network.ErrChainMismatch when one answered
// for another, or the refusal of the transport through which people's nodes are dialled.
func (c *Client) Probe(ctx context.Context, said network.Chain) (network.Probe, error) {
	p := network.Probe{ChainID: c.chain.ID, Nodes: []network.ProbedNode{}, Tokens: []network.ProbedToken{}, Proxies: []network.ProbedProxy{}}
	var right *node
	for _, n := range c.nodes {
		is, err := c.probeNode(ctx, n)
		if refused, ok := fault.From(err); ok && refused.Kind == fault.Rule {
			return p, refused // the guard does not let us go there
		}
		if right == nil && is.Problem == "" {
			right = n
		}
		p.Nodes = append(p.Nodes, is)
	}
	if right == nil {
		if err := p.Check(); err != nil {
			return p, err
		}
		return p, ErrUnavailable.With("problem", p.Nodes[0].Problem)
	}
	for _, t := range said.Tokens {
		p.Tokens = append(p.Tokens, c.probeToken(ctx, right, t))
	}
	for _, x := range said.Proxies {
		p.Proxies = append(p.Proxies, c.probeProxy(ctx, right, x))
	}
	return p, nil
}

func (c *Client) probeNode(ctx context.Context, n *node) (network.ProbedNode, error) {
	said := network.ProbedNode{Node: n.name}
	err := c.within(ctx, func(ctx context.Context) error {
		id, err := n.eth.ChainID(ctx)
		if err != nil {
			return err
		}
		if !id.IsUint64() {
			return ErrWrongChain
		}
		if said.ChainIDReported = id.Uint64(); said.ChainIDReported != c.chain.ID {
			return ErrWrongChain
		}
		b, err := n.block(ctx, "latest")
		said.Head = uint64(b.Number)
		return err
	})
	said.Problem = problem(err)
	return said, err
}

func (c *Client) probeToken(ctx context.Context, n *node, t network.Token) network.ProbedToken {
	said := network.ProbedToken{Address: t.Address, Symbol: t.Symbol, Decimals: t.Decimals}
	err := c.within(ctx, func(ctx context.Context) error {
		d, err := c.decimals(ctx, n, common.HexToAddress(t.Address))
		if err != nil {
			return err
		}
		said.OnChain = &d
		if d != t.Decimals {
			return errors.New("other decimals than the registry")
		}
		return nil
	})
	said.Problem, said.OK = problem(err), err == nil
	return said
}

func (c *Client) probeProxy(ctx context.Context, n *node, x network.Proxy) network.ProbedProxy {
	said := network.ProbedProxy{Address: x.Address, Kind: x.Kind}
	err := c.within(ctx, func(ctx context.Context) error {
		code, err := n.eth.CodeAt(ctx, common.HexToAddress(x.Address), nil)
		if err != nil {
			return err
		}
		if len(code) == 0 {
			return errors.New("there is no contract")
		}
		said.CodeHash = crypto.Keccak256Hash(code).Hex()
		return nil
	})
	said.Problem, said.OK = problem(err), err == nil
	return said
}

// Decimals is what a token's contract says, whether the registry knows the token or not.
func (c *Client) Decimals(ctx context.Context, address string) (uint8, error) {
	var d uint8
	err := c.ask(ctx, "read decimals", func(ctx context.Context, n *node) (err error) {
		d, err = c.decimals(ctx, n, common.HexToAddress(address))
		return err
	})
	return d, err
}

func (c *Client) decimals(ctx context.Context, n *node, token common.Address) (uint8, error) {
	said, err := n.number(ctx, token, decimalsCall)
	if err != nil {
		return 0, err
	}
	if said.Cmp(big.NewInt(255)) > 0 {
		return 0, errors.New("the decimals make no sense")
	}
	return uint8(said.Uint64()), nil
}

func (c *Client) within(ctx context.Context, question func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return question(ctx)
}

// problem is an error for people; hosts and keys are left out.
func problem(err error) string {
	if err == nil {
		return ""
	}
	return clip(redact(err).Error())
}
