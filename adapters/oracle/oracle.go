package oracle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/quote"
)

// chainlinkName is the source's name in quotes.
const chainlinkName = "chainlink"

// ErrUnavailable: sources are configured, and fewer than two of them have a price that may be
// used now.
var ErrUnavailable = fault.New(fault.Unavailable, "ORACLE_UNAVAILABLE", "the price sources have no usable price at the moment").Retry(10)

// Options of the sources.
type Options struct {
	Feeds  []Feed
	Chains func() map[uint64]Caller // those there are at this moment
	APIs   []*API
	// Timeout of all questions of one quote together; 5 s when 0.
	Timeout time.Duration
	// Grace is how long an L2's sequencer must be up again; 1 h when 0.
	Grace time.Duration
	Now   func() time.Time // the clock; time.Now when nil
	Log   *slog.Logger
}

// Oracle asks all sources. It is safe for concurrent use.
type Oracle struct {
	o     Options
	chain *chainlink
}

// New makes an oracle. It asks nobody yet: a source that is down must not keep the service from
// starting.
func New(o Options) (*Oracle, error) {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Grace == 0 {
		o.Grace = time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	pegged := map[string]bool{}
	for _, f := range o.Feeds {
		pegged[f.Pair] = pegged[f.Pair] || f.Pegged
	}
	names := map[string]bool{}
	for _, a := range o.APIs {
		if err := a.open(o.Timeout); err != nil {
			return nil, err
		}
		if names[a.Name] {
			return nil, fmt.Errorf("ORACLE_HTTP_SOURCES: two sources have the name %q", a.Name)
		}
		names[a.Name] = true
		if a.Pegged == nil {
			a.Pegged = pegged
		}
	}
	return &Oracle{o: o, chain: &chainlink{chains: o.Chains, grace: o.Grace, now: o.Now, decimals: map[string]uint8{}}}, nil
}

// Rates asks every source at once what a price in a currency is in a token. quote.ErrUnavailable
// when fewer than two sources know the pair, ErrUnavailable when fewer than two have a price that
// may be used. What is wrong with a source is logged, not told.
func (o *Oracle) Rates(ctx context.Context, currency money.Asset, token network.Token) ([]quote.Rate, error) {
	code, ok := currency.Currency()
	priceDecimals, _ := money.FiatDecimals(currency)
	if !ok {
		return nil, quote.ErrUnavailable.With("currency", currency)
	}
	ctx, cancel := context.WithTimeout(ctx, o.o.Timeout)
	defer cancel()
	pairs := []string{token.Symbol + "/USD"}
	if code != "USD" {
		pairs = append(pairs, code+"/USD")
	}
	asked := o.sources(token.Chain, pairs)
	if len(asked) < 2 {
		return nil, quote.ErrUnavailable.With("sources", len(asked))
	}
	var (
		mu    sync.Mutex
		wait  sync.WaitGroup
		rates []quote.Rate
	)
	for name, read := range asked {
		wait.Go(func() {
			rate, err := rateOf(ctx, token.Decimals, priceDecimals, pairs, read)
			if err != nil {
				o.o.Log.WarnContext(ctx, "price source left out", "source", name, "pairs", pairs, "error", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			rates = append(rates, rate)
		})
	}
	wait.Wait()
	if len(rates) < 2 {
		return nil, ErrUnavailable.With("sources", len(asked)).With("usable", len(rates))
	}
	slices.SortFunc(rates, func(a, b quote.Rate) int { return strings.Compare(a.Source, b.Source) })
	return rates, nil
}

type reader func(ctx context.Context, pair string) (quote.Reading, error)

// sources gives those that know every pair. HTTP sources are taken at their word.
func (o *Oracle) sources(chain uint64, pairs []string) map[string]reader {
	all := map[string]reader{}
	feeds := map[string]Feed{}
	for _, pair := range pairs {
		if f, ok := o.feed(chain, pair); ok {
			feeds[pair] = f
		}
	}
	if len(feeds) == len(pairs) {
		all[chainlinkName] = func(ctx context.Context, pair string) (quote.Reading, error) { return o.chain.read(ctx, feeds[pair]) }
	}
	for _, a := range o.o.APIs {
		all[a.Name] = func(ctx context.Context, pair string) (quote.Reading, error) { return a.read(ctx, pair, o.o.Now()) }
	}
	return all
}

// feed finds a pair's feed on a chain that is configured, best on the token's own.
func (o *Oracle) feed(chain uint64, pair string) (found Feed, ok bool) {
	for _, f := range o.o.Feeds {
		if _, configured := o.o.Chains()[f.Chain]; f.Pair != pair || !configured {
			continue
		}
		if f.Chain == chain {
			return f, true
		}
		if !ok {
			found, ok = f, true
		}
	}
	return found, ok
}

func rateOf(ctx context.Context, assetDecimals, priceDecimals uint8, pairs []string, read reader) (quote.Rate, error) {
	readings := make([]quote.Reading, len(pairs))
	var problems []error
	for i, pair := range pairs {
		r, err := read(ctx, pair)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", pair, err))
		}
		readings[i] = r
	}
	if err := errors.Join(problems...); err != nil {
		return quote.Rate{}, err
	}
	var cross *quote.Reading
	if len(readings) == 2 {
		cross = &readings[1]
	}
	return quote.RateOf(assetDecimals, priceDecimals, readings[0], cross)
}
