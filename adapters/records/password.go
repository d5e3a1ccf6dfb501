package records

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"holdfast/domain/fault"
)

// ErrBusy: so many passwords wait to be hashed that another one would wait too long.
var ErrBusy = fault.New(fault.Unavailable, "SIGN_IN_BUSY", "too many sign-ins are waiting; retry").Retry(5)

// DefaultQueue is how many hashes may wait for their turn: some eight seconds of one core.
const DefaultQueue = 256

// Hasher hashes and verifies with a bound on how many run at once and how many wait, so that a
// wave of logins queues instead of eating memory and cores.
type Hasher struct {
	slots   chan struct{}
	waiting atomic.Int64
	most    int64
}

// NewHasher allows so many hashes at once (19 MiB each) and so many waiting. 0 at once means half
// of the cores, so that the other routes keep theirs; 0 waiting means DefaultQueue.
func NewHasher(atOnce, waiting int) *Hasher {
	if atOnce <= 0 {
		atOnce = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if waiting <= 0 {
		waiting = DefaultQueue
	}
	return &Hasher{slots: make(chan struct{}, atOnce), most: int64(waiting)}
}

// Hash gives the PHC string of a password at the present cost.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	p := phc{cost: present, salt: make([]byte, 16)}
	if _, err := rand.Read(p.salt); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	err := h.turn(ctx, func() error {
		p.key = p.derive(password, keyBytes)
		return nil
	})
	return p.String(), err
}

// Verify compares in constant time: argon2id of any reasonable cost, and the bcrypt of the old
// backend. An empty one is compared with a dummy of the present cost, so that nobody can tell
// unknown users by the clock.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (match bool, err error) {
	compare := func() error {
		p := phc{cost: present, salt: make([]byte, 16), key: make([]byte, keyBytes)}
		if stored != "" {
			if p, err = parsePHC(stored); err != nil {
				return err
			}
		}
		match = subtle.ConstantTimeCompare(p.derive(password, len(p.key)), p.key) == 1 && stored != ""
		return nil
	}
	if isBcrypt(stored) {
		compare = func() error {
			match, err = compareBcrypt(stored, password)
			return err
		}
	}
	err = h.turn(ctx, compare)
	return match && err == nil, err
}

// Stale reports whether a stored hash is not what Hash would make today.
func (h *Hasher) Stale(stored string) bool {
	p, err := parsePHC(stored)
	return err != nil || p.cost != present || len(p.key) != keyBytes
}

// turn waits for a slot and works in it.
func (h *Hasher) turn(ctx context.Context, work func() error) error {
	select {
	case h.slots <- struct{}{}:
	default:
		if h.waiting.Add(1) > h.most {
			h.waiting.Add(-1)
			return ErrBusy
		}
		defer h.waiting.Add(-1)
		select {
		case h.slots <- struct{}{}:
		case <-ctx.Done():
			return fmt.Errorf("wait for a turn to hash: %w", ErrBusy)
		}
	}
	defer func() { <-h.slots }()
	return work()
}

func isBcrypt(stored string) bool {
	return strings.HasPrefix(stored, "$2a$") || strings.HasPrefix(stored, "$2b$") || strings.HasPrefix(stored, "$2y$")
}

// maxBcryptCost bounds the time of one comparison to about a second.
const maxBcryptCost = 14

// compareBcrypt does as the old backend did: what is beyond 72 bytes did not count. The hash
// that replaces it at the next login counts all.
func compareBcrypt(stored, password string) (bool, error) {
	cost, err := bcrypt.Cost([]byte(stored))
	if err != nil || cost > maxBcryptCost {
		return false, errors.New("the stored password is not a bcrypt string of a reasonable cost")
	}
	err = bcrypt.CompareHashAndPassword([]byte(stored), []byte(password)[:min(len(password), 72)])
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	return err == nil, err
}

// derive hashes a password at the string's own cost.
func (p phc) derive(password string, n int) []byte {
	return argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(n)) //nolint:gosec // n is at most 64
}
