package http

import (
	"context"
	"encoding/json"
	"time"

	"holdfast/domain"
	"holdfast/domain/trezor"
)

// DeviceAccount is what a hardware wallet shows of itself.
type DeviceAccount struct {
	XPub        string
	Fingerprint string
	Address     string // of 0/0
}

// Devices reads keys and signatures of hardware wallets; all of it is arithmetic.
type Devices interface {
	// Account reads an xpub: PRIVATE_KEY_REJECTED, PATH_MISMATCH, DERIVATION_INVALID.
	Account(xpub, path string) (DeviceAccount, error)
	// Below gives an address of an account.
	Below(xpub string, index uint32) (address, path string, err error)
	// PersonalSigner recovers who signed a text (EIP-191), DigestSigner who signed a digest.
	// INVALID_WALLET_SIGNATURE (Malformed) for what is no signature.
	PersonalSigner(text, signature string) (address string, err error)
	DigestSigner(digest, signature string) (address string, err error)
	// Digest of a message of EIP-712.
	Digest(d trezor.TypedData) (string, error)
	// Ours reports whether an xpub is the one that pay-in addresses are derived from.
	Ours(xpub string) bool
}

// Nonces draws nonces that only the server can have made, for one user and one time.
type Nonces interface {
	New(user domain.UserID, expires time.Time) (string, error)
	Made(user domain.UserID, expires time.Time, nonce string) bool
}

// Operation waits for a device's signature, or has it.
type Operation struct {
	ID          string
	User        domain.UserID
	Kind        string
	Target      string
	Instruction string
	Digest      string
	Message     json.RawMessage
	ExpiresAt   time.Time
	SignedAt    *time.Time
}

// Operations are plain rows; that one was signed is an event.
type Operations interface {
	Add(ctx context.Context, o Operation) error
	// OfUser gives an operation; ok is false when it is not the user's.
	OfUser(ctx context.Context, u domain.UserID, id string) (o Operation, ok bool, err error)
	Signed(ctx context.Context, id string) error
	// Agreed reports whether a device signed exactly this instruction and may still mean it.
	Agreed(ctx context.Context, target, instruction string) (bool, error)
}
