package wire

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
)

// mounts are the two places at which everything about people stands.
var mounts = []string{"/api/user", "/api/users"}

func TestProfile(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	for n, at := range mounts {
		buyer := w.as([]string{"buyer", "buyer2"}[n])
		assert.Empty(t, buyer.get(at+"/profile").field("bio"))
		for _, verb := range []string{"PATCH", "PUT"} {
			a := buyer.do(verb, at+"/profile", map[string]any{"name": " Zoë " + verb, "bio": "Sews\nand mends", "phone": "+4915112345678", "locale": "de-DE", "avatar": "https://pics.example/z.png"})
			require.Equal(t, 200, a.status, a.raw)
			assert.Equal(t, "Zoë "+verb, a.field("name"))
		}
		require.Equal(t, 200, buyer.do("PATCH", at+"/profile", map[string]any{"bio": ""}).status)
		got := buyer.get(at + "/profile")
		assert.Equal(t, "", got.field("bio"), "empty is a value")
		assert.Equal(t, "+4915112345678", got.field("phone"), "what is left out stays")
		before := buyer.get(at + "/profile").raw
		w.untouched(func() {
			for _, field := range []string{"role", "roles", "emailVerified", "balance", "points", "walletVerified", "createdAt", "email", "id", "Name"} {
				a := buyer.do("PATCH", at+"/profile", fmt.Sprintf(`{%q: "admin"}`, field))
				assert.Equal(t, 400, a.status, "%s: %s", field, a.raw)
				assert.Equal(t, "UNKNOWN_FIELD", a.code, field)
			}
			for name, body := range map[string]string{
				"blank name": `{"name":"  "}`, "two lines": `{"name":"a\r\nBcc: b"}`, "no name": `{"name":""}`, "script": `{"avatar":"javascript:alert(1)"}`,
				"plain http": `{"avatar":"http://x.example/a"}`, "climbs": `{"avatar":"/uploads/../secret"}`, "phone": `{"phone":"call me"}`,
				"locale": `{"locale":"german"}`, "long": `{"bio":"` + strings.Repeat("x", 1001) + `"}`, "a number": `{"name":1}`,
			} {
				a := buyer.do("PATCH", at+"/profile", body)
				assert.Equal(t, "VALIDATION_FAILED", a.code, "%s: %s", name, a.raw)
			}
		})
		assert.Equal(t, before, buyer.get(at+"/profile").raw)
	}
	for _, text := range []string{"+4915112345678", "pics.example", "mends"} {
		assert.NotContains(t, w.cell(`SELECT string_agg(p::text, ' ') FROM profiles p`), text, "at rest it is sealed")
	}
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	buyer, admin := w.as("buyer"), w.as("admin")
	assert.Equal(t, "true", buyer.get("/api/user/preferences").field("notifications.email"))
	a := buyer.do("PUT", "/api/users/preferences", map[string]any{"notifications": map[string]any{"email": false}, "language": "de"})
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, 200, buyer.do("PATCH", "/api/user/preferences", map[string]any{"currency": "EUR"}).status)
	got := buyer.get("/api/users/preferences")
	assert.Equal(t, "false true de EUR", strings.Join([]string{
		got.field("notifications.email"), got.field("notifications.telegram"), got.field("language"), got.field("currency"),
	}, " "))
	for _, body := range []string{`{"currency":"DOGE"}`, `{"language":"klingon"}`, `{"notifications":{"email":"no"}}`} {
		assert.Equal(t, "VALIDATION_FAILED", buyer.do("PATCH", "/api/user/preferences", body).code, body)
	}
	assert.Equal(t, "UNKNOWN_FIELD", buyer.do("PATCH", "/api/user/preferences", `{"notifications":{"fax":true}}`).code)
	// Who wants no mail gets none that is not about the account's safety.
	require.Equal(t, 202, admin.post(mailPath+"/send", notice(buyer.id, "x")).status)
	require.Equal(t, 202, admin.post(mailPath+"/send", map[string]any{"to": buyer.id, "template": "password-changed"}).status)
	w.until("one sent, one skipped", func() bool {
		return len(buyer.get(mailPath+"/queue?status=sent").list()) == 1 && len(buyer.get(mailPath+"/queue?status=skipped").list()) == 1
	})
}

