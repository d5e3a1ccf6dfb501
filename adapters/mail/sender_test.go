package mail_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"mime"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/mail"
	"holdfast/adapters/mail/smtpsink"
)

func sink(t *testing.T, options ...smtpsink.Option) *smtpsink.Sink {
	t.Helper()
	s, err := smtpsink.Start(options...)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func sender(t *testing.T, s *smtpsink.Sink, edit func(*mail.Options)) *mail.Sender {
	t.Helper()
	o := mail.Options{Host: "127.0.0.1", Port: s.Port(), From: "no-reply@holdfast.test", FromName: "Holdfast", TLS: mail.TLSNone, Timeout: time.Second}
	if edit != nil {
		edit(&o)
	}
	out, err := mail.NewSender(o)
	require.NoError(t, err)
	return out
}

func letter() mail.Letter {
	return mail.Letter{
		To: "zoe@holdfast.test", Name: "Zoë Ångström", Subject: "Prüfung — ✓", Text: "Grüße\n", HTML: "<p>Grüße</p>",
		MessageID: "f00d@holdfast.test", Date: time.Unix(1_800_000_000, 0).UTC(), Unsubscribe: "https://api.example/unsubscribe?token=x",
	}
}

func TestWhatIsRecordedIsWhatWasSent(t *testing.T) {
	t.Parallel()
	s := sink(t)
	raw, err := sender(t, s, nil).Send(t.Context(), letter())
	require.NoError(t, err)
	mails := s.Mails()
	require.Len(t, mails, 1)
	assert.Equal(t, string(raw), string(mails[0].Raw))
	assert.Equal(t, []string{"zoe@holdfast.test"}, mails[0].To)
	m, err := netmail.ReadMessage(bytes.NewReader(mails[0].Raw))
	require.NoError(t, err)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	require.NoError(t, err)
	assert.Equal(t, "Prüfung — ✓", subject)
	to, err := m.Header.AddressList("To")
	require.NoError(t, err)
	assert.Equal(t, "Zoë Ångström", to[0].Name)
	assert.Equal(t, "<f00d@holdfast.test>", m.Header.Get("Message-ID"))
	assert.Equal(t, "<https://api.example/unsubscribe?token=x>", m.Header.Get("List-Unsubscribe"))
	assert.Equal(t, "List-Unsubscribe=One-Click", m.Header.Get("List-Unsubscribe-Post"))
	again, err := mail.Local{From: "no-reply@holdfast.test", FromName: "Holdfast"}.Send(t.Context(), letter())
	require.NoError(t, err)
	assert.Equal(t, string(raw), string(again), "a letter's bytes follow from the letter")
}

func TestFailuresAreToldApart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer      smtpsink.Behaviour
		code        int
		permanent   bool
		unreachable bool
	}{
		"greylisted":      {smtpsink.Grey, 451, false, false},
		"no such mailbox": {smtpsink.Unknown, 550, true, false},
		"silent":          {smtpsink.Silent, 0, false, false},
		"hangs up":        {smtpsink.HangUp, 0, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sink(t)
			s.Answer(c.answer)
			_, err := sender(t, s, func(o *mail.Options) { o.Timeout = 300 * time.Millisecond }).Send(t.Context(), letter())
			f, ok := errors.AsType[*mail.Failure](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, c.code, f.Code)
			assert.Equal(t, c.permanent, f.Permanent())
			assert.Equal(t, c.unreachable, f.Unreachable())
			assert.NotContains(t, err.Error(), "zoe@", "an error is for logs")
			assert.Empty(t, s.Mails())
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		s := sink(t)
		out := sender(t, s, nil)
		s.Close()
		_, err := out.Send(t.Context(), letter())
		f, ok := errors.AsType[*mail.Failure](err)
		require.True(t, ok)
		assert.True(t, f.Unreachable())
		assert.False(t, f.Permanent())
		assert.Error(t, out.Check(t.Context()))
	})
}

func TestSigningIn(t *testing.T) {
	t.Parallel()
	s := sink(t, smtpsink.SignIn("mailer", "opensesame"))
	credentials := func(password string) func(*mail.Options) {
		return func(o *mail.Options) { o.User, o.Password = "mailer", password }
	}
	_, err := sender(t, s, credentials("wrong")).Send(t.Context(), letter())
	f, ok := errors.AsType[*mail.Failure](err)
	require.True(t, ok)
	assert.False(t, f.Permanent(), "a wrong password is ours to mend; the letter waits")
	require.Error(t, sender(t, s, credentials("wrong")).Check(t.Context()))
	_, err = sender(t, s, nil).Send(t.Context(), letter())
	f, ok = errors.AsType[*mail.Failure](err)
	require.True(t, ok)
	assert.False(t, f.Permanent(), "that one must sign in says nothing about the letter")
	require.Empty(t, s.Mails())
}

func TestTLSPolicies(t *testing.T) {
	t.Parallel()
	cert, roots := certificate(t)
	plain, secure := sink(t), sink(t, smtpsink.TLS(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}))
	trusting := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	for _, c := range []struct {
		name   string
		server *smtpsink.Sink
		policy string
		trust  *tls.Config
		passes bool
	}{
		{"required, the server has none", plain, mail.TLSRequired, trusting, false},
		{"required", secure, mail.TLSRequired, trusting, true},
		{"required is the default", plain, "", trusting, false},
		{"required, a certificate of nobody", secure, mail.TLSRequired, &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost", MinVersion: tls.VersionTLS12}, false},
		{"offered, the server has none", plain, mail.TLSOffered, trusting, true},
		{"offered", secure, mail.TLSOffered, trusting, true},
		{"none", secure, mail.TLSNone, nil, true},
		{"implicit, the server speaks plain", plain, mail.TLSImplicit, trusting, false},
	} {
		out := sender(t, c.server, func(o *mail.Options) { o.TLS, o.Roots = c.policy, c.trust })
		_, err := out.Send(t.Context(), letter())
		assert.Equal(t, c.passes, err == nil, "%s: %v", c.name, err)
	}
	_, err := mail.NewSender(mail.Options{Host: "127.0.0.1", Port: 25, From: "a@b.test", TLS: "perhaps"})
	require.Error(t, err)
}

func TestNothingAddsAHeader(t *testing.T) {
	t.Parallel()
	s := sink(t)
	out := sender(t, s, nil)
	for name, edit := range map[string]func(*mail.Letter){
		"address":     func(l *mail.Letter) { l.To = "zoe@holdfast.test\r\nBcc: all@holdfast.test" },
		"two of them": func(l *mail.Letter) { l.To = "zoe@holdfast.test, all@holdfast.test" },
		"named":       func(l *mail.Letter) { l.To = "Zoe <zoe@holdfast.test>" },
		"long":        func(l *mail.Letter) { l.To = strings.Repeat("a", 300) + "@holdfast.test" },
		"name":        func(l *mail.Letter) { l.Name = "Zoe\r\nBcc: all@holdfast.test" },
		"subject":     func(l *mail.Letter) { l.Subject = "Hi\nBcc: all@holdfast.test" },
		"link":        func(l *mail.Letter) { l.Unsubscribe = "https://x>\r\nBcc: all@holdfast.test" },
	} {
		l := letter()
		edit(&l)
		_, err := out.Send(t.Context(), l)
		f, ok := errors.AsType[*mail.Failure](err)
		require.True(t, ok, name)
		assert.True(t, f.Permanent(), name)
	}
	assert.Zero(t, s.Tries())
}
