package telegram_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/telegram"
	"holdfast/adapters/telegram/telegramdouble"
)

func bot(t *testing.T) (*telegramdouble.Server, *telegram.Bot) {
	t.Helper()
	d, err := telegramdouble.Start(exampleToken, "shop_bot")
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d, telegram.NewBot(d.URL(), exampleToken, 2*time.Second)
}

func TestTheBotSendsAndIsKnown(t *testing.T) {
	t.Parallel()
	d, b := bot(t)
	me, err := b.Me(t.Context())
	require.NoError(t, err)
	assert.Equal(t, telegram.Profile{ID: 123456789, Username: "shop_bot"}, me)
	sent, err := b.Send(t.Context(), 5000000001, "Hello <b>Ana</b> & _co_")
	require.NoError(t, err)
	assert.Equal(t, int64(5000000001), sent.Chat)
	assert.Equal(t, "Hello <b>Ana</b> & _co_", d.Sent(5000000001)[0].Text)
	require.NoError(t, b.SetWebhook(t.Context(), "https://shop.example/api/telegram/webhook", "s3cret"))
	info, err := b.WebhookInfo(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "https://shop.example/api/telegram/webhook", info.URL)
}

func TestTextThatTelegramWouldNotTakeIsCut(t *testing.T) {
	t.Parallel()
	d, b := bot(t)
	for _, text := range []string{strings.Repeat("x", 5000), strings.Repeat("💶", 5000), "", "   ", "a\xffb", strings.Repeat("x", 4096)} {
		_, err := b.Send(t.Context(), 7, text)
		require.NoError(t, err, "%.20q", text)
	}
	all := d.Sent(7)
	assert.Len(t, []rune(all[0].Text), 4096)
	assert.True(t, strings.HasSuffix(all[0].Text, "…"))
	assert.Len(t, []rune(all[1].Text), 2048, "two units each")
	assert.Equal(t, "a�b", all[4].Text)
	assert.Equal(t, strings.Repeat("x", 4096), all[5].Text, "what fits is whole")
}

func TestWhenTelegramSaysWaitTheWholeBotWaits(t *testing.T) {
	t.Parallel()
	d, b := bot(t)
	d.Behave(func(h *telegramdouble.Behaviour) { h.Limited, h.RetryAfter = 1, 1 })
	_, err := b.Send(t.Context(), 7, "one")
	refused(t, err, "TELEGRAM_LIMITED", "429")
	calls := d.Calls("sendMessage")
	_, err = b.Send(t.Context(), 8, "another chat")
	refused(t, err, "TELEGRAM_LIMITED", "paused")
	assert.Equal(t, calls, d.Calls("sendMessage"), "it is not asked meanwhile")
	assert.Eventually(t, func() bool { _, err := b.Send(t.Context(), 7, "one"); return err == nil }, 3*time.Second, 50*time.Millisecond)
}

func TestWhatTelegramRefuses(t *testing.T) {
	t.Parallel()
	d, b := bot(t)
	d.Behave(func(h *telegramdouble.Behaviour) {
		h.Blocked, h.Moved, h.HTML = map[int64]bool{7: true}, map[int64]int64{-5: -100123}, 1
	})
	_, err := b.Send(t.Context(), 8, "x")
	refused(t, err, "TELEGRAM_UNAVAILABLE", "a page of HTML")
	_, err = b.Send(t.Context(), 7, "x")
	refused(t, err, "TELEGRAM_UNREACHABLE", "blocked")
	sent, err := b.Send(t.Context(), -5, "x")
	require.NoError(t, err)
	assert.Equal(t, int64(-100123), sent.Chat, "the group has moved: the new chat is told")
	err = b.SetWebhook(t.Context(), "nowhere", "s")
	refused(t, err, "TELEGRAM_REFUSED", "400")
	d.Behave(func(h *telegramdouble.Behaviour) { h.Moved = map[int64]int64{-5: -6, -6: -5} })
	_, err = b.Send(t.Context(), -5, "x")
	assert.Error(t, err, "a group that moves for ever is not followed for ever")
	d.Behave(func(h *telegramdouble.Behaviour) { h.Revoked = true })
	_, err = b.Send(t.Context(), 8, "x")
	refused(t, err, "TELEGRAM_UNAUTHORIZED", "the token is no good")
	other := telegram.NewBot(d.URL(), "1:wrong", time.Second)
	_, err = other.Me(t.Context())
	refused(t, err, "TELEGRAM_UNAUTHORIZED", "another token")
	_ = d.Close()
	_, err = telegram.NewBot(d.URL(), exampleToken, time.Second).Me(t.Context())
	refused(t, err, "TELEGRAM_UNAVAILABLE", "nobody there")
	assert.NotContains(t, err.Error(), "AAExample", "the token is in no error")
}

func TestUpdatesAreRead(t *testing.T) {
	t.Parallel()
	all := map[int64]telegram.Update{}
	for _, raw := range load(t)[0].Webhook.Updates {
		u, err := telegram.ParseUpdate(raw)
		require.NoError(t, err)
		all[u.ID] = u
	}
	name, arg, ok := all[900000001].Command("shop_bot")
	assert.True(t, ok)
	assert.Equal(t, []string{"start", "link_4f1c2a"}, []string{name, arg})
	assert.True(t, all[900000001].Private)
	_, _, ok = all[900000002].Command("shop_bot")
	assert.False(t, ok, "not a command")
	assert.Equal(t, "kicked", all[900000005].Member)
	assert.Equal(t, int64(7000000000000), all[900000007].From.ID)
	assert.False(t, all[900000007].Private)
	assert.Equal(t, telegram.Update{ID: 900000008}, all[900000008], "a kind of the future")
	for _, bad := range []string{"", "[]", "null", "{}", `{"update_id":"x"}`, `{"update_id":-1}`, `{"update_id":1.5}`, `{"update_id":1,"message":"x"}`} {
		_, err := telegram.ParseUpdate([]byte(bad))
		refused(t, err, "INVALID_PAYLOAD", bad)
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"/status": {"status", ""}, "/LINK  abc ": {"link", "abc"}, "/link@Shop_Bot abc": {"link", "abc"}, "/link@other_bot abc": nil, "/": nil, "link": nil, "": nil, " /link": nil,
	} {
		name, arg, ok := telegram.Update{Text: text}.Command("shop_bot")
		assert.Equal(t, want != nil, ok, text)
		if ok {
			assert.Equal(t, want, []string{name, arg}, text)
		}
	}
}

func TestTheSecretWord(t *testing.T) {
	t.Parallel()
	s := telegram.Secret("s3cret_word")
	assert.True(t, s.Valid() && s.Is("s3cret_word"))
	for _, wrong := range []string{"", "s3cret_wor", "s3cret_word_and_more", "S3CRET_WORD", "s3cret_worD"} {
		assert.False(t, s.Is(wrong), wrong)
	}
	assert.False(t, telegram.Secret("").Is(""), "no secret lets nobody in")
	assert.False(t, telegram.Secret("with space").Valid())
	assert.False(t, telegram.Secret(strings.Repeat("x", 257)).Valid())
}
