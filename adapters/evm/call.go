package evm

import (
	"context"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
)

// Call asks a contract's view function, as of the newest block, and gives what the first working
// node answers. An address without a contract answers nothing, without an error.
func (c *Client) Call(ctx context.Context, contract string, data []byte) ([]byte, error) {
	var out []byte
	to := common.HexToAddress(contract)
	err := c.read(ctx, "call a contract", func(ctx context.Context, n *node) (err error) {
		out, err = n.eth.CallContract(ctx, ethereum.CallMsg{To: &to, Data: data}, nil)
		return err
	})
	return out, err
}

// CallAll is Call asked of every node, for answers of which the careful one is wanted. It gives
// one answer a working node, at least one.
func (c *Client) CallAll(ctx context.Context, contract string, data []byte) ([][]byte, error) {
	to := common.HexToAddress(contract)
	return askAll(ctx, c, c.timeout, "call a contract", func(ctx context.Context, n *node) ([]byte, error) {
		return n.eth.CallContract(ctx, ethereum.CallMsg{To: &to, Data: data}, nil)
	})
}
