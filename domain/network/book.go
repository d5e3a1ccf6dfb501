package network

import (
	"encoding/json"

	"holdfast/domain/money"
)

// Book is what everybody reads of the registry: a Registry, which never changes, or one that
// follows what admins change (reactors.Networks). Ask it anew each time; what it answered may
// be out of date a moment later.
type Book interface {
	Chains() []Chain
	Chain(id uint64) (Chain, bool)
	ChainNamed(name string) (Chain, bool)
	Token(asset money.Asset) (Token, bool)
	Tokens(chain uint64) []Token
	Asset(idOrAlias string) (money.Asset, bool)
	Parse(idOrAlias string) (money.Asset, error)
	Offered(asset money.Asset) error
	Decimals(asset money.Asset) (uint8, bool)
	Alias(asset money.Asset) (string, bool)
	Amount(asset, decimal string) (money.Amount, error)
	Format(a money.Amount) string
	Networks() json.RawMessage
}

var _ Book = (*Registry)(nil)
