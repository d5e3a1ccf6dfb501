package legacydb

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo/integration/mtest"

	"holdfast/domain/migration"
	"holdfast/projections/legacymongo/mongotest"
)

// TestChangeEvents reads one event of each kind in the shape that the MongoDB manual documents
// (reference/change-events): versions 4.0 to 8.0, with and without what only some have.
func TestChangeEvents(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	wall := at.Add(123 * time.Millisecond)
	for name, want := range map[string]migration.Change{
		"insert":             {Collection: "users", ObjectID: "599af247bb69cd89961c986d", At: wall},
		"update":             {Collection: "users", ObjectID: "58a4eb4a30c75625e00d2820", At: wall},
		"update-4.0":         {Collection: "users", ObjectID: "58a4eb4a30c75625e00d2820", At: at},
		"replace":            {Collection: "users", ObjectID: "599af247bb69cd89961c986d", At: wall},
		"delete":             {Collection: "users", ObjectID: "599af247bb69cd89961c986d", At: wall},
		"delete-of-sharded":  {Collection: "users", ObjectID: "599af247bb69cd89961c986d", At: wall},
		"insert-of-a-string": {Collection: "users", At: wall},
		"drop":               {Collection: "users", Whole: true, At: wall},
		"rename":             {Whole: true, At: wall},
		"dropDatabase":       {Whole: true, At: wall},
		"invalidate":         {Whole: true, At: wall},
		"createIndexes":      {At: wall},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("testdata", "changes", name+".json"))
			require.NoError(t, err)
			raw, err := fromJSON(text)
			require.NoError(t, err)
			got, err := changeOf(raw)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
	_, err := changeOf(bson.Raw("\x05\x00\x00\x00\x00"))
	require.ErrorContains(t, err, "operationType")
}

// TestStreamsOfAServer drives the driver's own change stream against answers in the server's shapes.
func TestStreamsOfAServer(t *testing.T) {
	mt := mtest.New(t, mtest.NewOptions().ClientType(mtest.Mock).ShareClient(false))
	ns := func(mt *mtest.T) string { return mt.DB.Name() + ".$cmd.aggregate" }
	over := func(mt *mtest.T) *server {
		return &server{name: "mock", client: mt.Client, db: mt.Client.Database(mt.DB.Name())}
	}
	refuse := func(code int32) bson.D {
		return mtest.CreateCommandErrorResponse(mtest.CommandError{Code: code, Name: "Location", Message: "no", Labels: []string{"NonResumableChangeStreamError"}})
	}
	token := func(data string) bson.D { return bson.D{{Key: "_data", Value: data}} }
	raw := func(mt *mtest.T, d bson.D) []byte {
		b, err := bson.Marshal(d)
		require.NoError(mt, err)
		return b
	}
	for code, name := range map[int32]string{40573: "only on replica sets", 40324: "before 3.6", 238: "not implemented", 59: "no such command"} {
		mt.Run("none: "+name, func(mt *mtest.T) {
			mt.AddMockResponses(refuse(code))
			_, err := over(mt).Watch(t.Context(), []string{"users"}, nil)
			require.ErrorIs(mt, err, ErrNoChangeStreams)
			require.NotErrorIs(mt, err, ErrTokenLost)
		})
	}
	for _, code := range []int32{286, 280, 260, 9} {
		mt.Run("a token that is lost", func(mt *mtest.T) {
			mt.AddMockResponses(refuse(code))
			_, err := over(mt).Watch(t.Context(), []string{"users"}, raw(mt, token("old")))
			require.ErrorIs(mt, err, ErrTokenLost)
			require.NotErrorIs(mt, err, ErrNoChangeStreams)
		})
	}
	mt.Run("another error is neither", func(mt *mtest.T) {
		mt.AddMockResponses(refuse(13)) // Unauthorized
		_, err := over(mt).Watch(t.Context(), []string{"users"}, nil)
		require.Error(mt, err)
		require.NotErrorIs(mt, err, ErrNoChangeStreams)
		require.NotErrorIs(mt, err, ErrTokenLost)
	})
	mt.Run("changes, and the token after them", func(mt *mtest.T) {
		id := primitive.NewObjectID()
		event := bson.D{
			{Key: "_id", Value: token("1")}, {Key: "operationType", Value: "update"}, {Key: "clusterTime", Value: primitive.Timestamp{T: 1700000000, I: 1}},
			{Key: "ns", Value: bson.D{{Key: "db", Value: "nickapp"}, {Key: "coll", Value: "users"}}}, {Key: "documentKey", Value: bson.D{{Key: "_id", Value: id}}},
		}
		batch := func(id int64, kind string, post bson.D, events ...bson.D) bson.D {
			all := bson.A{}
			for _, e := range events {
				all = append(all, e)
			}
			return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{{Key: "id", Value: id}, {Key: "ns", Value: ns(mt)}, {Key: kind, Value: all}, {Key: "postBatchResumeToken", Value: post}}}}
		}
		mt.AddMockResponses(batch(7, "firstBatch", token("0")), batch(7, "nextBatch", token("2"), event), batch(7, "nextBatch", token("3")), batch(0, "nextBatch", token("4")))
		s, err := over(mt).Watch(t.Context(), []string{"users"}, raw(mt, token("before")))
		require.NoError(mt, err)
		sent := mt.GetStartedEvent()
		require.Equal(mt, "aggregate", sent.CommandName)
		stage := sent.Command.Lookup("pipeline").Array().Index(0).Value().Document().Lookup("$changeStream").Document()
		require.Equal(mt, "before", stage.Lookup("resumeAfter", "_data").StringValue())
		require.Contains(mt, sent.Command.String(), `"ns.coll": {"$in": ["users"]}`)
		require.Equal(mt, raw(mt, token("0")), s.Token(), "before the first change")
		c, ok, err := s.Next(t.Context(), time.Second)
		require.NoError(mt, err)
		require.True(mt, ok)
		require.Equal(mt, migration.Change{Collection: "users", ObjectID: id.Hex(), At: time.Unix(1700000000, 0).UTC()}, c)
		require.Equal(mt, raw(mt, token("2")), s.Token(), "after the last change of a batch: the batch's own")
		_, ok, err = s.Next(t.Context(), 0)
		require.NoError(mt, err)
		require.False(mt, ok, "none came")
		require.Equal(mt, raw(mt, token("3")), s.Token(), "it moves without changes")
		_, _, err = s.Next(t.Context(), time.Second)
		require.ErrorIs(mt, err, ErrTokenLost, "the server has closed the stream")
		require.NoError(mt, s.Close(t.Context()))
	})
}

