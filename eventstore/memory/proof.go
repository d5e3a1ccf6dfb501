package memory

import (
	"context"

	"holdfast/eventstore"
)

// TreeHashes implements eventstore.NodeReader.
func (s *Store) TreeHashes(_ context.Context, level int, index int64, count int) ([][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var hashes [][]byte
	for i := index; i < index+int64(count); i++ {
		if level == 0 && i < int64(len(s.events)) {
			hashes = append(hashes, s.events[i].LeafHash)
		} else if h, ok := s.nodes[nodeKey{level, i}]; ok {
			hashes = append(hashes, h)
		}
	}
	return hashes, nil
}

// InclusionProof proves that the event at a position is in the log of a size.
func (s *Store) InclusionProof(ctx context.Context, position, size int64) (eventstore.InclusionProof, error) {
	if head, err := s.Head(ctx); err != nil || size > head.Position {
		return eventstore.InclusionProof{}, eventstore.ErrNoSuchProof
	}
	return eventstore.ProveInclusion(ctx, s, position, size)
}

// ConsistencyProof proves that the log of size to begins with that of size from.
func (s *Store) ConsistencyProof(ctx context.Context, from, to int64) (eventstore.ConsistencyProof, error) {
	if head, err := s.Head(ctx); err != nil || to > head.Position {
		return eventstore.ConsistencyProof{}, eventstore.ErrNoSuchProof
	}
	return eventstore.ProveConsistency(ctx, s, from, to)
}
