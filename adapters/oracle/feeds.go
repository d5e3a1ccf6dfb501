package oracle

import (
	_ "embed" // the table of feeds that come with the build
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Feed is one Chainlink aggregator.
type Feed struct {
	Chain   uint64 `json:"chain"`
	Pair    string `json:"pair"` // "USDC/USD"
	Address string `json:"address"`
	// Heartbeat is how often the feed is updated at least, in seconds.
	Heartbeat int `json:"heartbeat_seconds"`
	// Pegged: the first of the pair promises to be worth the second.
	Pegged bool `json:"pegged"`
	// Sequencer is the uptime feed of an L2; empty on a chain of its own.
	Sequencer string `json:"sequencer"`
}

//go:embed feeds.json
var builtIn []byte

// BuiltInFeeds are the feeds that come with the build.
func BuiltInFeeds() ([]Feed, error) { return ReadFeeds(builtIn) }

var (
	pairGrammar    = regexp.MustCompile(`^[A-Za-z0-9.]{2,12}/USD$`)
	addressGrammar = regexp.MustCompile(`^0x[0-9a-fA-F]{40}$`)
)

// ReadFeeds reads a table of feeds (ORACLE_FEEDS_FILE has the same shape as feeds.json).
func ReadFeeds(file []byte) ([]Feed, error) {
	var doc struct {
		Feeds []Feed `json:"feeds"`
	}
	if err := json.Unmarshal(file, &doc); err != nil {
		return nil, fmt.Errorf("the table of feeds is not the JSON that was expected: %w", err)
	}
	var problems []error
	for i, f := range doc.Feeds {
		switch {
		case f.Chain == 0 || !pairGrammar.MatchString(f.Pair) || !addressGrammar.MatchString(f.Address):
			problems = append(problems, fmt.Errorf("feed %d: a chain, a pair such as USDC/USD and an address are needed", i))
		case f.Sequencer != "" && !addressGrammar.MatchString(f.Sequencer):
			problems = append(problems, fmt.Errorf("feed %d: the sequencer's feed is no address", i))
		case f.Heartbeat < 1:
			problems = append(problems, fmt.Errorf("feed %d: without a heartbeat nobody can tell whether it is stale", i))
		}
	}
	return doc.Feeds, errors.Join(problems...)
}

// margin is how late a round may come after its heartbeat: a busy chain delays it.
const margin = 15 * time.Minute

func (f Feed) freshFor() time.Duration { return time.Duration(f.Heartbeat)*time.Second + margin }
