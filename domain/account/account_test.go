package account_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
)

type events = []account.Event

var (
	at     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	due    = at.Add(30 * 24 * time.Hour)
	ann    = domain.User("U1", domain.Buyer)
	other  = domain.User("U2", domain.Buyer, domain.Seller)
	admin  = domain.User("A1", domain.Admin)
	policy = domain.Machine(domain.Process, "refresh")
	timer  = domain.Machine(domain.Timer, "timers")

	roles  = []domain.Capacity{domain.Buyer}
	google = account.SignIn{Method: account.Google, Key: "g"}
	key    = account.SignIn{Method: account.Passkey, Key: "p"}

	registered = account.UserRegistered{
		User: "U1", Roles: roles, Email: domain.About("U1", "ann@example.org"), EmailKey: "e1", Name: domain.About("U1", "Ann"),
		Method: account.Password, Password: true,
	}
	byGoogle  = account.UserRegistered{User: "U1", Roles: roles, Name: domain.About("U1", "Ann"), Email: domain.About("U1", ""), Method: account.Google}
	verified  = account.EmailVerified{EmailKey: "e1"}
	moved     = account.EmailChanged{Email: domain.About("U1", "ann@example.com"), EmailKey: "e2", Was: "e1"}
	renamed   = account.Renamed{Name: domain.About("U1", "Anna")}
	promoted  = account.RolesChanged{From: roles, To: []domain.Capacity{domain.Buyer, domain.Resolver}, By: admin, Reason: "joins the team"}
	suspended = account.UserSuspended{By: admin, Reason: "fraud"}
	outs      = account.SessionsRevoked{Cause: account.ByAdmin}
	back      = account.UserReinstated{By: admin, Reason: "a mistake"}
	password  = account.PasswordChanged{How: "changed"}
	others    = account.SessionsRevoked{Cause: account.Changed, Kept: "s1"}
	stolen    = account.SessionsRevoked{Cause: account.Reuse, Session: "s1"}
	linked    = account.SignInMethodLinked{SignIn: google}
	unlinked  = account.SignInMethodUnlinked{SignIn: google}
	wallet    = account.WalletLinked{Wallet: "w1", Chain: 56, Address: domain.About("U1", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8")}
	walletOff = account.WalletUnlinked{Wallet: "w1"}
	asked     = account.SellerApplicationSubmitted{Application: "a1", ShopName: domain.About("U1", "Ann's")}
	approved  = account.SellerApplicationApproved{Application: "a1", By: admin}
	seller    = account.RolesChanged{From: roles, To: []domain.Capacity{domain.Buyer, domain.Seller}, By: admin, Reason: "seller application approved"}
	rejected  = account.SellerApplicationRejected{Application: "a1", By: admin, Reason: "no documents"}
	leaving   = account.ErasureRequested{Due: due, By: ann}
	stays     = account.ErasureCancelled{By: ann}
	erased    = account.UserErased{By: timer, EmailKey: "e1", SignIns: []account.SignIn{google}}
)

func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: at} }

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]account.State{
		account.Unknown:   {},
		account.Active:    machinetest.Fold(account.Decider, events{registered, linked, wallet, asked}...),
		account.Suspended: machinetest.Fold(account.Decider, events{registered, suspended}...),
		account.Leaving:   machinetest.Fold(account.Decider, events{registered, leaving}...),
		account.Erased:    machinetest.Fold(account.Decider, events{registered, erased}...),
	}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, account.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, account.Aggregate(), registered, verified, moved, renamed, promoted, suspended, back, password, others, linked, unlinked,
		wallet, walletOff, asked, approved, rejected, leaving, stays, erased, fromBefore)
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	register := account.Register{
		Issue: by(ann), User: "U1", Email: "ann@example.org", EmailKey: "e1", Name: "Ann", Roles: roles, Method: account.Password, Password: true,
	}
	with := func(edit func(*account.Register)) account.Register {
		c := register
		edit(&c)
		return c
	}
	machinetest.Run(t, account.Decider, []machinetest.Case[account.Event]{
		{Name: "a person", When: register, Then: events{registered}},
		{Name: "nobody registers another", When: with(func(c *account.Register) { c.By = other }), Err: fault.ErrForbidden},
		{Name: "nobody makes themselves an admin", When: with(func(c *account.Register) { c.Roles = []domain.Capacity{domain.Admin} }), Err: fault.ErrForbidden},
		{Name: "an admin makes a resolver", When: with(func(c *account.Register) {
			c.By, c.Roles, c.Method, c.Password = admin, []domain.Capacity{domain.Resolver}, account.Created, false
		}), Then: events{account.UserRegistered{
			User: "U1", Roles: []domain.Capacity{domain.Resolver}, Email: registered.Email, EmailKey: "e1", Name: registered.Name, Method: account.Created,
		}}},
		{Name: "no address and no password: another service vouches", When: with(func(c *account.Register) {
			c.Email, c.EmailKey, c.Method, c.Password, c.Verified = "", "", account.Google, false, true
		}), Then: events{byGoogle}},
		{Name: "an address without its key", When: with(func(c *account.Register) { c.EmailKey = "" }), Err: fault.ErrValidation},
		{Name: "no role", When: with(func(c *account.Register) { c.Roles = nil }), Err: fault.ErrValidation},
		{Name: "a role twice", When: with(func(c *account.Register) { c.Roles = []domain.Capacity{domain.Buyer, domain.Buyer} }), Err: fault.ErrValidation},
		{Name: "a role that is none", When: with(func(c *account.Register) { c.By, c.Roles = admin, []domain.Capacity{"owner"} }), Err: fault.ErrValidation},
		{Name: "twice", Given: events{registered}, When: register, Err: account.ErrRegistered},
		{Name: "never again under this id", Given: events{registered, erased}, When: register, Err: account.ErrRegistered},
	})
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	suspend, reason := account.Suspend{Issue: by(admin), Reason: "fraud"}, "joins the team"
	roles2 := []domain.Capacity{domain.Buyer, domain.Resolver}
	machinetest.Run(t, account.Decider, []machinetest.Case[account.Event]{
		{Name: "nobody is there", When: account.VerifyEmail{Issue: by(ann), EmailKey: "e1"}, Err: fault.ErrNotFound},
		{Name: "the code came back", Given: events{registered}, When: account.VerifyEmail{Issue: by(ann), EmailKey: "e1"}, Then: events{verified}},
		{Name: "and again", Given: events{registered, verified}, When: account.VerifyEmail{Issue: by(ann), EmailKey: "e1"}},
		{Name: "but for the address before", Given: events{registered, moved}, When: account.VerifyEmail{Issue: by(ann), EmailKey: "e1"}, Err: fault.ErrInvalidState},
		{Name: "not by another", Given: events{registered}, When: account.VerifyEmail{Issue: by(other), EmailKey: "e1"}, Err: fault.ErrForbidden},
		{Name: "another address", Given: events{registered}, When: account.ChangeEmail{Issue: by(ann), Email: "ann@example.com", EmailKey: "e2"}, Then: events{moved}},
		{Name: "the one it is", Given: events{registered, verified}, When: account.ChangeEmail{Issue: by(ann), Email: "ann@example.org", EmailKey: "e1"}},

		{Name: "another name", Given: events{registered}, When: account.Rename{Issue: by(ann), Name: "Anna"}, Then: events{renamed}},
		{Name: "by an admin, of who is out", Given: events{registered, suspended}, When: account.Rename{Issue: by(admin), Name: "Anna"}, Then: events{renamed}},
		{Name: "not to nothing", Given: events{registered}, When: account.Rename{Issue: by(ann)}, Err: fault.ErrValidation},
		{Name: "nor by somebody else", Given: events{registered}, When: account.Rename{Issue: by(other), Name: "Anna"}, Err: fault.ErrForbidden},
		{Name: "nor of nobody any more", Given: events{registered, erased}, When: account.Rename{Issue: by(admin), Name: "Anna"}, Err: fault.ErrNotFound},
		{Name: "an admin gives a role", Given: events{registered}, When: account.ChangeRoles{Issue: by(admin), Roles: roles2, Reason: reason}, Then: events{promoted}},
		{Name: "the roles they have", Given: events{registered}, When: account.ChangeRoles{Issue: by(admin), Roles: roles, Reason: reason}},
		{Name: "for a reason", Given: events{registered}, When: account.ChangeRoles{Issue: by(admin), Roles: roles2}, Err: fault.ErrValidation},
		{Name: "nobody themselves", Given: events{registered}, When: account.ChangeRoles{Issue: by(domain.User("U1", domain.Admin)), Roles: roles2, Reason: reason}, Err: account.ErrSelfChange},
		{Name: "no buyer", Given: events{registered}, When: account.ChangeRoles{Issue: by(ann), Roles: roles2, Reason: reason}, Err: fault.ErrForbidden},

		{Name: "out", Given: events{registered}, When: suspend, Then: events{suspended, outs}},
		{Name: "who is out changes nothing", Given: events{registered, suspended}, When: account.SetPassword{Issue: by(ann), How: "changed"}, Err: account.ErrSuspended},
		{Name: "nor asks to be forgotten sooner", Given: events{registered, suspended}, When: account.ChangeEmail{Issue: by(ann), Email: "x", EmailKey: "x"}, Err: account.ErrSuspended},
		{Name: "in again", Given: events{registered, suspended}, When: account.Reinstate{Issue: by(admin), Reason: "a mistake"}, Then: events{back}},

		{Name: "a new password ends the other sessions", Given: events{registered}, When: account.SetPassword{Issue: by(ann), How: "changed", Keep: "s1"}, Then: events{password, others}},
		{Name: "a stolen token ends one", Given: events{registered}, When: account.RevokeSessions{Issue: by(policy), Cause: account.Reuse, Session: "s1"}, Then: events{stolen}},
		{Name: "one or all but one", Given: events{registered}, When: account.RevokeSessions{Issue: by(ann), Cause: account.LogoutAll, Session: "s1", Keep: "s2"}, Err: fault.ErrValidation},
		{Name: "for a cause", Given: events{registered}, When: account.RevokeSessions{Issue: by(ann)}, Err: fault.ErrValidation},

		{Name: "another means of signing in", Given: events{registered}, When: account.LinkSignIn{Issue: by(ann), SignIn: google}, Then: events{linked}},
		{Name: "it is theirs already", Given: events{registered, linked}, When: account.LinkSignIn{Issue: by(ann), SignIn: google}},
		{Name: "a password is no link", Given: events{registered}, When: account.LinkSignIn{Issue: by(ann), SignIn: account.SignIn{Method: account.Password, Key: "x"}}, Err: fault.ErrValidation},
		{Name: "away with it", Given: events{registered, linked}, When: account.UnlinkSignIn{Issue: by(ann), SignIn: google}, Then: events{unlinked}},
		{Name: "what was never theirs", Given: events{registered, linked}, When: account.UnlinkSignIn{Issue: by(ann), SignIn: key}, Err: fault.ErrNotFound},
		{Name: "never the last", Given: events{byGoogle, linked}, When: account.UnlinkSignIn{Issue: by(ann), SignIn: google}, Err: account.ErrLastSignIn},
		{Name: "one of two", Given: events{byGoogle, linked, account.SignInMethodLinked{SignIn: key}}, When: account.UnlinkSignIn{Issue: by(ann), SignIn: google}, Then: events{unlinked}},

		{Name: "a wallet", Given: events{registered}, When: account.LinkWallet{Issue: by(ann), Wallet: "w1", Chain: 56, Address: wallet.Address.Text}, Then: events{wallet}},
		{Name: "once", Given: events{registered, wallet}, When: account.LinkWallet{Issue: by(ann), Wallet: "w1", Chain: 56, Address: wallet.Address.Text}},
		{Name: "off", Given: events{registered, wallet}, When: account.UnlinkWallet{Issue: by(ann), Wallet: "w1"}, Then: events{walletOff}},
		{Name: "not another's", Given: events{registered}, When: account.UnlinkWallet{Issue: by(ann), Wallet: "w1"}, Err: fault.ErrNotFound},

		{Name: "may I sell", Given: events{registered}, When: account.SubmitSellerApplication{Issue: by(ann), Application: "a1", ShopName: "Ann's"}, Then: events{asked}},
		{Name: "one at a time", Given: events{registered, asked}, When: account.SubmitSellerApplication{Issue: by(ann), Application: "a2", ShopName: "Ann's"}, Err: account.ErrPending},
		{Name: "who sells does not ask", Given: events{registered, seller}, When: account.SubmitSellerApplication{Issue: by(ann), Application: "a1", ShopName: "Ann's"}, Err: account.ErrSeller},
		{Name: "yes", Given: events{registered, asked}, When: account.ApproveSellerApplication{Issue: by(admin), Application: "a1"}, Then: events{approved, seller}},
		{Name: "no", Given: events{registered, asked}, When: account.RejectSellerApplication{Issue: by(admin), Application: "a1", Reason: "no documents"}, Then: events{rejected}},
		{Name: "to which", Given: events{registered, asked, rejected}, When: account.ApproveSellerApplication{Issue: by(admin), Application: "a1"}, Err: fault.ErrNotFound},
		{Name: "not oneself", Given: events{registered, asked}, When: account.ApproveSellerApplication{Issue: by(domain.User("U1", domain.Admin)), Application: "a1"}, Err: account.ErrSelfChange},

		{Name: "forget me", Given: events{registered}, When: account.RequestErasure{Issue: by(ann), Due: due}, Then: events{leaving}},
		{Name: "yes, yes", Given: events{registered, leaving}, When: account.RequestErasure{Issue: by(admin), Due: due}, Err: fault.ErrInvalidState},
		{Name: "in time", Given: events{registered}, When: account.RequestErasure{Issue: by(ann), Due: at.Add(-time.Hour)}, Err: fault.ErrValidation},
		{Name: "or rather not", Given: events{registered, leaving}, When: account.CancelErasure{Issue: by(ann)}, Then: events{stays}},
		{Name: "not before", Given: events{registered, leaving}, When: account.Erase{Issue: by(timer)}, Err: account.ErrNotDue},
		{Name: "not at all", Given: events{registered, leaving, stays}, When: account.Erase{Issue: domain.Issue{By: timer, At: due}}, Err: account.ErrNotDue},
		{Name: "gone", Given: events{registered, linked, leaving}, When: account.Erase{Issue: domain.Issue{By: timer, At: due}}, Then: events{erased}},
		{Name: "no admin forgets themselves", Given: events{registered}, When: account.Erase{Issue: by(domain.User("U1", domain.Admin))}, Err: account.ErrSelfChange},
		{Name: "and gone for good", Given: events{registered, erased}, When: account.Reinstate{Issue: by(admin)}, Err: fault.ErrNotFound},
	})
}

