package legacymongo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
)

func TestWhatTheImportMakesOfADocumentIsExplained(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		collection, path string
		ours, theirs     any
		doc              bson.D
		explained        bool
	}{
		"a default for what is missing":          {"purchaserequests", "quantity", int32(1), nil, nil, true},
		"not for what is there":                  {"purchaserequests", "quantity", int32(1), int32(2), nil, false},
		"another word for a status":              {"selleroffers", "status", "pending", "active", nil, true},
		"not any word":                           {"selleroffers", "status", "accepted", "rejected", nil, false},
		"not in another collection":              {"disputes", "status", "pending", "active", nil, false},
		"an address in lower case":               {"users", "email", "ann@shop.test", " Ann@Shop.test", nil, true},
		"not another address":                    {"users", "email", "ann@shop.test", "bea@shop.test", nil, false},
		"a name with the last one":               {"users", "firstName", "Ann Smith", "Ann", nil, true},
		"not another name":                       {"users", "firstName", "Bea Smith", "Ann", nil, false},
		"verified needs an address":              {"users", "isEmailVerified", false, true, bson.D{}, true},
		"and is not lost with one":               {"users", "isEmailVerified", false, true, bson.D{{Key: "email", Value: "ann@shop.test"}}, false},
		"an address within its kind":             {"purchaserequests", "deliveryInfo.address", `{"deliveryType":"physical","address":"Main \"St\" 1"}`, `Main "St" 1`, nil, true},
		"a currency with its chain":              {"selleroffers", "price.currency", "USDT@56", "usdt", nil, true},
		"not another currency":                   {"selleroffers", "price.currency", "USDT@56", "USDC", nil, false},
		"a bare number":                          {"payments", "amount", bson.D{{Key: "amount", Value: "12.50"}, {Key: "currency", Value: "USDT"}}, 12.5, nil, true},
		"not another number":                     {"payments", "amount", bson.D{{Key: "amount", Value: "12.50"}}, 12.6, nil, false},
		"what only we have":                      {"payments", "amount.baseUnits", "12500000", nil, nil, true},
		"more confirmations":                     {"payments", "blockchain.requiredConfirmations", int64(160), int32(128), nil, true},
		"never fewer":                            {"payments", "blockchain.requiredConfirmations", int64(12), int32(128), nil, false},
		"moved by another document":              {"disputes", "updatedAt", at.Add(time.Hour), at, nil, true},
		"not back in time":                       {"disputes", "updatedAt", at, at.Add(time.Hour), nil, false},
		"money is never explained":               {"payments", "amount.amount", "12.50", 12.49, nil, false},
		"nor the state of an order's money":      {"payments", "escrowState", "released", "funded", nil, false},
		"a mark of a dispute that is over":       {"purchaserequests", "disputeId", nil, "65a000000000000000000001", nil, true},
		"one that we have and they have not":     {"purchaserequests", "disputeId", "65a000000000000000000001", nil, nil, false},
		"who is nobody's buyer is not explained": {"payments", "buyerId", "65a000000000000000000001", "65a000000000000000000002", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, err := bson.Marshal(c.doc)
			if c.doc == nil {
				doc, err = bson.Marshal(bson.D{})
			}
			require.NoError(t, err)
			why := explained(c.collection, c.path, value(t, c.ours), value(t, c.theirs), doc)
			assert.Equal(t, c.explained, why != "", why)
		})
	}
}
