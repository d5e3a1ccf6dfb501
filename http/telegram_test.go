package http_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/adapters/telegram"
	"holdfast/adapters/telegram/telegramdouble"
	"holdfast/domain"
	apihttp "holdfast/http"
)

const (
	botToken     = "123456789:AAExampleTokenForVectorsOnly_0123456789ab"
	botSecret    = "s3cret_word"
	telegramPath = "/api/telegram"
	ana          = int64(5000000001)
	bob          = int64(7000000000000)
)

type telegramProofs struct{ *telegram.Verifier }

func telegramProof(p telegram.Proof, err error) (apihttp.TelegramProof, error) {
	return apihttp.TelegramProof{
		User: apihttp.TelegramUser{ID: p.User.ID, FirstName: p.User.FirstName, Username: p.User.Username}, AuthDate: p.AuthDate, StartParam: p.StartParam, Key: p.Key[:],
	}, err
}

func (p telegramProofs) InitData(text string, maxAge time.Duration, now time.Time) (apihttp.TelegramProof, error) {
	return telegramProof(p.Verifier.InitData(text, maxAge, now))
}

func (p telegramProofs) Widget(object []byte, maxAge time.Duration, now time.Time) (apihttp.TelegramProof, error) {
	return telegramProof(p.Verifier.Widget(object, maxAge, now))
}

type telegramBot struct{ *telegram.Bot }

func (b telegramBot) Name(ctx context.Context) (string, error) {
	me, err := b.Me(ctx)
	return me.Username, err
}

func (telegramBot) Accepts(secret string) bool { return telegram.Secret(botSecret).Is(secret) }

func (b telegramBot) SetWebhook(ctx context.Context, url string) error {
	return b.Bot.SetWebhook(ctx, url, botSecret)
}

func (b telegramBot) WebhookInfo(ctx context.Context) (apihttp.TelegramWebhook, error) {
	w, err := b.Bot.WebhookInfo(ctx)
	return apihttp.TelegramWebhook{URL: w.URL, Pending: w.Pending}, err
}

func (telegramBot) UpdateID(body []byte) (int64, error) {
	u, err := telegram.ParseUpdate(body)
	return u.ID, err
}

type recordChats struct{ *records.Telegram }

func (c recordChats) ChatOf(ctx context.Context, u domain.UserID) (apihttp.TelegramChat, bool, error) {
	r, ok, err := c.Telegram.ChatOf(ctx, u)
	return apihttp.TelegramChat(r), ok, err
}

func (c recordChats) Queue(ctx context.Context, m apihttp.TelegramMessage) error {
	return c.Telegram.Queue(ctx, records.TelegramMessage{ID: m.ID, User: m.User, Chat: m.Chat, Text: m.Text})
}

// telegramWorld is a world with a double of Telegram beside it.
func telegramWorld(t *testing.T) (*world, *telegramdouble.Server) {
	t.Helper()
	double, err := telegramdouble.Start(botToken, "shop_bot")
	require.NoError(t, err)
	t.Cleanup(func() { _ = double.Close() })
	w := setup(t, withRecords, func(w *world) {
		v, err := telegram.NewVerifier(botToken, 0, "")
		require.NoError(t, err)
		w.deps.SignIn.Telegram, w.deps.SignIn.Chats = telegramProofs{v}, recordChats{w.records.Telegram}
		w.deps.SignIn.Bot = telegramBot{telegram.NewBot(double.URL(), botToken, 2*time.Second)}
	})
	double.SetWebhook(w.http.URL+telegramPath+"/webhook", botSecret)
	return w, double
}

func initData(d *telegramdouble.Server, user int64, name string) map[string]any {
	return map[string]any{"initData": d.InitData(user, name, time.Now())}
}

