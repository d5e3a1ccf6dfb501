package evm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"holdfast/domain/network"
)

// Head gives the chain's head and what it holds to be safe and finalized. Where nodes differ
// it is the lowest of each: a head that is too low costs a moment, one that is too high would
// count confirmations that are not there. A node that stands still below the others is not
// listened to.
func (c *Client) Head(ctx context.Context) (network.Head, error) {
	all, err := askAll(ctx, c, c.timeout, "read the head", func(ctx context.Context, n *node) (view, error) { return n.view(ctx) })
	if err != nil {
		return network.Head{}, err
	}
	all = c.moving(all)
	h := all[0].head
	for _, v := range all[1:] {
		if v.head.Number < h.Number {
			h.Number, h.Hash = v.head.Number, v.head.Hash
		}
		h.Safe, h.Finalized = min(h.Safe, v.head.Safe), min(h.Finalized, v.head.Finalized)
	}
	return h, nil
}

// view is a chain as one node sees it.
type view struct {
	node *node
	head network.Head
	// hashes of the blocks that were asked for; empty where the node has none.
	hashes []string
}

func (n *node) view(ctx context.Context) (v view, err error) {
	v.node = n
	b, err := n.block(ctx, "latest")
	if err != nil {
		return v, err
	}
	v.head = network.Head{Number: uint64(b.Number), Hash: b.Hash.Hex(), Safe: n.tagged(ctx, "safe"), Finalized: n.tagged(ctx, "finalized")}
	return v, ctx.Err()
}

// moving leaves out the views of nodes that stand still below the others.
func (c *Client) moving(all []view) []view {
	highest := uint64(0)
	for _, v := range all {
		highest = max(highest, v.head.Number)
	}
	return slices.DeleteFunc(all, func(v view) bool {
		v.node.mu.Lock()
		defer v.node.mu.Unlock()
		return v.node.stuckBelow(highest)
	})
}

// BlockHash is the hash of the canonical block at a height; empty when the chain is not
// that high (any more).
func (c *Client) BlockHash(ctx context.Context, number uint64) (string, error) {
	var hash string
	err := c.ask(ctx, "read a block's hash", func(ctx context.Context, n *node) error {
		b, err := n.blockAt(ctx, number)
		hash = b.Hash.Hex()
		return err
	})
	if notFound(err) {
		return "", nil
	}
	return hash, asUnavailable(err)
}

// Standing says how firmly a block stands, by the word of every node that answers. When
// they disagree on whether the block is part of the chain, the error is ErrContradiction:
// it may neither confirm nor reverse anything.
func (c *Client) Standing(ctx context.Context, number uint64, hash string) (network.Standing, error) {
	m := network.Mark{Number: number, Hash: hash}
	all, err := c.Standings(ctx, []network.Mark{m})
	return all[m], err
}

// standingsAtOnce bounds the blocks of one question to a node.
const standingsAtOnce = 200

// Standings is Standing for many blocks in few calls. The error speaks of the blocks that are
// missing in the answer; what is said of the others counts.
func (c *Client) Standings(ctx context.Context, marks []network.Mark) (map[network.Mark]network.Standing, error) {
	found := make(map[network.Mark]network.Standing, len(marks))
	var problems []error
	for part := range slices.Chunk(marks, standingsAtOnce) {
		all, err := askAll(ctx, c, c.timeout, "read blocks' standing", func(ctx context.Context, n *node) (view, error) {
			v, err := n.view(ctx)
			if err == nil {
				v.hashes, err = n.hashes(ctx, part)
			}
			return v, err
		})
		if err != nil {
			problems = append(problems, err)
			continue
		}
		all = c.moving(all)
		for i, m := range part {
			s, err := c.agree(ctx, m, i, all)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			found[m] = s
		}
	}
	return found, errors.Join(problems...)
}

// agree makes one answer of what the nodes say about a block: the most careful one.
func (c *Client) agree(ctx context.Context, m network.Mark, i int, all []view) (s network.Standing, err error) {
	var known, canonical int
	lags := false
	for _, v := range all {
		if v.hashes[i] == "" {
			// Lower than a block that was seen: the node lags, or a reorganisation has just made
			// the chain shorter. Neither is an answer; wait for blocks.
			lags = true
			continue
		}
		one := v.standing(m, v.hashes[i])
		if known++; known == 1 {
			s = one
		}
		if one.Canonical {
			canonical++
		}
		s.Head, s.Depth = min(s.Head, one.Head), min(s.Depth, one.Depth)
		s.Safe, s.Finalized = s.Safe && one.Safe, s.Finalized && one.Finalized
	}
	switch {
	case known == 0:
		return s, fmt.Errorf("block %d: no node is that far: %w", m.Number, ErrUnavailable)
	case canonical != 0 && canonical != known:
		return s, c.contradicted(ctx, fmt.Sprintf("block %d", m.Number))
	case lags:
		s.Depth, s.Safe, s.Finalized = 0, false, false
	}
	return s, nil
}

func (v view) standing(m network.Mark, hash string) network.Standing {
	s := network.Standing{Head: v.head.Number}
	if !strings.EqualFold(hash, m.Hash) {
		return s
	}
	s.Canonical = true
	if s.Head >= m.Number {
		s.Depth = s.Head - m.Number + 1
	}
	s.Safe, s.Finalized = v.head.Safe >= m.Number && m.Number > 0, v.head.Finalized >= m.Number && m.Number > 0
	return s
}

// hashes gives the hash that the chain has at each mark's height, empty where it has none.
func (n *node) hashes(ctx context.Context, marks []network.Mark) ([]string, error) {
	all := make([]string, len(marks))
	if len(marks) > 1 {
		blocks := make([]*block, len(marks))
		batch := make([]rpc.BatchElem, len(marks))
		for i, m := range marks {
			batch[i] = rpc.BatchElem{Method: "eth_getBlockByNumber", Args: []any{hexutil.EncodeUint64(m.Number), false}, Result: &blocks[i]}
		}
		if n.batch(ctx, batch) {
			for i, b := range blocks {
				switch {
				case b == nil:
				case uint64(b.Number) != marks[i].Number || b.Hash == (common.Hash{}):
					return nil, fmt.Errorf("asked for block %d, got %d", marks[i].Number, b.Number)
				default:
					all[i] = b.Hash.Hex()
				}
			}
			return all, nil
		}
	}
	for i, m := range marks {
		b, err := n.blockAt(ctx, m.Number)
		if err != nil && !notFound(err) {
			return nil, err
		}
		if err == nil {
			all[i] = b.Hash.Hex()
		}
	}
	return all, nil
}

// batch makes many calls in one request. It reports false when the node does not take
// batches, or any of the calls failed: then each has to be made alone.
func (n *node) batch(ctx context.Context, calls []rpc.BatchElem) bool {
	if err := n.rpc.BatchCallContext(ctx, calls); err != nil {
		return false
	}
	return !slices.ContainsFunc(calls, func(c rpc.BatchElem) bool { return c.Error != nil })
}

// asUnavailable makes whatever went wrong while reading a reason to ask again later.
func asUnavailable(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w (%w)", ErrUnavailable, err)
}
