package apikey_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/apikey"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
)

var (
	at    = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	admin = domain.User("A1", domain.Admin)
	guard = domain.User("G1", domain.Guard)

	both   = []apikey.Scope{apikey.Auditor, apikey.Reconciler}
	first  = apikey.HashOf("first")
	second = apikey.HashOf("second")

	created  = apikey.Created{Name: "the auditor", Scopes: both, Hash: first, ExpiresAt: at.Add(24 * time.Hour), By: admin}
	renamed  = apikey.Renamed{Name: "another", By: admin}
	rescoped = apikey.Rescoped{From: both, To: []apikey.Scope{apikey.Ingestion}, By: admin}
	moved    = apikey.ExpiryMoved{From: created.ExpiresAt, To: at.Add(48 * time.Hour), By: admin}
	rotated  = apikey.Rotated{Hash: second, OldUntil: at.Add(time.Hour), By: admin}
	revoked  = apikey.Revoked{Reason: "it leaked", By: admin}
)

type events = []apikey.Event

func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: at} }

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]apikey.State{
		"":                  {},
		apikey.ActivePhase:  machinetest.Fold(apikey.Decider, events{created, renamed, rescoped, moved, rotated}...),
		apikey.RevokedPhase: machinetest.Fold(apikey.Decider, events{created, revoked}...),
	}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, apikey.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, apikey.Aggregate(), created, renamed, rescoped, moved, rotated, revoked)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	create := apikey.Create{Issue: by(admin), Name: created.Name, Scopes: []apikey.Scope{apikey.Reconciler, apikey.Auditor, apikey.Auditor}, Hash: first, ExpiresAt: created.ExpiresAt}
	changed := func(f func(*apikey.Create)) apikey.Create { c := create; f(&c); return c }
	machinetest.Run(t, apikey.Decider, []machinetest.Case[apikey.Event]{
		{Name: "an admin makes one", When: create, Then: events{created}},
		{Name: "a guard does not", When: changed(func(c *apikey.Create) { c.By = guard }), Err: fault.ErrForbidden},
		{Name: "without a scope it opens nothing", When: changed(func(c *apikey.Create) { c.Scopes = nil }), Err: apikey.ErrScope},
		{Name: "there is no scope admin", When: changed(func(c *apikey.Create) { c.Scopes = []apikey.Scope{"admin"} }), Err: apikey.ErrScope},
		{Name: "it has a name", When: changed(func(c *apikey.Create) { c.Name = " " }), Err: fault.ErrValidation},
		{Name: "it has an end", When: changed(func(c *apikey.Create) { c.ExpiresAt = time.Time{} }), Err: apikey.ErrExpiry},
		{Name: "and that in the future", When: changed(func(c *apikey.Create) { c.ExpiresAt = at }), Err: apikey.ErrExpiry},
		{Name: "a year is the most", When: changed(func(c *apikey.Create) { c.ExpiresAt = at.Add(apikey.LongestLife + 1) }), Err: apikey.ErrExpiry},
		{Name: "a hash is a hash", When: changed(func(c *apikey.Create) { c.Hash = "first" }), Err: fault.ErrValidation},
		{Name: "it is made once", Given: events{created}, When: create, Err: fault.ErrInvalidState},
		{
			Name: "all of it can be changed", Given: events{created},
			When: apikey.Amend{Issue: by(admin), Name: "another", Scopes: rescoped.To, ExpiresAt: moved.To}, Then: events{renamed, rescoped, moved},
		},
		{Name: "what stays is no event", Given: events{created}, When: apikey.Amend{Issue: by(admin), Name: created.Name, Scopes: both, ExpiresAt: created.ExpiresAt}},
		{Name: "not to unknown scopes", Given: events{created}, When: apikey.Amend{Issue: by(admin), Scopes: []apikey.Scope{"*"}}, Err: apikey.ErrScope},
		{Name: "not to another past", Given: events{created}, When: apikey.Amend{Issue: by(admin), ExpiresAt: at.Add(-time.Hour)}, Err: apikey.ErrExpiry},
		{Name: "it is rotated", Given: events{created}, When: apikey.Rotate{Issue: by(admin), Hash: second, Overlap: time.Hour}, Then: events{rotated}},
		{Name: "with a short overlap", Given: events{created}, When: apikey.Rotate{Issue: by(admin), Hash: second, Overlap: apikey.LongestOverlap + 1}, Err: apikey.ErrOverlap},
		{Name: "it is revoked", Given: events{created}, When: apikey.Revoke{Issue: by(admin), Reason: revoked.Reason}, Then: events{revoked}},
		{Name: "revoked twice is once", Given: events{created, revoked}, When: apikey.Revoke{Issue: by(admin)}},
		{Name: "and for good", Given: events{created, revoked}, When: apikey.Rotate{Issue: by(admin), Hash: second}, Err: apikey.ErrRevoked},
		{Name: "nothing of it changes", Given: events{created, revoked}, When: apikey.Amend{Issue: by(admin), Name: "x"}, Err: apikey.ErrRevoked},
		{Name: "a key that is not cannot be revoked", When: apikey.Revoke{Issue: by(admin)}, Err: fault.ErrInvalidState},
	})
}