func TestAPersonSignsInWithTelegram(t *testing.T) {
	t.Parallel()
	w, d := telegramWorld(t)
	buyer := w.person("buyer")
	w.untouched(func() {
		a := w.anybody().post(telegramPath+"/session", initData(d, ana, "Ana"))
		assert.Equal(t, 403, a.status, string(a.raw))
		assert.Equal(t, "LINK_REQUIRED", a.code)
		v := w.anybody().post(telegramPath+"/verify", initData(d, ana, "Ana"))
		require.Equal(t, 200, v.status, string(v.raw))
		assert.Equal(t, "true", v.text("valid"))
		assert.Equal(t, "Ana", v.text("user.firstName"))
		assert.Empty(t, v.text("accessToken"))
		assert.Equal(t, "false", buyer.get(telegramPath+"/link").text("linked"))
		assert.Equal(t, "NOT_LINKED", buyer.send("DELETE", telegramPath+"/unlink", nil).code)
		assert.Equal(t, "NOT_LINKED", buyer.get(telegramPath+"/preferences").code)
	})
	aged := func(by string) {
		_, err := w.pool.Exec(t.Context(), `UPDATE sessions SET created_at = clock_timestamp() - $1::text::interval`, by)
		require.NoError(t, err)
	}
	aged("1 hour")
	w.untouched(func() {
		require.Eventually(t, func() bool {
			return buyer.post(telegramPath+"/link", initData(d, ana, "Ana")).code == "REAUTH_REQUIRED"
		}, 5*time.Second, 10*time.Millisecond, "a stolen token opens no door that stays")
	})
	aged("0")
	before := w.events()
	var linked answer
	require.Eventually(t, func() bool {
		linked = buyer.post(telegramPath+"/link", initData(d, ana, "Ana"))
		return linked.code != "REAUTH_REQUIRED"
	}, 5*time.Second, 10*time.Millisecond)
	require.Equal(t, 200, linked.status, string(linked.raw))
	assert.Equal(t, before+1, w.events())
	assert.Equal(t, "@u5000000001", buyer.get(telegramPath+"/link").text("name"))
	w.untouched(func() {
		for _, path := range []string{telegramPath + "/session", "/api/auth/telegram"} {
			a := w.anybody().post(path, initData(d, ana, "Ana"))
			require.Equal(t, 200, a.status, string(a.raw))
			assert.Equal(t, string(buyer.id), a.text("user.id"))
		}
		byWidget := w.anybody().post(telegramPath+"/session", map[string]any{"widget": d.Widget(ana, "Ana", time.Now())})
		require.Equal(t, 200, byWidget.status, string(byWidget.raw))
		once := initData(d, ana, "Ana")
		require.Equal(t, 200, w.anybody().post(telegramPath+"/session", once).status)
		twice := w.anybody().post(telegramPath+"/session", once)
		assert.Equal(t, 401, twice.status)
		assert.Equal(t, "TELEGRAM_STALE", twice.code, "what was shown is not shown again")
		assert.Equal(t, 200, buyer.post(telegramPath+"/link", initData(d, ana, "Ana")).status, "a repeat changes nothing")
		require.Equal(t, 200, buyer.send("PATCH", telegramPath+"/preferences", map[string]any{"notifications": false}).status)
		assert.Equal(t, "false", buyer.get(telegramPath+"/preferences").text("notifications"))
	})
	require.Equal(t, 200, buyer.send("DELETE", telegramPath+"/unlink", nil).status)
	assert.Equal(t, "LINK_REQUIRED", w.anybody().post(telegramPath+"/session", initData(d, ana, "Ana")).code)
	require.Equal(t, 200, w.person("seller").post(telegramPath+"/link", initData(d, ana, "Ana")).status, "it is free again")
	require.Equal(t, 200, w.person("seller").post(telegramPath+"/unlink", nil).status, "POST, as old clients do")
}

