package records

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// worker does the work of one hash, on the caller's turn.
type worker interface {
	hash(password string) (string, error)
	verify(stored, password string) (bool, error)
}

// here works in this process.
type here struct{}

func (here) hash(password string) (string, error) {
	p := phc{cost: present, salt: make([]byte, 16)}
	if _, err := rand.Read(p.salt); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	p.key = p.derive(password, keyBytes)
	return p.String(), nil
}

func (here) verify(stored, password string) (bool, error) {
	if isBcrypt(stored) {
		return compareBcrypt(stored, password)
	}
	p := phc{cost: present, salt: make([]byte, 16), key: make([]byte, keyBytes)}
	if stored != "" {
		var err error
		if p, err = parsePHC(stored); err != nil {
			return false, err
		}
	}
	return subtle.ConstantTimeCompare(p.derive(password, len(p.key)), p.key) == 1 && stored != "", nil
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
