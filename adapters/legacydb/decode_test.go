package legacydb

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain"
	"holdfast/domain/migration"
	"holdfast/domain/money"
)

// one has a single token, with 6 decimals.
type one struct{}

func (one) Currency(word string) (money.Asset, uint8, string) {
	if word == "USDC" {
		return "eip155:8453/erc20:0x1", 6, ""
	}
	return "", 0, "a currency that is known"
}

func raw(t testing.TB, text string) []byte {
	t.Helper()
	doc, err := fromJSON([]byte(text))
	require.NoError(t, err, text)
	return doc
}

// merged is a document with fields replaced; null takes one away.
func merged(t testing.TB, base, change string) []byte {
	t.Helper()
	var a, b map[string]any
	require.NoError(t, json.Unmarshal([]byte(base), &a))
	require.NoError(t, json.Unmarshal([]byte(change), &b), change)
	for k, v := range b {
		if v == nil {
			delete(a, k)
			continue
		}
		a[k] = v
	}
	text, err := json.Marshal(a)
	require.NoError(t, err)
	return raw(t, string(text))
}

const (
	anID     = `{"$oid":"65a000000000000000000001"}`
	dated    = `"createdAt":{"$date":"2025-02-03T04:05:06.789Z"},"updatedAt":{"$date":"2025-03-04T05:06:07Z"},"__v":0`
	aUser    = `{"_id":` + anID + `,"email":"Ann@Example.org","firstName":"Ann","lastName":"Lee","role":"seller","isEmailVerified":true,"status":"active",` + dated + `}`
	anOffer  = `{"_id":` + anID + `,"purchaseRequestId":` + anID + `,"sellerId":` + anID + `,"title":"A lamp","price":{"amount":12.5,"currency":"USDC"},"deliveryTime":"3 days","status":"pending",` + dated + `}`
	aRequest = `{"_id":` + anID + `,"buyerId":` + anID + `,"title":"A lamp","description":"To read by.","quantity":1,"urgency":"low","deliveryInfo":{"deliveryType":"online"},"status":"active",` + dated + `}`
)

func TestUsers(t *testing.T) {
	t.Parallel()
	u := User(raw(t, aUser))
	assert.Empty(t, u.Problems)
	assert.Empty(t, u.Notes)
	assert.Equal(t, "ann@example.org", u.Email)
	assert.Equal(t, "Ann Lee", u.Name())
	assert.Equal(t, []domain.Capacity{domain.Seller}, u.Roles)
	assert.Equal(t, time.Date(2025, 2, 3, 4, 5, 6, 789e6, time.UTC), u.CreatedAt)
	for change, want := range map[string]struct{ problem, note string }{
		`{"email":"no address"}`:                       {problem: "email"},
		`{"email":null}`:                               {problem: "email"},
		`{"email":17}`:                                 {problem: "email", note: "email"},
		`{"role":"moderator"}`:                         {problem: "role"},
		`{"role":null}`:                                {note: "role"},
		`{"status":"archived"}`:                        {problem: "status"},
		`{"isActive":false}`:                           {note: "isActive"},
		`{"isEmailVerified":"true"}`:                   {note: "isEmailVerified"},
		`{"isEmailVerified":"maybe"}`:                  {problem: "isEmailVerified"},
		`{"createdAt":null}`:                           {note: "createdAt"},
		`{"createdAt":"2025-02-03T04:05:06Z"}`:         {note: "createdAt"},
		`{"createdAt":"yesterday"}`:                    {problem: "createdAt"},
		`{"firstName":null,"lastName":null}`:           {note: "firstName"},
		`{"firstName":{"a":1}}`:                        {problem: "firstName"},
		`{"password":"secret"}`:                        {note: "password"},
		`{"telegramId":"x"}`:                           {problem: "telegramId"},
		`{"telegramId":5000000001}`:                    {},
		`{"referralCode":"A"}`:                         {note: "referralCode"},
		`{"addresses":[17]}`:                           {problem: "addresses"},
		`{"_id":"65a000000000000000000001"}`:           {note: "_id"},
		`{"_id":17}`:                                   {problem: "_id"},
		`{"_src":"holdfast"}`:                          {},
		`{"roles":["seller","buyer"],"role":"seller"}`: {},
	} {
		u := User(merged(t, aUser, change))
		problems, notes := fields(u.Found)
		assert.Equal(t, want.problem, strings.Join(problems, " "), change)
		if want.note != "" {
			assert.Contains(t, notes, want.note, change)
		} else {
			assert.Empty(t, notes, change)
		}
		assert.Equal(t, strings.Contains(change, "_src"), u.Ours, change)
	}
	gone := User(merged(t, aUser, `{"status":"deleted","email":"gone"}`))
	assert.Empty(t, gone.Problems)
	assert.Empty(t, gone.Email)
}

