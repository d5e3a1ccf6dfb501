package network

import (
	"regexp"
	"strings"

	"holdfast/domain/fault"
)

// Chain is one EVM chain as the registry knows it.
type Chain struct {
	ID   uint64 `json:"id"`
	Name string `json:"name"` // short and unique: "base", "bsc"
	// Aliases are other names of it that providers use: "mainnet", "ethereum", "eth".
	Aliases       []string      `json:"aliases,omitempty"`
	Native        Native        `json:"native"`
	Proxies       []Proxy       `json:"proxies,omitempty"`
	Confirmations Confirmations `json:"confirmations"`
	Testnet       bool          `json:"testnet,omitempty"`
	Tokens        []Token       `json:"tokens,omitempty"`
}

// Native is the coin that pays for gas.
type Native struct {
	Symbol   string `json:"symbol"`
	Decimals uint8  `json:"decimals"`
}

// ProxyKind says which of the two payment contracts stands at an address.
type ProxyKind string

// The payment contracts: one moves tokens, the other the native coin.
const (
	ERC20FeeProxy    ProxyKind = "erc20_fee_proxy"
	EthereumFeeProxy ProxyKind = "ethereum_fee_proxy"
)

// Proxy is a payment contract whose events we believe. Several may be live on one chain.
type Proxy struct {
	Kind    ProxyKind `json:"kind"`
	Address string    `json:"address"`
	Version string    `json:"version,omitempty"`
}

// Tag names a block that a chain declares to be out of danger.
type Tag string

// The tags that a rule may rest on; with NoTag only depth counts.
const (
	NoTag     Tag = ""
	Finalized Tag = "finalized"
	Safe      Tag = "safe"
)

// Confirmations is the rule by which a transfer on this chain counts as confirmed, to be
// copied into a payment when it is opened (payment.Threshold applies it): its depth has
// reached Need, never taken below Floor whatever an operator sets, or its block lies at or
// below Tag. The numbers of processors differ tenfold for the same chain, so they are data.
type Confirmations struct {
	Need  uint64 `json:"need"`
	Floor uint64 `json:"floor"`
	Tag   Tag    `json:"tag,omitempty"`
}

// ErrInvalidAddress: not 0x and 40 hex digits, the zero address, or a wrong checksum.
var ErrInvalidAddress = fault.New(fault.Malformed, "INVALID_ADDRESS", "an address is 0x and 40 hex digits with a right checksum, and not zero")

// ErrInvalidTx: not 0x and 64 hex digits.
var ErrInvalidTx = fault.New(fault.Malformed, "TX_INVALID", "a transaction hash is 0x and 64 hex digits")

var (
	addressGrammar = regexp.MustCompile(`^0x[0-9a-fA-F]{40}$`)
	hashGrammar    = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

const zeroAddress = "0x0000000000000000000000000000000000000000"

// CheckAddress holds the grammar of an address; its checksum is the adapter's business,
// because the domain knows no hash function.
func CheckAddress(s string) error {
	if !addressGrammar.MatchString(s) || strings.EqualFold(s, zeroAddress) {
		return ErrInvalidAddress
	}
	return nil
}

// ParseTx brings a transaction hash into its one spelling: with 0x, in lower case, without
// surrounding spaces. The same hash in another case is the same transaction.
func ParseTx(s string) (string, error) {
	digits := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "0x")
	if !hashGrammar.MatchString(digits) {
		return "", ErrInvalidTx
	}
	return "0x" + digits, nil
}
