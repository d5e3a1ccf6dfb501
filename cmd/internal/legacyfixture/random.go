package legacyfixture

import (
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/bson/primitive"
)

// maker makes documents of one seed.
type maker struct {
	Options
	blocks []block
	wallet *wallet
}

// random gives the dice of one document: the same ones whenever it is asked.
func (m *maker) random(what string, n int) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(what))
	return rand.New(rand.NewPCG(m.Seed^h.Sum64(), uint64(n)*0x9e3779b97f4a7c15+1)) //nolint:gosec // repeatable on purpose
}

// object is the ObjectId that a process of the old backend would have drawn: the second, five
// bytes of the process, its counter.
func (m *maker) object(collection string, at time.Time, n int) (id primitive.ObjectID) {
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64([]byte(collection), m.Seed))
	binary.BigEndian.PutUint32(id[0:4], uint32(at.Unix())) //nolint:gosec // until 2106
	binary.BigEndian.PutUint64(id[4:12], h.Sum64())
	id[9], id[10], id[11] = byte(n>>16), byte(n>>8), byte(n)
	return id
}

// nobody is an ObjectId that names nothing.
func nobody(r *rand.Rand, at time.Time) (id primitive.ObjectID) {
	binary.BigEndian.PutUint32(id[0:4], uint32(at.Unix())) //nolint:gosec // until 2106
	binary.BigEndian.PutUint64(id[4:12], r.Uint64()|1<<63)
	id[4], id[5] = 0xde, 0xad
	return id
}

// within is the moment at which the n-th of many is made.
func (m *maker) within(n, of int) time.Time {
	span := m.To.AddDate(0, -2, 0).Sub(m.From) // the last orders need time to end
	return m.From.Add(time.Duration(float64(span) * float64(n) / float64(max(of, 1)))).Truncate(time.Millisecond)
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

func hexOf(r *rand.Rand, bytes int) string {
	b := make([]byte, bytes)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return hex.EncodeToString(b)
}

func later(r *rand.Rand, t time.Time, least, most time.Duration) time.Time {
	return t.Add(least + time.Duration(r.Int64N(int64(most-least)))).Truncate(time.Millisecond)
}

const (
	hour = time.Hour
	day  = 24 * hour
)

func timeOf(k int) time.Duration { return time.Duration(k) }
