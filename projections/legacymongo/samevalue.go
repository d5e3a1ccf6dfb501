package legacymongo

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
)

// sameValue reports whether a value of the old backend says what ours does, whatever it is written
// as: numbers are decimal texts, ObjectIds their hex, dates their text, and nothing is null, "", an
// empty list or document. Of documents only the fields that we write count; differs is called for
// each that differs, with its path below this value.
func sameValue(want, have bson.RawValue, path string, differs func(path string, want, have bson.RawValue)) {
	if want.Equal(have) || nothing(want) && nothing(have) {
		return
	}
	switch want.Type {
	case bson.TypeEmbeddedDocument:
		sameFields(want, have, path, differs)
		return
	case bson.TypeArray:
		if sameList(want, have, path, differs) {
			return
		}
	default:
		if sameScalar(want, have) {
			return
		}
	}
	differs(path, want, have)
}

func sameFields(want, have bson.RawValue, path string, differs func(string, bson.RawValue, bson.RawValue)) {
	elements, err := want.Document().Elements()
	if err != nil || have.Type != bson.TypeEmbeddedDocument && !nothing(have) {
		differs(path, want, have)
		return
	}
	for _, e := range elements {
		var there bson.RawValue
		if have.Type == bson.TypeEmbeddedDocument {
			there = have.Document().Lookup(e.Key())
		}
		sameValue(e.Value(), there, path+"."+e.Key(), differs)
	}
}

// sameList compares item by item; what is no list is a list of one. ok is false when the lengths differ.
func sameList(want, have bson.RawValue, path string, differs func(string, bson.RawValue, bson.RawValue)) (ok bool) {
	ours, err := want.Array().Values()
	if err != nil {
		return false
	}
	var theirs []bson.RawValue
	switch {
	case have.Type == bson.TypeArray:
		if theirs, err = have.Array().Values(); err != nil {
			return false
		}
	case !nothing(have):
		theirs = append(theirs, have)
	}
	if len(ours) != len(theirs) {
		return false
	}
	for i := range ours {
		sameValue(ours[i], theirs[i], path, differs)
	}
	return true
}

// nothing reports that a value says nothing.
func nothing(v bson.RawValue) bool {
	switch v.Type {
	case 0, bson.TypeNull, bson.TypeUndefined:
		return true
	case bson.TypeString:
		return v.StringValue() == ""
	case bson.TypeArray, bson.TypeEmbeddedDocument:
		return len(v.Value) <= 5
	}
	return false
}

func sameScalar(want, have bson.RawValue) bool {
	if a, ok := numeric(want); ok {
		b, both := numeric(have)
		if both && a.Cmp(b) == 0 {
			return true
		}
	}
	if a, ok := instant(want); ok {
		b, both := instant(have)
		if both && a.Equal(b) {
			return true
		}
	}
	a, ok := plainText(want)
	b, both := plainText(have)
	return ok && both && a == b
}

// numberRE bounds what is read as a number: nothing that takes long.
var numberRE = regexp.MustCompile(`^-?[0-9]{1,60}([.][0-9]{1,60})?([eE][-+]?[0-9]{1,2})?$`)

// numeric reads a number, or a text that is one, exactly; of a double, what its shortest text says.
func numeric(v bson.RawValue) (*big.Rat, bool) {
	var said string
	switch v.Type {
	case bson.TypeInt32:
		said = strconv.FormatInt(int64(v.Int32()), 10)
	case bson.TypeInt64:
		said = strconv.FormatInt(v.Int64(), 10)
	case bson.TypeDouble:
		said = strconv.FormatFloat(v.Double(), 'g', -1, 64)
	case bson.TypeDecimal128:
		said = v.Decimal128().String()
	case bson.TypeString:
		said = strings.TrimSpace(v.StringValue())
	}
	if !numberRE.MatchString(said) {
		return nil, false
	}
	return new(big.Rat).SetString(said)
}

// instant reads a date, to the millisecond that Mongo keeps.
func instant(v bson.RawValue) (time.Time, bool) {
	switch v.Type {
	case bson.TypeDateTime:
		return v.Time().UTC(), true
	case bson.TypeString:
		t, err := time.Parse(time.RFC3339Nano, v.StringValue())
		return t.UTC().Truncate(time.Millisecond), err == nil
	case bson.TypeInt64:
		return time.UnixMilli(v.Int64()).UTC(), true
	case bson.TypeDouble:
		return time.UnixMilli(int64(v.Double())).UTC(), true
	}
	return time.Time{}, false
}

// plainText is how a text, an ObjectId or a truth value reads.
func plainText(v bson.RawValue) (string, bool) {
	switch v.Type {
	case bson.TypeString:
		return v.StringValue(), true
	case bson.TypeObjectID:
		return v.ObjectID().Hex(), true
	case bson.TypeBoolean:
		return strconv.FormatBool(v.Boolean()), true
	case bson.TypeInt32, bson.TypeInt64: // 0 and 1 for false and true
		n, _ := v.AsInt64OK()
		return strconv.FormatBool(n == 1), n == 0 || n == 1
	}
	return "", false
}
