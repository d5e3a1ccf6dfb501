package http_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	apihttp "holdfast/http"
)

const nobody = "11111111-1111-4111-8111-111111111111"

// things are one object of every kind that somebody owns, and whose they are.
type things struct {
	ids           map[apihttp.Owned]string
	buyer, seller *client
}

// own makes an order with money, a refund, a payout, a quote and a dispute.
func (w *world) own() things {
	t := w.t.(*testing.T)
	o := selected(t, w)
	id := o.pay(t)
	o.arrive(id, eighty)
	refund := o.buyer.post("/api/payment/"+id+"/refund", map[string]any{"mode": "partial", "amount": map[string]any{"display": "1"}, "reason": "a scratch"})
	require.Equal(t, 201, refund.status, string(refund.raw))
	w.earn(o.seller.id, 1000)
	payout := o.seller.post(payoutsPath, ask("10"))
	require.Equal(t, 201, payout.status, string(payout.raw))
	quoted := o.buyer.post("/api/payment/quotes", map[string]any{"offerId": o.offer})
	disputed := strings.TrimPrefix(raise(t, o), disputesPath+"/")
	w.seen(o.buyer, "/api/payment/"+id)
	return things{buyer: o.buyer, seller: o.seller, ids: map[apihttp.Owned]string{
		apihttp.OfRequest: o.request, apihttp.OfHold: o.request, apihttp.OfOffer: o.offer, apihttp.OfPayment: id, apihttp.OfQuote: quoted.text("quote"),
		apihttp.OfPayout: payout.text("payout"), apihttp.OfRefund: refund.text("refund"), apihttp.OfDispute: disputed,
		apihttp.OfSession: w.users.sessionOf(o.buyer.id),
	}}
}

// ownByID names, for routes about a thing of the caller's own, the test that asks them about
// somebody else's.
var ownByID = map[string]string{
	"/api/user/wallets/{id}":              "TestForeignWalletsAreUnknown",
	"/api/auth/passkey/{id}":              "TestAPersonSignsInWithAPasskey",
	"/api/auth/methods/{id}":              "TestGoogleIsLinkedByWhoIsSignedIn",
	"/api/address/{id}":                   "TestAddresses",
	"/api/address/{id}/default":           "TestAddresses",
	"/api/user/data-export/{id}/download": "TestDataExport",
}

// TestForeignWalletsAreUnknown asks about the wallet of somebody else.
func TestForeignWalletsAreUnknown(t *testing.T) {
	t.Parallel()
	wallets := oneWallet{}
	w := setup(t, func(w *world) { w.deps.SignIn.WalletRows = &wallets })
	owner, other := w.as(w.users.named("buyer")), w.as(w.users.named("seller"))
	wallets.owner = owner.id
	w.untouched(func() {
		for path, id := range map[string]string{"/api/user/wallets/": walletOfOne} {
			foreign := other.send(http.MethodDelete, path+id, nil)
			none := other.send(http.MethodDelete, path+nobody, nil)
			old := other.send(http.MethodDelete, path+"aaaaaaaaaaaaaaaaaaaaaaaa", nil)
			assert.Equal(t, 404, foreign.status, "%s: %s", path, foreign.raw)
			assert.Equal(t, string(none.raw), string(foreign.raw), path)
			assert.Equal(t, string(none.raw), string(old.raw), path)
		}
	})
	assert.Equal(t, 200, owner.get(mePath).status)
	assert.Contains(t, string(owner.get("/api/user/wallets").raw), walletOfOne)
	assert.NotContains(t, string(other.get("/api/user/wallets").raw), walletOfOne)
}

const walletOfOne = "44444444-4444-4444-8444-444444444444"

// oneWallet is the only wallet there is.
type oneWallet struct {
	apihttp.WalletRows
	owner domain.UserID
}

func (o *oneWallet) List(_ context.Context, u domain.UserID) ([]apihttp.Wallet, error) {
	if u != o.owner {
		return nil, nil
	}
	return []apihttp.Wallet{{ID: walletOfOne, ChainID: 56, Address: "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65", Verified: true}}, nil
}

