package legacymongo

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// ObjectID derives the legacy name of a thing that was never in the legacy store: the same thing
// of the same collection has the same one for ever. The first four bytes are the second in which a
// UUIDv7 was made, as in any ObjectId, so that getTimestamp and sorting by _id mean something; for
// other ids they are part of the hash.
func ObjectID(collection, id string) (o primitive.ObjectID) {
	sum := sha256.Sum256([]byte(collection + "\x00" + id))
	copy(o[:], sum[:])
	if u, err := uuid.Parse(id); err == nil && u.Version() == 7 {
		milliseconds := binary.BigEndian.Uint64(append([]byte{0, 0}, u[:6]...))
		binary.BigEndian.PutUint32(o[:4], uint32(milliseconds/1000)) //nolint:gosec // seconds of an ObjectId end in 2106
	}
	return o
}
