package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"holdfast/domain/network"
)

// chunk is how many references or destinations go into one filter; nodes limit it.
const chunk = 500

// Scan looks through blocks from … to (both included, to cut at the head) for payments with
// our references and transfers to our destinations. Each node's part comes from that node
// alone, so a lagging one cannot hide a payment by answering "nothing"; a chain that
// reorganises meanwhile gives ErrUnavailable. When from is above the head, nothing is
// scanned and To is below from.
//
// With several nodes all are asked and what any of them found is found: it is compared again
// before anything is confirmed (Attest). Nodes of the same chain that found different things
// are an alarm.
func (c *Client) Scan(ctx context.Context, from, to uint64, w network.Watch) (network.Scanned, error) {
	known, err := topics(w.References...)
	if err != nil {
		return network.Scanned{}, err
	}
	s := &scan{client: c, known: known, destinations: map[common.Address]bool{}, coins: map[common.Address]bool{}}
	for _, d := range w.Destinations {
		s.destinations[common.HexToAddress(d)] = true
	}
	for _, d := range w.Coins {
		s.coins[common.HexToAddress(d)] = true
	}
	all, err := askAll(ctx, c, 0, "scan for payments", func(ctx context.Context, n *node) (sight, error) {
		found, err := s.run(ctx, n, from, to)
		return sight{n, found}, err
	})
	if err != nil {
		return network.Scanned{}, asUnavailable(err)
	}
	return c.united(ctx, all), nil
}

// sight is what one node's scan found.
type sight struct {
	node *node
	network.Scanned
}

// united joins the nodes' scans: as far as the slowest that still moves, with what any found.
func (c *Client) united(ctx context.Context, all []sight) network.Scanned {
	highest := uint64(0)
	for _, s := range all {
		highest = max(highest, s.To)
	}
	all = slices.DeleteFunc(all, func(s sight) bool {
		s.node.mu.Lock()
		defer s.node.mu.Unlock()
		return s.To < highest && s.node.stuckBelow(highest)
	})
	u := all[0].Scanned
	known := map[string]bool{}
	key := func(d network.Deposit) string { return fmt.Sprintf("%s:%d", d.Tx, d.Log) }
	for _, d := range u.Deposits {
		known[key(d)] = true
	}
	for _, s := range all[1:] {
		same := s.To == all[0].To && s.ToHash == all[0].ToHash
		if same && len(s.Deposits) != len(all[0].Deposits) {
			_ = c.contradicted(ctx, fmt.Sprintf("payments up to block %d: %d or %d", s.To, len(all[0].Deposits), len(s.Deposits)))
		}
		if s.To < u.To {
			u.To, u.ToHash, u.Parent = s.To, s.ToHash, s.Parent
		}
		for _, d := range s.Deposits {
			if !known[key(d)] {
				known[key(d)] = true
				u.Deposits = append(u.Deposits, d)
			}
		}
	}
	return u
}

type scan struct {
	client       *Client
	known        map[string]string // topic → reference
	destinations map[common.Address]bool
	coins        map[common.Address]bool // that plain transfers of the coin are looked for to
}

func (s *scan) run(ctx context.Context, n *node, from, to uint64) (network.Scanned, error) {
	limit := s.client.timeout
	var last block
	err := n.within(ctx, limit, func(ctx context.Context) (err error) {
		if last, err = n.block(ctx, "latest"); err == nil && uint64(last.Number) > to {
			last, err = n.blockAt(ctx, to)
		}
		return err
	})
	if err != nil {
		return network.Scanned{}, err
	}
	found := network.Scanned{To: uint64(last.Number), ToHash: last.Hash.Hex()}
	if found.To < from {
		return found, nil
	}
	txs, err := s.transactions(ctx, n, from, found.To)
	if err != nil {
		return network.Scanned{}, err
	}
	coins := map[common.Hash]*plain{}
	if txs, err = s.plain(ctx, n, from, found.To, txs, coins); err != nil {
		return network.Scanned{}, err
	}
	for part := range slices.Chunk(txs, receiptsAtOnce) {
		var receipts []receipt
		err := n.within(ctx, limit, func(ctx context.Context) (err error) { receipts, err = n.allReceipts(ctx, part); return err })
		if err != nil {
			return network.Scanned{}, fmt.Errorf("a log's transaction is gone: %w", err)
		}
		for _, r := range receipts {
			r.coin = coins[r.TxHash]
			found.Deposits = append(found.Deposits, s.ours(r)...)
		}
	}
	err = n.within(ctx, limit, func(ctx context.Context) error {
		again, err := n.blockAt(ctx, found.To)
		if err == nil && again.Hash != last.Hash {
			err = errors.New("the chain was reorganised during the scan")
		}
		first := again
		if err == nil && from < found.To {
			first, err = n.blockAt(ctx, from)
		}
		if first.Parent != (common.Hash{}) {
			found.Parent = first.Parent.Hex()
		}
		return err
	})
	if err != nil {
		return network.Scanned{}, err
	}
	return found, nil
}