func place(line1 string) map[string]any {
	return map[string]any{
		"label": "home", "fullName": "Zoë Ångström", "line1": line1, "city": "Köln", "postalCode": "50667", "country": "DE", "phone": "+4922112345",
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	buyer, other := w.as("buyer"), w.as("buyer2")
	first := buyer.post("/api/address", place("1 First Street"))
	require.Equal(t, 201, first.status, first.raw)
	assert.Equal(t, "true", first.field("isDefault"), "the first one is the default")
	second := buyer.do("POST", "/api/address", place("2 Second Street"), "Idempotency-Key", "two")
	again := buyer.do("POST", "/api/address", place("2 Second Street"), "Idempotency-Key", "two")
	assert.Equal(t, second.field("id"), again.field("id"), "a retry keeps one")
	one, two := "/api/address/"+first.field("id"), "/api/address/"+second.field("id")
	require.Equal(t, 200, buyer.do("PATCH", two+"/default", nil).status)
	assert.Equal(t, "false", buyer.get(one).field("isDefault"))
	for _, verb := range []string{"PATCH", "PUT"} {
		a := buyer.do(verb, two, map[string]any{"city": "Bonn " + verb})
		require.Equal(t, 200, a.status, a.raw)
		assert.Equal(t, "Bonn "+verb+"|2 Second Street|true", a.field("city")+"|"+a.field("line1")+"|"+a.field("isDefault"))
	}
	// Somebody else's address is nobody's.
	for _, c := range []struct{ verb, path string }{{"GET", one}, {"PATCH", one}, {"PUT", one}, {"DELETE", one}, {"PATCH", one + "/default"}} {
		body := any(nil)
		if c.verb != "GET" && c.verb != "DELETE" && !strings.HasSuffix(c.path, "default") {
			body = map[string]any{"city": "X"}
		}
		foreign := other.do(c.verb, c.path, body)
		none := other.do(c.verb, strings.Replace(c.path, first.field("id"), "11111111-1111-4111-8111-111111111111", 1), body)
		assert.Equal(t, 404, foreign.status, "%s %s: %s", c.verb, c.path, foreign.raw)
		assert.Equal(t, none.raw, foreign.raw)
	}
	for name, edit := range map[string]map[string]any{
		"country": {"country": "Germany"}, "phone": {"phone": "12"}, "blank": {"line1": " "}, "a line's end": {"line1": "a\nb"}, "nothing": {"city": nil}, "long": {"label": strings.Repeat("x", 61)},
	} {
		body := place("x")
		maps.Copy(body, edit)
		a := buyer.post("/api/address", body)
		assert.Equal(t, 400, a.status, "%s: %s", name, a.raw)
	}
	assert.Equal(t, "UNKNOWN_FIELD", buyer.do("PATCH", one, `{"userId":"x"}`).code)
	assert.NotContains(t, w.cell(`SELECT string_agg(a::text, ' ') FROM addresses a`), "Street", "at rest it is sealed")
	require.Equal(t, 200, buyer.do("DELETE", two, nil).status)
	assert.Equal(t, "true", buyer.get(one).field("isDefault"), "the oldest of the rest becomes the default")
	assert.Equal(t, 404, buyer.do("DELETE", two, nil).status)
	assert.Empty(t, other.get("/api/address").list())

	// Twenty and no more, however many ask at once.
	var asking sync.WaitGroup
	codes := make([]int, 25)
	for i := range codes {
		asking.Go(func() { codes[i] = buyer.post("/api/address", place(fmt.Sprint(i))).status })
	}
	asking.Wait()
	slices.Sort(codes)
	assert.Equal(t, 19, slices.Index(codes, 422))
	assert.Equal(t, "ADDRESS_LIMIT", buyer.post("/api/address", place("x")).code)
	assert.Len(t, buyer.get("/api/address").list(), 20)
}

// wished is a request of a buyer's.
func wished(edit map[string]any) map[string]any {
	body := map[string]any{
		"title": "Red shoes", "description": "Size 42, red as can be", "categoryId": "00000000-0000-4000-8000-000000000c01", "productType": "shoes",
		"budget": map[string]any{"min": "50", "max": "100", "currency": "USD"}, "publish": true,
	}
	maps.Copy(body, edit)
	return body
}

// offering is a seller's answer to a request.
func offering(request string, edit map[string]any) map[string]any {
	body := map[string]any{
		"purchaseRequestId": request, "title": "My shoes", "price": map[string]any{"asset": string(usdc), "display": "80"},
		"validUntil": time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339), "deliveryTime": map[string]any{"amount": 3, "unit": "days"},
	}
	maps.Copy(body, edit)
	return body
}

