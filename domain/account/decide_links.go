package account

import (
	"slices"

	"holdfast/domain"
	"holdfast/domain/fault"
)

func linkSignIn(s State, c LinkSignIn) ([]Event, error) {
	switch {
	case !slices.Contains([]Method{Google, Telegram, Passkey, Wallet}, c.SignIn.Method) || c.SignIn.Key == "":
		return nil, fault.ErrValidation.At("method", "google, telegram, passkey or wallet, with its key")
	case s.Linked(c.SignIn):
		return nil, nil
	case len(s.SignIns) >= maxSignIns:
		return nil, ErrSignInLimit
	}
	return []Event{SignInMethodLinked{c.SignIn}}, nil
}

func unlinkSignIn(s State, c UnlinkSignIn) ([]Event, error) {
	switch {
	case !s.Linked(c.SignIn):
		return nil, fault.ErrNotFound
	case len(s.SignIns) == 1 && !s.Password:
		return nil, ErrLastSignIn
	}
	return []Event{SignInMethodUnlinked{c.SignIn}}, nil
}

func linkWallet(s State, c LinkWallet) ([]Event, error) {
	switch {
	case c.Wallet == "" || c.Chain == 0 || c.Address == "":
		return nil, fault.ErrValidation.At("address", "a wallet, its chain and its address are needed")
	case slices.Contains(s.Wallets, c.Wallet):
		return nil, nil
	case len(s.Wallets) >= maxWallets:
		return nil, ErrWalletLimit
	}
	return []Event{WalletLinked{Wallet: c.Wallet, Chain: c.Chain, Address: domain.About(s.User, c.Address)}}, nil
}

func unlinkWallet(s State, c UnlinkWallet) ([]Event, error) {
	if !slices.Contains(s.Wallets, c.Wallet) {
		return nil, fault.ErrNotFound
	}
	return []Event{WalletUnlinked{Wallet: c.Wallet}}, nil
}

func submitApplication(s State, c SubmitSellerApplication) ([]Event, error) {
	switch {
	case c.Application == "" || c.ShopName == "":
		return nil, fault.ErrValidation.At("shopName", "is required")
	case s.Has(domain.Seller):
		return nil, ErrSeller
	case s.Application == c.Application:
		return nil, nil
	case s.Application != "":
		return nil, ErrPending
	}
	return []Event{SellerApplicationSubmitted{Application: c.Application, ShopName: domain.About(s.User, c.ShopName)}}, nil
}

func approveApplication(s State, c ApproveSellerApplication) ([]Event, error) {
	switch {
	case s.Application == "" || s.Application != c.Application:
		return nil, fault.ErrNotFound
	case c.By.Is(s.User):
		return nil, ErrSelfChange
	}
	events := []Event{SellerApplicationApproved{Application: c.Application, By: c.By}}
	if !s.Has(domain.Seller) {
		to := append(slices.Clone(s.Roles), domain.Seller)
		events = append(events, RolesChanged{From: s.Roles, To: to, By: c.By, Reason: "seller application approved"})
	}
	return events, nil
}

func rejectApplication(s State, c RejectSellerApplication) ([]Event, error) {
	switch {
	case s.Application == "" || s.Application != c.Application:
		return nil, fault.ErrNotFound
	case c.By.Is(s.User):
		return nil, ErrSelfChange
	case c.Reason == "":
		return nil, errReasonNeeded
	}
	return []Event{SellerApplicationRejected{Application: c.Application, By: c.By, Reason: c.Reason}}, nil
}

func requestErasure(s State, c RequestErasure) ([]Event, error) {
	switch {
	case c.Due.IsZero() || c.Due.Before(c.At):
		return nil, fault.ErrValidation.At("due", "a time to come is needed")
	case !s.ErasureDue.IsZero():
		return nil, nil
	}
	return []Event{ErasureRequested{Due: c.Due, By: c.By}}, nil
}

func cancelErasure(s State, c CancelErasure) ([]Event, error) {
	if s.ErasureDue.IsZero() {
		return nil, nil
	}
	return []Event{ErasureCancelled{By: c.By}}, nil
}

func erase(s State, c Erase) ([]Event, error) {
	switch {
	case c.By.Is(s.User):
		return nil, ErrSelfChange
	case c.By.Kind == string(domain.Timer) && (s.ErasureDue.IsZero() || c.At.Before(s.ErasureDue)):
		return nil, ErrNotDue
	}
	return []Event{UserErased{By: c.By, EmailKey: s.EmailKey, SignIns: s.SignIns}}, nil
}
