package evm

import (
	"github.com/ethereum/go-ethereum/common"

	"holdfast/domain/network"
)

// tables is what the registry says of the chain, by address. It never changes; a newer one
// takes its place.
type tables struct {
	chain   network.Chain
	tokens  map[common.Address]network.Token
	proxies map[common.Address]network.ProxyKind
}

func (c *Client) tables() *tables { return c.known.Load() }

// Chain is the chain as the registry describes it now.
func (c *Client) Chain() network.Chain { return c.tables().chain }

// Describe makes the client know the tokens and payment contracts of a newer registry. What is
// under way goes on with those it began with. Its nodes and its chain id stay.
func (c *Client) Describe(chain network.Chain) {
	t := &tables{chain: chain, tokens: map[common.Address]network.Token{}, proxies: map[common.Address]network.ProxyKind{}}
	for _, token := range chain.Tokens {
		token.Chain = c.chain.ID
		t.tokens[common.HexToAddress(token.Address)] = token
	}
	for _, p := range chain.Proxies {
		t.proxies[common.HexToAddress(p.Address)] = p.Kind
	}
	c.known.Store(t)
}