func fields(f migration.Found) (problems, notes []string) {
	for _, p := range f.Problems {
		problems = append(problems, p.Field)
	}
	for _, n := range f.Notes {
		notes = append(notes, n.Field)
	}
	return problems, notes
}

func TestOffers(t *testing.T) {
	t.Parallel()
	decode := SellerOffer(one{})
	o := decode(raw(t, anOffer))
	assert.Empty(t, o.Problems)
	assert.Equal(t, "12500000", o.Price.Amount.Units.String())
	assert.Equal(t, "12.5", o.Price.Display)
	for price, want := range map[string]string{
		`{"amount":"7.25","currency":"USDC"}`:                        "7250000",
		`{"amount":{"$numberDecimal":"0.000001"},"currency":"USDC"}`: "1",
		`{"amount":{"$numberDecimal":"1E+3"},"currency":"USDC"}`:     "1000000000",
		`{"amount":{"$numberLong":"3"},"currency":"USDC"}`:           "3000000",
		`{"amount":0.1,"currency":"USDC"}`:                           "100000",
		`{"amount":0.30000000000000004,"currency":"USDC"}`:           "",
		`{"amount":0.0000001,"currency":"USDC"}`:                     "",
		`{"amount":0,"currency":"USDC"}`:                             "",
		`{"amount":-1,"currency":"USDC"}`:                            "",
		`{"amount":{"$numberDouble":"NaN"},"currency":"USDC"}`:       "",
		`{"amount":{"$numberDouble":"Infinity"},"currency":"USDC"}`:  "",
		`{"amount":{"$numberDecimal":"NaN"},"currency":"USDC"}`:      "",
		`{"amount":{"$numberDecimal":"1E+6000"},"currency":"USDC"}`:  "",
		`{"amount":"12,5","currency":"USDC"}`:                        "",
		`{"amount":"0x10","currency":"USDC"}`:                        "",
		`{"amount":true,"currency":"USDC"}`:                          "",
		`{"amount":1,"currency":"DOGE"}`:                             "",
		`{"amount":1}`:                                               "",
		`{"currency":"USDC"}`:                                        "",
	} {
		o := decode(merged(t, anOffer, `{"price":`+price+`}`))
		if want == "" {
			assert.NotEmpty(t, o.Problems, price)
			continue
		}
		assert.Empty(t, o.Problems, price)
		assert.Equal(t, want, o.Price.Amount.Units.String(), price)
	}
	bare := decode(merged(t, anOffer, `{"price":3.5,"currency":"USDC","deliveryTime":{"amount":3,"unit":"days"}}`))
	assert.Empty(t, bare.Problems)
	assert.Equal(t, "3500000", bare.Price.Amount.Units.String())
	assert.Equal(t, "3 days", bare.DeliveryTime)
	for change, field := range map[string]string{`{"status":"Pending"}`: "status", `{"status":null}`: "status", `{"sellerId":null}`: "sellerId", `{"sellerId":"x"}`: "sellerId"} {
		problems, _ := fields(decode(merged(t, anOffer, change)).Found)
		assert.Equal(t, []string{field}, problems, change)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	r := PurchaseRequest(raw(t, aRequest))
	assert.Empty(t, r.Problems)
	assert.Empty(t, r.Notes)
	for _, status := range migration.RequestStatuses() {
		r := PurchaseRequest(merged(t, aRequest, `{"status":"`+status+`"}`))
		problems, _ := fields(r.Found)
		assert.Equal(t, migration.Ordered(status), len(problems) == 1, "%s: an order needs its offer: %v", status, problems)
	}
	for change, field := range map[string]string{
		`{"status":"seller_paid"}`: "status", `{"quantity":"several"}`: "quantity", `{"quantity":1.5}`: "quantity", `{"quantity":0}`: "quantity",
		`{"budget":17}`: "budget", `{"budget":{"min":-1,"max":2}}`: "budget.min", `{"title":null}`: "title", `{"specifications":["x"]}`: "specifications",
		`{"urgency":"now"}`: "urgency", `{"preferredSellerIds":[17]}`: "preferredSellerIds",
	} {
		problems, _ := fields(PurchaseRequest(merged(t, aRequest, change)).Found)
		assert.Equal(t, []string{field}, problems, change)
	}
}

// What a document is named by must never change: ids, id_map and the hashes of every import rest on it.
func TestNamesAndHashesStay(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/document.json")
	require.NoError(t, err)
	golden, err := os.ReadFile("testdata/document.golden")
	require.NoError(t, err)
	doc := raw(t, string(text))
	hash, err := Hash(doc)
	require.NoError(t, err)
	got := hash + "\n" + migration.ID("users", "65a000000000000000000001") + "\n" + string(migration.HoldID("65a000000000000000000001")) + "\n"
	assert.Equal(t, string(golden), got)

	var d bson.D
	require.NoError(t, bson.Unmarshal(doc, &d))
	for i, j := 0, len(d)-1; i < j; i, j = i+1, j-1 {
		d[i], d[j] = d[j], d[i]
	}
	turned, err := bson.Marshal(d)
	require.NoError(t, err)
	same, err := Hash(turned)
	require.NoError(t, err)
	assert.Equal(t, hash, same, "the order of fields does not count")
	other, err := Hash(raw(t, strings.Replace(string(text), `"b"`, `"c"`, 1)))
	require.NoError(t, err)
	assert.NotEqual(t, hash, other)
}

// Whatever bytes a document consists of, the decoders say what is wrong and never panic, and what
// they take has the names that it needs.
func FuzzDecodeDocument(f *testing.F) {
	for _, text := range []string{aUser, anOffer, aRequest} {
		f.Add(raw(f, text))
	}
	f.Add([]byte{5, 0, 0, 0, 0})
	f.Add([]byte("nonsense"))
	offers := SellerOffer(one{})
	f.Fuzz(func(t *testing.T, doc []byte) {
		u, c, r, o := User(doc), Category(doc), PurchaseRequest(doc), offers(doc)
		for _, found := range []migration.Found{u.Found, c.Found, r.Found, o.Found} {
			if len(found.Problems) == 0 && (len(found.ObjectID) != 24 || len(found.Hash) != 64) {
				t.Fatalf("taken without a name: %+v", found)
			}
		}
		if len(o.Problems) == 0 && o.Price.Amount.IsZero() {
			t.Fatal("an offer for nothing was taken")
		}
		if len(r.Problems) == 0 && migration.Ordered(r.Status) && r.SelectedOffer == "" {
			t.Fatal("an order without its offer was taken")
		}
	})
}

// Whatever stands in a file, reading it ends, with documents or with an error.
func FuzzDecodeFile(f *testing.F) {
	f.Add(raw(f, aUser))
	f.Add([]byte(aUser + "\n" + aUser))
	f.Add([]byte("[" + aUser + "]"))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, read := range []func() int{
			func() (n int) {
				for doc, err := range bsonDocuments(strings.NewReader(string(content))) {
					if err == nil && doc.Validate() != nil {
						t.Fatal("a broken document was given")
					}
					n++
				}
				return n
			},
			func() (n int) {
				for doc, err := range jsonDocuments(strings.NewReader(string(content))) {
					if err == nil && doc.Validate() != nil {
						t.Fatal("a broken document was given")
					}
					n++
				}
				return n
			},
		} {
			if n := read(); n > len(content)+1 {
				t.Fatalf("%d documents in %d bytes", n, len(content))
			}
		}
	})
}
