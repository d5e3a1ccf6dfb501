package wire

import (
	"bytes"
	netmail "net/mail"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/mail/smtpsink"
	"holdfast/adapters/records"
)

const mailPath = "/api/email"

// withSink starts a service that sends to a sink.
func withSink(t *testing.T, settings ...string) (*town, *smtpsink.Sink) {
	t.Helper()
	sink, err := smtpsink.Start()
	require.NoError(t, err)
	t.Cleanup(sink.Close)
	all := map[string]string{"SMTP_HOST": "127.0.0.1", "SMTP_PORT": strconv.Itoa(sink.Port()), "SMTP_FROM": "no-reply@market.test", "SMTP_TLS": "none"}
	for i := 0; i+1 < len(settings); i += 2 {
		all[settings[i]] = settings[i+1]
	}
	return settle(t, all), sink
}

func messageID(t *testing.T, m smtpsink.Mail) string {
	t.Helper()
	read, err := netmail.ReadMessage(bytes.NewReader(m.Raw))
	require.NoError(t, err)
	return read.Header.Get("Message-ID")
}

func notice(to, subject string) map[string]any {
	return map[string]any{"to": to, "template": "notice", "vars": map[string]string{"subject": subject, "text": "A\nB"}}
}

func TestALetterIsSentAndRecorded(t *testing.T) {
	t.Parallel()
	w, sink := withSink(t)
	admin, buyer := w.as("admin"), w.as("buyer")
	require.Equal(t, 202, admin.post(mailPath+"/test", nil).status)
	require.Len(t, sink.Wait(1, 10*time.Second), 1)
	assert.Equal(t, []string{"admin@holdfast.test"}, sink.Mails()[0].To)
	sent := admin.post(mailPath+"/send", notice(buyer.id, "Grüße"))
	require.Equal(t, 202, sent.status, sent.raw)
	mails := sink.Wait(2, 10*time.Second)
	require.Len(t, mails, 2)
	assert.Equal(t, []string{"buyer@holdfast.test"}, mails[1].To)
	w.until("both are noted", func() bool { return len(admin.get(mailPath+"/queue?status=sent").list()) == 2 })

	row := admin.get(mailPath + "/queue?limit=1").list()[0]
	raw, ok, err := w.mail.queue.Bytes(t.Context(), row["id"].(string))
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, string(mails[1].Raw), string(raw), "what is recorded is what was sent")
	for _, text := range []string{"buyer@holdfast.test", "Grüße", "Gr=C3"} {
		assert.NotContains(t, w.cell(`SELECT string_agg(m::text, ' ') FROM mails m`), text, "at rest it is sealed")
		assert.NotContains(t, w.said.String(), text, "logs hold none of it")
	}
	assert.Len(t, buyer.get(mailPath+"/queue").list(), 1, "one's own")
	assert.Empty(t, w.as("seller").get(mailPath+"/queue").list())
}

func TestRefusedLetters(t *testing.T) {
	t.Parallel()
	w, sink := withSink(t)
	admin := w.as("admin")
	sink.Answer(smtpsink.Unknown)
	require.Equal(t, 202, admin.post(mailPath+"/send", notice("gone@elsewhere.test", "x")).status)
	w.until("the letter is dead", func() bool { return len(admin.get(mailPath+"/queue?status=dead").list()) == 1 })
	dead := admin.get(mailPath + "/queue?status=dead").list()[0]
	assert.Equal(t, "send: 550 (lasting)", dead["error"], "no word of the server's, which names the address")
	assert.Equal(t, 1, sink.Tries(), "550 is not tried again")

	sink.Answer(smtpsink.Grey)
	require.Equal(t, 200, admin.post(mailPath+"/queue/"+dead["id"].(string)+"/retry", nil).status)
	w.until("it waits", func() bool { return w.cell(`SELECT error FROM mails`) == "send: 451 (temporary)" })
	assert.Equal(t, "t", w.cell(`SELECT (next_at > clock_timestamp() + interval '30 s')::text::"char" FROM mails`), "not at once")
	assert.Equal(t, 404, admin.post(mailPath+"/queue/"+dead["id"].(string)+"/retry", nil).status, "only dead ones")

	sink.Answer(smtpsink.Accept)
	w.exec(`UPDATE mails SET next_at = clock_timestamp()`)
	require.Len(t, sink.Wait(1, 10*time.Second), 1)
	assert.Equal(t, 404, w.as("admin").post(mailPath+"/queue/11111111-1111-4111-8111-111111111111/retry", nil).status)
}

