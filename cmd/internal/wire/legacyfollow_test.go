package wire

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/request"
	"holdfast/projections/legacymongo"
)

var marketAndPeople = []string{legacymongo.User, legacymongo.Marketplace}

func TestChangesOfTheOldBackendAreFollowed(t *testing.T) {
	t.Parallel()
	w := withOld(t, marketAndPeople...)
	w.insert("users", oldUser(1, "buyer"), oldUser(2, "seller"))
	w.insert("categories", oldCategory(11))
	w.insert("purchaserequests", oldRequest(21, 1, 11), oldRequest(22, 1, 11))
	w.follow(quick)
	w.until("what was there", func() bool { _, v := w.requestState(22); return v > 0 })

	// Inserted, updated with and without its clock, replaced.
	w.insert("users", oldUser(3, "buyer"))
	w.insert("purchaserequests", oldRequest(23, 3, 11))
	w.insert("selleroffers", oldOffer(31, 23, 2, 12.5))
	w.until("an offer", func() bool { s, _ := w.offerState(31); return s.Seller != "" })
	w.set("purchaserequests", oldID(21), true, field("title", "Another lamp"), field("quantity", int32(7)))
	w.set("users", oldID(2), false, field("status", "suspended"))
	replaced := append(oldRequest(22, 1, 11), field("brand", "Lumen"), field("createdAt", now()), field("updatedAt", now()))
	_, err := w.db.Collection("purchaserequests").ReplaceOne(t.Context(), bson.D{{Key: "_id", Value: oldID(22)}}, replaced)
	require.NoError(t, err)
	w.until("the changes", func() bool {
		first, _ := w.requestState(21)
		second, _ := w.requestState(22)
		seller, _ := w.accountState(2)
		return first.Details.Title == "Another lamp" && first.Details.Quantity == 7 && second.Details.Brand == "Lumen" && seller.Suspended
	})
	_, version := w.requestState(21)
	assert.EqualValues(t, 2, version, "once each")

	// Deleted: kept, and told.
	w.remove("selleroffers", oldID(31))
	w.until("the loss", func() bool { return w.gaps()["missing "+oid(31)].Severity == "critical" })
	s, _ := w.offerState(31)
	assert.NotEmpty(t, s.Seller, "nothing is deleted here")
	w.insert("selleroffers", oldOffer(31, 23, 2, 13))
	w.until("that it is back", func() bool { _, open := w.gaps()["missing "+oid(31)]; return !open })

	time.Sleep(4 * quick.Poll) // several more looks
	_, again := w.requestState(21)
	assert.Equal(t, version, again, "to look twice changes nothing")
	differences, _ := w.verify(w.Core, marketAndPeople...)
	assert.Zero(t, differences, "%v", w.gaps())
}

func TestWhatCannotBeFollowedIsAGapUntilItCan(t *testing.T) {
	t.Parallel()
	w := withOld(t, marketAndPeople...)
	w.insert("users", oldUser(1, "buyer"), oldUser(2, "seller"))
	w.insert("categories", oldCategory(11))
	w.follow(quick)
	dirty := append(oldRequest(21, 1, 11)[:0:0], oldRequest(21, 1, 11)...)
	for i := range dirty {
		if dirty[i].Key == "status" {
			dirty[i].Value = "seller_paid"
		}
	}
	twin := oldUser(4, "buyer")
	twin[1].Value = "PERSON1@old.test"
	w.insert("users", twin)
	w.insert("purchaserequests", dirty, oldRequest(22, 9, 11))
	_, err := w.db.Collection("purchaserequests").InsertOne(t.Context(), bson.D{{Key: "_id", Value: "not an ObjectId"}, {Key: "title", Value: "odd"}})
	require.NoError(t, err)
	w.until("the refusals", func() bool { return len(w.gaps()) == 4 })
	gaps := w.gaps()
	assert.Contains(t, gaps["refused "+oid(21)].Error, "status")
	assert.NotContains(t, gaps["refused "+oid(21)].Error, "seller_paid", "what was found may be about people")
	assert.Contains(t, gaps["refused "+oid(22)].Error, "buyerId")
	assert.Contains(t, gaps["refused "+oid(4)].Error, "EMAIL")
	assert.Contains(t, gaps[`refused "not an ObjectId"`].Error, "_id")
	before := gaps["refused "+oid(21)].Times
	// What somebody has looked at and said why stays closed, though it is seen again and again.
	_, _, err = w.gapsOf().Resolve(t.Context(), gaps[`refused "not an ObjectId"`].ID, "admin", "a left-over of a test")
	require.NoError(t, err)
	w.set("purchaserequests", oldID(22), true, field("title", "Still nobody's"))
	w.until("another look", func() bool { return w.gaps()["refused "+oid(22)].Mongo != gaps["refused "+oid(22)].Mongo })
	assert.NotContains(t, w.gaps(), `refused "not an ObjectId"`)
	differences, explained := w.verify(w.Core, marketAndPeople...)
	assert.Zero(t, differences, "what was refused is told already: %v", w.gaps())
	assert.GreaterOrEqual(t, explained, int64(4))

	// The document changes, or the one that it names comes: it is tried again.
	w.set("purchaserequests", oldID(21), true, field("status", "active"))
	w.insert("users", oldUser(9, "buyer"))
	w.set("users", oldID(4), true, field("email", "person4@old.test"))
	w.until("that they are taken", func() bool { return len(w.gaps()) == 0 })
	first, _ := w.requestState(21)
	second, _ := w.requestState(22)
	assert.Equal(t, request.Open, first.Phase)
	assert.NotEmpty(t, second.Buyer)
	assert.LessOrEqual(t, before, int64(10), "it is not tried at every look")
	w.remove("purchaserequests", oldID(99))
	_, err = w.db.Collection("purchaserequests").DeleteOne(t.Context(), bson.D{{Key: "_id", Value: "not an ObjectId"}})
	require.NoError(t, err)
}

