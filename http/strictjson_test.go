package http

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain/fault"
)

func TestCanonicalRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	for body, want := range map[string]*fault.Error{
		``:                         errInvalidJSON,
		` `:                        errInvalidJSON,
		`null`:                     errInvalidJSON,
		`[]`:                       errInvalidJSON,
		`"x"`:                      errInvalidJSON,
		`1`:                        errInvalidJSON,
		`{`:                        errInvalidJSON,
		`{"a":1,}`:                 errInvalidJSON,
		`{"a":1}/* c */`:           errInvalidJSON,
		`{'a':1}`:                  errInvalidJSON,
		"\ufeff{}":                 errInvalidJSON,
		`{} {}`:                    errInvalidJSON,
		"{\"a\":\"\xff\"}":         errInvalidJSON,
		deep:                       errInvalidJSON,
		`{"a":1,"a":2}`:            errDuplicateField,
		`{"amount":1,"Amount":2}`:  errDuplicateField,
		`{"x":{"k":1,"\u212a":2}}`: errDuplicateField,
		`{"a":"\u0000"}`:           errInvalidString,
		`{"a\u0000":1}`:            errInvalidString,
		`{"a":"\ud800"}`:           errInvalidString,
		`{"a":"\udc00\ud800"}`:     errInvalidString,
		`{"a":1e400}`:              fault.ErrValidation,
	} {
		_, err := canonical([]byte(body))
		assert.ErrorIs(t, err, want, "%.60s", body)
	}
}

func TestCanonicalIsOneForm(t *testing.T) {
	t.Parallel()
	a, err := canonical([]byte("  { \"b\" : [1, {\"y\":2,\"x\":\"\\u0041\"} , [] ],\n\"a\":null, \"s\":\"\\ud83d\\ude00\\\\ud800\" }  "))
	require.NoError(t, err)
	b, err := canonical([]byte(`{"a":null,"b":[1,{"x":"A","y":2},[]],"s":"😀\\ud800"}`))
	require.NoError(t, err)
	assert.Equal(t, string(a), string(b))
	assert.True(t, json.Valid(a))
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":[1,2.5e3,{"b":"\u00e9"}]}`, `{"a":{"a":{}},"b":[[]]}`, `{"A":1,"a":2}`, `[1]`, `{"\ud800":0}`, `{"a":-0}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		out, err := canonical(body)
		if err != nil {
			if _, ok := fault.From(err); !ok {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		var was, is map[string]any
		for data, v := range map[*map[string]any][]byte{&was: body, &is: out} {
			d := json.NewDecoder(bytes.NewReader(v))
			d.UseNumber()
			if err := d.Decode(data); err != nil {
				t.Fatalf("%q became %q: %v", body, out, err)
			}
		}
		a, _ := json.Marshal(was)
		b, _ := json.Marshal(is)
		if !bytes.Equal(a, b) {
			t.Fatalf("%q lost its meaning as %q", body, out)
		}
		again, err := canonical(out)
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%q is not stable: %q %v", out, again, err)
		}
	})
}

func TestNoticesMaySpellAKeyTwoWays(t *testing.T) {
	t.Parallel()
	if err := readable([]byte(`{"requestId":"1","requestID":"1"}`)); err != nil {
		t.Errorf("Request Network sends both spellings: %v", err)
	}
	if err := readable([]byte(`{"requestId":"1","requestId":"2"}`)); err == nil {
		t.Error("one key twice is no notice")
	}
}
