// Package demo walks orders through a running service over HTTP, for people to watch: each
// step prints what was done, which events it left in the log, and at the end what the books say.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/cmd/internal/apiclient"
	"holdfast/domain/money"
	"holdfast/domain/network"
)

// Stage is the set of a demonstration: who plays, on which chain, and how far the log was shown.
type Stage struct {
	out      io.Writer
	base     string
	secret   string // of the webhook, to play the provider
	registry *network.Registry
	chain    *evm.Client
	wallet   *devchain.Wallet
	signer   *evm.LocalSigner

	admin, admin2, buyer, seller, seller2, resolver, resolver2 *apiclient.Client

	shown int64 // last position printed
	step  int
}

// Options say where the service and its development chain are.
type Options struct {
	Base     string // http://localhost:5001
	ChainURL string
	Secret   string // REQUEST_NETWORK_WEBHOOK_SECRET of the service
	Password string
	Out      io.Writer
}

// NewStage signs everybody in.
func NewStage(ctx context.Context, o Options) (*Stage, error) {
	s := &Stage{out: o.Out, base: o.Base, secret: o.Secret}
	guest := apiclient.New(o.Base)
	for name, client := range map[string]**apiclient.Client{
		"admin": &s.admin, "admin2": &s.admin2, "buyer": &s.buyer, "seller": &s.seller, "seller2": &s.seller2, "resolver": &s.resolver, "resolver2": &s.resolver2,
	} {
		c, err := guest.Login(ctx, name+"@holdfast.test", o.Password)
		if err != nil {
			return nil, err
		}
		*client = c
	}
	var err error
	if s.chain, err = evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{o.ChainURL}}); err != nil {
		return nil, err
	}
	if s.registry, err = network.New(devchain.Network()); err != nil {
		return nil, err
	}
	if s.wallet, err = devchain.Dial(ctx, o.ChainURL); err != nil {
		return nil, err
	}
	if s.signer, err = evm.NewLocalSigner(devchain.Mnemonic); err != nil {
		return nil, err
	}
	s.shown, err = s.head(ctx)
	return s, err
}

// Close ends the connections to the chain.
func (s *Stage) Close() {
	s.wallet.Close()
	s.chain.Close()
}

func (s *Stage) printf(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }

// chapter prints a heading.
func (s *Stage) chapter(title string) { s.printf("\n== %s ==\n", title) }

// do plays one step: it says what happens, does it, and shows the events it left.
func (s *Stage) do(ctx context.Context, what string, act func() (string, error)) error {
	s.step++
	s.printf("\n%2d. %s\n", s.step, what)
	note, err := act()
	if err != nil {
		return fmt.Errorf("step %d (%s): %w", s.step, what, err)
	}
	if note != "" {
		s.printf("      → %s\n", note)
	}
	return s.showEvents(ctx)
}

func (s *Stage) head(ctx context.Context) (int64, error) {
	at := int64(0)
	for {
		events, err := s.events(ctx, at)
		if err != nil || len(events) == 0 {
			return at, err
		}
		at = events[len(events)-1].Position
	}
}

type logEvent struct {
	Position int64  `json:"position"`
	Type     string `json:"type"`
	Stream   struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"stream"`
}

func (s *Stage) events(ctx context.Context, after int64) ([]logEvent, error) {
	a, err := s.admin.Call(ctx, apiclient.GET, "/api/audit/events?limit=1000&from_position="+strconv.FormatInt(after, 10), nil)
	if err != nil {
		return nil, err
	}
	var events []logEvent
	return events, json.Unmarshal(a.Data, &events)
}

func (s *Stage) showEvents(ctx context.Context) error {
	events, err := s.events(ctx, s.shown)
	for _, e := range events {
		s.printf("      %6d  %s\n", e.Position, e.Type)
		s.shown = e.Position
	}
	// What one player has done the others see: their reads wait for it.
	for _, c := range s.players() {
		c.Position = max(c.Position, s.shown)
	}
	return err
}

func (s *Stage) players() []*apiclient.Client {
	return []*apiclient.Client{s.admin, s.admin2, s.buyer, s.seller, s.seller2, s.resolver, s.resolver2}
}

// post sends a command with a fresh key.
func post(ctx context.Context, c *apiclient.Client, path string, body any) (apiclient.Answer, error) {
	if body == nil {
		body = map[string]any{}
	}
	return c.Call(ctx, apiclient.POST, path, body, apiclient.WithKey(uuid.NewString()))
}

// patience is how long the demo waits for what happens in the background: confirmations,
// sweeps, settled transactions.
const patience = 90 * time.Second

// await polls a path until a field has one of the values.
func (s *Stage) await(ctx context.Context, c *apiclient.Client, path, field string, want ...string) (apiclient.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	last := ""
	for {
		a, err := c.Call(ctx, apiclient.GET, path, nil)
		if refusal := (*apiclient.Error)(nil); errors.As(err, &refusal) && refusal.Status >= 500 {
			err = nil // a view that lags; ask again
		}
		if err != nil && ctx.Err() == nil {
			return a, err
		}
		if got := a.Get(field); got != last && got != "" {
			last = got
			s.printf("      … %s is %s\n", field, got)
		}
		for _, w := range want {
			if last == w {
				return a, nil
			}
		}
		select {
		case <-ctx.Done():
			return a, fmt.Errorf("%s of %s stayed %q, %s was expected", field, path, last, strings.Join(want, " or "))
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// Books prints the trial balance that the service answers.
func (s *Stage) Books(ctx context.Context) error {
	a, err := s.admin.Call(ctx, apiclient.GET, "/api/ledger/trial-balance", nil)
	if err != nil {
		return err
	}
	var b struct {
		Position int64    `json:"position"`
		Balanced bool     `json:"balanced"`
		Problems []string `json:"problems"`
		Accounts []struct{ Account, Asset, Balance, Available string }
	}
	if err := a.Into(&b); err != nil {
		return err
	}
	s.printf("\n== Trial balance at position %d ==\n\n", max(b.Position, s.shown))
	for _, l := range b.Accounts {
		if l.Balance != "0" {
			s.printf("  %-58s %-14s %28s\n", l.Account, s.short(l.Asset), l.Balance)
		}
	}
	s.printf("\n  balanced: %v\n", b.Balanced)
	if !b.Balanced {
		return fmt.Errorf("the books do not balance: %v", b.Problems)
	}
	return nil
}

// short is an asset's alias.
func (s *Stage) short(asset string) string {
	if alias, ok := s.registry.Alias(money.Asset(asset)); ok {
		return alias
	}
	return asset
}
