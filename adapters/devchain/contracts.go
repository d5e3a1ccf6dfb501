package devchain

import (
	_ "embed" // the contracts are compiled ahead; there is no compiler in the build
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"holdfast/domain/network"
)

//go:embed contracts.json
var compiled []byte

type artifact struct {
	ABI abi.ABI       `json:"abi"`
	Bin hexutil.Bytes `json:"bin"`
}

func artifacts() (map[string]artifact, error) {
	var doc struct {
		Contracts map[string]artifact `json:"contracts"`
	}
	if err := json.Unmarshal(compiled, &doc); err != nil {
		return nil, fmt.Errorf("read the compiled contracts: %w", err)
	}
	return doc.Contracts, nil
}

// deployment is one contract: the order of the list fixes the addresses, so entries are
// only ever appended.
type deployment struct {
	contract string
	args     []any
}

func deployments() []deployment {
	supply := func(decimals int64) *big.Int {
		return new(big.Int).Mul(big.NewInt(1_000_000_000), new(big.Int).Exp(big.NewInt(10), big.NewInt(decimals), nil))
	}
	return []deployment{
		{"TestERC20", []any{"USD Coin", "USDC", uint8(6), supply(6)}},
		{"TestERC20", []any{"Tether USD", "USDT", uint8(18), supply(18)}},
		{"FeeProxyStub", nil},
		{"EthFeeProxyStub", nil},
		{"BatchStub", nil},
		{"FeeOnTransferERC20", nil},
		{"NoReturnERC20", []any{supply(6)}},
		// the fake
		{"TestERC20", []any{"USD Coin", "USDC", uint8(6), supply(6)}},
		// the look-alike
		{"FeeProxyStub", nil},
		{"SanctionsStub", nil},
		{"PriceFeedStub", []any{uint8(8), big.NewInt(100_000_000)}},
	}
}

func deployed(nonce uint64) string {
	return crypto.CreateAddress(addressOf(deployer()), nonce).Hex()
}

// The contracts' addresses are the same on every development chain.
var (
	USDC     = deployed(0) // 6 decimals
	USDT     = deployed(1) // 18 decimals, as on BNB Smart Chain
	Proxy    = deployed(2) // the ERC-20 payment contract that the registry knows
	EthProxy = deployed(3) // the same for the native coin
	Batch    = deployed(4) // several payments in one transaction
	FeeToken = deployed(5) // the receiver gets nine tenths
	NoReturn = deployed(6) // transfer returns nothing, 6 decimals
	FakeUSDC = deployed(7) // same name and symbol as USDC, worth nothing
	// LookAlike emits the same events as Proxy but is not in the registry.
	LookAlike = deployed(8)
	Sanctions = deployed(9)
	PriceFeed = deployed(10)
)

// Network describes the chain for the registry. The fee-on-transfer token is listed, so
// that payments in it are recognised; the fake and the look-alike are not.
func Network() network.Chain {
	return network.Chain{
		ID: ChainID, Name: "devchain", Aliases: []string{"dev", "private"}, Testnet: true,
		Native:        network.Native{Symbol: "ETH", Decimals: 18},
		Confirmations: network.Confirmations{Need: 3, Floor: 1, Tag: network.Finalized},
		Proxies: []network.Proxy{
			{Kind: network.ERC20FeeProxy, Address: Proxy},
			{Kind: network.EthereumFeeProxy, Address: EthProxy},
		},
		Tokens: []network.Token{
			{Address: USDC, Symbol: "USDC", Decimals: 6, RequestID: "USDC-devchain"},
			{Address: USDT, Symbol: "USDT", Decimals: 18, RequestID: "USDT-devchain"},
			{Address: NoReturn, Symbol: "NRT", Decimals: 6, Kind: network.NoReturn, Disabled: true},
			{Address: FeeToken, Symbol: "FEE", Decimals: 18, Disabled: true},
		},
	}
}

// code is what deploys contract n of the list: its bytecode and arguments.
func code(all map[string]artifact, d deployment) ([]byte, error) {
	a, ok := all[d.contract]
	if !ok {
		return nil, fmt.Errorf("the compiled contracts have no %s", d.contract)
	}
	args, err := a.ABI.Pack("", d.args...)
	if err != nil {
		return nil, fmt.Errorf("pack arguments of %s: %w", d.contract, err)
	}
	return append(common.CopyBytes(a.Bin), args...), nil
}