func TestAnAddressInUse(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	buyer, other := w.as("buyer"), w.as("buyer2")
	id := buyer.post("/api/address", place("7 Snapshot Road")).field("id")
	deliver := func(d map[string]any) map[string]any {
		d["deliveryType"] = "physical"
		return wished(map[string]any{"deliveryInfo": d})
	}
	w.untouched(func() {
		for name, a := range map[string]heard{
			"somebody else's": other.post("/api/marketplace/requests", deliver(map[string]any{"addressId": id})),
			"both":            buyer.post("/api/marketplace/requests", deliver(map[string]any{"addressId": id, "address": "elsewhere"})),
			"no id":           buyer.post("/api/marketplace/requests", deliver(map[string]any{"addressId": "home"})),
		} {
			assert.Equal(t, "VALIDATION_FAILED", a.code, "%s: %s", name, a.raw)
		}
	})
	made := buyer.post("/api/marketplace/requests", deliver(map[string]any{"addressId": id}))
	require.Equal(t, 201, made.status, made.raw)
	order := "/api/marketplace/requests/" + made.field("request")
	snapshot := "Zoë Ångström\n7 Snapshot Road\n50667 Köln\nDE\n+4922112345"
	assert.Equal(t, snapshot, buyer.get(order).field("deliveryInfo.address"))
	require.Equal(t, 200, buyer.do("PATCH", "/api/address/"+id, map[string]any{"line1": "8 Moved Away"}).status)
	assert.Equal(t, snapshot, buyer.get(order).field("deliveryInfo.address"), "the order keeps what it was told")
	refused := buyer.do("DELETE", "/api/address/"+id, nil)
	assert.Equal(t, 409, refused.status, refused.raw)
	assert.Equal(t, "ADDRESS_IN_USE", refused.code)
	require.Equal(t, 200, buyer.post(order+"/cancel", map[string]any{"reason": "changed my mind"}).status)
	require.Equal(t, 200, buyer.do("DELETE", "/api/address/"+id, nil).status)
	assert.Equal(t, snapshot, buyer.get(order).field("deliveryInfo.address"))
}

func TestSellerApplication(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	buyer, seller, admin := w.as("buyer"), w.as("seller"), w.as("admin")
	assert.Equal(t, 404, buyer.get("/api/user/seller-application").status)
	a := buyer.post("/api/user/seller-application", map[string]any{"shopName": "Zoë's <Shoes>", "documents": []string{"https://files.example/id.pdf"}})
	require.Equal(t, 201, a.status, a.raw)
	assert.Equal(t, "pending", a.field("status"))
	assert.Equal(t, "APPLICATION_PENDING", buyer.post("/api/users/seller-application", map[string]any{"shopName": "again"}).code)
	taken := seller.post("/api/user/seller-application", map[string]any{"shopName": "x"})
	assert.Equal(t, 409, taken.status)
	assert.Equal(t, "ALREADY_SELLER", taken.code)
	list := admin.get("/api/users/admin/seller-applications?status=pending").list()
	require.Len(t, list, 1)
	assert.Equal(t, "Zoë's <Shoes>", list[0]["shopName"])
	decide := "/api/user/admin/seller-applications/" + a.field("id") + "/decide"
	assert.Equal(t, 403, buyer.post(decide, map[string]any{"decision": "approved"}).status)
	assert.Equal(t, "VALIDATION_FAILED", admin.post(decide, map[string]any{"decision": "rejected"}).code, "a rejection says why")
	require.Equal(t, 200, admin.post(decide, map[string]any{"decision": "rejected", "reason": "the document cannot be read"}).status)
	assert.Equal(t, "the document cannot be read", buyer.get("/api/user/seller-application").field("reason"))
	assert.Equal(t, 404, admin.post(decide, map[string]any{"decision": "approved"}).status, "it was decided")

	second := buyer.post("/api/user/seller-application", map[string]any{"shopName": "Zoë's Shoes"})
	require.Equal(t, 201, second.status, second.raw)
	require.Equal(t, 200, admin.post("/api/users/admin/seller-applications/"+second.field("id")+"/decide", map[string]any{"decision": "approved"}).status)
	assert.Equal(t, 200, buyer.get("/api/marketplace/offers/mine").status, "the role holds at once, in the session at hand")
	assert.Equal(t, "ALREADY_SELLER", buyer.post("/api/user/seller-application", map[string]any{"shopName": "x"}).code)
	assert.NotContains(t, w.cell(`SELECT string_agg(a::text, ' ') FROM seller_applications a`), "Shoes")
	w.until("told by mail", func() bool { return len(buyer.get(mailPath+"/queue?status=sent").list()) == 2 })
}

