package http

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"holdfast/domain/fault"
)

// maxDepth of nested values; encoding/json itself goes to 10,000.
const maxDepth = 32

// canonical checks a body and gives its canonical form: keys sorted, no spaces, strings in
// one spelling. Two bodies that mean the same have the same form, so it is what an
// Idempotency-Key is bound to.
//
// It refuses what encoding/json lets through: a value other than one object (null binds to
// an empty struct), two keys that differ at most in case (the last one wins), depth, U+0000
// and lone surrogates (PostgreSQL cannot store them), and invalid UTF-8.
func canonical(body []byte) ([]byte, error) { return strict(body, fold) }

// readable checks a provider's notice as canonical checks a body, but for one thing: keys
// may differ in case alone, since Request Network sends both requestId and requestID.
func readable(body []byte) error {
	_, err := strict(body, func(key string) string { return key })
	return err
}

func strict(body []byte, same func(string) string) ([]byte, error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, errInvalidJSON
	}
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 || body[0] != '{' {
		return nil, errInvalidJSON
	}
	r := strictReader{in: body, same: same}
	return r.value(make([]byte, 0, len(body)), "", 1)
}

// strictReader walks JSON that is known to be valid.
type strictReader struct {
	in []byte
	at int
	// same gives one spelling to keys that must not both occur in an object.
	same func(string) string
}

func (r *strictReader) space() {
	for r.at < len(r.in) && (r.in[r.at] == ' ' || r.in[r.at] == '\t' || r.in[r.at] == '\n' || r.in[r.at] == '\r') {
		r.at++
	}
}

// next skips spaces and one expected byte when it is there.
func (r *strictReader) next(b byte) bool {
	r.space()
	if r.in[r.at] != b {
		return false
	}
	r.at++
	return true
}

func (r *strictReader) value(out []byte, path string, depth int) ([]byte, error) {
	r.space()
	switch r.in[r.at] {
	case '{', '[':
		if depth > maxDepth {
			return nil, errInvalidJSON.Because("nested deeper than %d", maxDepth)
		}
		if r.in[r.at] == '{' {
			return r.object(out, path, depth)
		}
		return r.array(out, path, depth)
	case '"':
		s, err := r.text(path)
		if err != nil {
			return nil, err
		}
		return quoted(out, s), nil
	}
	start := r.at
	for r.at < len(r.in) && !strings.ContainsRune(" \t\r\n,]}", rune(r.in[r.at])) {
		r.at++
	}
	scalar := r.in[start:r.at]
	if scalar[0] == '-' || (scalar[0] >= '0' && scalar[0] <= '9') {
		if _, err := strconv.ParseFloat(string(scalar), 64); err != nil {
			return nil, fault.ErrValidation.At(path, "number out of range")
		}
	}
	return append(out, scalar...), nil
}

type member struct {
	key   string
	value []byte
}

func (r *strictReader) object(out []byte, path string, depth int) ([]byte, error) {
	r.at++
	var members []member
	for !r.next('}') {
		r.next(',')
		r.space()
		key, err := r.text(path)
		if err != nil {
			return nil, err
		}
		r.next(':')
		inner := join(path, key)
		v, err := r.value(nil, inner, depth+1)
		if err != nil {
			return nil, err
		}
		members = append(members, member{key, v})
	}
	if twice, ok := r.repeated(members); ok {
		return nil, errDuplicateField.At(join(path, twice), "occurs twice")
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.key, b.key) })
	out = append(out, '{')
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(quoted(out, m.key), ':'), m.value...)
	}
	return append(out, '}'), nil
}

// repeated finds a key that occurs twice.
func (r *strictReader) repeated(members []member) (string, bool) {
	if len(members) < 2 {
		return "", false
	}
	seen := make(map[string]bool, len(members))
	for _, m := range members {
		folded := r.same(m.key)
		if seen[folded] {
			return m.key, true
		}
		seen[folded] = true
	}
	return "", false
}

// fold gives one spelling to keys that encoding/json would take for the same field; it
// folds like Unicode, where ſ is s and K (Kelvin) is k.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

func (r *strictReader) array(out []byte, path string, depth int) ([]byte, error) {
	r.at++
	out = append(out, '[')
	for i := 0; !r.next(']'); i++ {
		if r.next(',') {
			out = append(out, ',')
		}
		var err error
		if out, err = r.value(out, path+"["+strconv.Itoa(i)+"]", depth+1); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

// text reads the string that begins here.
func (r *strictReader) text(path string) (string, error) {
	start := r.at
	escaped := false
	for r.at++; r.in[r.at] != '"'; r.at++ {
		if r.in[r.at] == '\\' {
			escaped = true
			r.at++
		}
	}
	r.at++
	raw := r.in[start:r.at]
	if !escaped {
		return string(raw[1 : len(raw)-1]), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", errInvalidJSON
	}
	if strings.ContainsRune(s, 0) || loneSurrogate(raw) {
		return "", errInvalidString.At(path, "U+0000 and lone surrogates cannot be stored")
	}
	return s, nil
}

// loneSurrogate reports a \uD800–\uDFFF escape without its other half.
func loneSurrogate(raw []byte) bool {
	for i := 0; i+5 < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		if raw[i+1] != 'u' {
			i++
			continue
		}
		unit := hex4(raw[i+2 : i+6])
		i += 5
		if unit < 0xD800 || unit > 0xDFFF {
			continue
		}
		if unit > 0xDBFF || i+6 >= len(raw) || raw[i+1] != '\\' || raw[i+2] != 'u' {
			return true
		}
		if low := hex4(raw[i+3 : i+7]); low < 0xDC00 || low > 0xDFFF {
			return true
		}
		i += 6
	}
	return false
}

func hex4(b []byte) uint64 { n, _ := strconv.ParseUint(string(b), 16, 16); return n }

func quoted(out []byte, s string) []byte {
	b, _ := json.Marshal(s)
	return append(out, b...)
}

func join(path, key string) string {
	if len(key) > 64 {
		key = strings.ToValidUTF8(key[:64], "") + "…"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
