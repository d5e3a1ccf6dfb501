package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"holdfast/adapters/legacydb"
	"holdfast/adapters/localmongo"
	"holdfast/adapters/records"
	"holdfast/projections"
	"holdfast/projections/legacymongo"
)

// Legacy is the bridge to the old backend's Mongo. Store and Runner are nil where it is never
// connected.
type Legacy struct {
	Modes  *legacymongo.Modes
	Owners legacymongo.Owners
	Store  *legacymongo.Store
	Runner *projections.Runner // of the projectors that write there
	Pool   *pgxpool.Pool       // theirs alone: they wait for Mongo
	Gaps   *legacymongo.Gaps

	follows *records.Follows
	names   map[string][]string // projectors by domain
	moving  sync.Mutex

	turnsLock sync.Mutex
	turns     map[string]int64 // by domain
}

// OpenLegacy opens the legacy store as MONGO_CONNECT_MODE says. In development a server is started
// when none is configured and its program is at hand, or a domain is to be read there.
func (c *Core) OpenLegacy(ctx context.Context, assets legacymongo.Assets, metrics prometheus.Registerer) (*Legacy, error) {
	cfg, modes := c.Config, map[string]legacymongo.Mode{}
	for domain, mode := range cfg.Repos {
		modes[domain] = legacymongo.Mode(mode)
	}
	owners := legacyOwners(cfg.Owners)
	l := &Legacy{Modes: legacymongo.NewModes(modes), Owners: owners, Gaps: legacymongo.NewGaps(c.HTTP), follows: records.NewFollows(c.HTTP), names: map[string][]string{}, turns: map[string]int64{}}
	if err := c.placed(ctx, l); err != nil {
		return nil, err
	}
	for _, w := range cfg.Warnings {
		c.Log.WarnContext(ctx, "a setting is not understood", "setting", w)
	}
	if cfg.MongoConnect == "never" {
		return l, nil
	}
	uri, err := c.legacyURI(ctx, l.readsMongo())
	if err != nil || uri == "" {
		if err != nil && cfg.MongoConnect == "optional" {
			c.Log.WarnContext(ctx, "the legacy store cannot be started; what reads it answers 503", "error", err)
			return l, nil
		}
		return l, err
	}
	if l.Store, err = legacymongo.Open(ctx, legacymongo.Options{URI: uri, Codec: c.Codec, Assets: assets, Pool: c.HTTP, Modes: l.Modes, Owners: owners, Hash: legacydb.Hash, Log: c.Log}); err != nil {
		return nil, err
	}
	c.onClose(l.Store.Close)
	if err := l.Store.Ping(ctx); err != nil {
		if cfg.MongoConnect == "always" {
			return nil, fmt.Errorf("MONGODB_URI: the legacy store does not answer, and MONGO_CONNECT_MODE is always: %w", err)
		}
		c.Log.WarnContext(ctx, "the legacy store does not answer; it is tried again", "error", err)
	}
	return l, c.openLegacyRunner(ctx, l, metrics)
}

// legacyURI gives the configured server, or starts the embedded one; empty where none is wanted.
func (c *Core) legacyURI(ctx context.Context, reads bool) (string, error) {
	if c.Config.MongoURI != "" {
		return c.Config.MongoURI, nil
	}
	if !localmongo.Installed() && !reads && c.Config.MongoConnect != "always" {
		return "", nil
	}
	server, err := localmongo.Start(ctx, c.Config.Path("mongo"), c.Log)
	if err != nil {
		return "", fmt.Errorf("start the embedded legacy store: %w", err)
	}
	c.onClose(server.Stop)
	return server.URI("nickapp"), nil
}

