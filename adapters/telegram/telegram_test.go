package telegram_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/telegram"
	"holdfast/domain/fault"
)

const exampleToken = "123456789:AAExampleTokenForVectorsOnly_0123456789ab"

type initCase struct {
	Name, InitData, BotToken, PublicKey string
	BotID                               int64
	Valid                               *bool
	AuthDate, UserID                    int64
	Now, MaxAgeSeconds                  int64
}

type vectors struct {
	MiniAppHash    struct{ Cases []initCase }
	MiniAppEd25519 struct{ Cases []initCase }
	MiniAppExpiry  []initCase
	LoginWidget    struct {
		Cases []struct {
			BotToken, Hash string
			Fields         map[string]string
			Valid          bool
		}
	}
	Webhook struct{ Updates []json.RawMessage }
}

// load reads the project's own vectors, and the public ones where they are at hand.
func load(t testing.TB) (all []vectors) {
	t.Helper()
	for _, path := range []string{"testdata/telegram-own.json", "../../../shared/data/telegram.json"} {
		raw, err := os.ReadFile(filepath.FromSlash(path))
		if os.IsNotExist(err) && !strings.HasPrefix(path, "testdata") {
			t.Log("the public vectors are not beside this tree")
			continue
		}
		require.NoError(t, err)
		var v vectors
		require.NoError(t, json.Unmarshal(raw, &v))
		require.NotEmpty(t, v.MiniAppHash.Cases)
		all = append(all, v)
	}
	return all
}

const ever = 100 * 365 * 24 * time.Hour

func verifier(t testing.TB, token string, bot int64, key string) *telegram.Verifier {
	t.Helper()
	v, err := telegram.NewVerifier(token, bot, key)
	require.NoError(t, err)
	return v
}

func refused(t *testing.T, err error, code, name string) {
	t.Helper()
	f, ok := fault.From(err)
	if assert.True(t, ok, "%s: %v", name, err) {
		assert.Equal(t, code, f.Code, name)
	}
}

func TestInitDataVectors(t *testing.T) {
	t.Parallel()
	for _, all := range load(t) {
		for _, c := range all.MiniAppHash.Cases {
			p, err := verifier(t, c.BotToken, 0, "").InitData(c.InitData, ever, time.Now())
			if c.Valid == nil { // upper-case hash: Telegram writes lower case, so it is another text
				refused(t, err, "TELEGRAM_SIGNATURE_INVALID", c.Name)
				continue
			}
			require.Equal(t, *c.Valid, err == nil, "%s: %v", c.Name, err)
			if *c.Valid {
				assert.Equal(t, c.UserID, p.User.ID, c.Name)
				assert.Equal(t, c.AuthDate, p.AuthDate.Unix(), c.Name)
			}
		}
		for _, c := range all.MiniAppEd25519.Cases {
			_, err := verifier(t, "", c.BotID, c.PublicKey).InitData(c.InitData, ever, time.Now())
			assert.Equal(t, c.Valid != nil && *c.Valid, err == nil, "%s: %v", c.Name, err)
		}
		for _, c := range all.MiniAppExpiry {
			_, err := verifier(t, c.BotToken, 0, "").InitData(c.InitData, time.Duration(c.MaxAgeSeconds)*time.Second, time.Unix(c.Now, 0))
			// Ten minutes in the future is left to us: more than a clock may be off.
			assert.Equal(t, c.Valid != nil && *c.Valid, err == nil, "%d: %v", c.Now, err)
		}
		for _, c := range all.LoginWidget.Cases {
			fields := map[string]any{"hash": c.Hash}
			for k, v := range c.Fields {
				fields[k] = v
			}
			fields["id"] = json.Number(c.Fields["id"])
			fields["auth_date"] = json.Number(c.Fields["auth_date"])
			raw, err := json.Marshal(fields)
			require.NoError(t, err)
			_, err = verifier(t, c.BotToken, 0, "").Widget(raw, ever, time.Now())
			assert.Equal(t, c.Valid, err == nil, "%s: %v", raw, err)
		}
	}
}

func TestAProofIsKnownByItsContent(t *testing.T) {
	t.Parallel()
	c := load(t)[0].MiniAppHash.Cases[0]
	v := verifier(t, c.BotToken, 0, "")
	one, err := v.InitData(c.InitData, ever, time.Now())
	require.NoError(t, err)
	parts := strings.Split(c.InitData, "&")
	parts[0], parts[1] = parts[1], parts[0]
	two, err := v.InitData(strings.Join(parts, "&"), ever, time.Now())
	require.NoError(t, err, "the order of the fields is not signed")
	assert.Equal(t, one.Key, two.Key, "and does not make another proof")
	own := load(t)[0].MiniAppEd25519.Cases[0]
	e := verifier(t, "", own.BotID, own.PublicKey)
	one, err = e.InitData(own.InitData, ever, time.Now())
	require.NoError(t, err)
	two, err = e.InitData(strings.Replace(own.InitData, "hash=00", "hash=11", 1), ever, time.Now())
	require.NoError(t, err, "the hash is not signed")
	assert.Equal(t, one.Key, two.Key, "and does not make another proof")
}

