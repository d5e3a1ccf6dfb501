package legacydb

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"holdfast/domain/migration"
)

// Fields reads the fields of one document strictly. What is wrong is gathered, not returned: a
// value that converts exactly is taken with a note, another one is a problem. A path names nested
// fields with dots.
type Fields struct {
	raw   bson.Raw
	under string // the path of raw within the document
	found *migration.Found
}

// read begins a document: its id, hash and dates.
func read(raw []byte) (Fields, *migration.Found) {
	found := &migration.Found{}
	f := Fields{raw: raw, found: found}
	if err := validate(f.raw); err != nil {
		f.problem("", "", "a well-formed BSON document")
		f.raw = bson.Raw{5, 0, 0, 0, 0}
		return f, found
	}
	found.ObjectID = f.ID("_id")
	var err error
	if found.Hash, err = Hash(f.raw); err != nil {
		f.problem("", "", "a well-formed BSON document")
	}
	found.CreatedAt, found.UpdatedAt = f.Time("createdAt"), f.Time("updatedAt")
	if o, err := primitive.ObjectIDFromHex(found.ObjectID); err == nil && !f.Has("createdAt") {
		found.CreatedAt = o.Timestamp().UTC()
		f.Note("createdAt", "missing: taken from the ObjectId")
	}
	mark, _ := f.raw.Lookup("_src").StringValueOK()
	found.Ours = mark == "holdfast"
	return f, found
}

func (f Fields) path(name string) string {
	if f.under == "" {
		return name
	}
	return f.under + "." + name
}

func (f Fields) problem(name, value, promised string) {
	f.found.Problems = append(f.found.Problems, migration.Problem{Field: f.path(name), Found: value, Promised: promised})
}

// Problem says what is wrong with a field.
func (f Fields) Problem(name, promised string) { f.problem(name, f.shown(name), promised) }

// Note explains a difference.
func (f Fields) Note(name, what string) {
	f.found.Notes = append(f.found.Notes, migration.Note{Field: f.path(name), What: what})
}

// Value gives a field; ok is false for one that is missing, null or undefined.
func (f Fields) Value(name string) (v bson.RawValue, ok bool) {
	v, err := f.raw.LookupErr(strings.Split(name, ".")...)
	if err != nil || v.Type == bson.TypeNull || v.Type == bson.TypeUndefined {
		return bson.RawValue{}, false
	}
	return v, true
}

// Has reports that a field is there.
func (f Fields) Has(name string) bool { _, ok := f.Value(name); return ok }

// shownLength bounds what is said of a value.
const shownLength = 120

// shown is a field's value for a list of problems.
func (f Fields) shown(name string) string {
	v, ok := f.Value(name)
	if !ok {
		return "nothing"
	}
	text := v.String()
	for len(text) > shownLength || !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text[:min(len(text)-1, shownLength)], "�")
		if len(text) <= shownLength {
			text += "…"
			break
		}
	}
	return text
}

// ID reads an ObjectId that must be there, as hex.
func (f Fields) ID(name string) string {
	hex := f.OptionalID(name)
	if hex == "" && !f.Has(name) {
		f.problem(name, "nothing", "an ObjectId")
	}
	return hex
}

// OptionalID reads an ObjectId, empty where there is none. A text of 24 hex digits is one too.
func (f Fields) OptionalID(name string) string {
	v, ok := f.Value(name)
	if !ok {
		return ""
	}
	return f.idOf(name, v)
}

func (f Fields) idOf(name string, v bson.RawValue) string {
	if o, ok := v.ObjectIDOK(); ok {
		return o.Hex()
	}
	if s, ok := v.StringValueOK(); ok {
		if s == "" {
			return ""
		}
		if o, err := primitive.ObjectIDFromHex(s); err == nil {
			f.Note(name, "text for an ObjectId")
			return o.Hex()
		}
	}
	f.problem(name, clip(v.String()), "an ObjectId")
	return ""
}

// Ref reads the name of another document, which must be known; empty where there is none.
func (f Fields) Ref(name, collection string) string {
	hex := f.OptionalID(name)
	if hex != "" {
		f.found.Refs = append(f.found.Refs, migration.Ref{Field: f.path(name), Collection: collection, ObjectID: hex})
	}
	return hex
}

// MustRef is Ref for a name that must be there.
func (f Fields) MustRef(name, collection string) string {
	if !f.Has(name) {
		f.problem(name, "nothing", "an ObjectId of "+collection)
	}
	return f.Ref(name, collection)
}

// Later is Ref for documents of a collection that is imported afterwards.
func (f Fields) Later(name, collection string) string {
	hex := f.OptionalID(name)
	if hex != "" {
		f.found.Later = append(f.found.Later, migration.Ref{Field: f.path(name), Collection: collection, ObjectID: hex})
	}
	return hex
}

// Refs reads a list of names; a lone name is a list of one.
func (f Fields) Refs(name, collection string) []string {
	var all []string
	for _, v := range f.list(name) {
		if hex := f.idOf(name, v); hex != "" {
			all = append(all, hex)
			f.found.Refs = append(f.found.Refs, migration.Ref{Field: f.path(name), Collection: collection, ObjectID: hex})
		}
	}
	return all
}

