package evm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"holdfast/domain/network"
)

// Head gives the chain's head and what it holds to be safe and finalized.
func (c *Client) Head(ctx context.Context) (network.Head, error) {
	var h network.Head
	err := c.read(ctx, "read the head", func(ctx context.Context, n *node) error {
		b, err := n.block(ctx, "latest")
		if err != nil {
			return err
		}
		h = network.Head{Number: uint64(b.Number), Hash: b.Hash.Hex()}
		if h.Safe, err = n.tagged(ctx, "safe"); err != nil {
			return err
		}
		h.Finalized, err = n.tagged(ctx, "finalized")
		return err
	})
	return h, err
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
	all, err := askAll(ctx, c, "read a block's standing", func(ctx context.Context, n *node) (network.Standing, error) {
		return n.standing(ctx, number, hash)
	})
	if err != nil {
		return network.Standing{}, err
	}
	s := all[0]
	for _, o := range all[1:] {
		if o.Canonical != s.Canonical {
			return network.Standing{}, fmt.Errorf("block %d: %w", number, ErrContradiction)
		}
		s.Head, s.Depth = min(s.Head, o.Head), min(s.Depth, o.Depth)
		s.Safe, s.Finalized = s.Safe && o.Safe, s.Finalized && o.Finalized
	}
	return s, nil
}

func (n *node) standing(ctx context.Context, number uint64, hash string) (network.Standing, error) {
	head, err := n.block(ctx, "latest")
	if err != nil {
		return network.Standing{}, err
	}
	s := network.Standing{Head: uint64(head.Number)}
	at, err := n.blockAt(ctx, number)
	switch {
	case notFound(err) && s.Head >= number:
		return network.Standing{}, fmt.Errorf("head is %d, but block %d is missing", s.Head, number)
	case notFound(err):
		// Lower than a block that was seen: this node lags, or a reorganisation has just
		// made the chain shorter. Wait for blocks; neither is an answer.
		return network.Standing{}, fmt.Errorf("the node is at block %d, below %d", s.Head, number)
	case err != nil:
		return network.Standing{}, err
	}
	if !strings.EqualFold(at.Hash.Hex(), hash) {
		return s, nil
	}
	s.Canonical = true
	if s.Head >= number {
		s.Depth = s.Head - number + 1
	}
	safe, err := n.tagged(ctx, "safe")
	if err != nil {
		return network.Standing{}, err
	}
	finalized, err := n.tagged(ctx, "finalized")
	s.Safe, s.Finalized = safe >= number && number > 0, finalized >= number && number > 0
	return s, err
}

// asUnavailable makes whatever went wrong while reading a reason to ask again later.
func asUnavailable(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w (%w)", ErrUnavailable, err)
}
