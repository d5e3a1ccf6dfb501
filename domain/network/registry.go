package network

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// Refusals of the registry.
var (
	ErrUnknownAsset = fault.New(fault.Rule, "UNKNOWN_ASSET", "the registry has no such asset")
	ErrUnknownChain = fault.New(fault.Rule, "UNKNOWN_CHAIN", "the registry has no such chain")
)

// Registry knows chains and tokens. It is built once and never changes.
type Registry struct {
	chains []Chain
	names  map[string]uint64 // lower-case name or alias → chain
	tokens map[money.Asset]Token
	words  map[string]money.Asset // lower-case alias → asset
}

// New builds a registry. It refuses what would be ambiguous or impossible: a name, alias
// or address used twice, an address outside its grammar, more than 36 decimals, a
// confirmation count of 0.
func New(chains ...Chain) (*Registry, error) {
	r := &Registry{names: map[string]uint64{}, tokens: map[money.Asset]Token{}, words: map[string]money.Asset{}}
	var problems []error
	for _, c := range chains {
		if err := r.add(c); err != nil {
			problems = append(problems, fmt.Errorf("chain %d (%s): %w", c.ID, c.Name, err))
		}
	}
	slices.SortFunc(r.chains, func(a, b Chain) int { return strings.Compare(a.Name, b.Name) })
	return r, errors.Join(problems...)
}

func (r *Registry) add(c Chain) error {
	var problems []error
	if c.ID == 0 || c.Name == "" {
		return errors.New("a chain needs an id and a name")
	}
	if _, twice := r.Chain(c.ID); twice {
		return errors.New("the id is used twice")
	}
	if c.Confirmations.Need == 0 || c.Confirmations.Floor == 0 {
		problems = append(problems, errors.New("confirmations: need and floor are at least 1"))
	}
	if t := c.Confirmations.Tag; t != NoTag && t != Finalized && t != Safe {
		problems = append(problems, fmt.Errorf("confirmations: tag %q", t))
	}
	for _, name := range append([]string{c.Name, strconv.FormatUint(c.ID, 10)}, c.Aliases...) {
		if other, taken := r.names[strings.ToLower(name)]; taken && other != c.ID {
			problems = append(problems, fmt.Errorf("the name %q belongs to chain %d", name, other))
		}
		r.names[strings.ToLower(name)] = c.ID
	}
	for _, p := range c.Proxies {
		if CheckAddress(p.Address) != nil || (p.Kind != ERC20FeeProxy && p.Kind != EthereumFeeProxy) {
			problems = append(problems, fmt.Errorf("proxy %s %q", p.Kind, p.Address))
		}
	}
	coin := Token{Symbol: c.Native.Symbol, Decimals: c.Native.Decimals, Kind: Coin}
	for _, t := range append([]Token{coin}, c.Tokens...) {
		t.Chain = c.ID
		problems = append(problems, r.addToken(t, c))
	}
	r.chains = append(r.chains, c)
	return errors.Join(problems...)
}

func (r *Registry) addToken(t Token, c Chain) error {
	if t.Kind == "" {
		t.Kind = ERC20
	}
	switch {
	case t.Symbol == "" || strings.ContainsAny(t.Symbol, "@:/ "):
		return fmt.Errorf("token symbol %q", t.Symbol)
	case t.Kind != Coin && CheckAddress(t.Address) != nil:
		return fmt.Errorf("token %s: address %q", t.Symbol, t.Address)
	case t.Decimals > 36:
		return fmt.Errorf("token %s: %d decimals", t.Symbol, t.Decimals)
	}
	asset := t.Asset()
	if _, twice := r.tokens[asset]; twice {
		return fmt.Errorf("token %s: the address is used twice", t.Symbol)
	}
	words := []string{t.Alias(), t.Symbol + "@" + c.Name}
	if t.RequestID != "" {
		words = append(words, t.RequestID)
	}
	for _, w := range words {
		if other, taken := r.words[strings.ToLower(w)]; taken {
			return fmt.Errorf("%s already names %s", w, other)
		}
	}
	for _, w := range words {
		r.words[strings.ToLower(w)] = asset
	}
	r.tokens[asset] = t
	return nil
}

// Chains lists the chains by name.
func (r *Registry) Chains() []Chain { return slices.Clone(r.chains) }

// Chain finds a chain by id.
func (r *Registry) Chain(id uint64) (Chain, bool) {
	i := slices.IndexFunc(r.chains, func(c Chain) bool { return c.ID == id })
	if i < 0 {
		return Chain{}, false
	}
	return r.chains[i], true
}

// ChainNamed finds a chain by its name, a provider's alias, its number or "eip155:<id>".
func (r *Registry) ChainNamed(name string) (Chain, bool) {
	id, ok := r.names[strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "eip155:")]
	if !ok {
		return Chain{}, false
	}
	return r.Chain(id)
}

// Token finds a token by its asset id.
func (r *Registry) Token(asset money.Asset) (Token, bool) {
	t, ok := r.tokens[asset]
	return t, ok
}

// Tokens lists a chain's tokens, the native coin included, by symbol.
func (r *Registry) Tokens(chain uint64) []Token {
	var found []Token
	for _, t := range r.tokens {
		if t.Chain == chain {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b Token) int { return strings.Compare(a.Symbol+a.Address, b.Symbol+b.Address) })
	return found
}

// Asset finds an asset by its id or alias: "eip155:56/erc20:0x55d3…", "USDT@56",
// "USDT@bsc", "USDT-bsc", "POINTS".
func (r *Registry) Asset(idOrAlias string) (money.Asset, bool) {
	word := strings.ToLower(strings.TrimSpace(idOrAlias))
	if word == strings.ToLower(string(Points)) {
		return Points, true
	}
	if asset, ok := r.words[word]; ok {
		return asset, true
	}
	_, ok := r.tokens[money.Asset(word)]
	return money.Asset(word), ok
}

// Parse is Asset with ErrUnknownAsset for what is not in the registry.
func (r *Registry) Parse(idOrAlias string) (money.Asset, error) {
	asset, ok := r.Asset(idOrAlias)
	if !ok {
		return "", ErrUnknownAsset.With("found", clip(idOrAlias))
	}
	return asset, nil
}

// Points is the asset of loyalty points: whole numbers, on no chain.
const Points money.Asset = "POINTS"

// Decimals of an asset.
func (r *Registry) Decimals(asset money.Asset) (uint8, bool) {
	t, ok := r.tokens[asset]
	return t.Decimals, ok || asset == Points
}

// Alias is an asset's short name: "USDT@56".
func (r *Registry) Alias(asset money.Asset) (string, bool) {
	if asset == Points {
		return string(Points), true
	}
	t, ok := r.tokens[asset]
	if !ok {
		return "", false
	}
	return t.Alias(), true
}

// Amount reads a human decimal in an asset given by id or alias, exactly.
func (r *Registry) Amount(asset, decimal string) (money.Amount, error) {
	id, err := r.Parse(asset)
	if err != nil {
		return money.Amount{}, err
	}
	d, _ := r.Decimals(id)
	units, err := money.ParseDecimal(decimal, d)
	return money.Of(id, units), err
}

// Format writes an amount for people: "97.5 USDT@56". An asset that the registry does not
// know is written in base units, with its id.
func (r *Registry) Format(a money.Amount) string {
	d, ok := r.Decimals(a.Asset)
	if !ok {
		return a.String()
	}
	alias, _ := r.Alias(a.Asset)
	return a.Units.Decimal(d) + " " + alias
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