func TestNamesAreClaimedAndGivenBack(t *testing.T) {
	t.Parallel()
	names := func(e account.Event) (taken, freed []string) {
		for _, c := range account.Aggregate().Claims(domain.Stream{}, e) {
			if c.Free {
				freed = append(freed, c.Name)
				continue
			}
			assert.Error(t, c.Taken)
			taken = append(taken, c.Name)
		}
		return taken, freed
	}
	for _, c := range []struct {
		event        account.Event
		taken, freed []string
	}{
		{registered, []string{"email:e1"}, nil},
		{byGoogle, nil, nil},
		{moved, []string{"email:e2"}, []string{"email:e1"}},
		{linked, []string{"google:g"}, nil},
		{unlinked, nil, []string{"google:g"}},
		{erased, nil, []string{"email:e1", "google:g"}},
		{promoted, nil, nil},
	} {
		taken, freed := names(c.event)
		assert.Equal(t, c.taken, taken, c.event.EventType())
		assert.Equal(t, c.freed, freed, c.event.EventType())
	}
	deadlines := account.Aggregate().Deadlines
	assert.Equal(t, []domain.Deadline{{Key: "erasure", Due: due, Command: account.EraseCommand}}, deadlines(domain.Stream{}, leaving))
	assert.True(t, deadlines(domain.Stream{}, stays)[0].Cancel)
	assert.True(t, deadlines(domain.Stream{}, erased)[0].Cancel)
	assert.Empty(t, deadlines(domain.Stream{}, linked))
}
