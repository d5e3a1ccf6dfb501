package trezor

import (
	"time"

	"holdfast/domain"
)

// Event is something that happened to a hardware wallet.
type Event interface {
	domain.Event
	trezor()
}

// Registered: the key at 0/0 of the account signed the challenge. An account's public key shows
// every address below it, so it is sealed like other text about a person.
type Registered struct {
	User        domain.UserID   `json:"user"`
	XPub        domain.Personal `json:"xpub"`
	Fingerprint string          `json:"fingerprint"` // SHA-256 of the xpub, in hex
	Address     string          `json:"address"`     // of 0/0, EIP-55
	BasePath    string          `json:"base_path"`
	Label       domain.Personal `json:"label"`
	Nonce       string          `json:"nonce"` // of the challenge; used once
	At          time.Time       `json:"at"`
}

// Removed: it signs no more.
type Removed struct {
	User        domain.UserID `json:"user"`
	Fingerprint string        `json:"fingerprint"`
	By          domain.Actor  `json:"by"`
}

// AddressIssued: the next address of the account was given out.
type AddressIssued struct {
	Index   uint32           `json:"index"`
	Path    string           `json:"path"`
	Address string           `json:"address"`
	Purpose string           `json:"purpose"`
	Payment domain.PaymentID `json:"payment,omitempty"`
	At      time.Time        `json:"at"`
}

// OperationSigned: the device agreed to one operation, once.
type OperationSigned struct {
	Operation string    `json:"operation"`
	Kind      string    `json:"kind"`
	Target    string    `json:"target"`
	Digest    string    `json:"digest"` // what was signed (EIP-712)
	Signature string    `json:"signature"`
	Address   string    `json:"address"`
	At        time.Time `json:"at"`
}

func (Registered) EventType() string      { return "trezor.registered" }
func (Removed) EventType() string         { return "trezor.removed" }
func (AddressIssued) EventType() string   { return "trezor.address_issued" }
func (OperationSigned) EventType() string { return "trezor.operation_signed" }
func (Registered) trezor()                {}
func (Removed) trezor()                   {}
func (AddressIssued) trezor()             {}
func (OperationSigned) trezor()           {}