func TestTelegramDataThatDoesNotCount(t *testing.T) {
	t.Parallel()
	w, d := telegramWorld(t)
	buyer := w.person("buyer")
	require.Equal(t, 200, buyer.post(telegramPath+"/link", initData(d, ana, "Ana")).status)
	good := d.InitData(ana, "Ana", time.Now())
	w.untouched(func() {
		for name, test := range map[string]struct{ data, code string }{
			"too old":         {d.InitData(ana, "Ana", time.Now().Add(-61*time.Minute)), "TELEGRAM_STALE"},
			"from the future": {d.InitData(ana, "Ana", time.Now().Add(5*time.Minute)), "TELEGRAM_STALE"},
			"another user":    {strings.Replace(good, "5000000001", "5000000002", 1), "TELEGRAM_SIGNATURE_INVALID"},
			"a field twice":   {good + "&user=%7B%22id%22%3A1%7D", "TELEGRAM_SIGNATURE_INVALID"},
			"no hash":         {"user=%7B%22id%22%3A1%7D&auth_date=1733584787", "TELEGRAM_SIGNATURE_INVALID"},
			"words":           {"hello", "TELEGRAM_SIGNATURE_INVALID"},
		} {
			for _, path := range []string{"/session", "/link", "/verify"} {
				if path == "/verify" && name == "too old" {
					continue // it is shown to nobody: a day
				}
				a := buyer.post(telegramPath+path, map[string]any{"initData": test.data})
				assert.Equal(t, 401, a.status, "%s %s: %s", path, name, a.raw)
				assert.Equal(t, test.code, a.code, "%s %s", path, name)
			}
		}
		widget := d.Widget(ana, "Ana", time.Now())
		widget["id"] = ana + 1
		assert.Equal(t, "TELEGRAM_SIGNATURE_INVALID", w.anybody().post(telegramPath+"/session", map[string]any{"widget": widget}).code)
		for _, body := range []any{map[string]any{}, map[string]any{"initData": good, "widget": d.Widget(ana, "Ana", time.Now())}, map[string]any{"initData": 5}, map[string]any{"widget": "x"}, "[]"} {
			assert.Equal(t, 400, w.anybody().post(telegramPath+"/session", body).status, "%v", body)
		}
	})
}

// Row 143 of faults.md: a Telegram id that belongs to another user; a code twice, expired, of another
// user.
func TestTelegramIsLinkedToOnePerson(t *testing.T) {
	t.Parallel()
	w, d := telegramWorld(t)
	buyer, seller := w.person("buyer"), w.person("seller")
	require.Equal(t, 200, buyer.post(telegramPath+"/link", initData(d, ana, "Ana")).status)
	offer := func(code string, id int64) {
		t.Helper()
		raw, err := json.Marshal(map[string]any{"id": id, "name": "x"})
		require.NoError(t, err)
		require.NoError(t, w.records.Challenges.Keep(t.Context(), apihttp.TelegramCode, code, records.Challenge{Data: raw}, 10*time.Minute))
	}
	offer("AAAAAAAA", bob)
	offer("BBBBBBBB", ana)
	offer("CCCCCCCC", bob)
	link := func(c *client, code string) answer {
		return c.post(telegramPath+"/link", map[string]any{"code": code})
	}
	w.untouched(func() {
		a := seller.post(telegramPath+"/link", initData(d, ana, "Ana"))
		assert.Equal(t, 409, a.status, string(a.raw))
		assert.Equal(t, "TELEGRAM_ALREADY_LINKED", a.code)
		b := buyer.post(telegramPath+"/link", initData(d, bob, "Bob"))
		assert.Equal(t, 409, b.status, "one Telegram account a person")
		assert.Equal(t, "TELEGRAM_ALREADY_LINKED", b.code)
		assert.Equal(t, "TELEGRAM_ALREADY_LINKED", link(seller, "BBBBBBBB").code, "by a code, too")
		started := seller.post(telegramPath+"/link/start", nil)
		require.Equal(t, 200, started.status, string(started.raw))
		assert.Equal(t, "https://t.me/shop_bot?start=link_"+started.text("code"), started.text("deepLink"))
		assert.LessOrEqual(t, len("link_"+started.text("code")), 64, "what Telegram takes in a deep link")
		for name, code := range map[string]string{"invented": "ZZZZZZZZ", "used": "BBBBBBBB", "for the bot": started.text("code")} {
			c := link(buyer, code)
			assert.Equal(t, 400, c.status, name)
			assert.Equal(t, "INVALID_LINK_CODE", c.code, name)
		}
		_, err := w.pool.Exec(t.Context(), `UPDATE signin_challenges SET expires_at = clock_timestamp() WHERE used_at IS NULL AND data->>'id' = $1 AND secret = sha256('CCCCCCCC'::bytea)`, "7000000000000")
		require.NoError(t, err)
		assert.Equal(t, "INVALID_LINK_CODE", link(seller, "CCCCCCCC").code, "expired")
		assert.Equal(t, 400, buyer.post(telegramPath+"/link", map[string]any{"code": "AAAAAAAA", "initData": "x"}).status)
	})
	linked := link(seller, " aaaaaaaa ")
	require.Equal(t, 200, linked.status, string(linked.raw))
	assert.Equal(t, "reachable", linked.text("reach"), "the bot gave the code, so it reaches them")
	assert.Equal(t, string(seller.id), w.anybody().post(telegramPath+"/session", initData(d, bob, "Bob")).text("user.id"))
}