func TestAProofHasItsTime(t *testing.T) {
	t.Parallel()
	c := load(t)[0].MiniAppHash.Cases[0]
	v, at := verifier(t, c.BotToken, 0, ""), time.Unix(c.AuthDate, 0)
	for name, test := range map[string]struct {
		now  time.Time
		code string
	}{
		"at once": {at, ""}, "at the end": {at.Add(time.Hour), ""}, "too late": {at.Add(time.Hour + time.Second), "TELEGRAM_STALE"},
		"a clock ahead": {at.Add(-time.Minute), ""}, "the future": {at.Add(-61 * time.Second), "TELEGRAM_STALE"},
	} {
		_, err := v.InitData(c.InitData, time.Hour, test.now)
		if test.code == "" {
			assert.NoError(t, err, name)
			continue
		}
		refused(t, err, test.code, name)
	}
}

// signedFor makes data for a bot whose public key is a test's own.
func signedFor(t *testing.T, fields url.Values) (*telegram.Verifier, string) {
	t.Helper()
	own := load(t)[0].MiniAppEd25519.Cases[0]
	seed, err := hex.DecodeString(strings.Repeat("07", 32))
	require.NoError(t, err)
	var lines []string
	for _, k := range []string{"auth_date", "start_param", "user"} {
		if fields.Has(k) {
			lines = append(lines, k+"="+fields.Get(k))
		}
	}
	sig := ed25519.Sign(ed25519.NewKeyFromSeed(seed), []byte("123456789:WebAppData\n"+strings.Join(lines, "\n")))
	return verifier(t, "", own.BotID, own.PublicKey), fields.Encode() + "&signature=" + base64.RawURLEncoding.EncodeToString(sig)
}

func TestSignedDataThatNamesNobodyOrNoTime(t *testing.T) {
	t.Parallel()
	for name, fields := range map[string]url.Values{
		"nobody":          {"auth_date": {"1733584787"}},
		"not JSON":        {"auth_date": {"1733584787"}, "user": {"ana"}},
		"id 0":            {"auth_date": {"1733584787"}, "user": {`{"id":0}`}},
		"a fraction":      {"auth_date": {"1733584787"}, "user": {`{"id":1.5}`}},
		"a bot":           {"auth_date": {"1733584787"}, "user": {`{"id":7,"is_bot":true}`}},
		"no time":         {"user": {`{"id":7}`}},
		"a time of words": {"auth_date": {"today"}, "user": {`{"id":7}`}},
		"a negative time": {"auth_date": {"-1"}, "user": {`{"id":7}`}},
		"a padded time":   {"auth_date": {"01733584787"}, "user": {`{"id":7}`}},
	} {
		v, data := signedFor(t, fields)
		_, err := v.InitData(data, ever, time.Now())
		refused(t, err, "TELEGRAM_SIGNATURE_INVALID", name)
	}
	v, data := signedFor(t, url.Values{"auth_date": {"1733584787"}, "user": {`{"id":7}`}, "start_param": {"order_42"}})
	p, err := v.InitData(data, ever, time.Now())
	require.NoError(t, err)
	assert.Equal(t, "order_42", p.StartParam)
	_, err = v.Widget([]byte(`{}`), ever, time.Now())
	refused(t, err, "TELEGRAM_SIGNATURE_INVALID", "a widget without the token")
	_, err = verifier(t, "", 987654321, "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c").InitData(data, ever, time.Now())
	refused(t, err, "TELEGRAM_SIGNATURE_INVALID", "another bot")
	_, err = verifier(t, "", 123456789, "").InitData(data, ever, time.Now())
	refused(t, err, "TELEGRAM_SIGNATURE_INVALID", "another key")
	_, err = telegram.NewVerifier("", 1, "abc")
	assert.Error(t, err)
}

func TestWidgetsThatAreNone(t *testing.T) {
	t.Parallel()
	v := verifier(t, exampleToken, 0, "")
	for _, bad := range []string{
		"", "null", "[]", `"x"`, `{"id":{}}`, `{"id":[1]}`, `{"id":null}`, `{"id":true}`, `{"id":1,"id":2}`, `{"id":1}{}`, `{"id":1`, `{"id":1}]`,
		`{"hash":"` + strings.Repeat("0", 9000) + `"}`,
	} {
		_, err := v.Widget([]byte(bad), ever, time.Now())
		refused(t, err, "TELEGRAM_SIGNATURE_INVALID", bad[:min(len(bad), 40)])
	}
}

func FuzzInitData(f *testing.F) {
	for _, all := range load(f) {
		for _, c := range all.MiniAppHash.Cases {
			f.Add(c.InitData)
		}
		for _, c := range all.MiniAppEd25519.Cases {
			f.Add(c.InitData)
		}
	}
	v, e := verifier(f, exampleToken, 0, ""), verifier(f, "", 123456789, "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c")
	f.Fuzz(func(t *testing.T, text string) {
		for _, v := range []*telegram.Verifier{v, e} {
			p, err := v.InitData(text, ever, time.Now())
			if err == nil {
				if p.User.ID <= 0 {
					t.Fatalf("%q signs nobody in", text)
				}
				if _, err := url.ParseQuery(text); err != nil {
					t.Fatalf("%q is no query: %v", text, err)
				}
				continue
			}
			if _, ok := fault.From(err); !ok {
				t.Fatalf("a refusal without a code: %v", err)
			}
		}
	})
}

func FuzzUpdate(f *testing.F) {
	for _, all := range load(f) {
		for _, u := range all.Webhook.Updates {
			f.Add([]byte(u))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if u, err := telegram.ParseUpdate(body); err == nil {
			_, _, _ = u.Command("shop_bot")
		}
	})
}
