package network

import "holdfast/domain/fault"

// Refusals after a look at a chain's nodes.
var (
	ErrChainMismatch    = fault.New(fault.Rule, "CHAIN_MISMATCH", "a node serves another chain than the one it was named for")
	ErrDecimalsMismatch = fault.New(fault.Rule, "DECIMALS_MISMATCH", "the contract says other decimals than the registry")
)

// Probe is what a chain's nodes say of themselves and of what the registry knows there.
type Probe struct {
	ChainID uint64        `json:"chainId"`
	Nodes   []ProbedNode  `json:"nodes"`
	Tokens  []ProbedToken `json:"tokens"`
	Proxies []ProbedProxy `json:"proxies"`
}

// ProbedNode is one node; its name is its host alone, because paths hold keys.
type ProbedNode struct {
	Node            string `json:"node"`
	ChainIDReported uint64 `json:"chainIdReported,omitempty"`
	Head            uint64 `json:"head,omitempty"`
	Problem         string `json:"problem,omitempty"`
}

// ProbedToken is one token; OnChain is nil when the contract says no decimals.
type ProbedToken struct {
	Address  string `json:"address"`
	Symbol   string `json:"symbol"`
	Decimals uint8  `json:"decimals"`
	OnChain  *uint8 `json:"decimalsOnChain,omitempty"`
	OK       bool   `json:"ok"`
	Problem  string `json:"problem,omitempty"`
}

// ProbedProxy is one payment contract; CodeHash is empty when there is no code.
type ProbedProxy struct {
	Address  string    `json:"address"`
	Kind     ProxyKind `json:"kind"`
	CodeHash string    `json:"codeHash,omitempty"`
	OK       bool      `json:"ok"`
	Problem  string    `json:"problem,omitempty"`
}

// Check refuses what a probe found to be wrong: CHAIN_MISMATCH for a node of another chain,
// DECIMALS_MISMATCH for a token. What could not be found out is not refused here.
func (p Probe) Check() error {
	for _, n := range p.Nodes {
		if n.ChainIDReported != 0 && n.ChainIDReported != p.ChainID {
			return ErrChainMismatch.With("node", n.Node).With("expected", p.ChainID).With("found", n.ChainIDReported)
		}
	}
	for _, t := range p.Tokens {
		if t.OnChain != nil && *t.OnChain != t.Decimals {
			return ErrDecimalsMismatch.With("token", t.Symbol).With("registry", t.Decimals).With("chain", *t.OnChain)
		}
	}
	return nil
}
