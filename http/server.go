package http

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"
	"golang.org/x/net/netutil"
)

// Server answers HTTP. Make one with New.
type Server struct {
	config     Config
	deps       Deps
	log        *slog.Logger
	echo       *echo.Echo
	api        huma.API
	routes     []Route
	streams    map[string]bool // router paths of routes that stream
	tokens     *tokens
	sessions   *liveSessions
	keys       *knownKeys
	metrics    *metrics
	proxies    proxies
	polls      *polls
	sameOrigin *http.CrossOriginProtection
	lockouts   Lockouts

	inFlight, webhooksInFlight, pollsInFlight chan struct{}

	http *http.Server
}

// strictCasing makes huma tell "Amount" from "amount". It is a variable of huma's package,
// so it is set once, before the first server reads it.
var strictCasing sync.Once

// shutdownLimit bounds how long requests in flight may take after a stop was asked for.
const shutdownLimit = 20 * time.Second

// New joins the table with its handlers. It fails on a missing required part and on a
// secret that is too short.
func New(config Config, deps Deps) (*Server, error) {
	keys, err := newTokenKeys(config.Secret, config.PreviousSecret, config.PreviousUntil)
	if err != nil {
		return nil, err
	}
	if deps.Executor == nil || deps.Users == nil || deps.Sessions == nil || deps.Accounts == nil || deps.Hashes == nil || deps.Registry == nil {
		return nil, errors.New("executor, users, sessions, accounts, hashes and registry are required")
	}
	strictCasing.Do(func() { huma.ValidateStrictCasing = true })
	config = config.withDefaults()
	deps.Registry = currencies{deps.Registry}
	s := &Server{config: config, deps: deps, log: deps.Log, routes: Routes()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.sameOrigin, err = newSameOrigin(config.FrontendURL); err != nil {
		return nil, fmt.Errorf("the frontend's origin: %w", err)
	}
	if s.proxies, err = newProxies(config.Proxies, config.ProxyHops); err != nil {
		return nil, err
	}
	s.tokens = newTokens(keys, config.AccessTTL)
	s.sessions = newLiveSessions(deps.Sessions, config.SessionFresh)
	s.keys = newKnownKeys(deps.Executor, deps.KeyUses, config.SessionFresh)
	if s.lockouts = deps.Lockouts; s.lockouts == nil {
		s.lockouts = NewLocalLockouts(nil)
	}
	s.inFlight = make(chan struct{}, config.MaxInFlight)
	s.webhooksInFlight = make(chan struct{}, config.MaxWebhooks)
	s.pollsInFlight = make(chan struct{}, config.MaxPolls)
	s.metrics = newMetrics()
	s.polls = newPolls()
	if err := s.mount(); err != nil {
		return nil, err
	}
	s.http = &http.Server{
		Handler:           s.echo,
		ReadHeaderTimeout: config.HeaderTimeout,
		ReadTimeout:       config.ReadTimeout,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       config.IdleTimeout,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

func (s *Server) mount() error {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = func(err error, c echo.Context) { s.fail(c, err) }
	e.IPExtractor = s.proxies.extractor()
	e.Use(identifyRequest, s.securityHeaders, s.cors, bodyLimit, s.accessLog, s.admitInFlight, s.recoverPanic, s.deadline)
	s.echo = e

	s.api = humaecho.New(e, s.document())
	s.streams = map[string]bool{}
	for i := range s.routes {
		r := &s.routes[i]
		r.register(s, r)
		if r.Streams {
			s.streams[r.Path] = true // none of them has parameters
		}
	}
	s.mountSystem()
	return nil
}

// Handler gives the whole chain, for tests and for other listeners.
func (s *Server) Handler() http.Handler { return s.echo }

// Serve listens on the configured address until ctx ends, then stops gracefully within
// 20 seconds. ready, when not nil, is told the address that is really listened on.
func (s *Server) Serve(ctx context.Context, ready func(net.Addr)) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.config.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.config.Addr, err)
	}
	if ready != nil {
		ready(l.Addr())
	}
	return s.ServeOn(ctx, l)
}

// ServeOn is Serve on a listener that exists already.
func (s *Server) ServeOn(ctx context.Context, l net.Listener) error {
	done := make(chan error, 1)
	go func() { done <- s.http.Serve(netutil.LimitListener(l, s.config.MaxConnections)) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownLimit)
	defer cancel()
	return s.Shutdown(stop)
}

// Shutdown lets the requests in flight end, as long as ctx allows, and refuses new ones.
func (s *Server) Shutdown(ctx context.Context) error {
	s.polls.stop()
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("shut down: %w", err), s.http.Close())
	}
	return nil
}
