package http

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// mountSystem adds what stands outside the table: documents, metrics and health, which have
// no envelope of ours or are asked by machines that know only a status.
func (s *Server) mountSystem() {
	gatherers := prometheus.Gatherers{s.metrics.registry}
	if s.deps.Metrics != nil {
		gatherers = append(gatherers, s.deps.Metrics)
	}
	s.echo.GET("/metrics", echo.WrapHandler(promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{})))
	s.echo.GET("/openapi.json", s.openapi)
	s.mountDocs()
	s.mountDevMail()
}

func (s *Server) openapi(c echo.Context) error {
	doc, err := s.OpenAPI()
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/json", doc)
}

// Health is how the service is.
type Health struct {
	Status  string            `json:"status" enum:"ok,degraded"`
	Version string            `json:"version"`
	Stores  map[string]string `json:"stores,omitempty" doc:"Per domain: where reads come from"`
	Checks  map[string]string `json:"checks" doc:"Per part: ok, or the reason why not"`
	Detail  map[string]any    `json:"detail,omitempty"`
}

var errNotReady = fault.New(fault.Unavailable, "NOT_READY", "the service cannot take requests now")

// health asks every part, all at once, a second each; without detail only those without which no
// request can be taken.
func (s *Server) health(ctx context.Context, detail bool) (Health, bool) {
	h := Health{Status: "ok", Version: s.config.Version, Stores: s.config.Stores, Checks: map[string]string{}, Detail: map[string]any{}}
	checks := []HealthCheck{{Name: "log", Ask: s.logAnswers}}
	for _, check := range s.deps.Health {
		if detail || !check.Partial {
			checks = append(checks, check)
		}
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	ok := true
	for _, check := range checks {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			err := check.Ask(ctx)
			mu.Lock()
			defer mu.Unlock()
			h.Checks[check.Name] = "ok"
			if err != nil {
				ok = false
				h.Checks[check.Name] = err.Error()
			}
			if detail && check.Detail != nil {
				h.Detail[check.Name] = check.Detail(ctx)
			}
		})
	}
	all.Wait()
	if !ok {
		h.Status = "degraded"
	}
	return h, ok
}

// logAnswers reports whether the log can be read; the reason is ours, never the driver's,
// which may hold addresses and names.
func (s *Server) logAnswers(ctx context.Context) error {
	if _, err := s.deps.Executor.Store().Now(ctx); err != nil {
		return eventstore.ErrUnavailable
	}
	return nil
}

func (s *Server) getHealth(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	h, ok := s.health(ctx, true)
	if !ok {
		return reply{status: http.StatusServiceUnavailable, data: h}, nil
	}
	return reply{data: h}, nil
}

func (s *Server) getLive(context.Context, *call, *struct{}) (reply, error) {
	return reply{data: Health{Status: "ok", Version: s.config.Version, Checks: map[string]string{}}}, nil
}

func (s *Server) getReady(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	h, ok := s.health(ctx, false)
	if ok {
		return reply{data: h}, nil
	}
	refusal := errNotReady.Retry(2)
	for name, reason := range h.Checks {
		if reason != "ok" {
			refusal = refusal.With(name, reason)
		}
	}
	return reply{}, refusal
}

// Version says which build answers.
type Version struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	LogID   string `json:"logId" doc:"Identity of the log that this service writes"`
}

func (s *Server) getVersion(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	head, err := s.deps.Executor.Store().Head(ctx)
	if err != nil {
		return reply{}, err
	}
	return reply{data: Version{Name: "holdfast", Version: s.config.Version, LogID: head.LogID}}, nil
}
