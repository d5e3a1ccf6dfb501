package wire

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/trezor"
	apihttp "holdfast/http"
)

// devices reads keys and signatures; ours is the key that pay-in addresses are derived from.
type devices struct{ ours string }

func (devices) Account(xpub, path string) (apihttp.DeviceAccount, error) {
	a, err := evm.ReadAccount(xpub, path)
	return apihttp.DeviceAccount(a), err
}

func (devices) Below(xpub string, index uint32) (address, path string, err error) {
	return evm.AddressBelow(xpub, index)
}

func (devices) PersonalSigner(text, signature string) (string, error) {
	return evm.PersonalSigner(text, signature)
}

func (devices) DigestSigner(digest, signature string) (string, error) {
	return evm.DigestSigner(digest, signature)
}

func (devices) Digest(d trezor.TypedData) (string, error) { return evm.TypedDigest(d) }

func (d devices) Ours(xpub string) bool { return xpub == d.ours }

// nonces are sixteen random bytes and a MAC over them, the user and the time, so that none has to
// be kept before it is used.
type nonces struct{ key []byte }

func newNonces(secret string) nonces {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("holdfast registration nonces"))
	return nonces{m.Sum(nil)}
}

func (n nonces) New(user domain.UserID, expires time.Time) (string, error) {
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("draw a nonce: %w", err)
	}
	return hex.EncodeToString(append(random, n.mac(user, expires, random)...)), nil
}

func (n nonces) Made(user domain.UserID, expires time.Time, nonce string) bool {
	b, err := hex.DecodeString(nonce)
	return err == nil && len(b) == 32 && hmac.Equal(b[16:], n.mac(user, expires, b[:16]))
}

func (n nonces) mac(user domain.UserID, expires time.Time, random []byte) []byte {
	m := hmac.New(sha256.New, n.key)
	fmt.Fprintf(m, "%s\x00%d\x00", user, expires.Unix())
	m.Write(random)
	return m.Sum(nil)[:16]
}

type operations struct{ *records.Operations }

func (o operations) Add(ctx context.Context, op apihttp.Operation) error {
	return o.Operations.Add(ctx, records.Operation(op))
}

func (o operations) OfUser(ctx context.Context, u domain.UserID, id string) (apihttp.Operation, bool, error) {
	op, ok, err := o.Operations.OfUser(ctx, u, id)
	return apihttp.Operation(op), ok, err
}