// TestEveryRouteSaysWhoseItsThingsAre: a route without an answer is refused here, and so is
// one that names an object of which this file has no example.
func TestEveryRouteSaysWhoseItsThingsAre(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onPostgres)
	have := w.own().ids
	tests := ""
	files, err := filepath.Glob("../*/*_test.go")
	require.NoError(t, err)
	more, err := filepath.Glob("../cmd/internal/wire/*_test.go")
	require.NoError(t, err)
	for _, file := range append(files, more...) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		tests += string(text)
	}
	for _, r := range apihttp.Routes() {
		name := r.Method + " " + r.Path
		whose, ok := r.Owned()
		if !assert.True(t, ok, "%s: whose things is it about? Say so in ownership.go", name) {
			continue
		}
		assert.NotEmpty(t, whose.Whose(), name)
		switch {
		case whose == apihttp.Platform && !r.Public():
			for _, role := range []domain.Capacity{domain.Buyer, domain.Seller} {
				assert.False(t, r.Roles[0] == "*" || slices.Contains(r.Roles, role), "%s: what %s may call is somebody's", name, role)
			}
		case whose == apihttp.OwnByID:
			shown, ok := ownByID[r.Path]
			assert.True(t, ok, "%s: name the test that asks it about somebody else's in ownByID", name)
			assert.Contains(t, tests, "func "+shown+"(", name)
		case whose == apihttp.Own:
			free := pathParam.MatchString(r.Path) && len(r.Names) == 0
			assert.False(t, free, "%s names an object: give its kind in ownership.go, and an example in own()", name)
		case whose != apihttp.Platform:
			assert.NotEmpty(t, have[whose], "%s: an example of %q is missing in own()", name, whose)
			assert.False(t, r.Public(), name)
		}
	}
}

// TestForeignIsUnknown asks every route about somebody's object as a stranger in each of the 31
// sets of roles: where the table does not let the role see it, the answer about it and the one
// about nothing, by UUID and by an old 24-digit id, must be the same bytes (docs/fault-model.md,
// 55), and nothing may be written.
func TestForeignIsUnknown(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onPostgres)
	have := w.own()
	const oldID = "aaaaaaaaaaaaaaaaaaaaaaaa"
	asked, seen := 0, 0
	before := w.events()
	for _, roles := range combinations() {
		stranger := w.holding(roles...)
		for _, r := range apihttp.Routes() {
			whose, _ := r.Owned()
			object, named := have.ids[whose]
			if !named {
				continue
			}
			name := fmt.Sprintf("%s %s as %s", r.Method, r.Path, roles)
			if !r.Admits(roles) {
				assert.Equal(t, 403, stranger.send(r.Method, fill(r.Path, object), sample(r)).status, name)
				continue
			}
			if slices.ContainsFunc(whose.Sees(), func(c domain.Capacity) bool { return slices.Contains(roles, c) }) {
				if r.Method == http.MethodGet && r.Roles[0] == "*" {
					a := stranger.get(fill(r.Path, object))
					assert.Contains(t, []int{200, 503}, a.status, "%s: %s", name, a.raw)
					seen++
				}
				continue
			}
			asked++
			foreign := stranger.send(r.Method, fill(r.Path, object), sample(r))
			none := stranger.send(r.Method, fill(r.Path, nobody), sample(r))
			old := stranger.send(r.Method, fill(r.Path, oldID), sample(r))
			assert.Equal(t, none.status, foreign.status, "%s: %s", name, foreign.raw)
			assert.Equal(t, string(none.raw), string(foreign.raw), name)
			assert.Equal(t, string(none.raw), string(old.raw), "%s, by an old id", name)
			assert.Contains(t, []int{404, 400, 503}, foreign.status, "%s: %s", name, foreign.raw)
		}
	}
	assert.Equal(t, before, w.events())
	assert.Greater(t, asked, 500, "the table has shrunk")
	assert.Greater(t, seen, 50)
}

