package wire

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/telegram"
	"holdfast/adapters/telegram/telegramdouble"
)

const (
	ana = int64(5000000001)
	bob = int64(7000000000000)
)

// bots is the whole service with its double of Telegram.
func bots(t *testing.T) (*town, *telegramdouble.Server) {
	t.Helper()
	w := settle(t, nil)
	d := w.TelegramDouble
	d.SetWebhook(w.front+botWebhookPath, "development")
	return w, d
}

// says has a person write to the bot, and gives what it answers.
func says(t *testing.T, d *telegramdouble.Server, id int64, name, text string) string {
	t.Helper()
	before := len(d.Sent(id))
	status, err := d.Say(t.Context(), id, name, text)
	require.NoError(t, err)
	require.Equal(t, 200, status)
	require.Eventually(t, func() bool { return len(d.Sent(id)) > before }, 20*time.Second, 20*time.Millisecond, "no answer to %q", text)
	return d.Sent(id)[before].Text
}

// tapped is the command in what the bot has asked.
func tapped(t *testing.T, asked string) string {
	t.Helper()
	found := regexp.MustCompile(`/confirm_[a-z0-9]{16}`).FindString(asked)
	require.NotEmpty(t, found, "%q", asked)
	return found
}

func (w *town) query(sql string, args ...any) (text string) {
	w.t.Helper()
	require.NoError(w.t, w.Core.HTTP.QueryRow(w.t.Context(), sql, args...).Scan(&text))
	return text
}

func TestTheBotLinksBothWays(t *testing.T) {
	t.Parallel()
	w, d := bots(t)
	buyer, seller := w.as("buyer"), w.as("seller")
	assert.Contains(t, says(t, d, ana, "Ana <b>", "/start"), "Hello @u5000000001")
	assert.Equal(t, "Not linked. Write /link to get a code.", says(t, d, ana, "Ana", "/status"))

	// The site's code, brought to the bot.
	started := buyer.post("/api/telegram/link/start", nil)
	require.Equal(t, 200, started.status, started.raw)
	_, parameter, ok := strings.Cut(started.field("deepLink"), "?start=")
	require.True(t, ok)
	before := w.head()
	asked := says(t, d, ana, "Ana", "/start "+parameter)
	assert.Contains(t, asked, "the account b…@holdfast.test of ", "it says whose account it would be")
	assert.NotContains(t, asked, "buyer@", "to somebody who may be a stranger")
	assert.Equal(t, before, w.head(), "a tap on a link links nothing")
	assert.Equal(t, "false", buyer.get("/api/telegram/link").field("linked"))
	agree := tapped(t, asked)
	assert.Contains(t, says(t, d, bob, "Bob", agree), "not one that waits", "nobody else can agree")
	assert.Contains(t, says(t, d, ana, "Ana", "/confirm_0000000000000000"), "not one that waits")
	assert.Contains(t, says(t, d, ana, "Ana", agree), "Linked")
	assert.Equal(t, before+1, w.head(), "one fact")
	assert.Contains(t, says(t, d, ana, "Ana", agree), "not one that waits", "once")
	assert.Equal(t, before+1, w.head())
	assert.Equal(t, "1", w.query(`SELECT count(*)::text FROM mails WHERE template = 'method-linked' AND user_id = $1`, buyer.id), "its owner is told")
	assert.Equal(t, "true", buyer.get("/api/telegram/link").field("linked"))
	assert.Equal(t, "reachable", buyer.get("/api/telegram/link").field("reach"))
	assert.Equal(t, "Linked. Notifications are on.", says(t, d, ana, "Ana", "/status"))
	before = w.head()
	assert.Contains(t, says(t, d, bob, "Bob", "/start "+parameter), "not one that waits", "a code counts once")
	other := seller.post("/api/telegram/link/start", nil)
	assert.Contains(t, says(t, d, ana, "Ana", tapped(t, says(t, d, ana, "Ana", "/link "+other.field("code")))), "cannot be linked", "a Telegram account is one person's")
	assert.Equal(t, before, w.head())
	session := w.anybody().post("/api/telegram/session", map[string]any{"initData": d.InitData(ana, "Ana", time.Now())})
	require.Equal(t, 200, session.status, session.raw)
	assert.Equal(t, buyer.id, session.field("user.id"))

	// The bot's code, brought to the site.
	said := says(t, d, bob, "Bob", "/link")
	_, rest, _ := strings.Cut(said, "Your code is ")
	code := rest[:8]
	linked := seller.post("/api/telegram/link", map[string]any{"code": code})
	require.Equal(t, 200, linked.status, linked.raw)
	assert.Equal(t, "INVALID_LINK_CODE", buyer.post("/api/telegram/link", map[string]any{"code": code}).code)
}

