package oracle

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/holiman/uint256"

	"holdfast/domain/money"
	"holdfast/domain/quote"
)

// Caller asks a contract's view function over JSON-RPC (adapters/evm has one a chain).
type Caller interface {
	Call(ctx context.Context, contract string, data []byte) ([]byte, error)
}

// Selectors of latestRoundData() and decimals().
var (
	latestRoundData = mustHex("feaf968c")
	decimalsCall    = mustHex("313ce567")
)

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// chainlink reads feeds. It is safe for concurrent use.
type chainlink struct {
	chains func() map[uint64]Caller
	grace  time.Duration
	now    func() time.Time

	mu       sync.Mutex
	decimals map[string]uint8 // by chain and address; a feed's decimals never change
}

// round is what latestRoundData says. answeredInRound is left out: it is deprecated, and says
// nothing on feeds of today.
type round struct {
	id       money.Units
	answer   money.Units
	negative bool
	started  time.Time
	updated  time.Time
}

// latest is beyond any time that a chain can mean.
const latest = 1 << 40

func (c *chainlink) round(ctx context.Context, chain uint64, address string) (round, error) {
	caller, ok := c.chains()[chain]
	if !ok {
		return round{}, fmt.Errorf("chain %d is not configured", chain)
	}
	out, err := caller.Call(ctx, address, latestRoundData)
	if err != nil {
		return round{}, err
	}
	if len(out) != 5*32 {
		return round{}, fmt.Errorf("%d bytes are no round; is there a feed at %s?", len(out), address)
	}
	word := func(i int) *uint256.Int { return new(uint256.Int).SetBytes32(out[i*32 : (i+1)*32]) }
	started, updated := word(2), word(3)
	if !started.IsUint64() || started.Uint64() > latest || !updated.IsUint64() || updated.Uint64() > latest {
		return round{}, fmt.Errorf("the round's times make no sense")
	}
	return round{
		id: money.FromUint256(word(0)), answer: money.FromUint256(word(1)), negative: word(1).Sign() < 0,
		started: time.Unix(int64(started.Uint64()), 0).UTC(), updated: time.Unix(int64(updated.Uint64()), 0).UTC(),
	}, nil
}

// read gives a feed's newest round as a reading, or why it must not be used.
func (c *chainlink) read(ctx context.Context, f Feed) (quote.Reading, error) {
	if err := c.sequencer(ctx, f); err != nil {
		return quote.Reading{}, err
	}
	decimals, err := c.decimalsOf(ctx, f)
	if err != nil {
		return quote.Reading{}, err
	}
	r, err := c.round(ctx, f.Chain, f.Address)
	switch {
	case err != nil:
		return quote.Reading{}, err
	case r.negative:
		return quote.Reading{}, fmt.Errorf("the price is negative")
	case r.updated.Unix() == 0 || r.id.IsZero():
		return quote.Reading{}, fmt.Errorf("the round is not complete")
	case c.now().Sub(r.updated) > f.freshFor():
		return quote.Reading{}, fmt.Errorf("the round is of %s, older than its heartbeat", r.updated.Format(time.RFC3339))
	}
	reading := quote.Reading{
		Pair: f.Pair, Source: chainlinkName, Answer: r.answer, Decimals: decimals, ObservedAt: r.updated, FreshFor: f.freshFor(),
		Round: r.id.String(), Feed: f.Address, Chain: f.Chain, Pegged: f.Pegged,
	}
	return reading, reading.Usable()
}

// sequencer refuses prices of an L2 whose sequencer is down, or came back only now: what was
// traded meanwhile could not move the feed.
func (c *chainlink) sequencer(ctx context.Context, f Feed) error {
	if f.Sequencer == "" {
		return nil
	}
	r, err := c.round(ctx, f.Chain, f.Sequencer)
	switch {
	case err != nil:
		return fmt.Errorf("sequencer: %w", err)
	case !r.answer.IsZero():
		return fmt.Errorf("the sequencer of chain %d is down", f.Chain)
	case r.started.Unix() == 0 || c.now().Sub(r.started) < c.grace:
		return fmt.Errorf("the sequencer of chain %d is back only since %s", f.Chain, r.started.Format(time.RFC3339))
	}
	return nil
}

func (c *chainlink) decimalsOf(ctx context.Context, f Feed) (uint8, error) {
	key := fmt.Sprintf("%d/%s", f.Chain, f.Address)
	c.mu.Lock()
	known, ok := c.decimals[key]
	c.mu.Unlock()
	if ok {
		return known, nil
	}
	caller, ok := c.chains()[f.Chain]
	if !ok {
		return 0, fmt.Errorf("chain %d is not configured", f.Chain)
	}
	out, err := caller.Call(ctx, f.Address, decimalsCall)
	if err != nil {
		return 0, err
	}
	n := new(uint256.Int).SetBytes(out)
	if len(out) != 32 || !n.IsUint64() || n.Uint64() > 18 {
		return 0, fmt.Errorf("the feed's decimals make no sense")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.decimals[key] = uint8(n.Uint64())
	return c.decimals[key], nil
}
