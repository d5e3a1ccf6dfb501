package eventstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"holdfast/domain"
)

// Sealer seals text in plain rows with the key of the person it is about, so that destroying
// the key erases rows and their backups as it erases events.
type Sealer struct{ keys KeyRing }

// NewSealer makes a sealer over a key ring.
func NewSealer(keys KeyRing) Sealer { return Sealer{keys} }

// Seal encrypts plain for a subject. place names the column it is for: the ciphertext opens
// nowhere else. ErrErased when the subject's key was destroyed.
func (s Sealer) Seal(ctx context.Context, subject domain.UserID, place string, plain []byte) ([]byte, error) {
	if subject == "" {
		return nil, errors.New("personal text without a subject")
	}
	key, err := s.keys.SubjectKey(ctx, subject, true)
	if err != nil {
		return nil, err
	}
	gcm, err := gcmOf(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, gcm.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	return gcm.Seal(nonce, nonce, plain, sealedFor(subject, place)), nil
}

// Open decrypts what Seal gave for the same subject and place. ErrErased when the subject's
// key was destroyed.
func (s Sealer) Open(ctx context.Context, subject domain.UserID, place string, sealed []byte) ([]byte, error) {
	key, err := s.keys.SubjectKey(ctx, subject, false)
	if err != nil {
		return nil, err
	}
	gcm, err := gcmOf(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < gcm.NonceSize() {
		return nil, errors.New("sealed text is cut short")
	}
	plain, err := gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], sealedFor(subject, place))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", place, err)
	}
	return plain, nil
}

func sealedFor(subject domain.UserID, place string) []byte {
	return []byte(string(subject) + "\x00" + place)
}
