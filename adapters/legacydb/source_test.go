package legacydb

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"holdfast/projections/legacymongo/mongotest"
)

func object(n byte) primitive.ObjectID { return primitive.ObjectID{0x65, 11: n} }

func document(t *testing.T, n byte) bson.Raw {
	t.Helper()
	raw, err := bson.Marshal(bson.D{{Key: "_id", Value: object(n)}, {Key: "n", Value: int32(n)}})
	require.NoError(t, err)
	return raw
}

func zipped(t *testing.T, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(plain)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return out.Bytes()
}

// numbers reads a collection after a cursor.
func numbers(t *testing.T, s Source, after string) (all []int32, last string) {
	t.Helper()
	for doc, err := range s.Read(t.Context(), "users", after) {
		require.NoError(t, err)
		all, last = append(all, bson.Raw(doc.Raw).Lookup("n").Int32()), doc.Cursor
	}
	return all, last
}

func TestEverySourceGivesTheSame(t *testing.T) {
	t.Parallel()
	var dump, lines bytes.Buffer
	var texts []string
	for n := range byte(5) {
		raw := document(t, n+1)
		dump.Write(raw)
		text, err := bson.MarshalExtJSON(raw, n%2 == 0, false) // canonical and relaxed
		require.NoError(t, err)
		lines.Write(append(text, '\n'))
		texts = append(texts, string(text))
	}
	uri := mongotest.URI(t)
	db := mongotest.Open(t, uri)
	t.Cleanup(func() { _ = db.Drop(context.Background()) })
	for _, n := range []byte{4, 2, 5, 1, 3} {
		_, err := db.Collection("users").InsertOne(t.Context(), document(t, n))
		require.NoError(t, err)
	}
	files := map[string][]byte{
		"users.bson": dump.Bytes(), "users.bson.gz": zipped(t, dump.Bytes()), "users.json": lines.Bytes(), "users.jsonl.gz": zipped(t, lines.Bytes()),
		"users.ndjson": []byte("\xef\xbb\xbf [" + strings.Join(texts, ",\n") + "]\n"),
	}
	from := map[string]string{"mongo": uri}
	for name, content := range files {
		from[name] = t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(from[name], name), content, 0o600))
	}
	var hash string
	for name, from := range from {
		s, err := Open(t.Context(), from)
		require.NoError(t, err, name)
		all, last := numbers(t, s, "")
		assert.Equal(t, []int32{1, 2, 3, 4, 5}, all, name)
		rest, _ := numbers(t, s, last)
		assert.Empty(t, rest, name)
		var second string
		for doc, err := range s.Read(t.Context(), "users", "") {
			require.NoError(t, err)
			h, err := Hash(doc.Raw)
			require.NoError(t, err)
			if hash == "" {
				hash = h
			}
			assert.Equal(t, hash, h, "%s: the hash does not depend on the source", name)
			if second == "" {
				second = doc.Cursor
			}
			break
		}
		rest, _ = numbers(t, s, second)
		assert.Equal(t, []int32{2, 3, 4, 5}, rest, "%s goes on after a cursor", name)
		n, err := s.Count(t.Context(), "users")
		require.NoError(t, err)
		assert.EqualValues(t, 5, n, name)
		n, err = s.Count(t.Context(), "nothing")
		require.NoError(t, err)
		assert.Zero(t, n, name)
		ids := 0
		for _, err := range s.IDs(t.Context(), "users") {
			require.NoError(t, err)
			ids++
		}
		assert.Equal(t, 5, ids, name)
		for _, err := range s.Read(t.Context(), "users", "no cursor") {
			assert.ErrorContains(t, err, "no place to go on from", name)
		}
		require.NoError(t, s.Close(t.Context()))
	}
}

// A place in a file is none in the next dump of the same name.
func TestAnotherDumpIsNotGoneOnWith(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(numbers ...byte) {
		var all []byte
		for _, n := range numbers {
			all = append(all, document(t, n)...)
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "users.bson"), all, 0o600))
	}
	put(1, 2)
	s, err := Open(t.Context(), dir)
	require.NoError(t, err)
	_, last := numbers(t, s, "")
	put(3, 1, 2)
	for _, err := range s.Read(t.Context(), "users", last) {
		require.ErrorContains(t, err, "has changed since it was read up to document 2")
	}
	all, _ := numbers(t, s, "")
	assert.Equal(t, []int32{3, 1, 2}, all)
}

func TestABadSourceSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := document(t, 1)
	for name, c := range map[string]struct {
		file    string
		content []byte
		says    string
	}{
		"cut":             {"users.bson", append(append([]byte{}, good...), good[:9]...), "bad BSON at byte 29: the file ends within a document"},
		"cut in a length": {"users.bson", append(append([]byte{}, good...), 1, 2), "bad BSON at byte 29: the file ends within a document"},
		"no BSON":         {"users.bson", []byte("this is no BSON at all"), "bad BSON at byte 0"},
		"broken within":   {"users.bson", append(append([]byte{}, good...), append([]byte{9, 0, 0, 0}, "zzzzz"...)...), "bad BSON at byte 29"},
		"no gzip":         {"users.bson.gz", good, "is not compressed by gzip"},
		"no JSON":         {"users.json", []byte("{\"_id\":1}\nnonsense"), "bad JSON at byte 9, document 2"},
		"an open list":    {"users.json", []byte(`[{"_id":1},`), "bad JSON"},
		"not closed":      {"users.json", []byte(`[{"_id":1}`), "the list is not closed after document 1"},
		"no document":     {"users.json", []byte(`17`), "not a document"},
		"a false date":    {"users.json", []byte(`{"_id":{"$date":"yesterday"}}`), "document 1"},
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, c.file), c.content, 0o600))
		s, err := Open(t.Context(), dir)
		require.NoError(t, err, name)
		_, err = s.Count(t.Context(), "users")
		require.ErrorContains(t, err, c.says, name)
		assert.ErrorContains(t, err, filepath.Join(dir, c.file), name)
	}

	several, empty, twice := t.TempDir(), t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(several, "a", "users.bson"), filepath.Join(several, "b", "users.bson"), filepath.Join(twice, "users.bson"), filepath.Join(twice, "users.json")} {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
	}
	for from, says := range map[string]string{
		filepath.Join(empty, "nowhere"):    "no such directory",
		filepath.Join(twice, "users.bson"): "is a file",
		empty:                              "holds no collections",
		several:                            "several databases",
		twice:                              "both hold users",
		"mongodb://127.0.0.1:1":            "names no database",
		"mongodb://u:secret@127.0.0.1:1/old?serverSelectionTimeoutMS=100&connectTimeoutMS=100": "does not answer",
		"mongodb://u:secret@[/old": "cannot be read",
	} {
		_, err := Open(t.Context(), from)
		require.ErrorContains(t, err, says, from)
		assert.NotContains(t, err.Error(), "secret")
	}
	s, err := Open(t.Context(), filepath.Join(several, "a"))
	require.NoError(t, err)
	assert.Equal(t, "dir:"+filepath.Join(several, "a"), s.Name())
}

func TestADumpIsFoundBelowItsDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "nickapp"), 0o700))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "admin"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nickapp", "users.bson"), document(t, 1), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nickapp", "users.metadata.json"), []byte("{}"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "truth.json"), []byte("{}"), 0o600))
	s, err := Open(t.Context(), dir)
	require.NoError(t, err)
	assert.Equal(t, "dir:"+filepath.Join(dir, "nickapp"), s.Name())
	all, _ := numbers(t, s, "")
	assert.Len(t, all, 1)
}
