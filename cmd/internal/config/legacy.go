package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Legacy is how the service stands beside the old backend's Mongo (docs/legacy/README.md).
type Legacy struct {
	// MongoConnect: always (the boot fails without it), optional, never. Unset: optional in
	// development, always elsewhere.
	MongoConnect string `env:"MONGO_CONNECT_MODE"`
	MongoURI     string `env:"MONGODB_URI" secret:"url"`

	RepoDefault      string `env:"REPO_DEFAULT" envDefault:"pg"`
	RepoUser         string `env:"REPO_USER"`
	RepoPayment      string `env:"REPO_PAYMENT"`
	RepoPoints       string `env:"REPO_POINTS"`
	RepoMarketplace  string `env:"REPO_MARKETPLACE"`
	RepoTrezor       string `env:"REPO_TREZOR"`
	RepoDestination  string `env:"REPO_DERIVED_DESTINATION"`
	RepoBlog         string `env:"REPO_BLOG"`
	RepoNotification string `env:"REPO_NOTIFICATION"`
	RepoDispute      string `env:"REPO_DISPUTE"`
	RepoChat         string `env:"REPO_CHAT"`
	RepoReleaseHold  string `env:"REPO_RELEASE_HOLD"`
	// The names of before.
	BlogStore         string `env:"BLOG_STORE"`
	NotificationStore string `env:"NOTIFICATION_STORE"`
	DisputeStore      string `env:"DISPUTE_STORE"`
	ChatStore         string `env:"CHAT_STORE"`
	ReleaseHoldStore  string `env:"RELEASE_HOLD_STORE"`

	// Who owns the documents of a domain: holdfast, or legacy while the old backend still writes them.
	OwnerDefault      string `env:"LEGACY_OWNER_DEFAULT" envDefault:"holdfast"`
	OwnerUser         string `env:"LEGACY_OWNER_USER"`
	OwnerPayment      string `env:"LEGACY_OWNER_PAYMENT"`
	OwnerPoints       string `env:"LEGACY_OWNER_POINTS"`
	OwnerMarketplace  string `env:"LEGACY_OWNER_MARKETPLACE"`
	OwnerTrezor       string `env:"LEGACY_OWNER_TREZOR"`
	OwnerDestination  string `env:"LEGACY_OWNER_DERIVED_DESTINATION"`
	OwnerBlog         string `env:"LEGACY_OWNER_BLOG"`
	OwnerNotification string `env:"LEGACY_OWNER_NOTIFICATION"`
	OwnerDispute      string `env:"LEGACY_OWNER_DISPUTE"`
	OwnerChat         string `env:"LEGACY_OWNER_CHAT"`
	OwnerReleaseHold  string `env:"LEGACY_OWNER_RELEASE_HOLD"`

	// Follow: the service takes the old backend's changes; from where, and how often it looks.
	Follow     bool          `env:"LEGACY_FOLLOW" envDefault:"false"`
	FollowFrom string        `env:"LEGACY_FOLLOW_FROM" secret:"url"` // empty: MONGODB_URI
	FollowPoll time.Duration `env:"LEGACY_FOLLOW_POLL" envDefault:"2s"`

	// Owners is who owns each domain after Load.
	Owners map[string]string `env:"-"`
	// Currencies says which asset the old backend meant by a symbol that several chains have:
	// USDT=USDT@56 pairs.
	Currencies []string `env:"LEGACY_CURRENCIES" envDefault:"USDT=USDT@56,USDC=USDC@56"`
	// LedgerEnforced: an imported payment whose words and whose entries in the old books disagree is
	// refused. Else the smaller amount is opened, and the difference is a critical gap.
	LedgerEnforced bool `env:"PAYMENT_LEDGER_ENFORCEMENT" envDefault:"true"`
	// LegacyCurrencies are the pairs after Load.
	LegacyCurrencies map[string]string `env:"-"`

	// Repos is the mode of each domain (USER, PAYMENT …) after Load: mongo, dual or pg.
	Repos map[string]string `env:"-"`
	// Warnings say which values were not understood and what is done instead.
	Warnings []string `env:"-"`
}

// The modes.
const (
	storeMongo = "mongo"
	storeDual  = "dual"
	storePG    = "pg"
)

// The owners.
const (
	ownerHoldfast = "holdfast"
	ownerLegacy   = "legacy"
)

// MongoURIDefault is the original's.
const MongoURIDefault = "mongodb://localhost:27017/nickapp"

// legacy resolves the modes. An unknown value means mongo, as in the original, but loudly; where
// Mongo is never connected it stops the boot.
func (c *Config) legacy(wrong func(name, found, want string)) {
	if c.MongoConnect == "" {
		c.MongoConnect = "always"
		if c.Development() {
			c.MongoConnect = "optional"
		}
	}
	if !slices.Contains([]string{"always", "optional", "never"}, c.MongoConnect) {
		wrong("MONGO_CONNECT_MODE", strconv.Quote(c.MongoConnect), "always, optional, never")
	}
	if c.MongoURI == "" && !c.Development() {
		c.MongoURI = MongoURIDefault
	}
	if c.MongoURI != "" && !strings.HasPrefix(c.MongoURI, "mongodb://") && !strings.HasPrefix(c.MongoURI, "mongodb+srv://") {
		wrong("MONGODB_URI", "something else", "a mongodb:// or mongodb+srv:// URI")
	}
	c.currencies(wrong)
	c.Repos = map[string]string{}
	told := map[string]bool{} // REPO_DEFAULT is wrong once, however many domains inherit it
	once := func(name, found, want string) {
		if !told[name] {
			wrong(name, found, want)
		}
		told[name] = true
	}
	for _, r := range c.repos() {
		name, value := r.name, r.value
		if r.alias != "" && r.old != "" {
			if value != "" && value != r.old {
				wrong(name, fmt.Sprintf("%q and %s=%q", value, r.alias, r.old), "one of them, or the same in both")
			}
			if value == "" {
				name, value = r.alias, r.old
			}
		}
		if value == "" {
			name, value = "REPO_DEFAULT", c.RepoDefault
		}
		c.Repos[r.domain] = c.repo(name, value, once)
	}
	c.owners(once)
	c.follow(wrong)
	slices.Sort(c.Warnings)
	c.Warnings = slices.Compact(c.Warnings)
}

