package http_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	apihttp "holdfast/http"
)

// letters keeps what would be mailed.
type letters struct {
	mu   sync.Mutex
	sent []apihttp.Mail
}

func (l *letters) Send(_ context.Context, m apihttp.Mail) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, m)
	return nil
}

// of lists what was sent of some kinds, in its order.
func (l *letters) of(templates ...string) (all []apihttp.Mail) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.sent {
		for _, t := range templates {
			if m.Template == t {
				all = append(all, m)
			}
		}
	}
	return all
}

// Whoever has stolen a token may link and unlink only soon after a sign-in, and the owner hears of it.
func TestTheOwnerHearsOfWhatSignsIn(t *testing.T) {
	t.Parallel()
	post := &letters{}
	w := setup(t, withWallets, func(w *world) { w.deps.Mailer = post })
	buyer := w.person("buyer")
	prove := func() answer {
		return buyer.post(walletPath+"/verify", signedMessage(t, deviceKey, message(t, buyer, "chainId=56&address="+device00)))
	}
	told := func() []apihttp.Mail { return post.of("method-linked", "method-unlinked") }
	require.Equal(t, 200, prove().status)
	require.Len(t, told(), 1)
	assert.Equal(t, "method-linked", told()[0].Template)
	assert.Equal(t, "buyer@holdfast.test", told()[0].Address)
	assert.Equal(t, "A wallet", told()[0].Vars["method"])
	require.Equal(t, 200, prove().status)
	assert.Len(t, told(), 1, "a repeat changed nothing")

	id := buyer.get("/api/auth/methods").body["data"].([]any)[0].(map[string]any)["id"].(string)
	remove := func() answer { return buyer.send(http.MethodDelete, "/api/auth/methods/"+id, nil) }
	_, err := w.pool.Exec(t.Context(), `UPDATE sessions SET created_at = created_at - interval '1 hour' WHERE user_id = $1`, string(buyer.id))
	require.NoError(t, err)
	w.untouched(func() {
		again := func() bool { return prove().code == "REAUTH_REQUIRED" } // until the session is looked up again
		require.Eventually(t, again, 5*time.Second, 10*time.Millisecond, "an old sign-in links nothing")
		refused := remove()
		assert.Equal(t, 403, refused.status, string(refused.raw))
		assert.Equal(t, "REAUTH_REQUIRED", refused.code, "and unlinks nothing")
	})
	assert.Len(t, told(), 1)
	buyer = w.person("buyer")
	require.Equal(t, 200, remove().status)
	require.Len(t, told(), 2)
	assert.Equal(t, "method-unlinked", told()[1].Template)
}