func TestTheSameKeyIsOneLetter(t *testing.T) {
	t.Parallel()
	w, sink := withSink(t)
	admin := w.as("admin")
	for range 3 {
		require.Equal(t, 202, admin.do("POST", mailPath+"/send", notice("a@b.test", "once"), "Idempotency-Key", "k-1").status)
	}
	require.Equal(t, 202, admin.do("POST", mailPath+"/send", notice("a@b.test", "twice"), "Idempotency-Key", "k-2").status)
	mails := sink.Wait(3, time.Second)
	require.Len(t, mails, 2)
	assert.NotEqual(t, messageID(t, mails[0]), messageID(t, mails[1]))
	assert.True(t, strings.HasSuffix(messageID(t, mails[0]), "@market.test>"))
}

// A worker that dies after the server's yes sends again, and under the same Message-ID.
func TestSentTwiceIsOneMessageID(t *testing.T) {
	t.Parallel()
	w, sink := withSink(t)
	require.Equal(t, 202, w.as("admin").post(mailPath+"/test", nil).status)
	w.until("sent", func() bool { return w.cell(`SELECT status FROM mails`) == "sent" })
	first := sink.Mails()[0]
	put := records.NewMail{Key: "again", To: "a@b.test", Template: "test"}
	require.NoError(t, w.mail.queue.Put(t.Context(), put))
	w.until("sent", func() bool { return len(sink.Mails()) == 2 })
	letter := records.Mail{Hash: strings.Repeat("ab", 16), To: "a@b.test", Template: "test", MadeAt: time.Now()}
	for range 2 {
		_, err := w.mail.deliver(t.Context(), letter)
		require.NoError(t, err)
	}
	mails := sink.Mails()
	assert.Equal(t, messageID(t, mails[2]), messageID(t, mails[3]))
	assert.Equal(t, string(mails[2].Raw), string(mails[3].Raw))
	assert.NotEqual(t, messageID(t, first), messageID(t, mails[2]))
}

