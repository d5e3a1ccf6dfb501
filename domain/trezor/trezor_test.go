package trezor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/trezor"
)

var (
	t0     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	admin  = domain.User("A1", domain.Admin)
	seller = domain.User("S1", domain.Seller)
	nonce  = strings.Repeat("ab", 32)

	registered = trezor.Registered{
		User: "A1", XPub: domain.About("A1", "xpub1"), Fingerprint: "f1", Address: "0xAb", BasePath: "m/44'/60'/0'", Label: domain.About("A1", "office"), Nonce: nonce, At: t0,
	}
	removed = trezor.Removed{User: "A1", Fingerprint: "f1", By: admin}
	issued  = trezor.AddressIssued{Index: 1, Path: "m/44'/60'/0'/0/1", Address: "0x01", Purpose: "payment", Payment: "p1", At: t0}
	agreed  = trezor.OperationSigned{Operation: "o1", Kind: "payout", Target: "y1", Digest: "0xd", Signature: "0xs", Address: "0xAb", At: t0}
)

type events = []trezor.Event

func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }

func derive(_ string, index uint32) (address, path string, err error) {
	return fmt.Sprintf("0x%02x", index), fmt.Sprintf("0/%d", index), nil
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]trezor.State{trezor.None: {}, trezor.Known: machinetest.Fold(trezor.Decider, events{registered, issued}...)}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, trezor.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, trezor.Aggregate(), imported, registered, removed, issued, agreed)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	register := trezor.Register{
		Issue: by(admin), XPub: "xpub1", Fingerprint: "f1", Address: "0xAb", BasePath: registered.BasePath, Label: "office", Signer: "0xAB",
		Challenge: trezor.Challenge{User: "A1", Nonce: nonce, Expires: t0.Add(time.Minute)},
	}
	foreign, late, forged := register, register, register
	foreign.Issue, late.At, forged.Signer = by(seller), t0.Add(time.Minute), "0xEe"
	next := func(p domain.PaymentID) trezor.IssueAddress {
		return trezor.IssueAddress{Issue: by(admin), Purpose: "payment", Payment: p, Derive: derive}
	}
	sign := trezor.SignOperation{Issue: by(admin), Operation: "o1", Kind: "payout", Target: "y1", Digest: "0xd", Signature: "0xs", Signer: "0xab", Expires: t0.Add(time.Minute)}
	signLate, signForged, signSeller := sign, sign, sign
	signLate.At, signForged.Signer, signSeller.Issue = sign.Expires, "0xEe", by(seller)
	second := issued
	second.Index, second.Path, second.Address, second.Payment = 2, "m/44'/60'/0'/0/2", "0x02", "p2"
	broken := trezor.IssueAddress{Issue: by(admin), Derive: func(string, uint32) (string, string, error) { return "", "", trezor.ErrPath }}
	machinetest.Run(t, trezor.Decider, []machinetest.Case[trezor.Event]{
		{Name: "registered", When: register, Then: events{registered}},
		{Name: "with another's message", When: foreign, Err: trezor.ErrProof},
		{Name: "too late", When: late, Err: trezor.ErrExpired},
		{Name: "signed by another key", When: forged, Err: trezor.ErrProof},
		{Name: "one at a time", Given: events{registered}, When: register, Err: trezor.ErrAccountTaken},
		{Name: "removed", Given: events{registered}, When: trezor.Remove{Issue: by(admin)}, Then: events{removed}},
		{Name: "nothing to remove", When: trezor.Remove{Issue: by(admin)}, Err: fault.ErrNotFound},
		{Name: "the first address is 0/1: 0/0 proved the account", Given: events{registered}, When: next("p1"), Then: events{issued}},
		{Name: "the same payment, the same address", Given: events{registered, issued}, When: next("p1")},
		{Name: "another payment, another", Given: events{registered, issued}, When: next("p2"), Then: events{second}},
		{Name: "also after the account came back", Given: events{registered, issued, removed, registered}, When: next("p2"), Then: events{second}},
		{Name: "no account, no address", When: next("p1"), Err: fault.ErrNotFound},
		{Name: "what cannot be derived", Given: events{registered}, When: broken, Err: trezor.ErrPath},
		{Name: "an operation", Given: events{registered}, When: sign, Then: events{agreed}},
		{Name: "signed by another key", Given: events{registered}, When: signForged, Err: trezor.ErrSignature},
		{Name: "an operation too late", Given: events{registered}, When: signLate, Err: trezor.ErrExpired},
		{Name: "operations are for admins", Given: events{registered}, When: signSeller, Err: fault.ErrForbidden},
		{Name: "of no wallet", When: sign, Err: fault.ErrNotFound},
	})
}

