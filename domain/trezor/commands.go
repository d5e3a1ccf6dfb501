package trezor

import (
	"time"

	"holdfast/domain"
)

// Register makes a wallet known. The caller has recovered Signer from the signature over the
// challenge, and derived Address from the xpub.
type Register struct {
	domain.Issue
	XPub        string
	Fingerprint string
	Address     string
	BasePath    string
	Label       string
	Challenge   Challenge
	Signer      string
}

// Remove forgets the wallet.
type Remove struct{ domain.Issue }

// IssueAddress gives out the next address, or the payment's own once more. Derive computes the
// address of an index below the account; it is pure.
type IssueAddress struct {
	domain.Issue
	Purpose string
	Payment domain.PaymentID
	Derive  func(xpub string, index uint32) (address, path string, err error)
}

// SignOperation brings the signature of an operation. The caller has recovered Signer from it.
type SignOperation struct {
	domain.Issue
	Operation string
	Kind      string
	Target    string
	Digest    string
	Signature string
	Signer    string
	Expires   time.Time
}
