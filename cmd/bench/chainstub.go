package main

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/crypto"

	"holdfast/adapters/devchain"
	"holdfast/cmd/internal/wire"
	"holdfast/domain/network"
)

// chainStub is a chain on which every payment of the fixture was made and still stands.
type chainStub struct {
	url             string
	calls, requests *atomic.Int64
	close           func()
}

func startChainStub(ctx context.Context, core *wire.Core) (*chainStub, error) {
	treasury, err := benchTreasury(ctx, core)
	if err != nil {
		return nil, err
	}
	usdc := strings.ToLower(devchain.USDC)
	s := &devchain.Stub{
		Balance: func(token, owner string) string {
			n := new(big.Int)
			switch {
			case strings.EqualFold(owner, devchain.Treasury):
				asset := network.NativeAsset(devchain.ChainID)
				if token != "" {
					asset = network.TokenAsset(devchain.ChainID, token)
				}
				if have := treasury[string(asset)]; have != nil {
					n = have
				}
			case token == usdc && strings.HasPrefix(owner, "0xbe"):
				n.SetInt64(paidEach)
			}
			return fmt.Sprintf("0x%x", n)
		},
		Receipt: benchReceipt,
	}
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	return &chainStub{url: s.URL(), calls: &s.Calls, requests: &s.Requests, close: func() { _ = s.Close() }}, nil
}

var transferTopic = crypto.Keccak256Hash([]byte("Transfer(address,address,uint256)")).Hex()

// benchReceipt is a plain transfer to the address of the payment with the transaction's number.
func benchReceipt(tx string) string {
	i, ok := new(big.Int).SetString(strings.TrimPrefix(tx, "0xbe"), 16)
	if !ok || !strings.HasPrefix(tx, "0xbe") {
		return "null"
	}
	to := benchAddress(int(i.Int64()))
	zeros := "0x" + strings.Repeat("0", 512)
	return fmt.Sprintf(`{"type":"0x2","status":"0x1","cumulativeGasUsed":"0xc350","logsBloom":"%s","transactionHash":"%s","transactionIndex":"0x0","blockHash":"%s","blockNumber":"0x5","gasUsed":"0xc350","effectiveGasPrice":"0x1",
		"contractAddress":null,"logs":[{"address":"%s","topics":["%s","0x%064x","0x%s%s"],"data":"0x%064x","blockNumber":"0x5","transactionHash":"%s","transactionIndex":"0x0","blockHash":"%s","logIndex":"0x0","removed":false}]}`,
		zeros, tx, benchBlock, devchain.USDC, transferTopic, 7, strings.Repeat("0", 24), to[2:], paidEach, tx, benchBlock)
}
