package siwe_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"holdfast/domain/fault"
	"holdfast/domain/siwe"
)

type vector struct {
	Note, Message, Now, Error, ExpectNonce string
	Valid                                  bool
}

// The vectors' signatures are checked beside the key that made them: adapters/evm.
func vectors(t testing.TB) (all []vector) {
	t.Helper()
	raw, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &all))
	require.NotEmpty(t, all)
	return all
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		m, err := siwe.Parse(v.Message)
		require.NoError(t, err, v.Note)
		assert.Equal(t, v.Message, m.String())
		now, err := time.Parse(time.RFC3339, v.Now)
		require.NoError(t, err)
		w := siwe.Wanted{Origin: "https://" + m.Domain, Statement: m.Statement, Nonce: m.Nonce, MaxAge: time.Hour}
		if v.ExpectNonce != "" {
			w.Nonce = v.ExpectNonce
		}
		err = m.Check(w, now)
		assert.Equal(t, v.Valid, err == nil, "%s %s: %v", v.Note, v.Error, err)
	}
}

var issued = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func good() siwe.Message {
	return siwe.Message{
		Scheme: "https", Domain: "shop.example", Address: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", Statement: "Sign in to Holdfast.",
		URI: "https://shop.example/login", ChainID: 56, Nonce: "abcdefgh12345678", IssuedAt: siwe.InstantOf(issued), Expires: siwe.InstantOf(issued.Add(10 * time.Minute)),
	}
}

func wanted() siwe.Wanted {
	return siwe.Wanted{
		Origin: "https://shop.example", Statement: "Sign in to Holdfast.", Nonce: "abcdefgh12345678", MaxAge: 10 * time.Minute,
		Chains: func(id uint64) bool { return id == 56 },
	}
}

