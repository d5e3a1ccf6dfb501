package wire

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"holdfast/adapters/aml"
	"holdfast/adapters/localredis"
	"holdfast/adapters/records"
	"holdfast/adapters/requestnetwork"
	"holdfast/adapters/requestnetwork/rndouble"
	"holdfast/adapters/telegram/telegramdouble"
	"holdfast/adapters/urlguard"
	"holdfast/cmd/internal/config"
	apihttp "holdfast/http"
	"holdfast/projections"
	"holdfast/projections/views"
	"holdfast/projections/watchview"
	"holdfast/reactors"
)

// Service is everything that `holdfast serve` runs.
type Service struct {
	*Core
	Records *records.Records
	Chains  *Chains
	Double  *rndouble.Double // plays Request Network in development; nil otherwise
	Redis   *localredis.Redis
	Runner  *projections.Runner
	Views   *views.Queries
	Legacy  *Legacy
	Server  *apihttp.Server
	Addr    string

	buyers   *requestnetwork.Client // nil without a provider
	poller   *requestnetwork.Client
	networks *reactors.Networks
	guard    *urlguard.Guard

	screener *aml.Screener
	oracle   apihttp.Oracle

	signIn         apihttp.SignIn
	bot            *telegramBot           // nil without one
	GoogleDouble   string                 // its URL in development; empty otherwise
	TelegramDouble *telegramdouble.Server // nil otherwise

	sweeps *sweeps
	mail   *mailing // nil without a mail server outside development

	personal *personal

	loopsLock sync.Mutex
	loops     []loop
	running   bool

	reconciler *reactors.Reconciler
	metrics    *prometheus.Registry
	group      *errgroup.Group
	ctx        context.Context // of everything that runs in the background
}

// Start brings the service up. Run then serves until its context ends; Close stops what
// Start has started.
func Start(ctx context.Context, cfg *config.Config, log *slog.Logger, version string) (s *Service, err error) {
	core, err := Open(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	s = &Service{Core: core, metrics: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			_ = core.Close(context.WithoutCancel(ctx))
		}
	}()
	s.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	hasher := records.NewHasherApart(cfg.PasswordHashes, cfg.PasswordQueue, cfg.HashCommand...)
	core.onClose(hasher.Close)
	s.Records = records.NewWith(core.HTTP, hasher)
	redis, err := localredis.Open(cfg.RedisURI, cfg.RedisPassword)
	if err != nil {
		return nil, fmt.Errorf("open Redis: %w", err)
	}
	s.Redis = redis
	core.onClose(func(context.Context) error { return redis.Close() }) // s is nil when a later step fails
	if s.Chains, err = core.openChains(ctx); err != nil {
		return nil, err
	}
	if s.screener, err = s.openScreener(); err != nil {
		return nil, err
	}
	if s.oracle, err = s.openOracle(ctx); err != nil {
		return nil, err
	}
	keyed, err := newHashes(cfg)
	if err != nil {
		return nil, err
	}
	s.openPersonal(keyed)
	if err := s.openMail(keyed); err != nil {
		return nil, err
	}
	if err := s.openViews(ctx); err != nil {
		return nil, err
	}
	if s.Legacy, err = core.OpenLegacy(ctx, liveAssets{s.Chains}, s.metrics); err != nil {
		return nil, err
	}
	if err := s.Legacy.steerAll(ctx); err != nil {
		return nil, err
	}
	if err := s.openNetworks(ctx); err != nil {
		return nil, err
	}
	if err := s.openProvider(ctx); err != nil {
		return nil, err
	}
	if err := s.openSignIn(); err != nil {
		return nil, err
	}
	if cfg.Seeds() {
		if err := s.Seed(ctx); err != nil {
			return nil, err
		}
	}
	s.group, s.ctx = errgroup.WithContext(ctx)
	if err := s.openLoops(); err != nil {
		return nil, err
	}
	if err := s.metrics.Register(chainMetrics{payIns{s}}); err != nil {
		return nil, err
	}
	if err := s.metrics.Register(followMetrics{s.Legacy}); err != nil {
		return nil, err
	}
	return s, s.openServer(version)
}

func (s *Service) openViews(ctx context.Context) error {
	registry, err := projections.NewRegistry(views.Projectors()...)
	if err != nil {
		return err
	}
	s.Runner, err = projections.New(s.Core.Views, s.Codec, registry, projections.Options{Log: s.Log, Metrics: s.metrics})
	if err != nil {
		return err
	}
	if err := s.Runner.Register(ctx); err != nil {
		return fmt.Errorf("register the projectors: %w", err)
	}
	s.Views = views.New(s.HTTP, s.Codec)
	return nil
}