// Rows 140 and 142 of faults.md.
func TestTheBotsWebhook(t *testing.T) {
	t.Parallel()
	w, d := telegramWorld(t)
	post := func(body, secret string) answer {
		return w.anybody().post(telegramPath+"/webhook", body, header("X-Telegram-Bot-Api-Secret-Token", secret))
	}
	stored := func() (n int) {
		t.Helper()
		require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM telegram_updates`).Scan(&n))
		return n
	}
	w.untouched(func() {
		for _, wrong := range []string{"", "s3cret_wor", "s3cret_word_and_more", "S3CRET_WORD"} {
			a := post(`{"update_id":1}`, wrong)
			assert.Equal(t, 401, a.status, wrong)
			assert.Equal(t, "INVALID_SIGNATURE", a.code)
		}
		assert.Equal(t, 401, w.anybody().post(telegramPath+"/webhook", `{"update_id":1}`).status, "no secret at all")
		assert.Equal(t, 401, w.anybody().post(telegramPath+"/webhook", `broken`, header("X-Telegram-Bot-Api-Secret-Token", "x")).status, "nothing is read before the secret is right")
		assert.Zero(t, stored())
		for _, bad := range []string{"", "null", "[]", `{"update_id":"x"}`, `{}`} {
			assert.Equal(t, 400, post(bad, botSecret).status, "%q", bad)
		}
		for _, update := range []string{`{"update_id":9}`, `{"update_id":9}`, `{"update_id":7,"message":{"text":"older"}}`, `{"update_id":10,"some_future_update_kind":{"x":1}}`} {
			assert.Equal(t, 200, post(update, botSecret).status, update)
		}
		assert.Equal(t, 3, stored(), "an update is kept once")
		assert.Equal(t, 405, w.anybody().get(telegramPath+"/webhook").status)
	})
	admin := w.person("admin")
	assert.Equal(t, 400, admin.post(telegramPath+"/webhook/set", map[string]any{"url": "http://api.example/api/telegram/webhook"}).status, "not without TLS")
	set := admin.post(telegramPath+"/webhook/set", map[string]any{"url": "https://api.example/api/telegram/webhook"})
	require.Equal(t, 200, set.status, string(set.raw))
	assert.Equal(t, "https://api.example/api/telegram/webhook", admin.get(telegramPath+"/webhook/info").text("url"))
	assert.Equal(t, 404, admin.post(telegramPath+"/test", nil).status, "the admin is not linked")
	require.Equal(t, 200, admin.post(telegramPath+"/link", initData(d, ana, "Ana")).status)
	assert.Equal(t, 202, admin.post(telegramPath+"/test", nil).status)
	d.Behave(func(h *telegramdouble.Behaviour) { h.Revoked = true })
	a := admin.get(telegramPath + "/webhook/info")
	assert.Equal(t, 502, a.status)
	assert.Equal(t, "TELEGRAM_UNAUTHORIZED", a.code)
}
