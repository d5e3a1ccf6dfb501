package config_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/cmd/internal/config"
)

func TestSettingsOfSigningIn(t *testing.T) {
	t.Parallel()
	const token = "123456789:AAExampleTokenForVectorsOnly_0123456789ab"
	for name, test := range map[string]struct {
		set  map[string]string
		says string // empty: they work
	}{
		"nothing":                   {nil, ""},
		"a bot":                     {map[string]string{"TELEGRAM_BOT_TOKEN": token, "TELEGRAM_WEBHOOK_SECRET": "s3cret_word"}, ""},
		"a bot without a secret":    {map[string]string{"TELEGRAM_BOT_TOKEN": token}, "TELEGRAM_WEBHOOK_SECRET"},
		"no token of BotFather's":   {map[string]string{"TELEGRAM_BOT_TOKEN": "token", "TELEGRAM_WEBHOOK_SECRET": "s"}, "TELEGRAM_BOT_TOKEN"},
		"a secret with a space":     {map[string]string{"TELEGRAM_BOT_TOKEN": token, "TELEGRAM_WEBHOOK_SECRET": "two words"}, "TELEGRAM_WEBHOOK_SECRET"},
		"half of Google":            {map[string]string{"GOOGLE_CLIENT_ID": "client"}, "GOOGLE_CLIENT_ID"},
		"all of Google":             {map[string]string{"GOOGLE_CLIENT_ID": "client", "GOOGLE_CLIENT_SECRET": "x"}, ""},
		"an issuer that is no URL":  {map[string]string{"GOOGLE_ISSUER": "google"}, "GOOGLE_ISSUER"},
		"an origin with a path":     {map[string]string{"WEBAUTHN_RP_ORIGINS": "https://shop.example/login"}, "WEBAUTHN_RP_ORIGINS"},
		"an origin without TLS":     {map[string]string{"WEBAUTHN_RP_ORIGINS": "http://shop.example"}, "WEBAUTHN_RP_ORIGINS"},
		"initData of last week":     {map[string]string{"TELEGRAM_MAX_AGE": "168h"}, "TELEGRAM_MAX_AGE"},
		"two origins, one is local": {map[string]string{"WEBAUTHN_RP_ID": "localhost", "WEBAUTHN_RP_ORIGINS": "https://shop.example,http://localhost:3000"}, ""},
	} {
		all := map[string]string{"HOLDFAST_ENV": "development"}
		maps.Copy(all, test.set)
		_, err := config.From(all)
		if test.says == "" {
			assert.NoError(t, err, name)
			continue
		}
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), test.says, name)
		assert.NotContains(t, err.Error(), token[10:], "a token is never repeated")
	}
}

func TestWhoPasskeysBelongTo(t *testing.T) {
	t.Parallel()
	c, err := config.From(map[string]string{"HOLDFAST_ENV": "development", "PORT": "5102"})
	require.NoError(t, err)
	id, origins := c.RelyingParty()
	assert.Equal(t, "localhost", id)
	assert.Equal(t, []string{"http://localhost:3000", "http://localhost:5102"}, origins)
	assert.Equal(t, "http://localhost:5102/api/auth/google/callback", c.CallbackURL())
	assert.True(t, c.SignInDoubles())
}
