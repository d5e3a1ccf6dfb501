package account

import (
	"slices"

	"holdfast/domain"
	"holdfast/domain/fault"
)

// Refusals of an account.
var (
	ErrRegistered   = fault.New(fault.Conflict, "USER_EXISTS", "the user is registered already")
	ErrEmailInUse   = fault.New(fault.Conflict, "EMAIL_IN_USE", "another account has this e-mail address, or one that looks the same")
	ErrSignInInUse  = fault.New(fault.Conflict, "SIGN_IN_IN_USE", "another account signs in with this")
	ErrSignInLimit  = fault.New(fault.Rule, "SIGN_IN_LIMIT", "no more means of signing in can be added")
	ErrLastSignIn   = fault.New(fault.Conflict, "LAST_SIGN_IN", "this is the last means of signing in; add another one first")
	ErrWalletLimit  = fault.New(fault.Rule, "WALLET_LIMIT", "no more wallets can be added")
	ErrSelfChange   = fault.New(fault.Conflict, "SELF_CHANGE", "nobody changes this of themselves; ask another admin")
	ErrSuspended    = fault.New(fault.Forbidden, "ACCOUNT_SUSPENDED", "the account is suspended")
	ErrSeller       = fault.New(fault.Conflict, "ALREADY_SELLER", "you are a seller already")
	ErrPending      = fault.New(fault.Conflict, "APPLICATION_PENDING", "an application is waiting for its decision")
	ErrNotDue       = fault.New(fault.Conflict, "NOT_DUE", "the erasure is not due")
	roles           = []domain.Capacity{domain.Admin, domain.Buyer, domain.Seller, domain.Resolver, domain.Guard}
	errReasonNeeded = fault.ErrValidation.At("reason", "is required")
)

const (
	maxSignIns = 20
	maxWallets = 50
)

func register(_ State, c Register) ([]Event, error) {
	switch {
	case c.User == "" || c.Method == "" || (c.Email == "") != (c.EmailKey == ""):
		return nil, fault.ErrValidation.At("user", "an id, a method, and an address with its key are needed")
	case c.By.Kind == "user" && !c.By.Is(c.User) && !c.By.Has(domain.Admin):
		return nil, fault.ErrForbidden
	case c.By.Is(c.User) && slices.ContainsFunc(c.Roles, func(r domain.Capacity) bool { return r != domain.Buyer && r != domain.Seller }):
		return nil, fault.ErrForbidden
	}
	if err := checkRoles(c.Roles); err != nil {
		return nil, err
	}
	return []Event{UserRegistered{
		User: c.User, Roles: c.Roles, Email: domain.About(c.User, c.Email), EmailKey: c.EmailKey, EmailVerified: c.Verified && c.EmailKey != "",
		Name: domain.About(c.User, c.Name), Method: c.Method, Password: c.Password,
	}}, nil
}

func checkRoles(list []domain.Capacity) error {
	if len(list) == 0 {
		return fault.ErrValidation.At("roles", "at least one is needed")
	}
	for i, r := range list {
		if !slices.Contains(roles, r) || slices.Contains(list[:i], r) {
			return fault.ErrValidation.At("roles", "each once, of admin, buyer, seller, resolver, guard")
		}
	}
	return nil
}

func verifyEmail(s State, c VerifyEmail) ([]Event, error) {
	switch {
	case c.EmailKey != s.EmailKey || s.EmailKey == "":
		return nil, fault.ErrInvalidState.Because("the code was for another address")
	case s.Verified:
		return nil, nil
	}
	return []Event{EmailVerified{EmailKey: s.EmailKey}}, nil
}

func changeEmail(s State, c ChangeEmail) ([]Event, error) {
	switch {
	case c.Email == "" || c.EmailKey == "":
		return nil, fault.ErrValidation.At("email", "is required")
	case c.EmailKey == s.EmailKey && s.Verified:
		return nil, nil
	}
	was := s.EmailKey
	if was == c.EmailKey {
		was = ""
	}
	return []Event{EmailChanged{Email: domain.About(s.User, c.Email), EmailKey: c.EmailKey, Was: was}}, nil
}

func rename(s State, c Rename) ([]Event, error) {
	if c.Name == "" {
		return nil, fault.ErrValidation.At("name", "is required")
	}
	return []Event{Renamed{Name: domain.About(s.User, c.Name)}}, nil
}

func changeRoles(s State, c ChangeRoles) ([]Event, error) {
	switch {
	case c.By.Is(s.User):
		return nil, ErrSelfChange
	case c.Reason == "":
		return nil, errReasonNeeded
	}
	if err := checkRoles(c.Roles); err != nil {
		return nil, err
	}
	if sameRoles(s.Roles, c.Roles) {
		return nil, nil
	}
	return []Event{RolesChanged{From: s.Roles, To: c.Roles, By: c.By, Reason: c.Reason}}, nil
}

func sameRoles(a, b []domain.Capacity) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(r domain.Capacity) bool { return !slices.Contains(b, r) })
}

func suspend(s State, c Suspend) ([]Event, error) {
	switch {
	case c.By.Is(s.User):
		return nil, ErrSelfChange
	case c.Reason == "":
		return nil, errReasonNeeded
	}
	return []Event{UserSuspended{By: c.By, Reason: c.Reason}, SessionsRevoked{Cause: ByAdmin}}, nil
}

func reinstate(_ State, c Reinstate) ([]Event, error) {
	return []Event{UserReinstated{By: c.By, Reason: c.Reason}}, nil
}

func setPassword(_ State, c SetPassword) ([]Event, error) {
	if !slices.Contains([]string{"changed", "reset", "set", "admin"}, c.How) {
		return nil, fault.ErrValidation.At("how", "changed, reset, set or admin")
	}
	return []Event{PasswordChanged{How: c.How}, SessionsRevoked{Cause: Changed, Kept: c.Keep}}, nil
}

func revokeSessions(_ State, c RevokeSessions) ([]Event, error) {
	switch {
	case !slices.Contains([]Cause{Reuse, LogoutAll, Changed, ByAdmin}, c.Cause):
		return nil, fault.ErrValidation.At("cause", "reuse, logout_all, password or admin")
	case c.Session != "" && c.Keep != "":
		return nil, fault.ErrValidation.At("session", "either one session ends or all but one")
	}
	return []Event{SessionsRevoked{Cause: c.Cause, Session: c.Session, Kept: c.Keep}}, nil
}
