package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestModesOfTheLegacyStore(t *testing.T) {
	for name, c := range map[string]struct {
		env    map[string]string
		domain string
		mode   string
		warns  string // part of a warning
		wrong  string // part of the error
	}{
		"pg unless somebody says otherwise":           {domain: "PAYMENT", mode: "pg"},
		"the default is inherited":                    {env: map[string]string{"REPO_DEFAULT": "dual"}, domain: "CHAT", mode: "dual"},
		"a domain has its own":                        {env: map[string]string{"REPO_DEFAULT": "dual", "REPO_CHAT": "mongo"}, domain: "CHAT", mode: "mongo"},
		"the old name is an alias":                    {env: map[string]string{"RELEASE_HOLD_STORE": "mongo"}, domain: "RELEASE_HOLD", mode: "mongo"},
		"both the same are fine":                      {env: map[string]string{"BLOG_STORE": "dual", "REPO_BLOG": "dual"}, domain: "BLOG", mode: "dual"},
		"both and different are wrong":                {env: map[string]string{"BLOG_STORE": "dual", "REPO_BLOG": "pg"}, wrong: "BLOG_STORE"},
		"an unknown value means mongo, loudly":        {env: map[string]string{"REPO_PAYMENT": "postgres"}, domain: "PAYMENT", mode: "mongo", warns: "REPO_PAYMENT=\"postgres\""},
		"an unknown default too":                      {env: map[string]string{"REPO_DEFAULT": "pgsql"}, domain: "USER", mode: "mongo", warns: "REPO_DEFAULT=\"pgsql\""},
		"an unknown value stops a boot without Mongo": {env: map[string]string{"MONGO_CONNECT_MODE": "never", "REPO_PAYMENT": "postgres"}, wrong: "REPO_PAYMENT"},
		"so does one that needs Mongo":                {env: map[string]string{"MONGO_CONNECT_MODE": "never", "REPO_DEFAULT": "dual"}, wrong: "REPO_DEFAULT"},
		"never with pg is fine":                       {env: map[string]string{"MONGO_CONNECT_MODE": "never"}, domain: "USER", mode: "pg"},
		"a connect mode that is none":                 {env: map[string]string{"MONGO_CONNECT_MODE": "sometimes"}, wrong: "MONGO_CONNECT_MODE"},
		"a URI that is none":                          {env: map[string]string{"MONGODB_URI": "http://u:hunter2@db"}, wrong: "MONGODB_URI"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			got, err := Load()
			if c.wrong != "" {
				require.ErrorContains(t, err, c.wrong)
				assert.Equal(t, 1, strings.Count(err.Error(), "found "), "told once")
				assert.NotContains(t, err.Error(), "hunter2")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.mode, got.Repos[c.domain])
			assert.Len(t, got.Repos, 11)
			if c.warns == "" {
				assert.Empty(t, got.Warnings)
			} else {
				require.Len(t, got.Warnings, 1, "once, however many domains inherit it")
				assert.Contains(t, got.Warnings[0], c.warns)
			}
		})
	}
}

func TestOwnersOfDomains(t *testing.T) {
	for name, c := range map[string]struct {
		env   map[string]string
		want  map[string]string
		warns []string
		wrong string
	}{
		"Holdfast unless somebody says otherwise": {want: map[string]string{"USER": "holdfast", "CHAT": "holdfast"}},
		"the default is inherited":                {env: map[string]string{"LEGACY_OWNER_DEFAULT": "legacy", "LEGACY_OWNER_USER": "holdfast"}, want: map[string]string{"USER": "holdfast", "PAYMENT": "legacy", "DERIVED_DESTINATION": "legacy"}},
		"a domain has its own":                    {env: map[string]string{"LEGACY_OWNER_RELEASE_HOLD": "legacy"}, want: map[string]string{"RELEASE_HOLD": "legacy", "DISPUTE": "holdfast"}},
		"an unknown owner stops the boot":         {env: map[string]string{"LEGACY_OWNER_PAYMENT": "mongo"}, wrong: "LEGACY_OWNER_PAYMENT: found \"mongo\""},
		"so does an unknown default, told once":   {env: map[string]string{"LEGACY_OWNER_DEFAULT": "Legacy"}, wrong: "LEGACY_OWNER_DEFAULT: found \"Legacy\""},
		"following needs something to follow":     {env: map[string]string{"LEGACY_FOLLOW": "true", "MONGODB_URI": "mongodb://db/nickapp"}, wrong: "LEGACY_FOLLOW: found true"},
		"and somewhere to follow it from":         {env: map[string]string{"LEGACY_FOLLOW": "true", "LEGACY_OWNER_USER": "legacy"}, wrong: "LEGACY_FOLLOW_FROM"},
		"not too often":                           {env: map[string]string{"LEGACY_FOLLOW_POLL": "1ms"}, wrong: "LEGACY_FOLLOW_POLL"},
		"a mode that does not count yet is said": {
			env:   map[string]string{"LEGACY_OWNER_CHAT": "legacy", "REPO_CHAT": "dual"},
			want:  map[string]string{"CHAT": "legacy"},
			warns: []string{"CHAT is read from Postgres although its mode is dual: the old backend owns it (LEGACY_OWNER_CHAT=legacy)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			got, err := Load()
			if c.wrong != "" {
				require.ErrorContains(t, err, c.wrong)
				assert.Equal(t, 1, strings.Count(err.Error(), "found "), "told once")
				return
			}
			require.NoError(t, err)
			assert.Len(t, got.Owners, 11)
			for domain, owner := range c.want {
				assert.Equal(t, owner, got.Owners[domain], domain)
			}
			assert.Equal(t, c.warns, got.Warnings)
		})
	}
}