func TestAMessageCountsWhereAndWhenItWasAskedFor(t *testing.T) {
	t.Parallel()
	now := issued.Add(time.Minute)
	require.NoError(t, good().Check(wanted(), now))
	for name, change := range map[string]func(*siwe.Message){
		"another site":                func(m *siwe.Message) { m.Domain = "evil.example" },
		"a site with ours at its end": func(m *siwe.Message) { m.Domain = "shop.example.evil.example" },
		"another port":                func(m *siwe.Message) { m.Domain = "shop.example:8443" },
		"another scheme":              func(m *siwe.Message) { m.Scheme = "http" },
		"another site's URI":          func(m *siwe.Message) { m.URI = "https://evil.example/login" },
		"a URI with a user":           func(m *siwe.Message) { m.URI = "https://shop.example@evil.example/" },
		"a user at our site":          func(m *siwe.Message) { m.URI = "https://evil@shop.example/" },
		"a URI by http":               func(m *siwe.Message) { m.URI = "http://shop.example/login" },
		"another nonce":               func(m *siwe.Message) { m.Nonce = "abcdefgh12345679" },
		"another statement":           func(m *siwe.Message) { m.Statement = "Link this wallet." },
		"no statement":                func(m *siwe.Message) { m.Statement = "" },
		"another chain":               func(m *siwe.Message) { m.ChainID = 1 },
		"from the future":             func(m *siwe.Message) { m.IssuedAt = siwe.InstantOf(now.Add(2 * time.Minute)) },
		"too old": func(m *siwe.Message) {
			m.IssuedAt = siwe.InstantOf(now.Add(-10 * time.Minute))
			m.Expires = siwe.Instant{}
		},
		"expired": func(m *siwe.Message) { m.Expires = siwe.InstantOf(now) },
		"not yet": func(m *siwe.Message) { m.NotBefore = siwe.InstantOf(now.Add(time.Second)) },
	} {
		m := good()
		change(&m)
		f, ok := fault.From(m.Check(wanted(), now))
		if assert.True(t, ok, name) {
			assert.Equal(t, "PROOF_INVALID", f.Code, name)
		}
	}
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	t.Parallel()
	text := good().String()
	for name, bad := range map[string]string{
		"empty":                  "",
		"no address":             strings.Replace(text, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266\n", "", 1),
		"short address":          strings.Replace(text, "0xf39F", "0x39F", 1),
		"no empty line":          strings.Replace(text, "\n\n", "\n", 1),
		"statement of two lines": strings.Replace(text, "Sign in", "Sign\nin", 1),
		"version 2":              strings.Replace(text, "Version: 1", "Version: 2", 1),
		"chain 0":                strings.Replace(text, "Chain ID: 56", "Chain ID: 0", 1),
		"chain 056":              strings.Replace(text, "Chain ID: 56", "Chain ID: 056", 1),
		"chain above 2^63":       strings.Replace(text, "Chain ID: 56", "Chain ID: 99999999999999999999", 1),
		"short nonce":            strings.Replace(text, "abcdefgh12345678", "abcdefg", 1),
		"nonce with a dash":      strings.Replace(text, "abcdefgh12345678", "abcdefgh-12345678", 1),
		"no time":                strings.Replace(text, "Issued At: 2026", "Issued At: soon", 1),
		"the 30th of February":   strings.Replace(text, "Issued At: 2026-11-26", "Issued At: 2026-02-30", 1),
		"time with a comma":      strings.Replace(text, "12:00:00Z", "12:00:00,5Z", 1),
		"CRLF":                   strings.ReplaceAll(text, "\n", "\r\n"),
		"something behind":       text + "\nand more",
		"a line feed behind":     text + "\n",
		"a space before":         " " + text,
		"order of fields":        text + "\nNot Before: 2026-11-26T12:00:00Z\nExpiration Time: 2026-11-26T12:00:00Z",
		"a field twice":          text + "\nExpiration Time: 2026-11-26T12:00:00Z",
		"an empty field":         text + "\nRequest ID: ",
		"no resources":           text + "\nResources:",
		"resource that is none":  text + "\nResources:\n- not a URI",
		"relative URI":           strings.Replace(text, "https://shop.example/login", "/login", 1),
		"markup":                 strings.Replace(text, "Sign in", "<b>Sign in", 1),
		"NUL":                    strings.Replace(text, "Sign in", "Sign\x00in", 1),
		"too long":               text + "\nResources:" + strings.Repeat("\n- https://shop.example/"+strings.Repeat("x", 300), 20),
		"too many resources":     text + "\nResources:" + strings.Repeat("\n- https://a.example", 21),
	} {
		_, err := siwe.Parse(bad)
		f, ok := fault.From(err)
		if assert.True(t, ok, "%s: taken", name) {
			assert.Equal(t, "PROOF_INVALID", f.Code)
		}
	}
}

func TestWhatIsWrittenCanBeRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := siwe.Message{
			Scheme: rapid.SampledFrom([]string{"", "https", "http"}).Draw(t, "scheme"), Domain: rapid.StringMatching(`[a-z0-9]{1,20}(\.[a-z]{2,5})?(:[1-9][0-9]{1,3})?`).Draw(t, "domain"),
			Address: "0x" + rapid.StringMatching(`[0-9a-fA-F]{40}`).Draw(t, "address"), Statement: rapid.StringMatching(`([A-Za-z0-9 .,:!?/]{1,80})?`).Draw(t, "statement"),
			URI: "https://" + rapid.StringMatching(`[a-z]{1,10}\.example(/[a-z]{0,5})?`).Draw(t, "uri"), ChainID: rapid.Uint64Range(1, 1<<62).Draw(t, "chain"),
			Nonce: rapid.StringMatching(`[A-Za-z0-9]{8,40}`).Draw(t, "nonce"), IssuedAt: siwe.InstantOf(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "issued"), 0)),
			RequestID: rapid.StringMatching(`([a-z0-9-]{1,20})?`).Draw(t, "request"),
		}
		if rapid.Bool().Draw(t, "expires") {
			m.Expires = siwe.InstantOf(m.IssuedAt.At.Add(time.Hour))
		}
		for range rapid.IntRange(0, 3).Draw(t, "resources") {
			m.Resources = append(m.Resources, "https://a.example/"+rapid.StringMatching(`[a-z]{0,8}`).Draw(t, "resource"))
		}
		back, err := siwe.Parse(m.String())
		require.NoError(t, err)
		require.Equal(t, m, back)
	})
}

func FuzzParse(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Message)
	}
	f.Add(good().String())
	f.Fuzz(func(t *testing.T, text string) {
		m, err := siwe.Parse(text)
		if err != nil {
			if _, ok := fault.From(err); !ok {
				t.Fatalf("a refusal without a code: %v", err)
			}
			return
		}
		if m.String() != text {
			t.Fatalf("%q is another spelling of %q", text, m.String())
		}
	})
}
