package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoadReportsEveryProblemAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("HOLDFAST_ENV", "production")
	t.Setenv("JWT_SECRET", "short")
	t.Setenv("FRONTEND_URL", "not an origin")
	t.Setenv("PG_POOL_PROJECTORS", "1")
	t.Setenv("DERIVED_DESTINATION_SWEEP_SIGNER", "local")
	_, err := Load()
	require.Error(t, err)
	for _, name := range []string{"JWT_SECRET", "FRONTEND_URL", "PG_POOL_PROJECTORS", "DERIVED_DESTINATION_SWEEP_SIGNER", "PG_URL", "PII_MASTER_KEY", "LOG_SIGNING_KEY"} {
		assert.ErrorContains(t, err, name)
	}
	assert.NotContains(t, err.Error(), "short\"", "a secret is never repeated")
}

func TestAWrongTypeNamesTheVariable(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("PORT", "abc")
	_, err := Load()
	assert.ErrorContains(t, err, "PORT")
}

func TestDevelopmentKeepsGeneratedSecrets(t *testing.T) {
	t.Chdir(t.TempDir())
	first, err := Load()
	require.NoError(t, err)
	require.NoError(t, first.Generate())
	second, err := Load()
	require.NoError(t, err)
	require.NoError(t, second.Generate())
	assert.Equal(t, first.JWTSecret, second.JWTSecret)
	assert.Len(t, first.PIIMasterKey, 64)
}

func TestSettingsMaskSecrets(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("JWT_SECRET", "k9"+randomSecret)
	t.Setenv("PG_URL", "postgres://u:hunter2@db/x")
	c, err := Load()
	require.NoError(t, err)
	for _, s := range c.Settings() {
		assert.NotContains(t, s.Value, "hunter2")
		assert.NotContains(t, s.Value, "k9f0")
	}
}

func TestAnOldWebhookSecretHasAnEnd(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("REQUEST_NETWORK_WEBHOOK_SECRET_OLD", strings.Repeat("o1", 20))
	_, err := Load()
	require.ErrorContains(t, err, "REQUEST_NETWORK_WEBHOOK_SECRET_OLD")
	assert.NotContains(t, err.Error(), "o1o1")
	t.Setenv("REQUEST_NETWORK_WEBHOOK_SECRET_OLD_UNTIL", "soon")
	_, err = Load()
	require.ErrorContains(t, err, "REQUEST_NETWORK_WEBHOOK_SECRET_OLD_UNTIL")
	t.Setenv("REQUEST_NETWORK_WEBHOOK_SECRET_OLD_UNTIL", "2026-12-01T00:00:00Z")
	c, err := Load()
	require.NoError(t, err)
	assert.Equal(t, 2026, c.RequestNetworkOldUntil.Year())
	assert.True(t, c.RequestNetworkDouble())
	t.Setenv("REQUEST_NETWORK_DOUBLE", "false")
	c, err = Load()
	require.NoError(t, err)
	assert.False(t, c.RequestNetworkDouble())
}

// What guards money never belongs into a configuration: a private key in the place of the public
// one stops the start, in a message that ends in logs and does not hold it.
func TestAPrivateKeyInTheConfigurationIsNamedNotRepeated(t *testing.T) {
	for name, secret := range map[string]string{
		"xprv":          "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
		"quoted xprv":   `"xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"`,
		"tprv":          "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK",
		"hex":           "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
		"seed words":    "test test test test test test test test test test test junk",
		"padded secret": "  ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80\t",
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("DERIVED_DESTINATION_XPUB", secret)
			t.Setenv("PORT", "70000") // another problem: it is told in the same breath
			c, err := Load()
			require.ErrorContains(t, err, "DERIVED_DESTINATION_XPUB")
			require.ErrorContains(t, err, "PORT")
			for _, part := range []string{strings.TrimSpace(secret), strings.Trim(strings.TrimSpace(secret), `"`)[4:20]} {
				assert.NotContains(t, err.Error(), part)
			}
			if c != nil {
				assert.NotContains(t, fmt.Sprintf("%+v", *c), strings.TrimSpace(secret))
			}
		})
	}
	t.Chdir(t.TempDir())
	t.Setenv("DERIVED_DESTINATION_XPUB", "xpub6Ce9NcJvTk372KjsGfWqbcex5DumjpNquQLApoeQUavSCjEc823BV1tb4rXUuPuht8h2hSxkg2EXUaKUJmniJvRZAELxypsCzBFdtosmV76")
	c, err := Load()
	require.NoError(t, err)
	assert.NotEmpty(t, c.DestinationXPub)
}

const randomSecret = "f0b31f7a9c2e4d58a6b0c1d2e3f40516"