// However a key is changed, only the newest secret opens it, the one before within its
// overlap, nothing after the end, and nothing at all once it was revoked.
func TestWhatOpens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, now := apikey.State{}, at
		newest, before, overlap := "", "", time.Time{}
		gone := false
		for step := range rapid.IntRange(1, 25).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "minutes")) * time.Minute)
			i := domain.Issue{By: admin, At: now}
			secret := strings.Repeat("s", step+1)
			var c domain.Command
			switch rapid.IntRange(0, 4).Draw(t, "command") {
			case 0:
				c = apikey.Create{Issue: i, Name: "x", Scopes: both, Hash: apikey.HashOf(secret), ExpiresAt: now.Add(2 * time.Hour)}
			case 1:
				c = apikey.Rotate{Issue: i, Hash: apikey.HashOf(secret), Overlap: time.Duration(rapid.IntRange(-1, 60).Draw(t, "overlap")) * time.Minute}
			case 2:
				c = apikey.Amend{Issue: i, ExpiresAt: now.Add(time.Duration(rapid.IntRange(-1, 120).Draw(t, "end")) * time.Minute)}
			case 3:
				if rapid.IntRange(0, 5).Draw(t, "really") == 0 {
					c = apikey.Revoke{Issue: i}
				} else {
					continue
				}
			case 4:
				c = apikey.Amend{Issue: i, Name: secret}
			}
			var got events
			s, got, _ = machinetest.Step(t, apikey.Table(), apikey.Decider, s, c)
			for _, e := range got {
				switch e := e.(type) {
				case apikey.Created:
					newest = secret
				case apikey.Rotated:
					before, newest, overlap = newest, secret, e.OldUntil
				case apikey.Revoked:
					gone = true
				}
			}
			_, opens := s.Opens(newest, now)
			if want := newest != "" && !gone && now.Before(s.ExpiresAt); opens != want {
				t.Fatalf("the newest secret opens: %t, want %t", opens, want)
			}
			until, opens := s.Opens(before, now)
			if want := before != "" && !gone && now.Before(s.ExpiresAt) && now.Before(overlap); opens != want {
				t.Fatalf("the secret before opens: %t, want %t", opens, want)
			}
			if opens && until.After(overlap) {
				t.Fatalf("the secret before opens until %s, its overlap ends at %s", until, overlap)
			}
			if _, opens := s.Opens("", now); opens {
				t.Fatal("nothing opens it")
			}
		}
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	const id = "0b5c1c9e-8a44-4c0b-9a57-2f3b1d5c7e90"
	secret := strings.Repeat("aB-_", 10) + "xyz"
	token := apikey.TokenOf(id, secret)
	got, s, ok := apikey.ParseToken(token)
	assert.True(t, ok)
	assert.Equal(t, id, got)
	assert.Equal(t, secret, s)
	assert.Equal(t, "hfk_0b5c1c9e", apikey.PrefixOf(id))
	for _, bad := range []string{"", "hfk_", token[:len(token)-1], token + "x", strings.Replace(token, "0b5c", "0B5C", 1), "hfr_" + token[4:], strings.Replace(token, "_aB", "-aB", 1)} {
		_, _, ok := apikey.ParseToken(bad)
		assert.False(t, ok, bad)
	}
}
