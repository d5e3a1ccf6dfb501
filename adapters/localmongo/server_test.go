package localmongo_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"holdfast/adapters/localmongo"
)

func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	_, err := connect(t, s).InsertOne(t.Context(), bson.D{{Key: "_id", Value: "kept"}, {Key: "n", Value: int64(7)}})
	require.NoError(t, err)
	before := s.URI("legacy")
	require.NoError(t, s.Kill())
	require.NoError(t, s.Stop(t.Context()), "the folder is free again")

	s = start(t, dir)
	require.Equal(t, before, s.URI("legacy"), "it is found at the same address")
	var doc bson.M
	require.NoError(t, connect(t, s).FindOne(t.Context(), bson.D{{Key: "_id", Value: "kept"}}).Decode(&doc))
	require.Equal(t, int64(7), doc["n"])
}

func TestASecondProcessOfAFolderJoins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	owner, guest := start(t, dir), start(t, dir)
	require.Equal(t, owner.URI("x"), guest.URI("x"))
	require.NoError(t, guest.Stop(t.Context()))
	_, err := connect(t, owner).InsertOne(t.Context(), bson.D{{Key: "_id", Value: 1}})
	require.NoError(t, err, "the guest's stop leaves the owner's server alone")
}

func start(t *testing.T, dir string) *localmongo.Server {
	t.Helper()
	s, err := localmongo.Start(t.Context(), dir, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

func connect(t *testing.T, s *localmongo.Server) *mongo.Collection {
	t.Helper()
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(s.URI("legacy")).SetServerSelectionTimeout(5*time.Second))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	return client.Database("legacy").Collection("things")
}
