// Package pricedouble is an HTTP price source for tests and for development: it speaks real HTTP,
// and can be made to lie, to hang, and to answer something else than JSON.
package pricedouble

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server answers prices.
type Server struct {
	mu      sync.Mutex
	prices  map[string]string // by pair, "USDC/USD"
	age     time.Duration
	instead func(http.ResponseWriter, *http.Request) bool
	http    *http.Server
	listen  net.Listener
}

// Start serves on a free port of this machine.
func Start(prices map[string]string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it listens as long as it lives
	if err != nil {
		return nil, err
	}
	s := &Server{prices: prices, listen: l}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.http.Serve(l) }() // it ends with Close
	return s, nil
}

// URL of the prices.
func (s *Server) URL() string { return "http://" + s.listen.Addr().String() + "/price" }

// Close ends it.
func (s *Server) Close() error { return s.http.Close() }

// Set changes a price; empty = it is not known any more.
func (s *Server) Set(pair, price string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prices[pair] = price
}

// Age makes the prices so old.
func (s *Server) Age(age time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.age = age
}

// Break lets a function answer instead; nil ends it. Where it gives false, the price is answered.
func (s *Server) Break(answer func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instead = answer
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	instead, age := s.instead, s.age
	pair := strings.ReplaceAll(r.URL.Query().Get("pair"), "-", "/")
	price := s.prices[pair]
	s.mu.Unlock()
	if instead != nil && instead(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if price == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"pair": pair, "price": price, "time": time.Now().Add(-age).UTC(), "id": time.Now().UTC().Format("150405.000")})
}