func (c *Core) openLegacyRunner(ctx context.Context, l *Legacy, metrics prometheus.Registerer) error {
	cfg, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return fmt.Errorf("PG_URL is not a connection string: %w", err)
	}
	cfg.MaxConns = int32(c.Config.PGPoolLegacy) //nolint:gosec // a small number
	cfg.ConnConfig.RuntimeParams["application_name"] = "holdfast-legacy"
	cfg.ConnConfig.RuntimeParams["statement_timeout"] = "60000"
	if l.Pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return fmt.Errorf("open the legacy pool: %w", err)
	}
	c.onClose(func(context.Context) error { l.Pool.Close(); return nil })
	registry, err := projections.NewRegistry(l.Store.Projectors()...)
	if err != nil {
		return err
	}
	if metrics != nil {
		metrics = prometheus.WrapRegistererWithPrefix("legacy_", metrics)
	}
	l.Runner, err = projections.New(l.Pool, c.Codec, registry, projections.Options{Log: c.Log, Metrics: metrics})
	if err != nil {
		return err
	}
	if err := l.Runner.Register(ctx); err != nil {
		return err
	}
	for _, collection := range legacymongo.Collections() {
		if collection.Rows == nil {
			l.names[collection.Domain] = append(l.names[collection.Domain], legacymongo.Prefix+collection.Name)
		}
	}
	return nil
}

// steerAll lets every domain's projectors run or rest as its mode says: only the service does,
// since a verb beside it may have been given other settings.
func (l *Legacy) steerAll(ctx context.Context) error {
	if l.Runner == nil {
		return nil
	}
	for _, domain := range legacymongo.Domains() {
		if err := l.steer(ctx, domain); err != nil {
			return err
		}
	}
	return nil
}

// readsMongo reports whether any domain's queries are answered from the legacy store.
func (l *Legacy) readsMongo() bool {
	return slices.ContainsFunc(legacymongo.Domains(), func(d string) bool { return l.kept(d) })
}

// The owners of a domain, as the settings name them.
const (
	ourselves   = "holdfast"
	legacyOwner = "legacy"
)

func (l *Legacy) owner(domain string) string {
	if l.Owners.Legacy(domain) {
		return legacyOwner
	}
	return ourselves
}

// kept reports whether a domain's collections are ours to write and to read.
func (l *Legacy) kept(domain string) bool {
	return l.Modes.Of(domain).Kept() && !l.Owners.Legacy(domain)
}

// steer lets a domain's projectors run or rest as its mode says.
func (l *Legacy) steer(ctx context.Context, domain string) error {
	if l.Runner == nil {
		return nil
	}
	act := l.Runner.Pause
	if l.kept(domain) {
		act = l.Runner.Resume
	}
	for _, name := range l.names[domain] {
		if err := act(ctx, name); err != nil {
			return fmt.Errorf("steer %s: %w", name, err)
		}
	}
	return nil
}

// elsewhere is the store as the read models see it: nil, not a nil store, where there is none.
func (l *Legacy) elsewhere() projections.Elsewhere {
	if l.Store == nil {
		return missing{l}
	}
	return l.Store
}

// missing stands for a legacy store that could not be started: what is to be read there cannot be.
type missing struct{ legacy *Legacy }

func (m missing) Serves(ctx context.Context, view string) bool {
	c, ok := legacymongo.ByView(view)
	return ok && m.legacy.Modes.For(ctx, c.Domain).Kept() && !m.legacy.Owners.Legacy(c.Domain)
}

func (missing) Find(context.Context, string, projections.Query) ([]projections.Stored, error) {
	return nil, projections.ErrElsewhere
}

func (missing) Count(context.Context, string, string, *projections.Filter) (map[string]int64, error) {
	return nil, projections.ErrElsewhere
}

func (missing) Compare(string, projections.Query, []projections.Stored, func(context.Context) ([]projections.Stored, error)) {
}

// run follows the log until ctx ends.
func (s *Service) runLegacy() {
	l := s.Legacy
	s.group.Go(func() error { return s.followCutovers(s.ctx) }) // without a store too: what reads there says so
	if l.Store == nil {
		return
	}
	s.group.Go(func() error { return l.Runner.Run(s.ctx) })
	s.group.Go(func() error { return l.Store.FollowRows(s.ctx, l.Pool) })
	s.group.Go(func() error { return l.Store.Sample(s.ctx) })
}

// runFollower takes the old backend's changes, where that is wanted.
func (s *Service) runFollower() {
	if s.Config.Follow {
		s.group.Go(func() error { return s.followLegacy(s.ctx) })
	}
}

