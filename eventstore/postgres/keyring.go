package postgres

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/eventstore"
)

// KeyRing keeps each subject's key in subject_keys, wrapped by the master key with AES-256-GCM.
// Keys are cached for a short time, after which a destruction by another process is noticed.
type KeyRing struct {
	pool   *pgxpool.Pool
	master cipher.AEAD
	fault  error // of the master key, told at first use

	mu    sync.Mutex
	cache map[domain.UserID]cachedKey
}

type cachedKey struct {
	key   []byte
	until time.Time
}

// How long and how many keys are remembered in the clear.
const (
	keyLife   = 30 * time.Second
	cacheSize = 4096
)

// NewKeyRing makes a ring over a migrated database. master must have 32 bytes; losing it
// erases everybody.
func NewKeyRing(pool *pgxpool.Pool, master []byte) *KeyRing {
	k := &KeyRing{pool: pool, cache: map[domain.UserID]cachedKey{}}
	if len(master) != 32 {
		k.fault = fmt.Errorf("the master key needs 32 bytes, has %d", len(master))
		return k
	}
	block, err := aes.NewCipher(master)
	if err == nil {
		k.master, err = cipher.NewGCM(block)
	}
	k.fault = err
	return k
}

// SubjectKey implements eventstore.KeyRing.
func (k *KeyRing) SubjectKey(ctx context.Context, subject domain.UserID, create bool) ([]byte, error) {
	if k.fault != nil {
		return nil, k.fault
	}
	if key, ok := k.cached(subject); ok {
		return key, nil
	}
	key, err := k.load(ctx, subject)
	if errors.Is(err, pgx.ErrNoRows) && create {
		if err = k.make(ctx, subject); err == nil {
			key, err = k.load(ctx, subject) // ours, or that of whoever was faster
		}
	}
	if err != nil {
		return nil, fmt.Errorf("key of subject %s: %w", subject, err)
	}
	k.keep(subject, key)
	return key, nil
}

func (k *KeyRing) load(ctx context.Context, subject domain.UserID) ([]byte, error) {
	var wrapped []byte
	if err := k.pool.QueryRow(ctx, `SELECT wrapped FROM subject_keys WHERE subject = $1`, string(subject)).Scan(&wrapped); err != nil {
		return nil, translate(err)
	}
	if wrapped == nil {
		return nil, eventstore.ErrErased
	}
	return k.unwrap(subject, wrapped)
}

// unwrap opens a subject's key.
func (k *KeyRing) unwrap(subject domain.UserID, wrapped []byte) ([]byte, error) {
	size := k.master.NonceSize()
	if len(wrapped) < size {
		return nil, errors.New("the wrapped key is cut short")
	}
	key, err := k.master.Open(nil, wrapped[:size], wrapped[size:], []byte(subject))
	if err != nil {
		return nil, fmt.Errorf("unwrap (is it the right master key?): %w", err)
	}
	return key, nil
}

// draw makes a key, wrapped.
func (k *KeyRing) draw(subject domain.UserID) ([]byte, error) {
	drawn := make([]byte, 32+k.master.NonceSize())
	if _, err := rand.Read(drawn); err != nil {
		return nil, fmt.Errorf("draw a key: %w", err)
	}
	key, nonce := drawn[:32], drawn[32:]
	return k.master.Seal(append([]byte(nil), nonce...), nonce, key, []byte(subject)), nil
}

func (k *KeyRing) make(ctx context.Context, subject domain.UserID) error {
	wrapped, err := k.draw(subject)
	if err != nil {
		return err
	}
	_, err = k.pool.Exec(ctx, `INSERT INTO subject_keys (subject, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING`, string(subject), wrapped)
	return translate(err)
}

// Destroy erases a subject: the wrapped key is overwritten by a tombstone, so that what it
// sealed can never be read again and no new key is made. Other processes forget within
// half a minute.
func (k *KeyRing) Destroy(ctx context.Context, subject domain.UserID) error {
	_, err := k.pool.Exec(ctx, `INSERT INTO subject_keys (subject, destroyed_at) VALUES ($1, clock_timestamp())
		ON CONFLICT (subject) DO UPDATE SET wrapped = NULL, destroyed_at = coalesce(subject_keys.destroyed_at, excluded.destroyed_at)`, string(subject))
	if err != nil {
		return fmt.Errorf("destroy the key of subject %s: %w", subject, translate(err))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.cache, subject)
	return nil
}

// Forget empties the memory of keys, so that a destruction by another process is noticed at once.
func (k *KeyRing) Forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.cache)
}

func (k *KeyRing) cached(subject domain.UserID) ([]byte, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.cache[subject]
	return c.key, ok && time.Now().Before(c.until)
}

func (k *KeyRing) keep(subject domain.UserID, key []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.cache) >= cacheSize {
		clear(k.cache)
	}
	k.cache[subject] = cachedKey{key: key, until: time.Now().Add(keyLife)}
}

// Prepare makes the keys of many subjects, where they were never made, and remembers them all, in
// two round trips. Those of erased people stay destroyed.
func (k *KeyRing) Prepare(ctx context.Context, subjects []domain.UserID) error {
	if k.fault != nil {
		return k.fault
	}
	missing, wrapped, err := k.drawMany(subjects)
	if err != nil || len(missing) == 0 {
		return err
	}
	if _, err := k.pool.Exec(ctx, `INSERT INTO subject_keys (subject, wrapped) SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT DO NOTHING`, missing, wrapped); err != nil {
		return fmt.Errorf("make keys of %d subjects: %w", len(missing), translate(err))
	}
	rows, err := k.pool.Query(ctx, `SELECT subject, wrapped FROM subject_keys WHERE subject = ANY ($1::text[]) AND wrapped IS NOT NULL`, missing)
	if err != nil {
		return fmt.Errorf("read keys of %d subjects: %w", len(missing), translate(err))
	}
	var subject domain.UserID
	var sealed []byte
	_, err = pgx.ForEachRow(rows, []any{&subject, &sealed}, func() error {
		key, err := k.unwrap(subject, sealed)
		if err == nil {
			k.keep(subject, key)
		}
		return err
	})
	return err
}

// drawMany draws a key for each subject that is not remembered.
func (k *KeyRing) drawMany(subjects []domain.UserID) (missing []string, wrapped [][]byte, err error) {
	asked := map[domain.UserID]bool{}
	for _, s := range subjects {
		if _, known := k.cached(s); known || asked[s] || s == "" {
			continue
		}
		asked[s] = true
		w, err := k.draw(s)
		if err != nil {
			return nil, nil, err
		}
		missing, wrapped = append(missing, string(s)), append(wrapped, w)
	}
	return missing, wrapped, nil
}
