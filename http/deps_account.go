package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/eventstore"
)

// User is a person as the rows of adapters/records know them.
type User struct {
	ID       domain.UserID
	Email    string // empty for a person without an address
	Name     string
	Roles    []domain.Capacity
	Password string // PHC string; never leaves the server
	Status   string // active, suspended or erased
	Verified bool   // the address
}

// The states of a user's row.
const (
	StatusActive    = "active"
	StatusSuspended = "suspended"
	StatusErased    = "erased"
)

// Active reports whether the person may sign in and act.
func (u User) Active() bool { return u.Status == StatusActive }

// Users knows the people. ok is false for nobody.
type Users interface {
	ByEmail(ctx context.Context, email string) (u User, ok bool, err error)
	ByID(ctx context.Context, id domain.UserID) (u User, ok bool, err error)
	// Verify compares a password with a stored hash in bounded concurrency. An empty one is
	// compared with a dummy of the same cost, so that unknown users take as long.
	Verify(ctx context.Context, stored, password string) (bool, error)
	// Hash gives what is stored of a new password.
	Hash(ctx context.Context, password string) (string, error)
	// Rehash replaces a hash of another kind or cost than today's; without an event, because
	// nothing else about the account changes.
	Rehash(ctx context.Context, u domain.UserID, stored, password string) error
	// EmailHeld says which account holds an address, by the name of its claim. It is a look
	// before a command: the append decides.
	EmailHeld(ctx context.Context, claim string) (u domain.UserID, ok bool, err error)
}

// Accounts makes the statements on plain rows that go with an account's events; they are given
// to the executor and carried out in the append's transaction.
type Accounts interface {
	// Registered makes the person's row; method is how they came.
	Registered(u User, method string) []eventstore.Row
	EmailVerified(u domain.UserID) []eventstore.Row
	// EmailChanged to a verified one.
	EmailChanged(u domain.UserID, email string) []eventstore.Row
	Renamed(u domain.UserID, name string) []eventstore.Row
	PasswordSet(u domain.UserID, hash string) []eventstore.Row
	RolesChanged(u domain.UserID, roles []domain.Capacity) []eventstore.Row
	// StatusChanged to one of the states of a user's row.
	StatusChanged(u domain.UserID, status string) []eventstore.Row
	// SessionsRevoked ends one session, or all but keep when session is empty.
	SessionsRevoked(u domain.UserID, session, keep string) []eventstore.Row
}

// KeyedHashes names personal text without holding it: a keyed hash, for claims and for codes.
type KeyedHashes interface {
	// Of gives the hash of text for a purpose, in 43 visible characters.
	Of(purpose, text string) string
}

// Session is a login as it stands now.
type Session struct {
	ID   string
	User domain.UserID
	// Roles are the user's roles of this moment, not those of the token.
	Roles      []domain.Capacity
	Method     string
	SignedInAt time.Time
}

// NewSession is what is known of a login when it begins.
type NewSession struct {
	User      domain.UserID
	Method    string // password, google, telegram, passkey, wallet
	UserAgent string
	Address   string
	Lives     time.Duration
}

// Opened is a login that has begun. NewDevice is set when the person has signed in before, but
// never by this program from this address.
type Opened struct {
	ID, Refresh string
	NewDevice   bool
}

// Rotation is what became of a refresh token.
type Rotation struct {
	Session Session
	Next    string // the next token
	// Reused: the token had been used before. Nothing was changed; the caller ends the session
	// together with its event.
	Reused bool
}

// Sessions are the logins. Live is asked at most once in a few seconds a session.
type Sessions interface {
	// Open begins a login.
	Open(ctx context.Context, n NewSession) (Opened, error)
	// Rotate trades a refresh token for the next one. binding, when not empty, names the
	// client's attempt: the same attempt gets an equivalent token within a short grace, as
	// long as no later token was used. A fault with code INVALID_TOKEN
	// for one that is none or whose session has ended, REFRESH_INVALID for one that has lapsed.
	Rotate(ctx context.Context, refresh string, binding []byte, lives time.Duration) (Rotation, error)
	// Live gives the session with fresh roles; ok is false when it was revoked or has
	// ended, or the user is not active any more.
	Live(ctx context.Context, id string) (s Session, ok bool, err error)
	// Close ends one session without an event: its owner signed out.
	Close(ctx context.Context, id string) error
	// CloseOne ends one of the user's own sessions; ok is false when it is no live one of
	// theirs. CloseOf does so by a refresh token, silently.
	CloseOne(ctx context.Context, u domain.UserID, id string) (ok bool, err error)
	CloseOf(ctx context.Context, u domain.UserID, refresh string) error
	// List gives the user's live sessions, the last used first.
	List(ctx context.Context, u domain.UserID) ([]Device, error)
}

// Device is a live login as its owner sees it.
type Device struct {
	ID         string
	Method     string
	UserAgent  string
	Address    string
	SignedInAt time.Time
	LastUsedAt time.Time // when its tokens were last renewed
}

// AccountCode is a six-digit code as it was sent to a person.
type AccountCode struct {
	ID      string
	Hash    string
	Email   string // where it was sent, when that is not the account's address yet
	Expired bool
}

// NewCode is a code that is about to be sent. Asker names the network address that asked for it.
type NewCode struct {
	User    domain.UserID
	Purpose string
	Hash    string
	Email   string
	Lives   time.Duration
	Asker   string
}

// CodeLimits is how many codes of a purpose a person is sent and how often they are tried: at all, and by
// one asker. Tries are those of a day, over all codes.
type CodeLimits struct {
	Hour, Day, Tries                int
	AskerHour, AskerDay, AskerTries int
}

// AccountCodes keeps the codes sent to people: one live code a purpose, by its keyed hash.
type AccountCodes interface {
	// Put replaces the code of a purpose; ok is false when as many of them were sent as the limits say.
	Put(ctx context.Context, c NewCode, most CodeLimits) (ok bool, err error)
	// Try counts a try and gives the code to compare; ok is false when there is none that may
	// still be tried, or not by this asker.
	Try(ctx context.Context, u domain.UserID, purpose, asker string, most CodeLimits) (c AccountCode, ok bool, err error)
	// Used is the statement that uses a code up, once.
	Used(u domain.UserID, purpose, id string) []eventstore.Row
}

// Lockouts counts failed sign-ins of an account, whether it exists or not. Being locked never
// keeps the owner from resetting the password.
type Lockouts interface {
	// Failed counts one failure.
	Failed(ctx context.Context, key string)
	// Clear forgets them: the owner has shown up.
	Clear(ctx context.Context, key string)
	// Locked says until when nobody signs in; ok is false when anybody may try.
	Locked(ctx context.Context, key string) (until time.Time, ok bool)
}