func TestWhatBothSidesHaveChangedIsAGap(t *testing.T) {
	t.Parallel()
	w := withOld(t, marketAndPeople...)
	w.insert("users", oldUser(1, "buyer"))
	w.insert("categories", oldCategory(11))
	w.insert("purchaserequests", oldRequest(21, 1, 11), oldRequest(22, 1, 11))
	w.follow(quick)
	w.until("what was there", func() bool { _, v := w.requestState(22); return v > 0 })
	// Ours alone: the old backend does not know.
	w.ourFact(21)
	w.until("our change", func() bool { g := w.gaps()["conflict "+oid(21)]; return g.Field == "request.cancelled" })
	// And theirs too: neither is written over the other.
	w.set("purchaserequests", oldID(21), true, field("title", "changed there"))
	w.until("the conflict", func() bool {
		var n int
		err := w.HTTP.QueryRow(t.Context(), `SELECT count(*) FROM pg_dualwrite_gaps WHERE kind = 'conflict' AND document = $1`, oid(21)).Scan(&n)
		return err == nil && n == 2
	})
	s, _ := w.requestState(21)
	assert.Equal(t, request.CancelledPhase, s.Phase)
	assert.Equal(t, "A lamp, number 21", s.Details.Title)
	var doc bson.M
	require.NoError(t, w.db.Collection("purchaserequests").FindOne(t.Context(), bson.D{{Key: "_id", Value: oldID(21)}}).Decode(&doc))
	assert.Equal(t, "changed there", doc["title"])
	assert.NotContains(t, doc, "_src")
	differences, _ := w.verify(w.Core, legacymongo.Marketplace)
	assert.Positive(t, differences)
}

func TestADomainOfOursIsNotFollowed(t *testing.T) {
	t.Parallel()
	w := withOld(t, legacymongo.User)
	w.insert("users", oldUser(1, "buyer"))
	w.insert("categories", oldCategory(11))
	w.insert("purchaserequests", oldRequest(21, 1, 11))
	w.follow(quick)
	w.until("the person", func() bool { _, v := w.accountState(1); return v > 0 })
	time.Sleep(5 * quick.Poll)
	_, version := w.requestState(21)
	assert.Zero(t, version)
	_, err := w.Follower(t.Context(), Follow{From: w.settings["MONGODB_URI"], Domains: []string{legacymongo.Marketplace}})
	require.ErrorContains(t, err, "LEGACY_OWNER_MARKETPLACE=legacy")
	_, err = w.Follower(t.Context(), Follow{From: t.TempDir()})
	require.ErrorContains(t, err, "only a running server")
	_, err = w.process(map[string]string{"LEGACY_OWNER_USER": "holdfast"}).Follower(t.Context(), Follow{From: w.settings["MONGODB_URI"]})
	require.ErrorIs(t, err, ErrNothingToFollow)
}
