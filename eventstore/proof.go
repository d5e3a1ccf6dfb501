package eventstore

import (
	"context"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"holdfast/domain/fault"
)

// ErrNoSuchProof: the positions asked for are not in the log, or not in this order.
var ErrNoSuchProof = fault.New(fault.Malformed, "PROOF_OUT_OF_RANGE", "a proof needs 1 ≤ position ≤ size ≤ the log's last position")

// InclusionProof shows that an event is in the log of a size.
type InclusionProof struct {
	Position int64    `json:"position"` // of the event, from 1
	Size     int64    `json:"size"`
	LeafHash []byte   `json:"leaf_hash"`
	Hashes   [][]byte `json:"hashes"`
	Root     []byte   `json:"root"` // of the log at Size
}

// ConsistencyProof shows that the log of size To begins with the log of size From.
type ConsistencyProof struct {
	From     int64    `json:"from"`
	To       int64    `json:"to"`
	FromRoot []byte   `json:"from_root"`
	ToRoot   []byte   `json:"to_root"`
	Hashes   [][]byte `json:"hashes"`
}

// VerifyInclusion checks a proof without any database: leafHash is LeafHash of the event in
// hand, root that of a checkpoint of the proof's size.
func VerifyInclusion(p InclusionProof, leafHash, root []byte) error {
	if p.Position < 1 || p.Size < p.Position {
		return ErrNoSuchProof
	}
	return proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(p.Position-1), uint64(p.Size), leafHash, p.Hashes, root)
}

// VerifyConsistency checks a proof without any database: the roots are those of two checkpoints.
func VerifyConsistency(p ConsistencyProof, fromRoot, toRoot []byte) error {
	if p.From < 0 || p.To < p.From {
		return ErrNoSuchProof
	}
	return proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(p.From), uint64(p.To), p.Hashes, fromRoot, toRoot)
}

// NodeReader gives the hashes that proofs are made of.
type NodeReader interface {
	// TreeHashes gives count hashes of a level from an index on: leaf hashes (level 0, index
	// = position − 1) or stored nodes. Only complete subtrees within the log are asked for.
	TreeHashes(ctx context.Context, level int, index int64, count int) ([][]byte, error)
}

// ProveInclusion builds the proof of an event in the log of a size ≤ the log's.
func ProveInclusion(ctx context.Context, r NodeReader, position, size int64) (InclusionProof, error) {
	if position < 1 || position > size {
		return InclusionProof{}, ErrNoSuchProof
	}
	nodes, err := proof.Inclusion(uint64(position-1), uint64(size))
	if err != nil {
		return InclusionProof{}, fmt.Errorf("plan the proof: %w", err)
	}
	p := InclusionProof{Position: position, Size: size}
	if p.Hashes, err = rehash(ctx, r, nodes); err != nil {
		return InclusionProof{}, err
	}
	if p.LeafHash, err = node(ctx, r, compact.NewNodeID(0, uint64(position-1))); err != nil {
		return InclusionProof{}, err
	}
	p.Root, err = proof.RootFromInclusionProof(rfc6962.DefaultHasher, uint64(position-1), uint64(size), p.LeafHash, p.Hashes)
	return p, err
}

// ProveConsistency builds the proof between two sizes, 0 ≤ from ≤ to ≤ the log's.
func ProveConsistency(ctx context.Context, r NodeReader, from, to int64) (ConsistencyProof, error) {
	if from < 0 || from > to {
		return ConsistencyProof{}, ErrNoSuchProof
	}
	nodes, err := proof.Consistency(uint64(from), uint64(to))
	if err != nil {
		return ConsistencyProof{}, fmt.Errorf("plan the proof: %w", err)
	}
	p := ConsistencyProof{From: from, To: to}
	if p.Hashes, err = rehash(ctx, r, nodes); err != nil {
		return ConsistencyProof{}, err
	}
	if p.FromRoot, err = RootAt(ctx, r, from); err != nil {
		return ConsistencyProof{}, err
	}
	p.ToRoot, err = RootAt(ctx, r, to)
	return p, err
}

// RootAt recomputes the log's root at an earlier size.
func RootAt(ctx context.Context, r NodeReader, size int64) ([]byte, error) {
	var hashes [][]byte
	for _, id := range compact.RangeNodes(0, uint64(size), nil) {
		h, err := node(ctx, r, id)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, h)
	}
	edge, err := ranges.NewRange(0, uint64(size), hashes)
	if err != nil {
		return nil, err
	}
	return (&Tree{edge: edge}).Root(), nil
}

func rehash(ctx context.Context, r NodeReader, nodes proof.Nodes) ([][]byte, error) {
	hashes := make([][]byte, len(nodes.IDs))
	for i, id := range nodes.IDs {
		var err error
		if hashes[i], err = node(ctx, r, id); err != nil {
			return nil, err
		}
	}
	return nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
}

// node computes a complete subtree's root from the nearest stored level below it.
func node(ctx context.Context, r NodeReader, id compact.NodeID) ([]byte, error) {
	below := id.Level - id.Level%keptLevels
	count := 1 << (id.Level - below)
	index := id.Index << (id.Level - below)
	hashes, err := r.TreeHashes(ctx, int(below), int64(index), count)
	if err != nil {
		return nil, fmt.Errorf("read tree level %d: %w", below, err)
	}
	if len(hashes) != count {
		return nil, fmt.Errorf("read tree level %d: %d hashes from %d on, want %d", below, len(hashes), index, count)
	}
	for len(hashes) > 1 {
		for i := range len(hashes) / 2 {
			hashes[i] = rfc6962.DefaultHasher.HashChildren(hashes[2*i], hashes[2*i+1])
		}
		hashes = hashes[:len(hashes)/2]
	}
	return hashes[0], nil
}