func TestAServerWithoutStreamsIsKnown(t *testing.T) {
	t.Parallel()
	uri := mongotest.URI(t)
	db := mongotest.Open(t, uri)
	var about bson.M
	require.NoError(t, db.Client().Database("admin").RunCommand(t.Context(), bson.D{{Key: "buildInfo", Value: 1}}).Decode(&about))
	s, err := OpenLive(t.Context(), uri)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close(t.Context())) }()
	stream, err := s.Watch(t.Context(), []string{"users"}, nil)
	if _, ferret := about["ferretdbVersion"]; ferret {
		require.ErrorIs(t, err, ErrNoChangeStreams)
		return
	}
	if err == nil {
		require.NoError(t, stream.Close(t.Context()))
	}
}

func TestDocumentsThatAClockHasTouched(t *testing.T) {
	t.Parallel()
	uri := mongotest.URI(t)
	db := mongotest.Open(t, uri)
	t.Cleanup(func() { _ = db.Drop(t.Context()) })
	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	made := func(when time.Time) primitive.ObjectID { return primitive.NewObjectIDFromTimestamp(when) }
	docs := map[string]bson.D{
		"old, untouched":            {{Key: "_id", Value: made(at.Add(-time.Hour))}, {Key: "updatedAt", Value: at.Add(-time.Millisecond)}},
		"old, touched":              {{Key: "_id", Value: made(at.Add(-2 * time.Hour))}, {Key: "updatedAt", Value: at}},
		"new, without a clock":      {{Key: "_id", Value: made(at.Add(time.Second))}},
		"old, without a clock":      {{Key: "_id", Value: made(at.Add(-time.Minute))}},
		"new, its clock is a text":  {{Key: "_id", Value: made(at.Add(time.Minute))}, {Key: "updatedAt", Value: "2020"}},
		"made in that very second":  {{Key: "_id", Value: made(at)}},
		"an id of another kind":     {{Key: "_id", Value: "x"}},
		"the same, and a new clock": {{Key: "_id", Value: "y"}, {Key: "updatedAt", Value: at.Add(time.Hour)}},
	}
	var all []any
	for name, d := range docs {
		all = append(all, append(d, bson.E{Key: "name", Value: name}))
	}
	_, err := db.Collection("users").InsertMany(t.Context(), all)
	require.NoError(t, err)
	s, err := OpenLive(t.Context(), uri)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close(t.Context())) }()
	var found []string
	var ids []string
	for d, err := range s.Since(t.Context(), "users", at) {
		require.NoError(t, err)
		found = append(found, bson.Raw(d.Raw).Lookup("name").StringValue())
		if d.Cursor != "" {
			ids = append(ids, d.Cursor)
		}
	}
	require.ElementsMatch(t, []string{"old, touched", "new, without a clock", "new, its clock is a text", "made in that very second", "the same, and a new clock"}, found)

	for _, more := range []int{0, 30} { // one by one, and in one command
		asked := ids
		for range more {
			asked = append(asked, primitive.NewObjectID().Hex())
		}
		got, err := s.Get(t.Context(), "users", asked)
		require.NoError(t, err)
		require.Len(t, got, len(ids), "what is not there is left out")
	}
	_, err = s.Get(t.Context(), "users", []string{"x"})
	require.Error(t, err)
}
