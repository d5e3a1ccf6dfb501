package wire

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"holdfast/adapters/aml"
	"holdfast/adapters/devchain"
	"holdfast/adapters/oracle"
	"holdfast/adapters/oracle/pricedouble"
	"holdfast/adapters/records"
	"holdfast/cmd/internal/config"
	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/quote"
	"holdfast/domain/safety"
	apihttp "holdfast/http"
	"holdfast/projections/paymentview"
	"holdfast/reactors"
)

// openScreener joins the sources of screening: the sanctions oracle of each chain that has one,
// and the HTTP service where one is configured.
func (s *Service) openScreener() (*aml.Screener, error) {
	cfg := s.Config
	callers := func() map[uint64]aml.Caller { return clientsAs[aml.Caller](s.Chains) }
	contracts := aml.KnownOracles()
	if s.Chains.Dev != nil {
		contracts[devchain.ChainID] = devchain.Sanctions
	}
	sources := []aml.Source{aml.Oracle{Chains: callers, Contracts: contracts}}
	if cfg.AMLURL != "" {
		api, err := aml.NewAPI(cfg.AMLURL, cfg.AMLKey, 4*time.Second, nil)
		if err != nil {
			return nil, err
		}
		sources = append(sources, api)
	}
	screener := aml.New(aml.Options{Sources: sources, MaxScore: cfg.AMLMaxScore, Log: s.Log})
	for id := range s.Chains.All() {
		if cfg.Screens() && !screener.Knows(id) {
			s.Log.Warn("nobody screens addresses of this chain: its money is taken, and released by two people only", "chain", id)
		}
	}
	return screener, nil
}

// safetyPolicy is what payments are opened with.
func safetyPolicy(c *config.Config) safety.Policy {
	return safety.Policy{Screen: c.Screens(), Block: c.Screens()}
}

// openOracle joins the price sources; nil where quoting is switched off.
func (s *Service) openOracle(ctx context.Context) (apihttp.Oracle, error) {
	cfg := s.Config
	if !cfg.Quotes() {
		return nil, nil
	}
	o := oracle.Options{Chains: func() map[uint64]oracle.Caller { return clientsAs[oracle.Caller](s.Chains) }, Log: s.Log}
	var err error
	if o.Feeds, err = oracle.BuiltInFeeds(); err != nil {
		return nil, err
	}
	if cfg.OracleFeedsFile != "" {
		file, err := os.ReadFile(cfg.OracleFeedsFile)
		if err != nil {
			return nil, fmt.Errorf("ORACLE_FEEDS_FILE: %w", err)
		}
		if o.Feeds, err = oracle.ReadFeeds(file); err != nil {
			return nil, fmt.Errorf("ORACLE_FEEDS_FILE: %w", err)
		}
	}
	for _, pair := range cfg.OracleHTTPSources {
		name, url, _ := strings.Cut(pair, "=")
		o.APIs = append(o.APIs, &oracle.API{Name: name, URL: url})
	}
	if s.Chains.Dev != nil {
		if err := s.developmentPrices(ctx, &o); err != nil {
			return nil, err
		}
	}
	return oracle.New(o)
}

// developmentPrices gives the built-in chain a feed, and two price sources over real HTTP, so that
// quotes work out of the box.
func (s *Service) developmentPrices(ctx context.Context, o *oracle.Options) error {
	if _, err := s.Chains.Dev.SetPrice(ctx, 99_980_000, time.Now()); err != nil {
		return fmt.Errorf("set the development price feed: %w", err)
	}
	for _, pair := range []string{"USDC/USD", "USDT/USD"} {
		o.Feeds = append(o.Feeds, oracle.Feed{Chain: devchain.ChainID, Pair: pair, Address: devchain.PriceFeed, Heartbeat: 86400, Pegged: true})
	}
	if len(o.APIs) > 0 {
		return nil
	}
	for name, usdc := range map[string]string{"market-a": "0.9997", "market-b": "0.9999"} {
		double, err := pricedouble.Start(map[string]string{"USDC/USD": usdc, "USDT/USD": usdc, "EUR/USD": "1.0842", "TRY/USD": "0.02391", "IRR/USD": "0.0000237"})
		if err != nil {
			return fmt.Errorf("start a development price source: %w", err)
		}
		s.onClose(func(context.Context) error { return double.Close() })
		o.APIs = append(o.APIs, &oracle.API{Name: name, URL: double.URL()})
	}
	return nil
}

// quoting is the policy of quotes.
func quoting(c *config.Config) apihttp.Quoting {
	return apihttp.Quoting{
		Rule: quote.Rule{MaxAge: time.Minute, MaxSpread: money.BPS(c.OracleMaxSpread), MaxDepeg: money.BPS(c.OracleMaxDepeg), Rounding: quote.StandardRounding},
		Life: c.QuoteLife, TimeToPay: c.QuoteTimeToPay,
	}
}

// safeCheckout raises the confirmations that a payment is opened with.
type safeCheckout struct {
	apihttp.Checkout
	least uint64
}

// Prepare implements apihttp.Checkout.
func (c safeCheckout) Prepare(ctx context.Context, id domain.PaymentID, due money.Amount) (apihttp.PayIn, error) {
	in, err := c.Checkout.Prepare(ctx, id, due)
	in.Threshold.Need = max(in.Threshold.Need, c.least)
	return in, err
}

// known are the addresses that screening is asked about again.
type known struct {
	paymentview.Queries
	records *records.Records
}

func (k known) Asked(ctx context.Context, chain uint64, address string) error {
	return k.records.Rescreening.Asked(ctx, chain, address)
}

func (k known) Wallets(ctx context.Context, before time.Time, limit int) ([]reactors.Place, error) {
	rows, err := k.records.Wallets.ToRescreen(ctx, before, limit)
	all := make([]reactors.Place, len(rows))
	for i, w := range rows {
		all[i] = reactors.Place{Chain: w.ChainID, Address: w.Address, Word: safety.Outcome(w.Screening)}
	}
	return all, err
}

func (k known) Tell(ctx context.Context, chain uint64, address string, word safety.Outcome) error {
	return k.records.Wallets.Screen(ctx, chain, address, string(word))
}
