package network

import (
	"fmt"
	"strings"

	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// TokenKind says how a token behaves.
type TokenKind string

// The kinds. NoReturn tokens (USDT on Ethereum) return nothing from transfer. Of a
// FeeOnTransfer token less arrives than is sent; what arrived is what counts. The balances of
// a Rebasing token change by themselves, so no ledger can be right about it: never taken.
const (
	ERC20         TokenKind = "erc20"
	NoReturn      TokenKind = "erc20_no_return"
	FeeOnTransfer TokenKind = "fee_on_transfer"
	Rebasing      TokenKind = "rebasing"
	Coin          TokenKind = "native"
)

// ErrTokenUnsupported: the token behaves in a way that no ledger can follow.
var ErrTokenUnsupported = fault.New(fault.Rule, "TOKEN_UNSUPPORTED", "balances of rebasing tokens change by themselves; they are not taken")

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