// TestPartiesSeeTheirOwn asks the same as the two people of the order, each with every further
// role: what is theirs they see, by whichever role they come in. An If-Match that cannot be
// keeps commands from doing anything.
func TestPartiesSeeTheirOwn(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onPostgres)
	have := w.own()
	both := []apihttp.Owned{apihttp.OfRequest, apihttp.OfHold, apihttp.OfOffer, apihttp.OfPayment, apihttp.OfRefund, apihttp.OfDispute}
	sees := map[*client][]apihttp.Owned{have.buyer: append(slices.Clone(both), apihttp.OfQuote), have.seller: append(slices.Clone(both), apihttp.OfPayout)}
	asked, before := 0, w.events()
	for c, kinds := range sees {
		for _, roles := range combinations() {
			w.users.change(c.id, func(u *apihttp.User) { u.Roles = roles })
			require.Eventually(t, func() bool { return strings.Contains(string(c.get(mePath).raw), rolesJSON(roles)) }, 30*time.Second, time.Millisecond)
			for _, r := range apihttp.Routes() {
				whose, _ := r.Owned()
				if !slices.Contains(kinds, whose) || !r.Admits(roles) || strings.Contains(r.Path, "{sid}") || strings.Contains(r.Path, "{holdId}") {
					continue
				}
				if r.Method != http.MethodGet && len(roles) > 1 {
					continue // what a command decides is tested where it is decided
				}
				a := c.send(r.Method, fill(r.Path, have.ids[whose]), sample(r), header("If-Match", `"999999"`))
				asked++
				if elsewhere.MatchString(r.Path) || c == have.seller && strings.HasSuffix(r.Path, "/checkout") {
					continue
				}
				assert.NotEqual(t, 404, a.status, "%s %s as %s with %s: %s", r.Method, r.Path, c.id, roles, a.raw)
				assert.NotEqual(t, 500, a.status, "%s %s: %s", r.Method, r.Path, a.raw)
			}
		}
	}
	assert.Greater(t, asked, 500)
	assert.Equal(t, before, w.events())
}

// elsewhere are routes whose body names another object, which is not there, or that are one
// party's alone.
var elsewhere = regexp.MustCompile(`/(confirm|select-offer|report|address|destination|credit)$`)

func rolesJSON(roles []domain.Capacity) string {
	raw, _ := json.Marshal(roles)
	return string(raw)
}

// TestWhoIsBothSeesBoth: a seller who also buys sees the offers and requests of both sides.
func TestWhoIsBothSeesBoth(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onPostgres)
	o := selected(t, w)
	w.seen(o.buyer, o.path(""))
	count := func(c *client, path string) int {
		a := c.get(path)
		require.Equal(t, 200, a.status, "%s: %s", path, a.raw)
		return len(a.body["data"].([]any))
	}
	draft := o.buyer.post(requestsPath, func() any { v := wish(); v["publish"] = false; return v }())
	require.Equal(t, 201, draft.status, string(draft.raw))
	require.NoError(t, w.deps.Positions.WaitFor(t.Context(), "requests", w.events()))
	w.users.change(o.buyer.id, func(u *apihttp.User) { u.Roles = []domain.Capacity{domain.Seller, domain.Buyer} })
	require.Eventually(t, func() bool { return strings.Contains(string(o.buyer.get(mePath).raw), `["seller","buyer"]`) }, 30*time.Second, time.Millisecond)
	assert.Equal(t, 1, count(o.buyer, offersPath), "offers that he received")
	assert.Equal(t, 0, count(o.buyer, offersPath+"/mine"), "and none that he made")
	assert.Equal(t, 2, count(o.buyer, requestsPath), "his own, drafts too")
	assert.Equal(t, 1, count(o.seller, offersPath))
}

// fill puts an object's id into the first parameter and a well-formed nothing into others.
func fill(path, id string) string {
	first := true
	return pathParam.ReplaceAllStringFunc(path, func(string) string {
		if first {
			first = false
			return id
		}
		return nobody
	})
}

// sample is a body that fits most schemas; where it does not, both answers are the same 400.
func sample(r apihttp.Route) any {
	if r.Method == http.MethodGet {
		return nil
	}
	for suffix, body := range map[string]string{
		"/cancel": `{"reason":"because"}`, "/select-offer": `{"offerId":"` + nobody + `","revision":1}`, "/verify": `{"code":"123456"}`,
		"/request-revision": `{"reason":"because"}`, "/invite": `{"sellerIds":["` + nobody + `"]}`, "/counter": `{"message":"hi","expiresAt":"2100-01-01T00:00:00Z"}`,
		"/accept": `{"revision":1}`, "/respond": `{"text":"hi"}`, "/evidence": `{"kind":"text","text":"hi"}`, "/settlements": `{"seller_bps":1}`,
		"/appeal": `{"grounds":"because"}`, "/destination": `{"walletId":"w"}`, "/address": `{"walletId":"w"}`, "/report": `{"txHash":"0x` + repeat("a", 64) + `"}`,
		"/raise": `{"category":"other_thing","reason":"because"}`, "/status": `{"status":"cancelled"}`,
	} {
		if strings.HasSuffix(r.Path, suffix) && !strings.Contains(r.Path, "counter/") && !strings.Contains(r.Path, "payouts/{id}/cancel") &&
			!strings.Contains(r.Path, "refunds/{id}/cancel") && !strings.Contains(r.Path, "settlements/{sid}") {
			return body
		}
	}
	if r.Method == http.MethodDelete && strings.HasPrefix(r.Path, requestsPath) {
		return `{"reason":"because"}`
	}
	return "{}"
}