// Seed makes the development users. Payers of the development chain get their wallets.
func (s *Service) Seed(ctx context.Context) error {
	chain, addresses := uint64(0), map[string]string{}
	if s.Chains.Dev != nil {
		chain, addresses = DevelopmentWallets()
	}
	if err := s.SeedUsers(ctx, s.Records, chain, addresses); err != nil {
		return err
	}
	return s.bookDevelopmentCapital(ctx)
}

func (s *Service) openServer(version string) error {
	cfg := s.Config
	terms, err := newPolicy(cfg)
	if err != nil {
		return err
	}
	keyed, err := newHashes(cfg)
	if err != nil {
		return err
	}
	s.Server, err = apihttp.New(apihttp.Config{
		FrontendURL: cfg.FrontendURL, Proxies: cfg.Proxies, ProxyHops: cfg.ProxyHops, Budgets: budgets(cfg), Version: version, AccessLog: cfg.AccessLog,
		Secret: []byte(cfg.JWTSecret), PreviousSecret: []byte(cfg.JWTPrevious), PreviousUntil: cfg.JWTPreviousUntil,
		AccessTTL: cfg.AccessTTL(), RefreshTTL: cfg.RefreshTTL(),
		Quoting: quoting(cfg), ReauthAfter: cfg.ReauthAfter, TelegramMaxAge: cfg.TelegramMaxAge, Development: cfg.Development(),
	}, apihttp.Deps{
		Log: s.Log, Executor: s.Executor,
		Users: users{s.Records.Users}, Sessions: sessions{s.Records.Sessions}, Accounts: users{s.Records.Users}, Hashes: keyed, AccountCodes: accountCodes{s.Records.AccountCodes},
		SignIn:   s.signIn,
		Registry: s.Chains.Registry,
		Oracle:   s.oracle, Screener: s.screener,
		Checkout: safeCheckout{checkout{s.Chains, s.Records.Destinations}, cfg.MinConfirmations}, Custody: custody{s.Chains, s.Records.Transactions, s.Store},
		Recipients: recipients{s.Chains, s.screener},
		Policy:     terms, Codes: newCodes(cfg.PIIMasterKey), Categories: s.Records.Categories, Wallets: wallets{s.Records.Wallets},
		Approvals: s.Records.Approvals, Networks: s.networks, Nodes: nodes{s}, Inbox: inbox{s.Records.Inbox},
		KeyUses: s.Records.KeyUses, News: s.Records.KeyUses,
		Webhook: s.verifier(), Provider: s.provider(),
		Views: apihttp.NewViews(s.HTTP, s.Codec).From(s.Legacy.elsewhere()), Positions: bothPositions{s.Runner, s.Legacy},
		LegacyNames: s.Records.LegacyNames, Owners: s.Legacy.Owners, Migration: migration{s, new(atomic.Bool)}, Projections: steering{s.Runner, s.rebuildInBackground}, Proofs: proofs{s.Store},
		Reconciler: reconciler{s.reconciler}, Health: s.health(), Witness: witness{s.Chains, watchview.New(s.HTTP)}, PayIns: payIns{s}, Metrics: s.metrics, Limiter: s.limiter(), Lockouts: s.lockouts(),
		Mailer: s.mailer(), PostOffice: s.postOffice(), DevMail: s.devMail(), People: s.people(),
		Sweeping: s.sweeps, SweepBooks: s.sweeps, SweepRunner: s.sweeps,
		Devices: devices{s.Chains.XPub}, Nonces: newNonces(cfg.PIIMasterKey), Operations: operations{s.Records.Operations}, SafekeepingRequired: cfg.Safekeeping,
	})
	return err
}

func (s *Service) rebuildInBackground(name string) {
	s.group.Go(func() error {
		if err := s.Runner.Rebuild(s.ctx, name, nil); err != nil {
			s.Log.Error("rebuild failed", "view", name, "error", err)
		}
		return nil
	})
}

// Listen takes the port, so that a taken one is an error before anything is announced.
func (s *Service) Listen(ctx context.Context) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", ":"+strconv.Itoa(s.Config.Port))
	if err != nil {
		return nil, fmt.Errorf("listen on PORT %d: %w", s.Config.Port, err)
	}
	s.Addr = fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	if s.Double != nil {
		s.Double.SetWebhook(s.Addr + webhookPath)
	}
	if s.TelegramDouble != nil {
		s.TelegramDouble.SetWebhook(s.Addr+botWebhookPath, "development")
	}
	return l, nil
}

// Run serves until Start's context ends, then finishes what is in flight.
func (s *Service) Run(l net.Listener) error {
	s.group.Go(func() error { return s.Runner.Run(s.ctx) })
	s.runLegacy()
	s.runFollower()
	s.loopsLock.Lock()
	s.running = true
	for _, l := range s.loops {
		s.group.Go(func() error { return l.Run(s.ctx) })
	}
	s.loopsLock.Unlock()
	s.group.Go(func() error { return s.Server.ServeOn(s.ctx, l) })
	return s.group.Wait()
}
