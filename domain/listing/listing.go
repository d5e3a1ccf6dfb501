package listing

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"holdfast/domain"
	"holdfast/domain/network"
)

// The phases.
const (
	Untouched = "Untouched" // the built-in table alone speaks of the chain
	On        = "Enabled"
	Off       = "Disabled"
)

// State is what lies over the table's chain.
type State struct {
	Status     string      `json:"status"`
	Definition *Definition `json:"definition,omitempty"`
	Unwatched  bool        `json:"unwatched,omitempty"`
	// By lower-case address: tokens as they are described here, and proxies added or retired.
	Tokens    map[string]network.Token `json:"tokens,omitempty"`
	TokensOff map[string]bool          `json:"tokens_off,omitempty"`
	Proxies   map[string]network.Proxy `json:"proxies,omitempty"`
	Retired   map[string]bool          `json:"retired,omitempty"` // true: distrusted as well
}

// Phase names it.
func (s State) Phase() string {
	if s.Status == "" {
		return Untouched
	}
	return s.Status
}

// ID is the stream's id of a chain.
func ID(chain uint64) string { return strconv.FormatUint(chain, 10) }

// Decider is the listing of one chain.
var Decider = domain.Decider[State, Event]{Category: "network_listing", Decide: Table().Decide, Evolve: Evolve}

func key(address string) string { return strings.ToLower(address) }

func with[V any](m map[string]V, k string, v V) map[string]V {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]V{}
	}
	m[k] = v
	return m
}

func without[V any](m map[string]V, k string) map[string]V {
	m = maps.Clone(m)
	delete(m, k)
	if len(m) == 0 {
		return nil
	}
	return m
}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Enabled:
		s.Status, s.Definition, s.Unwatched = On, &e.Definition, false
	case Changed:
		s.Definition = &e.Definition
	case Disabled:
		s.Status, s.Unwatched = Off, !e.Watched
	case TokenRegistered:
		s.Tokens, s.TokensOff = with(s.Tokens, key(e.Token.Address), e.Token), without(s.TokensOff, key(e.Token.Address))
	case TokenChanged:
		s.Tokens, s.TokensOff = with(s.Tokens, key(e.Token.Address), e.Token), without(s.TokensOff, key(e.Token.Address))
	case TokenDisabled:
		s.TokensOff = with(s.TokensOff, key(e.Address), true)
	case ProxyAdded:
		s.Proxies, s.Retired = with(s.Proxies, key(e.Proxy.Address), e.Proxy), without(s.Retired, key(e.Proxy.Address))
	case ProxyRetired:
		s.Retired = with(s.Retired, key(e.Address), e.Distrusted)
	}
	return s
}

// Over lays the listing over what the table says of the chain. ok is false for a chain that
// neither knows. floor is the least depth that configuration allows on it.
func (s State) Over(chain uint64, base network.Chain, floor uint64) (c network.Chain, ok bool) {
	if base.ID == 0 && s.Definition == nil {
		return network.Chain{}, false
	}
	c = base
	c.ID = chain
	if d := s.Definition; d != nil {
		c.Name, c.Native, c.Explorer, c.BlockTime, c.Testnet = d.Name, d.Native, d.Explorer, d.BlockTime, d.Testnet
		c.Confirmations.Need, c.Confirmations.Tag = d.Need, d.Tag
	}
	switch s.Status {
	case On:
		c.Disabled = false
	case Off:
		c.Disabled = true
	}
	c.Confirmations.Floor = max(c.Confirmations.Floor, floor, 1)
	c.Confirmations.Need = max(c.Confirmations.Need, c.Confirmations.Floor)
	c.Tokens, c.Proxies = s.tokens(base.Tokens), s.proxies(base.Proxies)
	return c, true
}

func (s State) tokens(base []network.Token) []network.Token {
	var all []network.Token
	listed := map[string]bool{}
	add := func(t network.Token) {
		k := key(t.Address)
		if listed[k] {
			return
		}
		listed[k] = true
		if changed, ok := s.Tokens[k]; ok {
			t = changed
		}
		t.Disabled = t.Disabled || s.TokensOff[k]
		all = append(all, t)
	}
	for _, t := range base {
		add(t)
	}
	for _, k := range slices.Sorted(maps.Keys(s.Tokens)) {
		add(s.Tokens[k])
	}
	return all
}

func (s State) proxies(base []network.Proxy) []network.Proxy {
	var all []network.Proxy
	listed := map[string]bool{}
	add := func(p network.Proxy) {
		k := key(p.Address)
		distrusted, retired := s.Retired[k]
		if listed[k] || distrusted {
			return
		}
		listed[k] = true
		p.Retired = p.Retired || retired
		if _, again := s.Proxies[k]; again && !retired {
			p.Retired = false
		}
		all = append(all, p)
	}
	for _, p := range base {
		add(p)
	}
	for _, k := range slices.Sorted(maps.Keys(s.Proxies)) {
		add(s.Proxies[k])
	}
	return all
}

// Token finds a token of a chain by its address, in any spelling.
func Token(c network.Chain, address string) (network.Token, bool) {
	i := slices.IndexFunc(c.Tokens, func(t network.Token) bool { return strings.EqualFold(t.Address, address) })
	if i < 0 {
		return network.Token{}, false
	}
	return c.Tokens[i], true
}

// Proxy finds a payment contract of a chain by its address, in any spelling.
func Proxy(c network.Chain, address string) (network.Proxy, bool) {
	i := slices.IndexFunc(c.Proxies, func(p network.Proxy) bool { return strings.EqualFold(p.Address, address) })
	if i < 0 {
		return network.Proxy{}, false
	}
	return c.Proxies[i], true
}
