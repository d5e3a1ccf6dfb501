package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"

	"holdfast/domain/money"
	"holdfast/domain/network"
)

// Balance of an asset of this chain at an address, as of the newest block.
func (c *Client) Balance(ctx context.Context, asset money.Asset, owner string) (money.Units, error) {
	var balance money.Units
	err := c.read(ctx, "read a balance", func(ctx context.Context, n *node) error {
		raw, err := c.balance(ctx, n, asset, common.HexToAddress(owner))
		if err != nil {
			return err
		}
		var ok bool
		if balance, ok = units(raw); !ok {
			return fmt.Errorf("a balance of %s makes no sense", clip(raw.String()))
		}
		return nil
	})
	return balance, err
}

func (c *Client) balance(ctx context.Context, n *node, asset money.Asset, owner common.Address) (*big.Int, error) {
	if asset == network.NativeAsset(c.chain.ID) {
		return n.eth.BalanceAt(ctx, owner, nil)
	}
	token, err := c.contract(asset)
	if err != nil {
		return nil, err
	}
	return n.number(ctx, token, append(append([]byte{}, balanceOfCall...), addressWord(owner)...))
}

// contract is the address of a listed token.
func (c *Client) contract(asset money.Asset) (common.Address, error) {
	for address, t := range c.tables().tokens {
		if t.Asset() == asset {
			return address, nil
		}
	}
	return common.Address{}, network.ErrUnknownAsset.With("found", asset)
}

// number calls a view function that returns one word.
func (n *node) number(ctx context.Context, contract common.Address, data []byte) (*big.Int, error) {
	out, err := n.eth.CallContract(ctx, ethereum.CallMsg{To: &contract, Data: data}, nil)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", contract, err)
	}
	if len(out) != wordLength {
		return nil, fmt.Errorf("call %s: %d bytes instead of %d; is there a contract?", contract, len(out), wordLength)
	}
	return new(big.Int).SetBytes(out), nil
}

// CheckTokens compares the registry's decimals with what the contracts say. Each token that
// differs, or that is no contract on this chain, is one error of the joined list: money in
// it must not be taken until somebody has looked.
func (c *Client) CheckTokens(ctx context.Context) error {
	var problems []error
	for address, t := range c.tables().tokens {
		var said *big.Int
		err := c.ask(ctx, "read decimals", func(ctx context.Context, n *node) (err error) {
			said, err = n.number(ctx, address, decimalsCall)
			return err
		})
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", t.Alias(), err))
		} else if said.Cmp(big.NewInt(int64(t.Decimals))) != 0 {
			problems = append(problems, fmt.Errorf("%s: the registry says %d decimals, the contract %s", t.Alias(), t.Decimals, clip(said.String())))
		}
	}
	return errors.Join(problems...)
}
