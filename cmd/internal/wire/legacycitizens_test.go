package wire

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/cmd/internal/legacyfixture"
	legacy "holdfast/domain/migration"
)

// oldHash is the fixture's password as bcrypt wrote it.
const oldHash = "$2b$04$5s91FOqsQXaAbfpR7gCYPeG1OBH7u.3kp2AbJysjTEtKKHOyxYqjm"

func person(n int, role, more string) string {
	return fmt.Sprintf(`{"_id":%s,"email":"Person.%d@Example.org","password":%q,"firstName":"Per","lastName":"Son %d","role":%q,"isEmailVerified":true,"status":"active","isActive":true,
		"authProvider":"email"%s,%s}`, ref(n), n, oldHash, n, role, more, dates)
}

func bid(n, request, seller int, more string) string {
	return fmt.Sprintf(`{"_id":%s,"purchaseRequestId":%s,"sellerId":%s,"title":"This lamp","description":"It shines.","price":{"amount":12.5,"currency":"USDC"},
		"deliveryTime":"3 days","validUntil":{"$date":"2031-01-01T00:00:00Z"},"status":"pending"%s,%s}`, ref(n), ref(request), ref(seller), more, dates)
}

func TestImportedPeopleGoOnWhereTheyWere(t *testing.T) {
	t.Parallel()
	town := settle(t, nil)
	w := &importWorld{Core: town.Core, t: t, dir: t.TempDir(), refused: t.TempDir()}
	w.put("users",
		person(1, "buyer", `,"referralCode":"ABC","phone":"+4915112345678","addresses":[{"label":"home","street":"Main St 1","city":"Bonn","postalCode":"53111","country":"DE","isDefault":true}]`),
		person(2, "seller", ""), person(3, "seller", `,"telegramId":5000000001,"googleId":"1134"`),
		strings.Replace(person(4, "buyer", ""), "Person.4", "person.1", 1), // the second account of an address
	)
	w.put("categories", category(11, ""))
	w.put("purchaserequests", purchase(21, 1, 11, "received_offers", ""), purchase(22, 1, 11, "active", ""))
	w.put("selleroffers", bid(31, 21, 2, ""), bid(32, 21, 1, ""), bid(33, 21, 2, ""))
	runs, err := w.run()
	require.NoError(t, err)
	assert.EqualValues(t, 3, runs["users"].Taken, runs["users"].Reasons)
	assert.EqualValues(t, 1, runs["users"].Refused, "the second account of an address")
	assert.EqualValues(t, 1, runs["selleroffers"].Taken)
	refusals := strings.Join(w.refusals("selleroffers"), "\n")
	assert.Contains(t, refusals, "OWN_REQUEST")
	assert.Contains(t, refusals, "OFFER_EXISTS")
	assert.Contains(t, strings.Join(w.refusals("users"), "\n"), "EMAIL_IN_USE")

	buyer := town.with("person.1@example.org", legacyfixture.Password)
	assert.Equal(t, legacy.ID("users", oid(1)), buyer.id)
	hash := func() string { return town.cell(`SELECT password_hash FROM users WHERE id = '` + buyer.id + `'`) }
	assert.True(t, strings.HasPrefix(hash(), "$argon2id$"), hash())
	town.with("person.1@example.org", legacyfixture.Password)
	assert.Equal(t, 401, town.anybody().do("POST", "/api/auth/login", map[string]any{"email": "person.2@example.org", "password": "another-password-1"}).status)

	h := buyer.get("/api/users/me/addresses")
	if h.status == 404 {
		h = buyer.get("/api/address")
	}
	assert.Contains(t, h.raw, "Main St 1")
	assert.Equal(t, "5000000001", town.cell(`SELECT subject FROM signin_methods WHERE method = 'telegram'`))

	byHex, byUUID := buyer.get("/api/marketplace/requests/"+oid(21)), buyer.get("/api/marketplace/requests/"+string(legacy.RequestID(oid(21))))
	require.Equal(t, 200, byHex.status, byHex.raw)
	assert.Equal(t, byHex.field("id"), byUUID.field("id"))
	assert.Equal(t, "OffersReceived", byHex.field("state"))
	assert.Equal(t, "2025-02-03T04:05:06.789Z", byHex.field("createdAt"))
	assert.Equal(t, "Main St 1", byHex.field("deliveryInfo.address"))

	other := town.with("person.3@example.org", legacyfixture.Password)
	h = other.post("/api/marketplace/offers", map[string]any{
		"purchaseRequestId": string(legacy.RequestID(oid(22))), "title": "Another lamp", "price": map[string]string{"asset": "USDC@1337", "display": "9.25"},
		"deliveryTime": map[string]any{"amount": 3, "unit": "days"}, "validUntil": time.Now().Add(24 * time.Hour).UTC(),
	})
	require.Equal(t, 201, h.status, h.raw)
	h = buyer.post("/api/marketplace/requests/"+oid(21)+"/select-offer", map[string]any{"offerId": legacy.ID(legacy.SellerOffers, oid(31)), "revision": 1})
	require.Equal(t, 200, h.status, h.raw)
	h = buyer.get("/api/marketplace/requests/" + oid(21))
	assert.Equal(t, "AwaitingPayment", h.field("state"))
	assert.Equal(t, "12500000000000000000", h.field("selected.price.amount"))

	// From now on the request is ours: a document that changed is no reason to overwrite it.
	w.put("purchaserequests", purchase(21, 1, 11, "cancelled", ""), purchase(22, 1, 11, "active", ""))
	runs, err = w.run()
	require.NoError(t, err)
	assert.EqualValues(t, 1, runs["purchaserequests"].Refused)
	assert.Contains(t, strings.Join(w.refusals("purchaserequests"), "\n"), "LEGACY_CONFLICT")
	assert.Equal(t, "AwaitingPayment", buyer.get("/api/marketplace/requests/"+oid(21)).field("state"))
}
