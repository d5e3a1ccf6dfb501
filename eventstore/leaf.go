package eventstore

import (
	"encoding/binary"

	"github.com/transparency-dev/merkle/rfc6962"
)

// leafTag opens every leaf, so that a leaf of this log is a leaf of nothing else.
const leafTag = "holdfast event v1"

// Leaf gives the canonical bytes of an event that the log's proof covers: every field of the
// envelope, numbers in big-endian, texts and bytes with their length in front. With lengths,
// no two different events have the same bytes (joining fields with a separator is how other
// logs lost that).
func Leaf(r Recorded) []byte {
	size := len(leafTag) + 5*8 + 16 + 6*4 + len(r.Stream.Type) + len(r.Stream.ID) + len(r.Type) + len(r.Data) + len(r.Meta)
	b := make([]byte, 0, size)
	b = text(b, leafTag)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Position))
	b = append(b, r.EventID[:]...)
	b = text(b, r.Stream.Type)
	b = text(b, r.Stream.ID)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Version))
	b = text(b, r.Type)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Schema))
	b = text(b, r.Data)
	b = text(b, r.Meta)
	return binary.BigEndian.AppendUint64(b, uint64(r.RecordedAt.UnixMicro()))
}

func text[T ~string | ~[]byte](b []byte, s T) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}

// LeafHash is the RFC 6962 hash of the event's leaf: SHA-256 over 0x00 and the leaf.
func LeafHash(r Recorded) []byte { return rfc6962.DefaultHasher.HashLeaf(Leaf(r)) }
