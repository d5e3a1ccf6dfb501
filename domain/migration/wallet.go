package migration

import (
	"holdfast/domain"
	"holdfast/domain/trezor"
)

// Wallet is a document of trezoraccounts.
type Wallet struct {
	Found
	User, XPub, Path, Label, Root string
	Active                        bool
	Next                          uint32
	Addresses                     []Given
}

// Given is an address that was given out.
type Given struct {
	Index                  uint32
	Path, Address, Purpose string
	Payment                string
}

// Account is what an extended public key shows of itself.
type Account struct {
	XPub, Fingerprint, Root string
}

// TakeWallet takes a document of trezoraccounts. Errors: LEGACY_CONFLICT, ACCOUNT_REGISTERED,
// PATH_MISMATCH.
type TakeWallet struct {
	domain.Issue
	Document Wallet
	Account  Account
	Names    Names
}

// Run decides.
func (f TakeWallet) Run(u *domain.Unit) (any, error) {
	d, user := f.Document, domain.UserID(f.Names(Users, f.Document.User))
	e := trezor.Imported{
		Legacy: d.Legacy, User: user, XPub: domain.About(user, f.Account.XPub), Fingerprint: f.Account.Fingerprint, Address: d.Root, BasePath: d.Path,
		Label: domain.About(user, d.Label), Next: d.Next, Active: d.Active, At: f.At,
	}
	for _, a := range d.Addresses {
		e.Addresses = append(e.Addresses, trezor.Given{Index: a.Index, Path: a.Path, Address: a.Address, Purpose: a.Purpose, Payment: domain.PaymentID(f.Names(Payments, a.Payment))})
		e.Next = max(e.Next, a.Index+1)
	}
	_, err := domain.Do(u, trezor.Decider, string(user), trezor.Import{Issue: Import(f.Issue), Fact: e, Root: f.Account.Root})
	return nil, err
}
