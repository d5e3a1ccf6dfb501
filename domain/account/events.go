package account

import (
	"time"

	"holdfast/domain"
)

// Event is something that happened to an account.
type Event interface {
	domain.Event
	user()
}

// Method is a means of signing in.
type Method string

// The methods. Password and email are no links: an account has at most one of each.
const (
	Password Method = "password"
	Google   Method = "google"
	Telegram Method = "telegram"
	Passkey  Method = "passkey"
	Wallet   Method = "wallet"
	Seeded   Method = "seed"   // made by the development's seed
	Created  Method = "admin"  // made by an admin
	Imported Method = "import" // taken over from the old backend
)

// SignIn is a linked means of signing in. Key is the keyed hash of what names it there: the
// subject, the Telegram id, the address, the credential's id.
type SignIn struct {
	Method Method `json:"method"`
	Key    string `json:"key"`
}

// Cause is why sessions were ended.
type Cause string

// The causes.
const (
	Reuse     Cause = "reuse" // a refresh token came twice
	LogoutAll Cause = "logout_all"
	Changed   Cause = "password"
	ByAdmin   Cause = "admin"
)

type (
	// UserRegistered begins an account. EmailKey is empty for a person without an address.
	UserRegistered struct {
		User          domain.UserID     `json:"user"`
		Roles         []domain.Capacity `json:"roles"`
		Email         domain.Personal   `json:"email"`
		EmailKey      string            `json:"email_key,omitempty"`
		EmailVerified bool              `json:"email_verified,omitempty"`
		Name          domain.Personal   `json:"name"`
		Method        Method            `json:"method"`
		Password      bool              `json:"password,omitempty"` // they have one
	}
	// EmailVerified: a code sent to the address came back.
	EmailVerified struct {
		EmailKey string `json:"email_key"`
	}
	// EmailChanged to an address that was verified.
	EmailChanged struct {
		Email    domain.Personal `json:"email"`
		EmailKey string          `json:"email_key"`
		Was      string          `json:"was,omitempty"` // the key before
	}
	// Renamed: the person is called so from now on.
	Renamed struct {
		Name domain.Personal `json:"name"`
	}
	// RolesChanged says what the person may do from now on.
	RolesChanged struct {
		From   []domain.Capacity `json:"from"`
		To     []domain.Capacity `json:"to"`
		By     domain.Actor      `json:"by"`
		Reason string            `json:"reason"`
	}
	// UserSuspended: nobody signs in, every session has ended.
	UserSuspended struct {
		By     domain.Actor `json:"by"`
		Reason string       `json:"reason"`
	}
	// UserReinstated ends a suspension.
	UserReinstated struct {
		By     domain.Actor `json:"by"`
		Reason string       `json:"reason,omitempty"`
	}
	// PasswordChanged: how is "changed", "reset", "set" or "admin".
	PasswordChanged struct {
		How string `json:"how"`
	}
	// SessionsRevoked: one session, or all of them but Kept.
	SessionsRevoked struct {
		Cause   Cause  `json:"cause"`
		Session string `json:"session,omitempty"` // this one alone; empty = all
		Kept    string `json:"kept,omitempty"`
	}
	// SignInMethodLinked adds a means of signing in.
	SignInMethodLinked struct{ SignIn }
	// SignInMethodUnlinked takes it away.
	SignInMethodUnlinked struct{ SignIn }
	// WalletLinked: the person has proved that the address is theirs.
	WalletLinked struct {
		Wallet  string          `json:"wallet"` // id of its row
		Chain   uint64          `json:"chain"`
		Address domain.Personal `json:"address"`
	}
	// WalletUnlinked takes it away.
	WalletUnlinked struct {
		Wallet string `json:"wallet"`
	}
	// SellerApplicationSubmitted asks for the seller's role.
	SellerApplicationSubmitted struct {
		Application string          `json:"application"` // id of its row
		ShopName    domain.Personal `json:"shop_name"`
	}
	// SellerApplicationApproved is followed by RolesChanged.
	SellerApplicationApproved struct {
		Application string       `json:"application"`
		By          domain.Actor `json:"by"`
	}
	// SellerApplicationRejected: they may ask again.
	SellerApplicationRejected struct {
		Application string       `json:"application"`
		By          domain.Actor `json:"by"`
		Reason      string       `json:"reason"`
	}
	// ErasureRequested: at Due the person is forgotten.
	ErasureRequested struct {
		Due time.Time    `json:"due"`
		By  domain.Actor `json:"by"`
	}
	// ErasureCancelled before it was due.
	ErasureCancelled struct {
		By domain.Actor `json:"by"`
	}
	// UserErased ends the account; the subject's key is destroyed with it. The names that were
	// held are free again.
	UserErased struct {
		By       domain.Actor `json:"by"`
		EmailKey string       `json:"email_key,omitempty"`
		SignIns  []SignIn     `json:"sign_ins,omitempty"`
	}
)

func (UserRegistered) EventType() string             { return "user.registered" }
func (EmailVerified) EventType() string              { return "user.email_verified" }
func (EmailChanged) EventType() string               { return "user.email_changed" }
func (Renamed) EventType() string                    { return "user.renamed" }
func (RolesChanged) EventType() string               { return "user.roles_changed" }
func (UserSuspended) EventType() string              { return "user.suspended" }
func (UserReinstated) EventType() string             { return "user.reinstated" }
func (PasswordChanged) EventType() string            { return "user.password_changed" }
func (SessionsRevoked) EventType() string            { return "user.sessions_revoked" }
func (SignInMethodLinked) EventType() string         { return "user.sign_in_linked" }
func (SignInMethodUnlinked) EventType() string       { return "user.sign_in_unlinked" }
func (WalletLinked) EventType() string               { return "user.wallet_linked" }
func (WalletUnlinked) EventType() string             { return "user.wallet_unlinked" }
func (SellerApplicationSubmitted) EventType() string { return "user.seller_application_submitted" }
func (SellerApplicationApproved) EventType() string  { return "user.seller_application_approved" }
func (SellerApplicationRejected) EventType() string  { return "user.seller_application_rejected" }
func (ErasureRequested) EventType() string           { return "user.erasure_requested" }
func (ErasureCancelled) EventType() string           { return "user.erasure_cancelled" }
func (UserErased) EventType() string                 { return "user.erased" }

func (UserRegistered) user()  {}
func (EmailVerified) user()   {}
func (EmailChanged) user()    {}
func (Renamed) user()         {}
func (RolesChanged) user()    {}
func (UserSuspended) user()   {}
func (UserReinstated) user()  {}
func (PasswordChanged) user() {}
func (SessionsRevoked) user() {}

// WithImport marks that the document of the person may still replace them: it does not tell of
// sessions.
func (SessionsRevoked) WithImport()      {}
func (SignInMethodLinked) user()         {}
func (SignInMethodUnlinked) user()       {}
func (WalletLinked) user()               {}
func (WalletUnlinked) user()             {}
func (SellerApplicationSubmitted) user() {}
func (SellerApplicationApproved) user()  {}
func (SellerApplicationRejected) user()  {}
func (ErasureRequested) user()           {}
func (ErasureCancelled) user()           {}
func (UserErased) user()                 {}
