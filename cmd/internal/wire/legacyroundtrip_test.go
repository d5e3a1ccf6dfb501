package wire

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"

	"holdfast/adapters/legacydb"
	"holdfast/cmd/internal/legacyfixture"
	legacy "holdfast/domain/migration"
	"holdfast/eventstore"
	"holdfast/projections/legacymongo"
	"holdfast/projections/legacymongo/mongotest"
	"holdfast/reactors/legacyimport"
)

// mapped are the fields of a document of the old backend that our view of it must say again, by
// value. What is left out is in docs/legacy/import.md.
var mapped = map[string][]string{
	legacy.Users:      {"email", "firstName", "lastName", "role", "isEmailVerified", "status", "isActive", "authProvider", "createdAt", "updatedAt"},
	legacy.Categories: {"name", "slug", "parentId", "order", "isActive"},
	legacy.PurchaseRequests: {
		"buyerId", "title", "description", "categoryId", "productType", "productLink", "size", "color", "brand", "specifications", "quantity", "budget", "urgency",
		"deliveryInfo", "attachments", "preferredSellerIds", "selectedOfferId", "sellerId", "status", "disputeId", "shipping", "deliveredAt", "publishedAt", "expiresAt",
		"cancellationReason", "createdAt", "updatedAt",
	},
	legacy.SellerOffers: {"purchaseRequestId", "sellerId", "title", "description", "price", "deliveryTime", "notes", "validUntil", "status", "rejectionReason", "createdAt", "updatedAt"},
	legacy.Payments: {
		"purchaseRequestId", "sellerOfferId", "buyerId", "sellerId", "amount", "provider", "providerPaymentId", "paymentReference", "transactionHash", "status", "escrowState",
		"paidAt", "expiresAt", "failureReason", "blockchain.chainId", "blockchain.receiver", "createdAt", "updatedAt",
	},
	legacy.LedgerEntries: {
		"paymentId", "purchaseRequestId", "buyerId", "sellerId", "entryType", "from", "to", "amount", "currency", "idempotencyKey", "transactionHash", "createdAt", "updatedAt",
	},
	legacy.ReleaseHolds: {"paymentId", "purchaseRequestId", "type", "reason", "status", "placedBy", "releasedBy", "releasedAt", "releaseReason", "createdAt", "updatedAt"},
	legacy.Disputes: {
		"purchaseRequestId", "paymentId", "buyerId", "sellerId", "initiatorId", "resolverId", "category", "priority", "reason", "desiredOutcome", "amount", "status", "evidence", "resolution",
		"dueAt", "resolvedAt", "closedAt", "createdAt", "updatedAt",
	},
	legacy.TrezorAccounts: {"userId", "xpub", "basePath", "label", "rootAddress", "isActive", "nextIndex", "addresses", "createdAt", "updatedAt"},
	legacy.Destinations:   {"address", "chainId", "derivationPath", "derivationIndex", "paymentId", "status", "balances", "sweeps", "createdAt", "updatedAt"},
	legacy.Thresholds:     {"chainId", "minConfirmations", "updatedBy", "reason", "createdAt", "updatedAt"},
}

// explained are the differences that docs/legacy/import.md lists: what the old backend said, and
// what we say. Empty matches anything.
var explained = []struct{ collection, field, was, is string }{
	{legacy.PurchaseRequests, "status", "pending", "active"},
	{legacy.PurchaseRequests, "status", "pending", "received_offers"},
	{legacy.PurchaseRequests, "status", "active", "received_offers"},
	{legacy.PurchaseRequests, "status", "pending_payment", "payment"},
	{legacy.PurchaseRequests, "status", "confirming", "delivered"}, // until the hold is imported, which knows the inspection
	{legacy.Users, "isEmailVerified", "true", "false"},             // of somebody without an address
	{legacy.SellerOffers, "status", "active", "pending"},
	{legacy.SellerOffers, "status", "accepted", "pending"},  // until the hold is imported, which knows of the money
	{legacy.SellerOffers, "status", "accepted", "rejected"}, // of an order that was cancelled
}

// sameValue compares by value: numbers are their decimals as text, nothing is null, empty or absent, an
// object is compared by the fields of the original but for its own _id.
func sameValue(was, is bson.RawValue) (a, b string, same bool) {
	if d, ok := was.DocumentOK(); ok {
		elements, _ := d.Elements()
		for _, e := range elements {
			if e.Key() == "_id" {
				continue
			}
			other, _ := is.DocumentOK()
			if a, b, same := sameValue(e.Value(), other.Lookup(e.Key())); !same {
				return e.Key() + " " + a, b, false
			}
		}
		return "", "", true
	}
	if d, ok := is.DocumentOK(); ok && was.IsNumber() {
		is = d.Lookup("amount") // the oldest shape: a bare number, with the currency beside it
	}
	if list, ok := was.ArrayOK(); ok {
		values, _ := list.Values()
		others, _ := is.Array().Values()
		if len(values) != len(others) {
			return fmt.Sprint(len(values)), fmt.Sprint(len(others)), false
		}
		for i := range values {
			if a, b, same := sameValue(values[i], others[i]); !same {
				return a, b, false
			}
		}
		return "", "", true
	}
	a, b = plainText(was), plainText(is)
	return a, b, a == b
}