func TestAnUpdateHasOneEffectAndIsForgotten(t *testing.T) {
	t.Parallel()
	w, d := bots(t)
	update := func(id int64, chat int64, kind, text string) {
		t.Helper()
		status, err := d.Update(t.Context(), map[string]any{"update_id": id, "message": map[string]any{
			"message_id": 1, "text": text, "from": map[string]any{"id": ana, "first_name": strings.Repeat("<i>x</i>", 700)}, "chat": map[string]any{"id": chat, "type": kind},
		}})
		require.NoError(t, err)
		require.Equal(t, 200, status)
	}
	for range 3 {
		update(9, ana, "private", "/start")
	}
	update(7, ana, "private", "/status")
	update(11, -100123, "supergroup", "/link")
	update(12, -100123, "supergroup", "/start link_something")
	status, err := d.Update(t.Context(), map[string]any{"update_id": 13, "some_future_update_kind": map[string]any{"x": 1}})
	require.NoError(t, err)
	assert.Equal(t, 200, status)
	assert.Eventually(t, func() bool {
		return w.query(`SELECT (count(*) FILTER (WHERE done_at IS NULL))::text FROM telegram_updates`) == "0" && len(d.Sent(ana)) >= 2
	}, 20*time.Second, 50*time.Millisecond)
	time.Sleep(1500 * time.Millisecond) // a second answer would have come by then
	assert.Len(t, d.Sent(ana), 2, "each update once, the older one too")
	assert.Empty(t, d.Sent(-100123), "what is said in a group is not for us")
	assert.LessOrEqual(t, len(d.Sent(ana)[0].Text), 400, "a long name is cut")
	assert.Equal(t, "0", w.query(`SELECT count(*)::text FROM telegram_updates WHERE body IS NOT NULL`), "what people wrote is forgotten")
	assert.Equal(t, "0", w.query(`SELECT count(*)::text FROM telegram_messages WHERE state = 'sent' AND text <> ''`))
}

// Row 145 of faults.md: the bot is blocked (403), limited (429), the chat has moved.
func TestWhoHasBlockedTheBotIsLeftAlone(t *testing.T) {
	t.Parallel()
	w, d := bots(t)
	admin := w.as("admin")
	require.Equal(t, 200, admin.post("/api/telegram/link", map[string]any{"initData": d.InitData(ana, "Ana", time.Now())}).status)
	states := func() string {
		return w.query(`SELECT coalesce(string_agg(state, ',' ORDER BY made_at), '') FROM telegram_messages`)
	}
	ends := func(want string) {
		t.Helper()
		assert.Eventually(t, func() bool { return states() == want }, 20*time.Second, 50*time.Millisecond, "%s", states())
	}
	d.Behave(func(h *telegramdouble.Behaviour) { h.Blocked = map[int64]bool{ana: true} })
	require.Equal(t, 202, admin.post("/api/telegram/test", nil).status)
	ends("undeliverable")
	calls := d.Calls("sendMessage")
	assert.Equal(t, "unreachable", admin.get("/api/telegram/link").field("reach"))
	time.Sleep(1500 * time.Millisecond)
	assert.Equal(t, calls, d.Calls("sendMessage"), "no hot retry")

	d.Behave(func(h *telegramdouble.Behaviour) { h.Blocked, h.Limited, h.RetryAfter, h.HTML = nil, 1, 1, 1 })
	require.Equal(t, 202, admin.post("/api/telegram/test", nil).status)
	ends("undeliverable,sent")
	assert.Equal(t, "reachable", admin.get("/api/telegram/link").field("reach"))

	status, err := d.Member(t.Context(), ana, "kicked")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	assert.Eventually(t, func() bool { return admin.get("/api/telegram/link").field("reach") == "unreachable" }, 10*time.Second, 50*time.Millisecond)

	d.Behave(func(h *telegramdouble.Behaviour) { h.Moved = map[int64]int64{ana: -100777} })
	require.Equal(t, 202, admin.post("/api/telegram/test", nil).status)
	ends("undeliverable,sent,sent")
	assert.Len(t, d.Sent(-100777), 1)
	assert.Equal(t, "-100777", w.query(`SELECT chat_id::text FROM telegram_chats WHERE user_id = $1`, admin.id), "the new number is kept")
}

// Telegram does not answer the first who asks for the bot's name; others do not wait for that one.
func TestNobodyWaitsForAnothersQuestion(t *testing.T) {
	t.Parallel()
	asked, end := make(chan struct{}, 4), make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-end
	}))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(end) })
	bot := &telegramBot{Bot: telegram.NewBot(silent.URL, developmentBot, time.Minute)}
	go func() { _, _ = bot.Name(t.Context()) }()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	answered := make(chan error, 1)
	go func() { _, err := bot.Name(ctx); answered <- err }()
	select {
	case err := <-answered:
		require.Error(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for the first one's answer")
	}
}
