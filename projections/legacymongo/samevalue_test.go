package legacymongo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

func value(t *testing.T, v any) bson.RawValue {
	t.Helper()
	raw, err := bson.Marshal(bson.D{{Key: "v", Value: v}})
	require.NoError(t, err)
	return bson.Raw(raw).Lookup("v")
}

func TestValuesThatSayTheSame(t *testing.T) {
	t.Parallel()
	id, at := primitive.NewObjectID(), time.Date(2024, 5, 6, 7, 8, 9, 10e6, time.UTC)
	decimal, err := primitive.ParseDecimal128("12.50")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		ours, theirs any
		differ       []string // paths; nil: they say the same
	}{
		"a number is its text":                  {ours: "12.5", theirs: 12.5},
		"with zeros at its end":                 {ours: "12.50", theirs: 12.5},
		"a whole one too":                       {ours: "100", theirs: int32(100)},
		"a Decimal128":                          {ours: "12.5", theirs: decimal},
		"0.1 is what it reads as":               {ours: "0.1", theirs: 0.1},
		"0.1+0.2 is not 0.3":                    {ours: "0.3", theirs: 0.30000000000000004, differ: []string{"v"}},
		"a large one in exponents":              {ours: "100000000000000000000000", theirs: 1e23},
		"an int for an int of another size":     {ours: int64(5), theirs: int32(5)},
		"text for a number":                     {ours: int32(5), theirs: "5"},
		"not every text":                        {ours: int32(5), theirs: "five", differ: []string{"v"}},
		"another number":                        {ours: "12.5", theirs: 12.51, differ: []string{"v"}},
		"an ObjectId is its hex":                {ours: id, theirs: id.Hex()},
		"another is not":                        {ours: id, theirs: primitive.NewObjectID(), differ: []string{"v"}},
		"null is an empty text":                 {ours: nil, theirs: ""},
		"and an empty list":                     {ours: bson.A{}, theirs: nil},
		"nothing is not zero":                   {ours: nil, theirs: int32(0), differ: []string{"v"}},
		"nor false":                             {ours: false, theirs: nil, differ: []string{"v"}},
		"a date is its text":                    {ours: at, theirs: "2024-05-06T07:08:09.010Z"},
		"and its milliseconds":                  {ours: at, theirs: at.UnixMilli()},
		"a date of another moment":              {ours: at, theirs: at.Add(time.Millisecond), differ: []string{"v"}},
		"true is a text":                        {ours: true, theirs: "true"},
		"and 1":                                 {ours: true, theirs: int32(1)},
		"but not 2":                             {ours: true, theirs: int32(2), differ: []string{"v"}},
		"a lone thing is a list of one":         {ours: bson.A{"a"}, theirs: "a"},
		"a longer list":                         {ours: bson.A{"a"}, theirs: bson.A{"a", "b"}, differ: []string{"v"}},
		"the order of a list":                   {ours: bson.A{"a", "b"}, theirs: bson.A{"b", "a"}, differ: []string{"v", "v"}},
		"fields that we do not write":           {ours: bson.D{{Key: "a", Value: "1"}}, theirs: bson.D{{Key: "b", Value: 2}, {Key: "a", Value: int32(1)}}},
		"a field below":                         {ours: bson.D{{Key: "a", Value: "1"}, {Key: "c", Value: "x"}}, theirs: bson.D{{Key: "a", Value: 2}}, differ: []string{"v.a", "v.c"}},
		"a document where there is a number":    {ours: bson.D{{Key: "amount", Value: "1"}}, theirs: 1, differ: []string{"v"}},
		"a text that only looks like a number":  {ours: "1e99", theirs: "1E99"},
		"a text too long to be taken for one":   {ours: "1e999999999", theirs: 1.0, differ: []string{"v"}},
		"a name is not compared without case":   {ours: "Ann", theirs: "ann", differ: []string{"v"}},
		"infinity is no number":                 {ours: "1", theirs: 1 / zero(), differ: []string{"v"}},
		"an empty document is nothing":          {ours: bson.D{}, theirs: nil},
		"all of a document that they have not":  {ours: bson.D{{Key: "a", Value: ""}, {Key: "b", Value: bson.A{}}}, theirs: nil},
		"part of a document that they have not": {ours: bson.D{{Key: "a", Value: "x"}, {Key: "b", Value: nil}}, theirs: nil, differ: []string{"v.a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var differ []string
			sameValue(value(t, c.ours), value(t, c.theirs), "v", func(path string, _, _ bson.RawValue) { differ = append(differ, path) })
			assert.Equal(t, c.differ, differ)
		})
	}
}

func zero() float64 { return 0 }
