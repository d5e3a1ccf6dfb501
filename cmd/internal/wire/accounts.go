package wire

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"holdfast/adapters/records"
	"holdfast/cmd/internal/config"
	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/eventstore"
	apihttp "holdfast/http"
)

// hashes names personal text by a key of its own, which follows from the master key.
type hashes struct{ key []byte }

func newHashes(cfg *config.Config) (hashes, error) {
	master, err := config.Key32(cfg.PIIMasterKey)
	if err != nil {
		return hashes{}, fmt.Errorf("PII_MASTER_KEY: %w", err)
	}
	m := hmac.New(sha256.New, master)
	m.Write([]byte("holdfast keyed hashes"))
	return hashes{m.Sum(nil)}, nil
}

// Of implements apihttp.KeyedHashes.
func (h hashes) Of(purpose, text string) string {
	m := hmac.New(sha256.New, h.key)
	m.Write([]byte(purpose + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// SeedUsers makes the development users with their wallets on a chain, and registers them in the
// log where that has not happened yet.
func (c *Core) SeedUsers(ctx context.Context, r *records.Records, chain uint64, wallets map[string]string) error {
	if err := r.Seed(ctx, chain, wallets); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	keyed, err := newHashes(c.Config)
	if err != nil {
		return err
	}
	now, err := c.Store.Now(ctx)
	if err != nil {
		return err
	}
	by := domain.Machine(domain.Process, "seed")
	for _, p := range records.Seeded() {
		cmd := account.Register{
			Issue: domain.Issue{By: by, At: now}, User: p.ID, Email: p.Email, EmailKey: apihttp.EmailKey(keyed, p.Email), Verified: true,
			Name: p.Name, Roles: p.Roles, Method: account.Seeded, Password: true,
		}
		meta := eventstore.Metadata{Actor: by, CommandID: domain.DeriveID(string(p.ID), "seed"), Source: "job"}
		_, err := c.Executor.Execute(ctx, meta, nil, func(u *domain.Unit) (any, error) {
			if version, err := domain.VersionOf(u, account.Decider, string(p.ID)); err != nil || version > 0 {
				return nil, err
			}
			_, err := domain.Do(u, account.Decider, string(p.ID), cmd)
			return nil, err
		})
		if err != nil {
			return fmt.Errorf("register %s: %w", p.Email, err)
		}
	}
	return nil
}