func TestUnsubscribing(t *testing.T) {
	t.Parallel()
	w, sink := withSink(t, "PUBLIC_URL", "https://api.market.test")
	admin, buyer := w.as("admin"), w.as("buyer")
	require.Equal(t, 202, admin.post(mailPath+"/send", notice(buyer.id, "one")).status)
	mails := sink.Wait(1, 10*time.Second)
	require.Len(t, mails, 1)
	read, err := netmail.ReadMessage(bytes.NewReader(mails[0].Raw))
	require.NoError(t, err)
	link := strings.Trim(read.Header.Get("List-Unsubscribe"), "<>")
	path, ok := strings.CutPrefix(link, "https://api.market.test")
	require.True(t, ok, link)
	nobody := w.anybody()
	for _, bad := range []string{mailPath + "/unsubscribe?token=x", path + "x", path[:len(path)-4] + "AAAA", mailPath + "/unsubscribe"} {
		a := nobody.do("POST", bad, "List-Unsubscribe=One-Click", "Content-Type", "application/x-www-form-urlencoded")
		assert.Equal(t, "TOKEN_INVALID", a.code, bad)
		assert.Equal(t, 400, a.status)
	}
	assert.Equal(t, 415, nobody.do("POST", path, "x", "Content-Type", "text/plain").status)
	a := nobody.do("POST", path, "List-Unsubscribe=One-Click", "Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, 200, a.status, a.raw)
	_, token, _ := strings.Cut(path, "token=")
	assert.Equal(t, 200, nobody.post(mailPath+"/unsubscribe", map[string]string{"token": token}).status, "our own page sends JSON")
	assert.Equal(t, 400, nobody.post(mailPath+"/unsubscribe", map[string]string{"tokens": token}).status)

	require.Equal(t, 202, admin.post(mailPath+"/send", notice("Buyer@holdfast.test", "two")).status)
	require.Equal(t, 202, admin.post(mailPath+"/send", map[string]any{"to": buyer.id, "template": "password-changed"}).status)
	require.Len(t, sink.Wait(2, 10*time.Second), 2, "what is about the account's safety is sent all the same")
	w.until("noted", func() bool { return len(admin.get(mailPath+"/queue?status=skipped").list()) == 1 })
	assert.Empty(t, sink.Wait(3, 200*time.Millisecond)[2:])
}

func TestMailIsNoOpenRelay(t *testing.T) {
	t.Parallel()
	w, sink := withSink(t)
	admin := w.as("admin")
	for name, c := range map[string]struct {
		body   any
		status int
		code   string
	}{
		"line's end in the address": {notice("a@b.test\r\nBcc: c@d.test", "x"), 400, "VALIDATION_FAILED"},
		"many addresses":            {notice("a@b.test, c@d.test", "x"), 400, "VALIDATION_FAILED"},
		"a list":                    {map[string]any{"to": []string{"a@b.test"}, "template": "test"}, 400, "VALIDATION_FAILED"},
		"a named address":           {notice("A <a@b.test>", "x"), 400, "VALIDATION_FAILED"},
		"no address":                {notice("nobody", "x"), 400, "VALIDATION_FAILED"},
		"line's end in the subject": {notice("a@b.test", "x\r\nBcc: c@d.test"), 400, "VALIDATION_FAILED"},
		"a variable too many":       {map[string]any{"to": "a@b.test", "template": "test", "vars": map[string]string{"html": "x"}}, 400, "VALIDATION_FAILED"},
		"a variable that is none":   {map[string]any{"to": "a@b.test", "template": "test", "vars": map[string]any{"name": 1}}, 400, "VALIDATION_FAILED"},
		"an unknown template":       {map[string]any{"to": "a@b.test", "template": "free-text"}, 404, "TEMPLATE_UNKNOWN"},
		"an unknown user":           {map[string]any{"to": "11111111-1111-4111-8111-111111111111", "template": "test"}, 404, "NOT_FOUND"},
		"free text":                 {map[string]any{"to": "a@b.test", "template": "test", "html": "x"}, 400, "UNKNOWN_FIELD"},
	} {
		a := admin.post(mailPath+"/send", c.body)
		assert.Equal(t, c.status, a.status, "%s: %s", name, a.raw)
		assert.Equal(t, c.code, a.code, name)
	}
	for _, who := range []string{"buyer", "seller", "resolver", "guard"} {
		c := w.as(who)
		assert.Equal(t, 403, c.post(mailPath+"/send", notice("a@b.test", "x")).status)
		assert.Equal(t, 403, c.post(mailPath+"/test", nil).status)
		assert.Equal(t, 403, c.get(mailPath+"/templates/test/preview").status)
		assert.Equal(t, 200, c.get(mailPath+"/templates").status)
	}
	assert.Equal(t, "0", w.cell(`SELECT count(*)::text FROM mails`))
	preview := admin.get(mailPath + "/templates/notice/preview")
	assert.Contains(t, preview.field("html"), "<p>Orders that begin in January</p>")
	assert.Equal(t, "TEMPLATE_UNKNOWN", admin.get(mailPath+"/templates/nothing/preview").code)
	sink.Close()
	down := admin.post(mailPath+"/test", nil)
	assert.Equal(t, 502, down.status, down.raw)
	assert.Equal(t, "SMTP_UNAVAILABLE", down.code)
}

func TestTwentyLettersAnHour(t *testing.T) {
	t.Parallel()
	w, _ := withSink(t, "RATE_LIMIT", "true")
	admin := w.as("admin")
	for range 20 {
		require.Equal(t, 202, admin.post(mailPath+"/send", notice("a@b.test", "x")).status)
	}
	a := admin.post(mailPath+"/send", notice("a@b.test", "x"))
	assert.Equal(t, 429, a.status)
	assert.Equal(t, "RATE_LIMITED", a.code)
	assert.NotEmpty(t, a.header.Get("Retry-After"))
}

func TestTheMailboxOfDevelopment(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	admin := w.as("admin")
	require.Equal(t, 202, admin.post(mailPath+"/send", map[string]any{
		"to": "buyer@holdfast.test", "template": "verify-email", "vars": map[string]string{"code": "123456", "name": "<b>Zoë</b>"},
	}).status)
	nobody := w.anybody()
	letters := func() []map[string]any {
		return nobody.do("GET", "/dev/mail", nil, "Accept", "application/json").list()
	}
	w.until("kept at home", func() bool { return len(letters()) == 1 })
	l := letters()[0]
	assert.Equal(t, "buyer@holdfast.test", l["to"])
	assert.Equal(t, "Your code is 123456", l["subject"])
	assert.Contains(t, l["text"], "Hello <b>Zoë</b>")
	list := nobody.get("/dev/mail")
	assert.Contains(t, list.raw, "Your code is 123456")
	one := nobody.get("/dev/mail/" + l["id"].(string))
	assert.Contains(t, one.raw, "Hello &lt;b&gt;Zoë")
	html := nobody.get("/dev/mail/" + l["id"].(string) + "/html")
	assert.Contains(t, html.raw, "<strong>123456</strong>")
	assert.NotContains(t, html.raw, "<b>Zoë")
	assert.Contains(t, html.header.Get("Content-Security-Policy"), "sandbox")
	for _, id := range []string{"x", "11111111-1111-4111-8111-111111111111", "..%2f"} {
		assert.Equal(t, 404, nobody.get("/dev/mail/"+id).status, id)
	}
	with, _ := withSink(t)
	assert.Equal(t, 404, with.anybody().get("/dev/mail").status, "where mail is really sent there is no such page")
}
