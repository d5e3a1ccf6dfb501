package account

import (
	"time"

	"holdfast/domain"
)

// Register begins an account. Email may be empty where another service vouches for the person.
type Register struct {
	domain.Issue
	User     domain.UserID
	Email    string
	EmailKey string // keyed hash of the canonical address; empty exactly when Email is
	Verified bool   // somebody vouches for the address
	Name     string
	Roles    []domain.Capacity
	Method   Method
	Password bool
}

// VerifyEmail after the code sent to the address named by EmailKey came back.
type VerifyEmail struct {
	domain.Issue
	EmailKey string
}

// ChangeEmail to an address whose code came back.
type ChangeEmail struct {
	domain.Issue
	Email    string
	EmailKey string
}

// Rename changes what the person is called.
type Rename struct {
	domain.Issue
	Name string
}

// ChangeRoles to exactly these.
type ChangeRoles struct {
	domain.Issue
	Roles  []domain.Capacity
	Reason string
}

// Suspend keeps the person out.
type Suspend struct {
	domain.Issue
	Reason string
}

// Reinstate lets them in again.
type Reinstate struct {
	domain.Issue
	Reason string
}

// SetPassword ends all sessions but Keep.
type SetPassword struct {
	domain.Issue
	How  string // changed, reset, set, admin
	Keep string // session
}

// RevokeSessions ends one session, or all but Keep when Session is empty.
type RevokeSessions struct {
	domain.Issue
	Cause   Cause
	Session string
	Keep    string
}

// LinkSignIn adds a means of signing in.
type LinkSignIn struct {
	domain.Issue
	SignIn SignIn
}

// UnlinkSignIn takes one away, but never the last.
type UnlinkSignIn struct {
	domain.Issue
	SignIn SignIn
}

// LinkWallet after the proof was checked.
type LinkWallet struct {
	domain.Issue
	Wallet  string
	Chain   uint64
	Address string
}

// UnlinkWallet takes one away.
type UnlinkWallet struct {
	domain.Issue
	Wallet string
}

// SubmitSellerApplication asks for the seller's role.
type SubmitSellerApplication struct {
	domain.Issue
	Application string
	ShopName    string
}

// ApproveSellerApplication makes the person a seller.
type ApproveSellerApplication struct {
	domain.Issue
	Application string
}

// RejectSellerApplication says why not.
type RejectSellerApplication struct {
	domain.Issue
	Application string
	Reason      string
}

// RequestErasure at Due.
type RequestErasure struct {
	domain.Issue
	Due time.Time
}

// CancelErasure before it is due.
type CancelErasure struct{ domain.Issue }

// Erase forgets the person. Whether money is open is asked in the same unit, before.
type Erase struct{ domain.Issue }
