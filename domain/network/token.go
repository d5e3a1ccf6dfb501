package network

import (
	"fmt"
	"strings"

	"holdfast/domain/money"
)

// TokenKind says how a token behaves.
type TokenKind string

// The kinds. NoReturn tokens (USDT on Ethereum) return nothing from transfer.
const (
	ERC20    TokenKind = "erc20"
	NoReturn TokenKind = "erc20_no_return"
	Coin     TokenKind = "native"
)

// Token is one token on one chain.
type Token struct {
	Chain    uint64    `json:"-"`
	Address  string    `json:"address"` // empty for the native coin
	Symbol   string    `json:"symbol"`
	Decimals uint8     `json:"decimals"`
	Kind     TokenKind `json:"kind,omitempty"`
	// RequestID is Request Network's name for it: "USDC-base", "USDCn-matic".
	RequestID string `json:"request_id,omitempty"`
	// Disabled tokens are known (money in them is recognised) but not offered.
	Disabled bool `json:"disabled,omitempty"`
}

// Asset is the token's id.
func (t Token) Asset() money.Asset {
	if t.Address == "" {
		return NativeAsset(t.Chain)
	}
	return TokenAsset(t.Chain, t.Address)
}

// Alias is the short name for people: "USDT@56".
func (t Token) Alias() string { return fmt.Sprintf("%s@%d", t.Symbol, t.Chain) }

// TokenAsset names an ERC-20 token, CAIP-19 style.
func TokenAsset(chain uint64, address string) money.Asset {
	return money.Asset(fmt.Sprintf("eip155:%d/erc20:%s", chain, strings.ToLower(address)))
}

// NativeAsset names a chain's own coin.
func NativeAsset(chain uint64) money.Asset {
	return money.Asset(fmt.Sprintf("eip155:%d/slip44:60", chain))
}