// currencies reads what symbols meant.
func (c *Config) currencies(wrong func(name, found, want string)) {
	c.LegacyCurrencies = map[string]string{}
	for _, pair := range c.Currencies {
		symbol, asset, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || symbol == "" || asset == "" {
			wrong("LEGACY_CURRENCIES", strconv.Quote(pair), "pairs such as USDT=USDT@56")
			continue
		}
		c.LegacyCurrencies[strings.ToUpper(symbol)] = asset
	}
}

type repo struct{ domain, name, value, alias, old string }

func (c *Config) repos() []repo {
	return []repo{
		{"USER", "REPO_USER", c.RepoUser, "", ""},
		{"PAYMENT", "REPO_PAYMENT", c.RepoPayment, "", ""},
		{"POINTS", "REPO_POINTS", c.RepoPoints, "", ""},
		{"MARKETPLACE", "REPO_MARKETPLACE", c.RepoMarketplace, "", ""},
		{"TREZOR", "REPO_TREZOR", c.RepoTrezor, "", ""},
		{"DERIVED_DESTINATION", "REPO_DERIVED_DESTINATION", c.RepoDestination, "", ""},
		{"BLOG", "REPO_BLOG", c.RepoBlog, "BLOG_STORE", c.BlogStore},
		{"NOTIFICATION", "REPO_NOTIFICATION", c.RepoNotification, "NOTIFICATION_STORE", c.NotificationStore},
		{"DISPUTE", "REPO_DISPUTE", c.RepoDispute, "DISPUTE_STORE", c.DisputeStore},
		{"CHAT", "REPO_CHAT", c.RepoChat, "CHAT_STORE", c.ChatStore},
		{"RELEASE_HOLD", "REPO_RELEASE_HOLD", c.RepoReleaseHold, "RELEASE_HOLD_STORE", c.ReleaseHoldStore},
	}
}

// repo reads one mode.
func (c *Config) repo(name, value string, wrong func(name, found, want string)) string {
	known := slices.Contains([]string{storeMongo, storeDual, storePG}, value)
	if c.MongoConnect == "never" && value != storePG {
		wrong(name, strconv.Quote(value), "pg, since MONGO_CONNECT_MODE is never")
		return storePG
	}
	if !known {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%s=%q is none of mongo, dual, pg: it is taken for mongo", name, value))
		return storeMongo
	}
	return value
}

// owners resolves who owns each domain. Both backends would write where this is not understood, so
// a wrong value stops the boot.
func (c *Config) owners(wrong func(name, found, want string)) {
	c.Owners = map[string]string{}
	for domain, value := range map[string]string{
		"USER": c.OwnerUser, "PAYMENT": c.OwnerPayment, "POINTS": c.OwnerPoints, "MARKETPLACE": c.OwnerMarketplace, "TREZOR": c.OwnerTrezor,
		"DERIVED_DESTINATION": c.OwnerDestination, "BLOG": c.OwnerBlog, "NOTIFICATION": c.OwnerNotification, "DISPUTE": c.OwnerDispute,
		"CHAT": c.OwnerChat, "RELEASE_HOLD": c.OwnerReleaseHold,
	} {
		name := "LEGACY_OWNER_" + domain
		if value == "" {
			name, value = "LEGACY_OWNER_DEFAULT", c.OwnerDefault
		}
		if value != ownerHoldfast && value != ownerLegacy {
			wrong(name, strconv.Quote(value), "holdfast, legacy")
			continue
		}
		c.Owners[domain] = value
		if value == ownerLegacy && c.Repos[domain] != storePG {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s is read from Postgres although its mode is %s: the old backend owns it (%s=legacy)", domain, c.Repos[domain], name))
		}
	}
}

// follow checks where the old backend's changes come from.
func (c *Config) follow(wrong func(name, found, want string)) {
	if c.FollowFrom == "" {
		c.FollowFrom = c.MongoURI
	}
	if c.FollowPoll < 100*time.Millisecond || c.FollowPoll > time.Hour {
		wrong("LEGACY_FOLLOW_POLL", c.FollowPoll.String(), "100ms … 1h")
	}
	if !c.Follow {
		return
	}
	if !strings.HasPrefix(c.FollowFrom, "mongodb://") && !strings.HasPrefix(c.FollowFrom, "mongodb+srv://") {
		wrong("LEGACY_FOLLOW_FROM", "something else", "a mongodb:// or mongodb+srv:// URI, or MONGODB_URI instead")
	}
	if !slices.Contains(slices.Collect(maps.Values(c.Owners)), ownerLegacy) {
		wrong("LEGACY_FOLLOW", "true", "false while the old backend owns no domain (LEGACY_OWNER_…)")
	}
}
