package eventstore

import (
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// hashSize is SHA-256's.
const hashSize = 32

var ranges = compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

// Tree is the right edge of the log's Merkle tree: enough to append leaves and to know the
// root, small enough (a hash per bit of the size) to be carried in one row.
type Tree struct{ edge *compact.Range }

// TreeNode is the root of a complete subtree of 2^Level leaves, the Index-th of its level.
type TreeNode struct {
	Level int
	Index int64
	Hash  []byte
}

// keptLevels: every so many levels a proof can begin from stored nodes, so it reads at most
// 2^keptLevels − 1 hashes of a level.
const keptLevels = 8

// NewTree restores the edge of a tree of a size from Edge's bytes.
func NewTree(size int64, edge []byte) (*Tree, error) {
	if len(edge)%hashSize != 0 {
		return nil, fmt.Errorf("tree edge of %d bytes", len(edge))
	}
	hashes := make([][]byte, 0, len(edge)/hashSize+1)
	for i := 0; i < len(edge); i += hashSize {
		hashes = append(hashes, edge[i:i+hashSize:i+hashSize])
	}
	r, err := ranges.NewRange(0, uint64(size), hashes)
	if err != nil {
		return nil, fmt.Errorf("restore the tree: %w", err)
	}
	return &Tree{edge: r}, nil
}

// Append adds a leaf hash. keep, when given, gets the completed subtrees that are worth
// storing for proofs.
func (t *Tree) Append(leaf []byte, keep func(TreeNode)) error {
	return t.edge.Append(leaf, func(id compact.NodeID, hash []byte) {
		if keep != nil && id.Level > 0 && id.Level%keptLevels == 0 {
			keep(TreeNode{Level: int(id.Level), Index: int64(id.Index), Hash: hash})
		}
	})
}

// Size is the number of leaves.
func (t *Tree) Size() int64 { return int64(t.edge.End()) }

// Root is the RFC 6962 tree hash; that of an empty tree is the hash of nothing.
func (t *Tree) Root() []byte {
	if t.edge.End() == 0 {
		return rfc6962.DefaultHasher.EmptyRoot()
	}
	root, err := t.edge.GetRootHash(nil)
	if err != nil {
		panic(fmt.Sprintf("eventstore: a tree that begins at 0 has a root: %v", err))
	}
	return root
}

// Edge gives the bytes that NewTree restores.
func (t *Tree) Edge() []byte {
	b := make([]byte, 0, len(t.edge.Hashes())*hashSize)
	for _, h := range t.edge.Hashes() {
		b = append(b, h...)
	}
	return b
}