// seen waits until the views have what the log has.
func (w *world) seen(c *client, path string) {
	w.t.Helper()
	for _, view := range []string{"payments", "requests", "offers", "holds", "refunds", "payouts", "disputes", "timeline"} {
		require.NoError(w.t, w.deps.Positions.WaitFor(w.t.(*testing.T).Context(), view, w.events()))
	}
	_ = c.get(path)
}

// TestAnswersHoldNothingInternal lists the fields of every answer about an order: what is
// not listed here must not come out.
func TestAnswersHoldNothingInternal(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onPostgres)
	o := selected(t, w).fund(t)
	issued := o.buyer.post(o.path("/delivery-code"), nil)
	require.Equal(t, 200, issued.status)
	other := w.as(w.users.named("seller2"))
	open := o.buyer.post(requestsPath, wish())
	w.seen(o.buyer, o.path(""))
	for name, a := range map[string]answer{"buyer": o.buyer.get(o.path("")), "seller": o.seller.get(o.path("")), "list": o.seller.get(requestsPath)} {
		require.Equal(t, 200, a.status, string(a.raw))
		for _, secret := range []string{"mac", "hmac", "password", "sealed", "@holdfast.test", "placed_by", "failures", "digest"} {
			assert.NotContains(t, strings.ToLower(string(a.raw)), secret, name)
		}
	}
	mine := o.buyer.get(o.path(""))
	assert.Equal(t, "1 Main Street", mine.text("deliveryInfo.address"), string(mine.raw))
	assert.Equal(t, "Size 42, red as can be", mine.text("description"))
	stranger := other.get(requestsPath + "/" + open.text("request"))
	require.Equal(t, 200, stranger.status, "an open request is shown to sellers")
	assert.Empty(t, stranger.text("buyerId"), "who the buyer is is not")
	assert.Empty(t, stranger.text("deliveryInfo.address"))
	assert.NotContains(t, string(stranger.raw), string(o.buyer.id))
	assert.Equal(t, 404, other.get(o.path("")).status)

	var got map[string]any
	require.NoError(t, json.Unmarshal(mine.raw, &got))
	allowed := []string{
		"id", "version", "buyerId", "status", "state", "revision", "title", "description", "categoryId", "productType", "quantity", "budget",
		"urgency", "offersCount", "deliveryInfo", "selected", "offers", "createdAt", "updatedAt",
	}
	assert.ElementsMatch(t, allowed, slices.Collect(maps.Keys(got["data"].(map[string]any))))
}

func TestListsAreOnesOwn(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onPostgres)
	o := selected(t, w)
	id := o.pay(t)
	w.seen(o.buyer, "/api/payment/"+id)
	stranger, admin := w.as(w.users.named("buyer2")), w.as(w.users.named("admin"))
	count := func(c *client, path string) int {
		a := c.get(path)
		require.Equal(t, 200, a.status, "%s: %s", path, a.raw)
		return len(a.body["data"].([]any))
	}
	assert.Equal(t, 1, count(o.buyer, "/api/payment"))
	assert.Equal(t, 1, count(o.seller, "/api/payment"))
	assert.Equal(t, 1, count(admin, "/api/payment"))
	assert.Equal(t, 0, count(stranger, "/api/payment"))
	assert.Equal(t, 0, count(stranger, requestsPath))
	assert.Equal(t, 1, count(o.buyer, requestsPath))
	assert.Equal(t, 1, count(o.seller, offersPath+"/mine"))
	assert.Equal(t, 1, count(o.buyer, offersPath))
	assert.Equal(t, 1, count(admin, requestsPath+"?search=red"))
	assert.Equal(t, 0, count(admin, requestsPath+"?search=%25"), "text is taken literally")
	for _, q := range []string{"/api/payment?userId=" + string(o.buyer.id), requestsPath + "?buyerId=" + string(o.buyer.id), requestsPath + "?sellerId=" + string(o.seller.id)} {
		assert.Equal(t, 403, stranger.get(q).status, q)
	}
	for _, q := range []string{"?sort=;drop", "?sort=title", "?status=x", "?limit=101"} {
		assert.Equal(t, "VALIDATION_FAILED", admin.get(requestsPath+q).code, q)
	}
	assert.Equal(t, "INVALID_CURSOR", admin.get(requestsPath+"?cursor=Zm9v").code)
	next := admin.get(requestsPath + "?limit=1")
	assert.Nil(t, next.body["meta"], "one row is one page")
}

