package reactors

import (
	"encoding/json"

	"holdfast/domain/money"
	"holdfast/domain/network"
)

var _ network.Book = (*Networks)(nil)

// Current is the registry in force at this moment; what it says stays the same.
func (n *Networks) Current() *network.Registry { return n.current.Load().Registry }

// The methods of network.Book ask the registry in force.

// Chains lists the chains by name.
func (n *Networks) Chains() []network.Chain { return n.Current().Chains() }

// Chain finds a chain by id.
func (n *Networks) Chain(id uint64) (network.Chain, bool) { return n.Current().Chain(id) }

// ChainNamed finds a chain by a name of it.
func (n *Networks) ChainNamed(name string) (network.Chain, bool) { return n.Current().ChainNamed(name) }

// Token finds a token by its asset id.
func (n *Networks) Token(asset money.Asset) (network.Token, bool) { return n.Current().Token(asset) }

// Tokens lists a chain's tokens.
func (n *Networks) Tokens(chain uint64) []network.Token { return n.Current().Tokens(chain) }

// Asset finds an asset by its id or alias.
func (n *Networks) Asset(idOrAlias string) (money.Asset, bool) { return n.Current().Asset(idOrAlias) }

// Parse is Asset with a refusal for what is not in the registry.
func (n *Networks) Parse(idOrAlias string) (money.Asset, error) { return n.Current().Parse(idOrAlias) }

// Offered refuses an asset in which nothing new is to be begun.
func (n *Networks) Offered(asset money.Asset) error { return n.Current().Offered(asset) }

// Decimals of an asset.
func (n *Networks) Decimals(asset money.Asset) (uint8, bool) { return n.Current().Decimals(asset) }

// Alias is an asset's short name.
func (n *Networks) Alias(asset money.Asset) (string, bool) { return n.Current().Alias(asset) }

// Amount reads a human decimal.
func (n *Networks) Amount(asset, decimal string) (money.Amount, error) {
	return n.Current().Amount(asset, decimal)
}

// Format writes an amount for people.
func (n *Networks) Format(a money.Amount) string { return n.Current().Format(a) }

// Networks is the public list, as JSON.
func (n *Networks) Networks() json.RawMessage { return n.Current().Networks() }
