package evm

import (
	"context"
	"errors"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"holdfast/domain/network"
)

// Attest reads what mined transactions moved by the word of every node: before a transfer is
// believed for good, one node's receipt is not enough. Unknown or failed transactions moved
// nothing. The error speaks of the transactions that are missing in the answer, what is said of the
// others counts: ErrContradiction where nodes differ, be it that one of them knows nothing of it
// yet.
func (c *Client) Attest(ctx context.Context, txs []string) (map[string][]network.Deposit, error) {
	found := make(map[string][]network.Deposit, len(txs))
	var problems []error
	for part := range slices.Chunk(txs, receiptsAtOnce) {
		if err := c.attest(ctx, part, found); err != nil {
			problems = append(problems, err)
		}
	}
	return found, errors.Join(problems...)
}

func (c *Client) attest(ctx context.Context, txs []string, found map[string][]network.Deposit) error {
	hashes := make([]common.Hash, len(txs))
	for i, tx := range txs {
		hashes[i] = common.HexToHash(tx)
	}
	all, err := askAll(ctx, c, 0, "attest receipts", func(ctx context.Context, n *node) ([][]network.Deposit, error) {
		receipts, err := n.someReceipts(ctx, c.timeout, hashes)
		if err != nil {
			return nil, err
		}
		if err := c.sent(ctx, n, c.timeout, receipts); err != nil {
			return nil, err
		}
		moved := make([][]network.Deposit, len(receipts))
		for i, r := range receipts {
			if r.Receipt != nil {
				moved[i] = c.deposits(r)
			}
		}
		return moved, nil
	})
	if err != nil {
		return err
	}
	var problems []error
	for i, tx := range txs {
		differs := slices.ContainsFunc(all[1:], func(other [][]network.Deposit) bool { return !slices.Equal(all[0][i], other[i]) })
		if differs {
			problems = append(problems, c.contradicted(ctx, "transaction "+hashes[i].Hex()))
			continue
		}
		found[tx] = all[0][i]
	}
	return errors.Join(problems...)
}
