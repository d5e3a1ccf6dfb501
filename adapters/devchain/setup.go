package devchain

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// errand is one transaction of the set-up.
type errand struct {
	to   *common.Address // nil: a deployment
	data []byte
	gas  uint64
}

// setUp deploys the contracts, gives every payer a million of each token, and lets the
// payment contracts spend them. Each account's errands have fixed nonces from 0, so a chain
// that was killed in the middle goes on where it stopped, and a finished one does nothing.
func (c *Chain) setUp(ctx context.Context) error {
	deploys, err := c.deploys()
	if err != nil {
		return err
	}
	gifts, approvals, err := c.gifts()
	if err != nil {
		return err
	}
	if err := c.run(ctx, deployer(), append(deploys, gifts...)); err != nil {
		return fmt.Errorf("deploy: %w", err)
	}
	for i := 1; i <= Payers; i++ {
		if err := c.run(ctx, account(i), approvals); err != nil {
			return fmt.Errorf("approve as payer %d: %w", i, err)
		}
	}
	return nil
}

func (c *Chain) deploys() ([]errand, error) {
	var all []errand
	for _, d := range deployments() {
		data, err := code(c.abis, d)
		if err != nil {
			return nil, err
		}
		all = append(all, errand{data: data, gas: 6_000_000})
	}
	return all, nil
}

func (c *Chain) gifts() (gifts, approvals []errand, err error) {
	token := c.abis["TestERC20"].ABI
	pack := func(contract, method string, args ...any) (errand, error) {
		to := common.HexToAddress(contract)
		data, err := token.Pack(method, args...)
		return errand{to: &to, data: data, gas: 500_000}, err
	}
	for _, t := range []struct {
		address  string
		decimals int64
	}{{USDC, 6}, {USDT, 18}, {FeeToken, 18}, {NoReturn, 6}, {FakeUSDC, 6}} {
		million := new(big.Int).Mul(big.NewInt(1_000_000), new(big.Int).Exp(big.NewInt(10), big.NewInt(t.decimals), nil))
		for i := 1; i <= Payers; i++ {
			e, err := pack(t.address, "transfer", common.HexToAddress(Payer(i)), million)
			if err != nil {
				return nil, nil, err
			}
			gifts = append(gifts, e)
		}
		for _, spender := range []string{Proxy, LookAlike, Batch} {
			e, err := pack(t.address, "approve", common.HexToAddress(spender), common.MaxHash.Big())
			if err != nil {
				return nil, nil, err
			}
			approvals = append(approvals, e)
		}
	}
	return gifts, approvals, nil
}

// run sends the errands of one account that are still to do, and sees the last one mined.
func (c *Chain) run(ctx context.Context, key *ecdsa.PrivateKey, errands []errand) error {
	done, err := c.client.NonceAt(ctx, addressOf(key), nil)
	if err != nil {
		return fmt.Errorf("count the transactions of %s: %w", addressOf(key), err)
	}
	var sent []*types.Transaction
	for i := int(min(done, uint64(len(errands)))); i < len(errands); i++ {
		tx, err := c.send(ctx, key, errands[i].to, nil, errands[i].data, errands[i].gas)
		if err != nil {
			return fmt.Errorf("send errand %d: %w", i, err)
		}
		sent = append(sent, tx)
	}
	for _, tx := range sent {
		got, err := c.wait(ctx, tx.Hash())
		if err != nil {
			return err
		}
		if got.Failed {
			return fmt.Errorf("errand %s failed on the chain", got.Tx)
		}
	}
	return nil
}
