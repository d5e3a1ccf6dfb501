package account

import (
	"slices"
	"time"

	"holdfast/domain"
)

// The phases.
const (
	Unknown   = ""
	Active    = "Active"
	Suspended = "Suspended"
	Leaving   = "Leaving" // erasure is due
	Erased    = "Erased"
)

// State is what the rules need to know of an account.
type State struct {
	User        domain.UserID     `json:"user,omitempty"`
	Suspended   bool              `json:"suspended,omitempty"`
	Erased      bool              `json:"erased,omitempty"`
	ErasureDue  time.Time         `json:"erasure_due,omitzero"`
	Roles       []domain.Capacity `json:"roles,omitempty"`
	EmailKey    string            `json:"email_key,omitempty"`
	Verified    bool              `json:"verified,omitempty"`
	Password    bool              `json:"password,omitempty"`
	SignIns     []SignIn          `json:"sign_ins,omitempty"`
	Wallets     []string          `json:"wallets,omitempty"`
	Application string            `json:"application,omitempty"` // the one that waits for a decision
	Legacy      domain.Snapshot   `json:"legacy,omitzero"`
}

// Phase names it.
func (s State) Phase() string {
	switch {
	case s.User == "":
		return Unknown
	case s.Erased:
		return Erased
	case s.Suspended:
		return Suspended
	case !s.ErasureDue.IsZero():
		return Leaving
	}
	return Active
}

// Has reports whether the person holds a role.
func (s State) Has(c domain.Capacity) bool { return slices.Contains(s.Roles, c) }

// Linked reports whether this means of signing in is theirs.
func (s State) Linked(i SignIn) bool { return slices.Contains(s.SignIns, i) }

// Decider is the account; its stream's id is the user's.
var Decider = domain.Decider[State, Event]{Category: "user", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	s = evolve(s, e)
	s.Legacy = s.Legacy.After(e)
	return s
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case UserImported:
		return imported(s, e)
	case UserRegistered:
		return State{User: e.User, Roles: e.Roles, EmailKey: e.EmailKey, Verified: e.EmailVerified, Password: e.Password}
	case EmailVerified:
		s.Verified = true
	case EmailChanged:
		s.EmailKey, s.Verified = e.EmailKey, true
	case RolesChanged:
		s.Roles = e.To
	case UserSuspended:
		s.Suspended = true
	case UserReinstated:
		s.Suspended = false
	case PasswordChanged:
		s.Password = true
	case SignInMethodLinked:
		s.SignIns = append(slices.Clone(s.SignIns), e.SignIn)
	case SignInMethodUnlinked:
		s.SignIns = without(s.SignIns, e.SignIn)
	case WalletLinked:
		s.Wallets = append(slices.Clone(s.Wallets), e.Wallet)
	case WalletUnlinked:
		s.Wallets = without(s.Wallets, e.Wallet)
	case SellerApplicationSubmitted:
		s.Application = e.Application
	case SellerApplicationApproved, SellerApplicationRejected:
		s.Application = ""
	case ErasureRequested:
		s.ErasureDue = e.Due
	case ErasureCancelled:
		s.ErasureDue = time.Time{}
	case UserErased:
		return State{User: s.User, Erased: true}
	}
	return s
}

// without gives a copy that lacks one value; nil when nothing is left.
func without[T comparable](all []T, one T) []T {
	var rest []T
	for _, v := range all {
		if v != one {
			rest = append(rest, v)
		}
	}
	return rest
}