// ours picks the deposits of a receipt that the scan is about.
func (s *scan) ours(r receipt) []network.Deposit {
	var found []network.Deposit
	for _, d := range s.client.deposits(r) {
		d.Reference = s.known[d.Topic]
		to := common.HexToAddress(d.To)
		if (d.Reference != "" || s.destinations[to] || s.coins[to]) && s.client.listed(d.Asset) && !d.Amount.IsZero() {
			found = append(found, d)
		}
	}
	return found
}

// plain adds transactions that send the coin itself; it reads nothing when nobody waits for coin.
func (s *scan) plain(ctx context.Context, n *node, from, to uint64, txs []common.Hash, coins map[common.Hash]*plain) ([]common.Hash, error) {
	if len(s.coins) == 0 {
		return txs, nil
	}
	found, err := n.plainTransfers(ctx, s, from, to)
	if err != nil {
		return nil, err
	}
	known := map[common.Hash]bool{}
	for _, tx := range txs {
		known[tx] = true
	}
	for _, tx := range found {
		if coins[tx.Hash], err = tx.plain(); err != nil {
			return nil, err
		}
		if !known[tx.Hash] {
			txs = append(txs, tx.Hash)
		}
	}
	return txs, nil
}

// transactions lists the transactions whose logs concern us, in the order of the chain.
func (s *scan) transactions(ctx context.Context, n *node, from, to uint64) ([]common.Hash, error) {
	var logs []types.Log
	for _, q := range s.filters() {
		got, err := n.logs(ctx, s.client.timeout, q, from, to)
		if err != nil {
			return nil, err
		}
		for _, l := range got {
			if s.concerns(l) {
				logs = append(logs, l)
			}
		}
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
	if len(proxies) > 0 && len(references) > chunk {
		// So many that reading every payment of these contracts costs less than asking for ours.
		all = append(all, ethereum.FilterQuery{Addresses: proxies, Topics: [][]common.Hash{{tokenPaidTopic, coinPaidTopic}}})
	} else if len(proxies) > 0 {
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

// concerns drops what a filter without references let through.
func (s *scan) concerns(l types.Log) bool {
	return len(l.Topics) != 2 || s.known[l.Topics[1].Hex()] != ""
}

// logs reads the logs of a range in pieces that the node takes: what it finds too much is
// halved, and what it took is tried a little larger next time.
func (n *node) logs(ctx context.Context, limit time.Duration, q ethereum.FilterQuery, from, to uint64) ([]types.Log, error) {
	var all []types.Log
	for at := from; at <= to; {
		last := min(to, at+n.widest()-1)
		q.FromBlock, q.ToBlock = new(big.Int).SetUint64(at), new(big.Int).SetUint64(last)
		var got []types.Log
		err := n.within(ctx, limit, func(ctx context.Context) (err error) { got, err = n.eth.FilterLogs(ctx, q); return err })
		switch {
		case err == nil:
			all = append(all, got...)
			n.took(last - at + 1)
			at = last + 1
		case last > at && ctx.Err() == nil && tooMuch(err):
			n.narrow((last - at + 1) / 2)
		default:
			return nil, fmt.Errorf("read logs of %d…%d: %w", at, last, err)
		}
	}
	return all, nil
}

// tooMuch reports whether a smaller range may help: nodes say it in words of their own, cut
// the answer off, or just take too long.
func tooMuch(err error) bool {
	_, refused := answered(err)
	h, isHTTP := errors.AsType[rpc.HTTPError](err)
	return refused || errors.Is(err, errTooLong) || errors.Is(err, context.DeadlineExceeded) ||
		isHTTP && (h.StatusCode == http.StatusBadRequest || h.StatusCode == http.StatusRequestEntityTooLarge)
}

// anySpan is wider than any range that is asked for.
const anySpan = 1 << 32

func (n *node) widest() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.span == 0 {
		return anySpan
	}
	return n.span
}

func (n *node) narrow(to uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.span = max(to, 1)
}

// took widens the span by an eighth when a node has taken all of it.
func (n *node) took(blocks uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.span != 0 && blocks >= n.span {
		n.span += n.span/8 + 1
	}
}