// A secret that anybody could guess stops the start, in every environment, and is not repeated.
func TestKnownSecretsDoNotStart(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, bad := range []string{
		"short", "secret", strings.Repeat("a", 64), strings.Repeat("k9", 20), "your-secret-key-change-in-production", "supersecretjwtkeyforthemarketplace!!",
		"change-me-change-me-change-me-change-me", "YOUR_JWT_SECRET_AT_LEAST_32_CHARACTERS", "0123456789abcdef0123456789abcdef",
	} {
		t.Setenv("JWT_SECRET", bad)
		_, err := Load()
		require.ErrorContains(t, err, "JWT_SECRET", bad)
		assert.NotContains(t, err.Error(), "found "+bad)
	}
	t.Setenv("JWT_SECRET", randomSecret)
	_, err := Load()
	require.NoError(t, err)
	t.Setenv("JWT_SECRET_PREVIOUS", "f0"+randomSecret)
	_, err = Load()
	require.ErrorContains(t, err, "JWT_SECRET_PREVIOUS", "a previous secret has an end")
	t.Setenv("JWT_SECRET_PREVIOUS_UNTIL", "2026-12-01T00:00:00Z")
	_, err = Load()
	require.NoError(t, err)
	t.Setenv("JWT_SECRET_PREVIOUS", strings.Repeat("a", 40))
	_, err = Load()
	require.ErrorContains(t, err, "JWT_SECRET_PREVIOUS", "the previous one is believed too")
}

// Row 37 of faults.md: the service that would sign with such a secret does not start, wherever it runs.
func TestShortAndKnownJWTSecretsAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"development", "test", "production"} {
		with := func(secret string) error {
			_, err := From(map[string]string{
				"HOLDFAST_ENV": where, "JWT_SECRET": secret, "PG_URL": "postgres://db/holdfast", "REQUEST_NETWORK_WEBHOOK_SECRET": randomSecret,
				"PII_MASTER_KEY": randomSecret + randomSecret, "LOG_SIGNING_KEY": randomSecret + randomSecret, "FRONTEND_URL": "https://front.example",
			})
			return err
		}
		for _, bad := range []string{"x", randomSecret[:31], "change-me-change-me-change-me-change-me", "your-secret-key-change-in-production", strings.Repeat("a", 64)} {
			err := with(bad)
			require.ErrorContains(t, err, "JWT_SECRET: too short or a known default", "%s: %s", where, bad)
			if len(bad) > 1 {
				assert.NotContains(t, err.Error(), bad, "it is not repeated")
			}
		}
		require.NoError(t, with(randomSecret), "%s: 32 bytes are enough", where)
		if where != "development" {
			require.ErrorContains(t, with(""), "JWT_SECRET: not set", where)
		}
	}
}

func TestTrustedProxies(t *testing.T) {
	t.Chdir(t.TempDir())
	for text, want := range map[string]struct {
		networks []string
		hops     int
	}{
		"":                            {},
		"2":                           {hops: 2},
		"10.0.0.0/8, 192.168.1.7":     {networks: []string{"10.0.0.0/8", "192.168.1.7/32"}},
		"2001:db8::1,2001:db8:1::/48": {networks: []string{"2001:db8::1/128", "2001:db8:1::/48"}},
	} {
		t.Setenv("TRUST_PROXY", text)
		c, err := Load()
		require.NoError(t, err, text)
		assert.Equal(t, want.networks, c.Proxies, text)
		assert.Equal(t, want.hops, c.ProxyHops, text)
	}
	for _, bad := range []string{"0", "-1", "17", "proxy", "0.0.0.0/0", "::/0", "10.0.0.0/33", "10.0.0.1;10.0.0.2"} {
		t.Setenv("TRUST_PROXY", bad)
		_, err := Load()
		assert.ErrorContains(t, err, "TRUST_PROXY", bad)
	}
}

func TestLimitsAreSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := Load()
	require.NoError(t, err)
	assert.Equal(t, []int{10_000, 1000, 3000, 2000, 60_000, 6_000_000}, []int{c.LimitGlobal, c.LimitAuth, c.LimitPayment, c.LimitAI, c.LimitKey, c.LimitWebhook}, "a demo is not refused")
	t.Setenv("HOLDFAST_ENV", "test")
	for _, name := range []string{"PG_URL", "REQUEST_NETWORK_WEBHOOK_SECRET"} {
		t.Setenv(name, "x")
	}
	for _, name := range []string{"JWT_SECRET", "PII_MASTER_KEY", "LOG_SIGNING_KEY"} {
		t.Setenv(name, randomSecret+randomSecret)
	}
	t.Setenv("RATE_LIMIT_AI", "7")
	c, err = Load()
	require.NoError(t, err)
	assert.Equal(t, []int{100, 10, 30, 7, 600, 60_000}, []int{c.LimitGlobal, c.LimitAuth, c.LimitPayment, c.LimitAI, c.LimitKey, c.LimitWebhook}, "the original's")
	assert.True(t, c.RateLimit)
	for name, bad := range map[string]string{"RATE_LIMIT_GLOBAL": "-1", "RATE_LIMIT_WINDOW": "1ms", "REDIS_PATIENCE": "1m"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, bad)
			_, err := Load()
			assert.ErrorContains(t, err, name)
		})
	}
}