func TestLongPoll(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onPostgres)
	o := selected(t, w)
	id := o.pay(t)
	w.seen(o.buyer, "/api/payment/"+id)
	first := o.buyer.get("/api/payment/" + id)
	require.Equal(t, 200, first.status, string(first.raw))
	tag := first.header.Get("ETag")
	same := o.buyer.get("/api/payment/"+id, header("If-None-Match", tag))
	assert.Equal(t, 304, same.status)
	assert.Empty(t, same.raw)
	waiting := make(chan answer, 1)
	go func() { waiting <- o.buyer.get("/api/payment/"+id+"?wait=20", header("If-None-Match", tag)) }()
	o.arrive(id, eighty)
	a := <-waiting
	assert.Equal(t, 200, a.status)
	assert.NotEqual(t, tag, a.header.Get("ETag"))
	assert.Equal(t, "VALIDATION_FAILED", o.buyer.get("/api/payment/"+id+"?wait=26").code)
	late := o.buyer.get("/api/payment/"+id, header("X-Min-Position", "999999"))
	assert.Equal(t, 503, late.status)
	assert.Equal(t, "PROJECTION_LAG", late.code)
	assert.NotEmpty(t, late.header.Get("Retry-After"))
	assert.Equal(t, "VALIDATION_FAILED", o.buyer.get("/api/payment/"+id, header("X-Min-Position", "x")).code)
}

func TestExportsAreInertAndOnesOwn(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onPostgres)
	o := selected(t, w)
	id := o.pay(t)
	w.seen(o.buyer, "/api/payment/"+id)
	mine := o.seller.get("/api/payment/export")
	require.Equal(t, 200, mine.status)
	assert.Contains(t, mine.header.Get("Content-Type"), "text/csv")
	assert.Contains(t, string(mine.raw), id)
	assert.NotContains(t, string(w.as(w.users.named("seller2")).get("/api/payment/export").raw), id)
	lines := w.as(w.users.named("admin")).get("/api/payment/export?format=ndjson")
	assert.Contains(t, string(lines.raw), `"display":"80"`)
	assert.Equal(t, 403, o.buyer.get("/api/payment/export").status)
}

func TestAuditReadsTheLog(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onPostgres)
	o := selected(t, w)
	admin := w.as(w.users.named("admin"))
	events := admin.get("/api/audit/events?limit=1000")
	require.Equal(t, 200, events.status)
	assert.Len(t, events.body["data"].([]any), int(w.events()))
	assert.NotContains(t, string(events.raw), "1 Main Street", "personal text stays sealed")
	one := admin.get("/api/audit/events/1")
	assert.Equal(t, "request.created", one.text("type"))
	assert.Equal(t, 404, admin.get("/api/audit/events/999").status)
	stream := admin.get("/api/audit/streams/purchase_request/" + o.request)
	assert.Equal(t, 200, stream.status)
	only := admin.get("/api/audit/events?type=offer.submitted")
	assert.Len(t, only.body["data"].([]any), 1)
	export := admin.get("/api/audit/exports")
	assert.Equal(t, int(w.events())+1, strings.Count(string(export.raw), "\n"), "every event and the head")
	assert.Equal(t, 400, admin.get("/api/audit/exports?from=5&to=2").status)
	assert.Equal(t, 503, w.anybody().get("/api/audit/checkpoints").status)
	w.seen(o.seller, o.path("/timeline"))
	timeline := o.seller.get(o.path("/timeline"))
	require.Equal(t, 200, timeline.status, string(timeline.raw))
	assert.Contains(t, string(timeline.raw), "Request offer selected")
}