func TestNoncesAndOperationsAreClaimedForEver(t *testing.T) {
	t.Parallel()
	claims := trezor.Aggregate().Claims
	for _, c := range []struct {
		event trezor.Event
		names []string
		once  bool
		free  bool
	}{
		{registered, []string{"trezor-nonce:" + nonce, "trezor-account:f1"}, true, false},
		{agreed, []string{"trezor-operation:o1"}, true, false},
		{removed, []string{"trezor-account:f1"}, false, true},
		{issued, nil, false, false},
	} {
		got := claims(domain.Stream{}, c.event)
		if len(got) != len(c.names) {
			t.Fatalf("%T: %v", c.event, got)
		}
		for i, name := range c.names {
			if got[i].Name != name || got[i].Free != c.free || (i == 0 && got[i].Once != c.once) {
				t.Errorf("%T: %+v", c.event, got[i])
			}
		}
	}
}

// However accounts come and go, no index of an account is given out twice, and a payment keeps its
// address while its account stays.
func TestAnIndexIsGivenOutOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, given := trezor.State{}, map[string]bool{}
		for n := range rapid.IntRange(1, 30).Draw(t, "steps") {
			var c domain.Command
			switch rapid.IntRange(0, 3).Draw(t, "command") {
			case 0:
				c = trezor.Register{Issue: by(admin), Fingerprint: rapid.SampledFrom([]string{"f1", "f2"}).Draw(t, "account"), Challenge: trezor.Challenge{User: "A1", Expires: t0.Add(time.Hour)}}
			case 1:
				c = trezor.Remove{Issue: by(admin)}
			default:
				c = trezor.IssueAddress{Issue: by(admin), Payment: domain.PaymentID(rapid.SampledFrom([]string{"", "p1", "p2"}).Draw(t, "payment")), Derive: derive}
			}
			var got []trezor.Event
			s, got, _ = machinetest.Step(t, trezor.Table(), trezor.Decider, s, c)
			for _, e := range got {
				if a, ok := e.(trezor.AddressIssued); ok {
					key := fmt.Sprint(s.Account.Fingerprint, a.Index)
					if given[key] || a.Index == 0 {
						t.Fatalf("step %d: %s again", n, key)
					}
					given[key] = true
				}
			}
		}
	})
}

func TestPrivateKeysAreRefusedInEverySpelling(t *testing.T) {
	t.Parallel()
	words := "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
	for _, bad := range []string{
		"xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
		" tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK\n",
		"my key is XPRV9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
		"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", "0xAC0974BEC39A17E36BA4A6B4D238FF944BACB478CBED5EFCAE784D7BF4F2FF80",
		words, strings.ToUpper(words), " " + strings.ReplaceAll(words, " ", "\n\t"), words + " " + words,
		"5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
	} {
		err := trezor.RefusePrivate("xpub", bad)
		if !errors.Is(err, trezor.ErrPrivateKey) {
			t.Errorf("%q was let through", bad)
		} else if f, _ := fault.From(err); strings.Contains(fmt.Sprint(f.Message, f.Details, f.Fields), "prv9") || f.Details[0].Path != "xpub" {
			t.Errorf("the refusal repeats the key: %+v", f)
		}
	}
	for _, good := range []string{
		"xpub6CUGRUonZSQ4TWtTMmzXdrXDtypWKiKrhko4egpiMZbpiaQL2jkwSB1icqYh2cfDfVxdx4df189oLKnC5fSwqPfgyP3hooxujYzAu3fDVmz", "",
		"the office Trezor", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", strings.Repeat("ab", 65), "one two three four five six seven eight nine ten",
	} {
		if err := trezor.RefusePrivate("label", good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestTheChallengeIsReadBackToTheByte(t *testing.T) {
	t.Parallel()
	c := trezor.Challenge{User: "A1", Nonce: nonce, Expires: t0}
	got, ok := trezor.ReadChallenge("A1", c.Message())
	if !ok || got != c {
		t.Fatal(got, ok)
	}
	for _, bad := range []string{
		c.Message() + " ", "x" + c.Message(), strings.Replace(c.Message(), "No money moves", "All money moves", 1), strings.ToUpper(c.Message()), "",
		strings.Replace(c.Message(), "2026-11-01T12:00:00Z", "2026-11-01T12:60:00Z", 1),
	} {
		if _, ok := trezor.ReadChallenge("A1", bad); ok {
			t.Errorf("%q was read", bad)
		}
	}
	if _, ok := trezor.ReadChallenge("B1", c.Message()); ok {
		t.Error("another user's message was read")
	}
}
