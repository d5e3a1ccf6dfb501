package memory

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"

	"holdfast/domain"
	"holdfast/eventstore"
)

// KeyRing keeps subjects' keys in memory.
type KeyRing struct {
	mu   sync.Mutex
	keys map[domain.UserID][]byte // nil = destroyed
}

// NewKeyRing makes an empty ring.
func NewKeyRing() *KeyRing { return &KeyRing{keys: map[domain.UserID][]byte{}} }

// SubjectKey implements eventstore.KeyRing.
func (k *KeyRing) SubjectKey(_ context.Context, subject domain.UserID, create bool) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, known := k.keys[subject]
	switch {
	case known && key == nil:
		return nil, eventstore.ErrErased
	case known:
		return key, nil
	case !create:
		return nil, errors.New("the subject has no key")
	}
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	k.keys[subject] = key
	return key, nil
}

// Destroy erases a subject: the key is gone and never made anew.
func (k *KeyRing) Destroy(_ context.Context, subject domain.UserID) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[subject] = nil
	return nil
}