// TestPublicPerson lists what may come out, and who has no public face.
func TestPublicPerson(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	seller := w.as("seller")
	require.Equal(t, 200, seller.do("PATCH", "/api/user/profile", map[string]any{"avatar": "/uploads/me.png", "phone": "+4915112345678", "bio": "private"}).status)
	for _, at := range mounts {
		a := w.anybody().get(at + "/" + string(records.Seller1) + "/public")
		require.Equal(t, 200, a.status, a.raw)
		assert.JSONEq(t, `{"name":"Seller","avatar":"/uploads/me.png","rating":{"completed":0,"disputed":0},"level":"new"}`, string(a.data), "nothing else ever comes out")
		for _, nobody := range []string{string(records.Admin1), string(records.Guard1), "11111111-1111-4111-8111-111111111111"} {
			hidden := w.anybody().get(at + "/" + nobody + "/public")
			assert.Equal(t, 404, hidden.status)
			assert.Equal(t, w.anybody().get(at+"/11111111-1111-4111-8111-111111111111/public").raw, hidden.raw)
		}
	}
	require.Equal(t, 200, w.as("admin").do("PATCH", "/api/user/admin/"+seller.id+"/status", map[string]any{"status": "suspended", "reason": "x"}).status)
	assert.Equal(t, 404, w.anybody().get("/api/user/"+seller.id+"/public").status)
}

func TestDataExport(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	buyer, other := w.as("buyer"), w.as("seller")
	require.Equal(t, 200, buyer.do("PATCH", "/api/user/profile", map[string]any{"bio": "marker-bio"}).status)
	require.Equal(t, 201, buyer.post("/api/address", place("marker-street")).status)
	made := buyer.post("/api/marketplace/requests", wished(map[string]any{"description": "marker-description"}))
	require.Equal(t, 201, made.status)
	offered := other.post("/api/marketplace/offers", offering(made.field("request"), map[string]any{"description": "marker-of-the-seller"}))
	require.Equal(t, 201, offered.status, offered.raw)
	job := buyer.get("/api/user/data-export")
	require.Equal(t, 202, job.status, job.raw)
	assert.Equal(t, "pending", job.field("status"))
	assert.Equal(t, job.field("id"), buyer.post("/api/users/data-export", nil).field("id"), "one at a time")
	w.until("the file is made", func() bool { return buyer.get("/api/user/data-export").field("status") == "ready" })
	path := buyer.get("/api/user/data-export").field("download")
	file := buyer.get(path)
	require.Equal(t, 200, file.status, file.raw)
	kinds := map[string]int{}
	for line := range strings.SplitSeq(strings.TrimSpace(file.raw), "\n") {
		var l struct{ Kind string }
		require.NoError(t, json.Unmarshal([]byte(line), &l), line)
		kinds[l.Kind]++
	}
	for _, kind := range []string{"export", "account", "profile", "address", "sessions", "wallets", "event"} {
		assert.Positive(t, kinds[kind], "%s in %v", kind, kinds)
	}
	for _, mine := range []string{"marker-bio", "marker-street", "marker-description", "buyer@holdfast.test"} {
		assert.Contains(t, file.raw, mine)
	}
	for _, secret := range []string{"argon2", "refresh", "marker-of-the-seller", `"sealed"`} {
		assert.NotContains(t, file.raw, secret)
	}
	assert.Equal(t, "attachment", strings.Split(file.header.Get("Content-Disposition"), ";")[0])
	assert.Equal(t, 404, other.get(path).status, "somebody else's is nobody's")
	assert.Equal(t, 401, w.anybody().get(path).status)
	assert.NotContains(t, w.cell(`SELECT encode(sealed, 'hex') FROM data_exports`), hex.EncodeToString([]byte("marker")))
	w.until("told by mail", func() bool { return len(buyer.get(mailPath+"/queue?status=sent").list()) == 1 })
	w.exec(`UPDATE data_exports SET expires_at = clock_timestamp() - interval '1 s'`)
	assert.Equal(t, 404, buyer.get(path).status, "it expires")
}
