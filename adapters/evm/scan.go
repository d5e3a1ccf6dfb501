package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"holdfast/domain/network"
)

// chunk is how many references or destinations go into one filter; nodes limit it.
const chunk = 500

// Scan looks through blocks from … to (both included, to cut at the head) for payments with
// our references and transfers to our destinations. Everything comes from one node that has
// the last block, so a lagging node cannot hide a payment by answering "nothing"; a chain
// that reorganises meanwhile gives ErrUnavailable. When from is above the head, nothing is
// scanned and To is below from.
func (c *Client) Scan(ctx context.Context, from, to uint64, w network.Watch) (network.Scanned, error) {
	known, err := topics(w.References...)
	if err != nil {
		return network.Scanned{}, err
	}
	s := &scan{client: c, known: known, destinations: map[common.Address]bool{}}
	for _, d := range w.Destinations {
		s.destinations[common.HexToAddress(d)] = true
	}
	var found network.Scanned
	err = c.read(ctx, "scan for payments", func(ctx context.Context, n *node) (err error) {
		found, err = s.run(ctx, n, from, to)
		return err
	})
	return found, err
}

type scan struct {
	client       *Client
	known        map[string]string // topic → reference
	destinations map[common.Address]bool
}

func (s *scan) run(ctx context.Context, n *node, from, to uint64) (network.Scanned, error) {
	head, err := n.block(ctx, "latest")
	if err != nil {
		return network.Scanned{}, err
	}
	last := head
	if uint64(head.Number) > to {
		if last, err = n.blockAt(ctx, to); err != nil {
			return network.Scanned{}, err
		}
	}
	found := network.Scanned{To: uint64(last.Number), ToHash: last.Hash.Hex()}
	if found.To < from {
		return found, nil
	}
	txs, err := s.transactions(ctx, n, from, found.To)
	if err != nil {
		return network.Scanned{}, err
	}
	for _, tx := range txs {
		r, err := n.receipt(ctx, tx)
		if err != nil {
			return network.Scanned{}, fmt.Errorf("a log's transaction is gone: %w", err)
		}
		found.Deposits = append(found.Deposits, s.ours(r)...)
	}
	again, err := n.blockAt(ctx, found.To)
	if err != nil {
		return network.Scanned{}, err
	}
	if again.Hash != last.Hash {
		return network.Scanned{}, errors.New("the chain was reorganised during the scan")
	}
	return found, nil
}

// ours picks the deposits of a receipt that the scan is about.
func (s *scan) ours(r receipt) []network.Deposit {
	var found []network.Deposit
	for _, d := range s.client.deposits(r) {
		d.Reference = s.known[d.Topic]
		if (d.Reference != "" || s.destinations[common.HexToAddress(d.To)]) && s.client.listed(d.Asset) && !d.Amount.IsZero() {
			found = append(found, d)
		}
	}
	return found
}

// transactions lists the transactions whose logs concern us, in the order of the chain.
func (s *scan) transactions(ctx context.Context, n *node, from, to uint64) ([]common.Hash, error) {
	var logs []types.Log
	for _, q := range s.filters() {
		got, err := n.logs(ctx, q, from, to)
		if err != nil {
			return nil, err
		}
		logs = append(logs, got...)
	}
	slices.SortFunc(logs, func(a, b types.Log) int {
		if a.BlockNumber != b.BlockNumber {
			return int(a.BlockNumber) - int(b.BlockNumber)
		}
		return int(a.Index) - int(b.Index)
	})
	var txs []common.Hash
	seen := map[common.Hash]bool{}
	for _, l := range logs {
		if !seen[l.TxHash] {
			seen[l.TxHash] = true
			txs = append(txs, l.TxHash)
		}
	}
	return txs, nil
}

// filters: payment events by reference, and transfers of listed tokens by recipient.
func (s *scan) filters() []ethereum.FilterQuery {
	known := s.client.tables()
	var proxies, tokens []common.Address
	for a := range known.proxies {
		proxies = append(proxies, a)
	}
	for a := range known.tokens {
		tokens = append(tokens, a)
	}
	var references, recipients []common.Hash
	for t := range s.known {
		references = append(references, common.HexToHash(t))
	}
	for d := range s.destinations {
		recipients = append(recipients, common.BytesToHash(d.Bytes()))
	}
	var all []ethereum.FilterQuery
	if len(proxies) > 0 {
		for part := range slices.Chunk(references, chunk) {
			all = append(all, ethereum.FilterQuery{Addresses: proxies, Topics: [][]common.Hash{{tokenPaidTopic, coinPaidTopic}, part}})
		}
	}
	if len(tokens) > 0 {
		for part := range slices.Chunk(recipients, chunk) {
			all = append(all, ethereum.FilterQuery{Addresses: tokens, Topics: [][]common.Hash{{transferTopic}, nil, part}})
		}
	}
	return all
}

// logs reads the logs of a range, and halves the range when the node finds it too much.
func (n *node) logs(ctx context.Context, q ethereum.FilterQuery, from, to uint64) ([]types.Log, error) {
	q.FromBlock, q.ToBlock = new(big.Int).SetUint64(from), new(big.Int).SetUint64(to)
	got, err := n.eth.FilterLogs(ctx, q)
	if _, refused := answered(err); refused && from < to {
		middle := from + (to-from)/2
		lower, err := n.logs(ctx, q, from, middle)
		if err != nil {
			return nil, err
		}
		upper, err := n.logs(ctx, q, middle+1, to)
		return append(lower, upper...), err
	}
	if err != nil {
		return nil, fmt.Errorf("read logs of %d…%d: %w", from, to, err)
	}
	return got, nil
}