func plainText(v bson.RawValue) string {
	switch v.Type {
	case 0, bson.TypeNull, bson.TypeUndefined:
		return ""
	case bson.TypeString:
		return v.StringValue()
	case bson.TypeObjectID:
		return v.ObjectID().Hex()
	case bson.TypeDouble, bson.TypeInt32, bson.TypeInt64:
		r, _ := new(big.Rat).SetString(strings.Trim(fmt.Sprint(numberOf(v)), " "))
		return strings.TrimSuffix(strings.TrimRight(r.FloatString(18), "0"), ".")
	case bson.TypeDateTime:
		return primitive.DateTime(v.DateTime()).Time().UTC().String()
	case bson.TypeArray:
		if values, _ := v.Array().Values(); len(values) == 0 {
			return ""
		}
	}
	return v.String()
}

func numberOf(v bson.RawValue) any {
	switch v.Type {
	case bson.TypeInt32:
		return v.Int32()
	case bson.TypeInt64:
		return v.Int64()
	}
	text, _ := legacy.Shortest(v.Double())
	return text
}

func TestDocumentsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	uri := mongotest.URI(t)
	db := mongotest.Open(t, uri)
	t.Cleanup(func() { _ = db.Drop(context.Background()) })
	w := withImport(t)
	o := legacyfixture.Small(10, 3)
	o.Dirt = 0
	truth := w.fixture(o)
	_, err := w.run(func(wish *legacyimport.Wish) { wish.Collections = moneyless })
	require.NoError(t, err)

	ctx, l, head := w.kept(uri)
	seen := map[string]int{}
	for _, c := range moneyless {
		if c == legacy.Categories {
			require.NoError(t, l.Store.Rebuild(ctx, l.Pool, c, nil))
		} else {
			require.NoError(t, l.Runner.WaitFor(ctx, legacymongo.Prefix+c, head.Position), c)
		}
		compared := w.compareAll(db, c, seen)
		assert.Equal(t, truth.Collections[c].Documents, compared, c)
	}
	for what, n := range seen {
		t.Log(n, what)
	}
}

// compareAll compares every document of the directory with our view of it.
func (w *importWorld) compareAll(db *mongo.Database, collection string, seen map[string]int) (n int) {
	w.t.Helper()
	source, err := legacydb.Open(w.t.Context(), w.dir)
	require.NoError(w.t, err)
	for doc, err := range source.Read(w.t.Context(), collection, "") {
		require.NoError(w.t, err)
		n++
		was := bson.Raw(doc.Raw)
		is, err := db.Collection(collection).FindOne(w.t.Context(), bson.D{{Key: "_id", Value: was.Lookup("_id").ObjectID()}}).Raw()
		require.NoError(w.t, err, "%s: %s", collection, was)
		for _, field := range mapped[collection] {
			before, _ := was.LookupErr(strings.Split(field, ".")...)
			after, _ := is.LookupErr(strings.Split(field, ".")...)
			a, b, same := sameValue(before, after)
			if same {
				continue
			}
			i := slices.IndexFunc(explained, func(e struct{ collection, field, was, is string }) bool {
				return e.collection == collection && e.field == field && (e.was == "" || e.was == a) && (e.is == "" || e.is == b)
			})
			if i < 0 {
				w.t.Errorf("%s.%s of %s was %q and is %q", collection, field, was.Lookup("_id"), a, b)
				continue
			}
			seen[collection+"."+field+" "+explained[i].was+" → "+explained[i].is]++
		}
	}
	return n
}

// kept has the collections written into a store until the test ends, and gives where the log stands.
func (w *importWorld) kept(uri string) (context.Context, *Legacy, eventstore.Head) {
	w.t.Helper()
	w.Config.MongoURI, w.Config.MongoConnect, w.Config.Repos = uri, "always", map[string]string{}
	l, err := w.Bridge(w.t.Context())
	require.NoError(w.t, err)
	ctx, stop := context.WithCancel(w.t.Context())
	running := make(chan error, 1)
	go func() { running <- l.Runner.Run(ctx) }()
	w.t.Cleanup(func() { stop(); <-running })
	head, err := w.Store.Head(ctx)
	require.NoError(w.t, err)
	return ctx, l, head
}
