package account_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/machine/machinetest"
)

// Whoever asks for what in whatever order: nobody raises themselves, a person keeps a means of
// signing in, names that were claimed are given back once, and who is erased stays so.
func TestAnAccountKeepsItsRules(t *testing.T) {
	t.Parallel()
	annAdmin := domain.User("U1", domain.Admin)
	actors := []domain.Actor{ann, other, admin, annAdmin, policy, timer}
	rapid.Check(t, func(t *rapid.T) {
		s, held := account.State{}, map[string]bool{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			actor := rapid.SampledFrom(actors).Draw(t, "by")
			issue := domain.Issue{By: actor, At: at.Add(time.Duration(rapid.IntRange(0, 60*24).Draw(t, "hour")) * time.Hour)}
			cmd := command(t, issue)
			before := s
			var got events
			var err error
			s, got, err = machinetest.Step(t, account.Table(), account.Decider, s, cmd)
			if err != nil {
				continue
			}
			if before.Erased && len(got) > 0 {
				t.Fatalf("an erased person did %T", cmd)
			}
			self := actor.Is("U1")
			for _, e := range got {
				follow(t, held, e)
				if r, ok := e.(account.RolesChanged); ok && self {
					t.Fatalf("they gave themselves %v", r.To)
				}
			}
			if len(before.SignIns) > 0 && len(s.SignIns) == 0 && !s.Password && !s.Erased {
				t.Fatalf("%T took the last means of signing in", cmd)
			}
			if before.User == "" && self && s.Has(domain.Admin) {
				t.Fatal("an admin registered themselves")
			}
			if want := len(s.SignIns) + min(1, len(s.EmailKey)); len(held) != want {
				t.Fatalf("%d names are held, the account has %d", len(held), want)
			}
		}
	})
}

// follow keeps the claims as the log would.
func follow(t *rapid.T, held map[string]bool, e account.Event) {
	for _, c := range account.Aggregate().Claims(domain.Stream{}, e) {
		if c.Free && !held[c.Name] {
			t.Fatalf("%s gives %s back, which is not held", e.EventType(), c.Name)
		}
		if c.Free {
			delete(held, c.Name)
		} else {
			held[c.Name] = true
		}
	}
}

func command(t *rapid.T, i domain.Issue) domain.Command {
	key := rapid.SampledFrom([]string{"e1", "e2"}).Draw(t, "key")
	signIn := account.SignIn{Method: rapid.SampledFrom([]account.Method{account.Google, account.Passkey}).Draw(t, "method"), Key: key}
	list := rapid.SliceOfNDistinct(rapid.SampledFrom([]domain.Capacity{domain.Admin, domain.Buyer, domain.Seller}), 0, 3, rapid.ID).Draw(t, "roles")
	commands := []domain.Command{
		account.Register{Issue: i, User: "U1", Email: key, EmailKey: key, Roles: list, Method: account.Password, Password: rapid.Bool().Draw(t, "password")},
		account.VerifyEmail{Issue: i, EmailKey: key}, account.ChangeEmail{Issue: i, Email: key, EmailKey: key},
		account.ChangeRoles{Issue: i, Roles: slices.Clone(list), Reason: "x"},
		account.Suspend{Issue: i, Reason: "x"}, account.Reinstate{Issue: i},
		account.SetPassword{Issue: i, How: "reset"}, account.RevokeSessions{Issue: i, Cause: account.Reuse, Session: key},
		account.LinkSignIn{Issue: i, SignIn: signIn}, account.UnlinkSignIn{Issue: i, SignIn: signIn},
		account.LinkWallet{Issue: i, Wallet: key, Chain: 1, Address: key}, account.UnlinkWallet{Issue: i, Wallet: key},
		account.SubmitSellerApplication{Issue: i, Application: key, ShopName: "x"},
		account.ApproveSellerApplication{Issue: i, Application: key}, account.RejectSellerApplication{Issue: i, Application: key, Reason: "x"},
		account.RequestErasure{Issue: i, Due: i.At.Add(time.Hour)}, account.CancelErasure{Issue: i}, account.Erase{Issue: i},
	}
	return rapid.SampledFrom(commands).Draw(t, "command")
}
