package http

import (
	"context"
	"encoding/json"
	"time"

	"holdfast/domain"
	"holdfast/eventstore"
)

// SignIn is what signing in without a password needs. A part that is nil is not switched on.
type SignIn struct {
	Challenges  Challenges
	Methods     SignInMethods
	Passkeys    Passkeys
	PasskeyRows PasskeyRows
	Google      OpenID
	Wallets     WalletProofs
	WalletRows  WalletRows
	Telegram    TelegramProofs
	Bot         TelegramBot
	Chats       TelegramChats
}

// Challenge is what was asked of somebody who signs in or links.
type Challenge struct {
	User domain.UserID // whose it is; empty when nobody was signed in
	Data json.RawMessage
}

// What became of a challenge that somebody answers.
const (
	ChallengeTaken   = "taken" // by this very answer
	ChallengeUsed    = "used"  // by one before
	ChallengeExpired = "expired"
	ChallengeUnknown = "unknown"
)

// Challenges keeps what was asked and takes each answer once, whatever it is worth.
type Challenges interface {
	Keep(ctx context.Context, purpose, secret string, c Challenge, lives time.Duration) error
	Take(ctx context.Context, purpose, secret string) (c Challenge, became string, err error)
	// Spend notes that a proof was shown; fresh is false when it had been before.
	Spend(ctx context.Context, kind string, proof []byte, lives time.Duration) (fresh bool, err error)
}

// SignInMethod is a linked means of signing in: google, telegram or wallet.
type SignInMethod struct {
	ID         string
	Method     string
	Subject    string // what names the person there
	Label      string // as the person knows it
	LinkedAt   time.Time
	LastUsedAt *time.Time
}

// SignInMethods knows who signs in by what. What changes goes with an event.
type SignInMethods interface {
	// Use finds who signs in by a subject; ok is false for nobody.
	Use(ctx context.Context, method, subject string) (u domain.UserID, ok bool, err error)
	OfUser(ctx context.Context, u domain.UserID) ([]SignInMethod, error)
	Linked(u domain.UserID, m SignInMethod) []eventstore.Row
	Unlinked(u domain.UserID, method, subject string) []eventstore.Row
}

// PasskeyOwner is a person to an authenticator.
type PasskeyOwner struct {
	Handle      []byte
	Name        string
	DisplayName string
	Records     []json.RawMessage
}

// PasskeyCredential is a passkey as an authenticator has just shown it.
type PasskeyCredential struct {
	ID     []byte
	Count  uint32
	Synced bool
	Record json.RawMessage
}

// PasskeyCeremony has begun: the options go to the browser, the session is kept under the challenge.
type PasskeyCeremony struct {
	Options   json.RawMessage
	Challenge string
	Session   json.RawMessage
}

// Passkeys speaks with authenticators: PASSKEY_INVALID for what is no answer of one,
// PASSKEY_REJECTED for one that does not fit.
type Passkeys interface {
	BeginRegistration(o PasskeyOwner) (PasskeyCeremony, error)
	FinishRegistration(o PasskeyOwner, session, answer []byte) (PasskeyCredential, error)
	BeginLogin() (PasskeyCeremony, error)
	FinishLogin(session, answer []byte, find func(credential, handle []byte) (PasskeyOwner, error)) (PasskeyCredential, error)
	// Challenge finds which ceremony an answer belongs to.
	Challenge(answer []byte) (string, error)
}

// StoredPasskey is a row.
type StoredPasskey struct {
	ID           string
	User         domain.UserID
	CredentialID []byte
	Name         string
	Record       json.RawMessage
	Count        uint32
	Synced       bool
	CreatedAt    time.Time
	LastUsedAt   *time.Time
}

// PasskeyRows keeps passkeys. What is made and removed goes with an event.
type PasskeyRows interface {
	// Handle is what authenticators call a person.
	Handle(ctx context.Context, u domain.UserID) ([]byte, error)
	OfUser(ctx context.Context, u domain.UserID) ([]StoredPasskey, error)
	Find(ctx context.Context, credential, handle []byte) (p StoredPasskey, ok bool, err error)
	// Used keeps what was counted; ok is false when another answer has counted as far meanwhile.
	Used(ctx context.Context, credential []byte, count uint32, record json.RawMessage) (ok bool, err error)
	Made(p StoredPasskey) []eventstore.Row
	Removed(u domain.UserID, id string) []eventstore.Row
}

// OpenIdentity is who a provider says signed in.
type OpenIdentity struct {
	Issuer        string    `json:"issuer"`
	Subject       string    `json:"subject"`
	Email         string    `json:"email"` // empty unless the provider has verified it
	Authoritative bool      `json:"authoritative"`
	Name          string    `json:"name"`
	Nonce         string    `json:"nonce"`
	IssuedAt      time.Time `json:"issuedAt"`
}

// OpenID is a provider: OAUTH_INVALID, OAUTH_UNAVAILABLE.
type OpenID interface {
	ClientID() string
	Issuer() string
	// CallbackURL is ours, where the provider sends browsers back to.
	CallbackURL() string
	AuthURL(ctx context.Context, state, nonce, verifier string) (string, error)
	Exchange(ctx context.Context, code, nonce, verifier string) (OpenIdentity, error)
	Verify(ctx context.Context, token string) (OpenIdentity, error)
}

// WalletSigner is what stands for a signature: a key is the same on every chain, a contract is another
// one on each, whoever else may have put it there.
type WalletSigner string

// What may stand for a signature.
const (
	SignedByNobody   WalletSigner = ""
	SignedByKey      WalletSigner = "key"
	SignedByContract WalletSigner = "contract"
)

// WalletProofs checks who signed a message, and knows the chains.
type WalletProofs interface {
	// Signed reports what of an address stands for a signature over a text: its key, or the contract
	// at it on that chain. CHAIN_UNAVAILABLE when a contract cannot be asked.
	Signed(ctx context.Context, chain uint64, address, text, signature string) (WalletSigner, error)
	// Address brings an address into EIP-55: INVALID_ADDRESS.
	Address(text string) (string, error)
	Knows(chain uint64) bool
}

// WalletRows keeps addresses to which money may go. What changes goes with an event.
type WalletRows interface {
	List(ctx context.Context, u domain.UserID) ([]Wallet, error)
	Linked(u domain.UserID, w Wallet, cooling time.Duration) []eventstore.Row
	Unlinked(u domain.UserID, id string) []eventstore.Row
}
