package account

import "holdfast/domain"

// EraseCommand is the timer that erases a person when it is due.
const EraseCommand = "user.erase"

// Aggregate registers accounts with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category,
		Events: []domain.Event{
			UserRegistered{},
			EmailVerified{},
			EmailChanged{},
			Renamed{},
			RolesChanged{},
			UserSuspended{},
			UserReinstated{},
			PasswordChanged{},
			SessionsRevoked{},
			SignInMethodLinked{},
			SignInMethodUnlinked{},
			WalletLinked{},
			WalletUnlinked{},
			SellerApplicationSubmitted{},
			SellerApplicationApproved{},
			SellerApplicationRejected{},
			ErasureRequested{},
			ErasureCancelled{},
			UserErased{},
			UserImported{},
		},
		Claims:    func(_ domain.Stream, e domain.Event) []domain.Claim { return claims(e) },
		Deadlines: func(_ domain.Stream, e domain.Event) []domain.Deadline { return deadlines(e) },
	}
}

// EmailClaim is the name that only one account may hold for an address.
func EmailClaim(key string) string { return "email:" + key }

// Claim is the name that only one account may hold for a means of signing in.
func (i SignIn) Claim() string { return string(i.Method) + ":" + i.Key }

func claims(e domain.Event) []domain.Claim {
	email := func(key string, free bool) domain.Claim {
		return domain.Claim{Name: EmailClaim(key), Free: free, Taken: ErrEmailInUse}
	}
	signIn := func(i SignIn, free bool) domain.Claim {
		return domain.Claim{Name: i.Claim(), Free: free, Taken: ErrSignInInUse}
	}
	var all []domain.Claim
	switch e := e.(type) {
	case UserRegistered:
		if e.EmailKey != "" {
			all = append(all, email(e.EmailKey, false))
		}
	case UserImported:
		if e.EmailKey != "" {
			all = append(all, email(e.EmailKey, false))
		}
		if e.Was != "" {
			all = append(all, email(e.Was, true))
		}
		for _, i := range e.SignIns {
			all = append(all, signIn(i, false))
		}
		for _, i := range e.Gone {
			all = append(all, signIn(i, true))
		}
	case EmailChanged:
		all = append(all, email(e.EmailKey, false))
		if e.Was != "" {
			all = append(all, email(e.Was, true))
		}
	case SignInMethodLinked:
		all = append(all, signIn(e.SignIn, false))
	case SignInMethodUnlinked:
		all = append(all, signIn(e.SignIn, true))
	case UserErased:
		if e.EmailKey != "" {
			all = append(all, email(e.EmailKey, true))
		}
		for _, i := range e.SignIns {
			all = append(all, signIn(i, true))
		}
	}
	return all
}

func deadlines(e domain.Event) []domain.Deadline {
	const key = "erasure"
	switch e := e.(type) {
	case ErasureRequested:
		return []domain.Deadline{{Key: key, Due: e.Due, Command: EraseCommand}}
	case ErasureCancelled, UserErased:
		return []domain.Deadline{{Key: key, Cancel: true}}
	}
	return nil
}