// positions wait for the read model that a query is answered from, wherever that is.
type bothPositions struct {
	here   *projections.Runner
	legacy *Legacy
}

func (b bothPositions) WaitFor(ctx context.Context, view string, position int64) error {
	if b.legacy.Store != nil && b.legacy.Store.Serves(ctx, view) {
		if c, ok := legacymongo.ByView(view); ok {
			if err := b.legacy.Runner.WaitFor(ctx, legacymongo.Prefix+c.Name, position); err != nil {
				return err
			}
		}
	}
	return b.here.WaitFor(ctx, view, position)
}

// DomainState is how a domain stands between the stores.
type DomainState struct {
	Owner    string           `json:"owner"` // holdfast or legacy: who writes the documents
	Mode     legacymongo.Mode `json:"mode"`
	ReadsAt  string           `json:"readsFrom"` // mongo or pg
	Lag      int64            `json:"lag"`       // events that the slowest collection has not seen
	Behind   float64          `json:"lagSeconds"`
	Halted   string           `json:"halted,omitempty"` // the collection that has
	OpenGaps int64            `json:"openGaps"`
	LastGap  *LastGap         `json:"lastDifference,omitempty"`
	// Following tells of the changes of a domain that the old backend owns.
	Following *Following `json:"following,omitempty"`
}

// LastGap is the newest open difference, without the values, which may be about people.
type LastGap struct {
	Collection string    `json:"collection"`
	Document   string    `json:"document"`
	Field      string    `json:"field,omitempty"`
	Kind       string    `json:"kind"`
	At         time.Time `json:"at"`
}

// States tells of every domain.
func (l *Legacy) States(ctx context.Context) (map[string]DomainState, error) {
	all := map[string]DomainState{}
	last, open, err := l.Gaps.Last(ctx)
	if err != nil {
		return nil, err
	}
	followed, err := l.following(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]projections.Status{}
	if l.Runner != nil {
		status, err := l.Runner.Status(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range status {
			found[s.Name] = s
		}
	}
	for _, domain := range legacymongo.Domains() {
		d := DomainState{Owner: l.owner(domain), Mode: l.Modes.Of(domain), ReadsAt: "pg", OpenGaps: open[domain]}
		if l.kept(domain) {
			d.ReadsAt = "mongo"
			for _, name := range l.names[domain] {
				s := found[name]
				d.Lag, d.Behind = max(d.Lag, s.Lag), max(d.Behind, s.Behind.Seconds())
				if s.State == projections.Halted {
					d.Halted = name
				}
			}
		}
		if g, ok := last[domain]; ok {
			d.LastGap = &LastGap{Collection: g.Collection, Document: g.Document, Field: g.Field, Kind: g.Kind, At: g.LastSeen}
		}
		if f, ok := followed[domain]; ok {
			d.Following = &f
		}
		all[domain] = d
	}
	return all, nil
}

// legacyHealth is only asked where some domain is read from the legacy store, or it is needed.
func (s *Service) legacyHealth(ctx context.Context) error {
	l := s.Legacy
	if s.Config.MongoConnect != "always" && !l.readsMongo() {
		return nil
	}
	if l.Store == nil {
		return errors.New("the legacy store could not be started")
	}
	if err := l.Store.Ping(ctx); err != nil {
		return errors.New("the legacy store does not answer")
	}
	states, err := l.States(ctx)
	if err != nil {
		return errors.New("the legacy projectors' state cannot be read")
	}
	for domain, d := range states {
		switch {
		case d.Halted != "":
			return fmt.Errorf("%s has halted", d.Halted)
		case d.Behind > maxLagSeconds:
			return fmt.Errorf("%s is %d events behind", domain, d.Lag)
		}
	}
	return nil
}

// legacyDetail shows every domain, and what of the settings was not understood.
func (s *Service) legacyDetail(ctx context.Context) any {
	states, err := s.Legacy.States(ctx)
	if err != nil {
		return nil
	}
	return map[string]any{"connect": s.Config.MongoConnect, "domains": states, "warnings": s.Config.Warnings}
}