// Text reads a text; empty where there is none. Numbers and booleans are written as people do.
func (f Fields) Text(name string) string {
	v, ok := f.Value(name)
	if !ok {
		return ""
	}
	return f.textOf(name, v)
}

func (f Fields) textOf(name string, v bson.RawValue) string {
	if s, ok := v.StringValueOK(); ok {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			f.problem(name, strconv.QuoteToASCII(clip(s)), "valid text")
			return ""
		}
		return s
	}
	if n, ok := number(v); ok {
		f.Note(name, "a number for text")
		return n
	}
	f.problem(name, clip(v.String()), "text")
	return ""
}

// Texts reads a list of texts; a lone text is a list of one.
func (f Fields) Texts(name string) []string {
	var all []string
	for _, v := range f.list(name) {
		if s := f.textOf(name, v); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// OneOf reads a word of a list; fallback where there is none, with a note. Case does not matter.
func (f Fields) OneOf(name, fallback string, words ...string) string {
	if !f.Has(name) {
		f.Note(name, "missing: "+fallback)
		return fallback
	}
	said := f.Text(name)
	for _, w := range words {
		if strings.EqualFold(said, w) {
			return w
		}
	}
	f.problem(name, f.shown(name), "one of "+strings.Join(words, ", "))
	return ""
}

// Bool reads a truth value; fallback where there is none. 0, 1, "true" and "false" are understood.
func (f Fields) Bool(name string, fallback bool) bool {
	v, ok := f.Value(name)
	if !ok {
		return fallback
	}
	if b, ok := v.BooleanOK(); ok {
		return b
	}
	said, isText := v.StringValueOK()
	if !isText {
		said, _ = number(v)
	}
	switch strings.ToLower(said) {
	case "true", "1":
		f.Note(name, "not a boolean, but it can be one")
		return true
	case "false", "0":
		f.Note(name, "not a boolean, but it can be one")
		return false
	}
	f.problem(name, clip(v.String()), "true or false")
	return fallback
}

// Time reads a time, to the millisecond; zero where there is none. ISO 8601 text and milliseconds
// since 1970 are understood.
func (f Fields) Time(name string) time.Time {
	v, ok := f.Value(name)
	if !ok {
		return time.Time{}
	}
	var t time.Time
	switch v.Type {
	case bson.TypeDateTime:
		t = time.UnixMilli(v.DateTime())
	case bson.TypeString:
		parsed, err := time.Parse(time.RFC3339Nano, v.StringValue())
		if err != nil {
			if v.StringValue() != "" {
				f.problem(name, clip(v.String()), "a date")
			}
			return time.Time{}
		}
		f.Note(name, "text for a date")
		t = parsed
	case bson.TypeInt64:
		f.Note(name, "milliseconds for a date")
		t = time.UnixMilli(v.Int64())
	case bson.TypeDouble:
		ms := v.Double()
		if ms != float64(int64(ms)) {
			f.problem(name, clip(v.String()), "a date")
			return time.Time{}
		}
		f.Note(name, "milliseconds for a date")
		t = time.UnixMilli(int64(ms))
	default:
		f.problem(name, clip(v.String()), "a date")
		return time.Time{}
	}
	t = t.UTC()
	if t.Year() < 1970 || t.Year() > 9999 {
		f.problem(name, clip(v.String()), "a date from 1970 on")
		return time.Time{}
	}
	return t
}

// Under gives a nested document; one without fields where there is none.
func (f Fields) Under(name string) Fields {
	inner := Fields{raw: bson.Raw{5, 0, 0, 0, 0}, under: f.path(name), found: f.found}
	v, ok := f.Value(name)
	if !ok {
		return inner
	}
	d, ok := v.DocumentOK()
	if !ok {
		f.problem(name, clip(v.String()), "a document")
		return inner
	}
	inner.raw = d
	return inner
}

// Each gives the documents of a list.
func (f Fields) Each(name string) []Fields {
	var all []Fields
	for i, v := range f.list(name) {
		d, ok := v.DocumentOK()
		if !ok {
			f.problem(name, clip(v.String()), "documents")
			continue
		}
		all = append(all, Fields{raw: d, under: f.path(name) + "." + strconv.Itoa(i), found: f.found})
	}
	return all
}

// list gives the values of an array; a value that is no array is a list of one.
func (f Fields) list(name string) []bson.RawValue {
	v, ok := f.Value(name)
	if !ok {
		return nil
	}
	a, ok := v.ArrayOK()
	if !ok {
		f.Note(name, "one value for a list")
		return []bson.RawValue{v}
	}
	values, err := a.Values()
	if err != nil {
		f.problem(name, "", "a list")
	}
	return values
}

func clip(s string) string {
	if len(s) <= shownLength {
		return strings.ToValidUTF8(s, "�")
	}
	return strings.ToValidUTF8(s[:shownLength], "�") + "…"
}

// status reads a word that says how far a thing has come: unlike OneOf it must be there, and be
// written exactly so.
func (f Fields) status(name string, words ...string) string {
	if v, ok := f.Value(name); ok {
		if said, ok := v.StringValueOK(); ok && slices.Contains(words, said) {
			return said
		}
	}
	f.problem(name, f.shown(name), "one of "+strings.Join(words, ", "))
	return ""
}
