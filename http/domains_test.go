package http_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	apihttp "holdfast/http"
	"holdfast/projections/legacymongo"
)

func TestEveryWriteSaysWhoseDocumentsItChanges(t *testing.T) {
	t.Parallel()
	refusable := 0
	for _, r := range apihttp.Routes() {
		name, ok := r.Domain()
		assert.True(t, ok, "%s %s writes, and http/domains.go does not say whose documents", r.Method, r.Path)
		if name == "" && r.Path != "/api/admin/migration/cutover/{domain}" { // which names the domain that it moves
			assert.NotContains(t, r.Errors, "DOMAIN_OWNED_BY_LEGACY", r.Path)
		}
		if name == "" {
			continue
		}
		refusable++
		assert.Contains(t, legacymongo.Domains(), name, r.Path)
		assert.Contains(t, r.Errors, "DOMAIN_OWNED_BY_LEGACY", r.Path)
	}
	assert.Greater(t, refusable, 80)
}

// ownedBy is the same world as a server sees it whose settings give these domains to the old backend.
func (w *world) ownedBy(domains ...string) *world {
	owners := legacymongo.Owners{}
	for _, d := range domains {
		owners[d] = true
	}
	return w.beside(nil, func(d *apihttp.Deps) { d.Owners = owners })
}

func TestWhatTheOldBackendOwnsIsNotWrittenHere(t *testing.T) {
	t.Parallel()
	ours := setup(t, checkingOut)
	o := selected(t, ours)
	first := o.buyer.post(requestsPath, wish(), key("once"))
	require.Equal(t, 201, first.status, string(first.raw))
	id := o.pay(t)
	w := ours.ownedBy(legacymongo.Domains()...)
	at := func(c *client) *client { return &client{w: w, token: c.token, id: c.id} }
	buyer, seller, admin := at(o.buyer), at(o.seller), w.as(w.users.named("admin"))
	w.untouched(func() {
		for what, a := range map[string]answer{
			"a request":  buyer.post(requestsPath, wish()),
			"an offer":   seller.post(offersPath, offerFor(o.request, "70")),
			"a payment":  buyer.post("/api/payment/"+id+"/cancel", map[string]any{}),
			"a dispute":  buyer.post(disputesPath, map[string]any{"purchaseRequestId": o.request, "category": "not_as_described", "reason": "They are blue"}),
			"a hold":     admin.post(disputesPath+"/pr/"+o.request+"/release-hold", map[string]any{"kind": "admin", "reason": "wait a moment"}),
			"an account": w.anybody().post("/api/auth/register", map[string]any{"email": "new@holdfast.test", "password": "a long enough pass-phrase", "name": "New"}),
			"a password": buyer.post("/api/auth/change-password", map[string]any{"currentPassword": password, "newPassword": "another long pass-phrase"}),
		} {
			assert.Equal(t, 409, a.status, "%s: %s", what, a.raw)
			assert.Equal(t, "DOMAIN_OWNED_BY_LEGACY", a.code, what)
		}
	})
	// The same key gets the same answer for ever, whoever owns the domain meanwhile.
	again := buyer.post(requestsPath, wish(), key("once"))
	assert.Equal(t, first.text("request"), again.text("request"), string(again.raw))

	assert.Equal(t, 200, buyer.get("/api/auth/sessions").status, "queries answer")
	body := []byte(`{"event":"payment.confirmed"}`)
	assert.Equal(t, 200, w.anybody().post(webhookPath, body, signed(body)).status, "facts are kept")
	before := w.events()
	o.w = w
	o.arrive(id, eighty)
	assert.Greater(t, w.events(), before, "so is what the chain says")
	// Signing in and out changes no document.
	signedIn := w.as(w.users.named("buyer2"))
	assert.Equal(t, 200, signedIn.post("/api/auth/logout", nil).status)
	assert.Equal(t, 401, signedIn.get("/api/auth/sessions").status)
}

func TestACommandThatChangesTheirDocumentInPassingIsRefused(t *testing.T) {
	t.Parallel()
	ours := setup(t, checkingOut)
	o := selected(t, ours).fund(t)
	complaint := map[string]any{"purchaseRequestId": o.request, "category": "not_as_described", "reason": "They are blue"}
	for _, theirs := range []string{legacymongo.Marketplace, legacymongo.ReleaseHold} {
		w := ours.ownedBy(theirs)
		w.untouched(func() {
			a := (&client{w: w, token: o.buyer.token, id: o.buyer.id}).post(disputesPath, complaint)
			assert.Equal(t, 409, a.status, string(a.raw))
			assert.Equal(t, "DOMAIN_OWNED_BY_LEGACY", a.code)
		})
	}
	w := ours.ownedBy(legacymongo.User, legacymongo.Trezor)
	a := (&client{w: w, token: o.buyer.token, id: o.buyer.id}).post(disputesPath, complaint)
	assert.Equal(t, 201, a.status, string(a.raw))
}

func TestOwnersKnowWhichEventsChangeADocument(t *testing.T) {
	t.Parallel()
	owners := legacymongo.Owners{legacymongo.User: true, legacymongo.Payment: true, legacymongo.Chat: false}
	for event, want := range map[[2]string]string{
		{"user", "user.registered"}: legacymongo.User, {"user", "user.sessions_revoked"}: "",
		{"escrow_hold", "escrow.released"}: legacymongo.Payment, {"purchase_request", "request.created"}: "",
		{"asset_breaker", "breaker.tripped"}: "",
	} {
		name, theirs := owners.Writes(event[0], event[1])
		assert.Equal(t, want != "", theirs, event)
		if theirs {
			assert.Equal(t, want, name, event)
		}
	}
	assert.Equal(t, []string{legacymongo.Payment, legacymongo.User}, owners.Any())
	assert.False(t, legacymongo.Owners(nil).Legacy(legacymongo.User))
}
