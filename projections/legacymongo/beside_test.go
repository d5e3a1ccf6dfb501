package legacymongo_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/scenariotest"
	"holdfast/domain/threshold"
	"holdfast/domain/trezor"
	"holdfast/projections"
	"holdfast/projections/legacymongo"
	"holdfast/projections/requestview"
)

func TestPeopleWalletsAndRules(t *testing.T) {
	t.Parallel()
	w := setup(t, 3)
	admin := domain.User("root", domain.Admin)
	w.Do(scenariotest.Act(account.Decider, "bea", account.Register{
		Issue: w.By(domain.Machine(domain.Process, "test")), User: "bea", Email: "bea@shop.test", EmailKey: "k", Name: "Bea", Roles: []domain.Capacity{domain.Buyer, domain.Seller}, Method: account.Seeded,
	}))
	w.append("trezor", "bea", 0, trezor.Registered{User: "bea", XPub: domain.About("bea", "xpub6secret"), Fingerprint: "ab12", Address: "0x1", BasePath: "m/44'/60'/0'", Label: domain.About("bea", "mine"), Nonce: "n", At: w.Now()},
		trezor.AddressIssued{Index: 3, Path: "m/44'/60'/0'/0/3", Address: "0x3", Purpose: "payment", Payment: "p1", At: w.Now()})
	w.append("confirmation_threshold", "56", 0, threshold.Changed{To: threshold.Rule{Kind: threshold.Depth, Min: 21, Tiers: []threshold.Tier{{From: 1000, Min: 40}}}, By: admin, Approver: admin, Reason: "slow blocks"})
	w.caughtUp()
	user := w.one("users", "bea")
	require.Equal(t, "seller", user["role"])
	require.Equal(t, primitive.A{"buyer", "seller"}, user["roles"])
	require.Equal(t, "bea@shop.test", user["email"])
	require.NotContains(t, user, "password")
	wallet := w.one("trezoraccounts", "bea")
	require.Equal(t, legacymongo.ObjectID("users", "bea"), wallet["userId"])
	require.Equal(t, "xpub6secret", wallet["xpub"])
	require.Equal(t, true, wallet["isActive"])
	require.Equal(t, legacymongo.ObjectID("payments", "p1"), wallet["addresses"].(primitive.A)[0].(bson.M)["paymentId"])
	rule := w.one("confirmationthresholds", "56")
	require.Equal(t, int64(56), rule["chainId"])
	require.Equal(t, int64(21), rule["minConfirmations"])
	w.documented()

	w.append("trezor", "bea", 2, trezor.Removed{User: "bea", Fingerprint: "ab12", By: domain.User("bea", domain.Buyer)})
	w.append("confirmation_threshold", "56", 1, threshold.Reset{From: threshold.Rule{Kind: threshold.Depth, Min: 21}, By: admin, Approver: admin, Reason: "fast again"})
	w.caughtUp()
	require.Equal(t, false, w.one("trezoraccounts", "bea")["isActive"])
	require.Empty(t, w.one("trezoraccounts", "bea")["xpub"])
	require.Nil(t, w.one("confirmationthresholds", "56")["minConfirmations"])
	w.Do(scenariotest.Act(account.Decider, "bea", account.Rename{Issue: w.By(domain.User("bea", domain.Buyer)), Name: "Beatrice"}))
	w.caughtUp()
	require.Equal(t, "Beatrice", w.one("users", "bea")["firstName"])
	live := w.dumpAll()
	require.NoError(t, w.db.Drop(t.Context()))
	w.rebuild()
	require.Equal(t, live, w.dumpAll())
}

func TestNamesAreObjectIdsThatSort(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	made := legacymongo.ObjectID("payments", "01a196fb-1600-7abc-8def-0123456789ab") // a UUIDv7 of that second
	require.Equal(t, at, made.Timestamp().UTC())
	require.Equal(t, made, legacymongo.ObjectID("payments", "01a196fb-1600-7abc-8def-0123456789ab"), "for ever")
	require.NotEqual(t, made, legacymongo.ObjectID("disputes", "01a196fb-1600-7abc-8def-0123456789ab"), "each collection has its own")
	require.NotEqual(t, legacymongo.ObjectID("users", "a"), legacymongo.ObjectID("users", "b"))
}

func TestDualModeNotesAnswersThatDiffer(t *testing.T) {
	t.Parallel()
	w := setup(t, 1000)
	w.request("r1", "bea", "1", "2")
	w.request("r2", "bea", "3", "4.50")
	w.caughtUp()
	w.modes.Set(legacymongo.Marketplace, legacymongo.Dual)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.legacy.Sample(ctx) }()
	defer func() { stop(); require.NoError(t, <-ended) }()
	here := requestview.New(w.pool, w.codec).From(w.legacy)
	gaps := legacymongo.NewGaps(w.pool)
	ask := func() {
		for range 60 { // one in four is compared
			_, err := here.List(t.Context(), requestview.Filter{Buyer: "bea"}, projections.Page{})
			require.NoError(t, err)
		}
	}
	ask()
	_, err := w.db.Collection("purchaserequests").UpdateOne(t.Context(), bson.D{{Key: "_id", Value: legacymongo.ObjectID("purchaserequests", "r1")}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "_view.state", Value: `{"id":"r1","phase":"Forged"}`}}}})
	require.NoError(t, err)
	ask()
	var open []legacymongo.Gap
	require.Eventually(t, func() bool {
		open, err = gaps.Open(t.Context(), legacymongo.Marketplace, 10)
		return err == nil && len(open) > 0
	}, 30*time.Second, 50*time.Millisecond)
	require.Len(t, open, 1, "and the same difference is one row")
	require.Equal(t, "answer", open[0].Kind)
	require.Equal(t, "r1", open[0].Document)
}
