package scenariotest

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
)

// The design's own scenarios, and more of the same kind.
var (
	//go:embed testdata/scenarios.json
	scenariosJSON []byte
	//go:embed testdata/more.json
	moreJSON []byte
)

// Scenario is one worked example: what happens, what each event books, what is left.
type Scenario struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Events   []Row     `json:"events"`
	Balances []Balance `json:"balances"`
}

// Row is one line of a scenario. Mode is post, pending, post_pending, void, none, rejected
// (the command must be refused) or duplicate (it must change nothing).
type Row struct {
	Event string   `json:"event"`
	Mode  string   `json:"mode"`
	Note  string   `json:"note"`
	Lines []Line   `json:"lines"`
	Voids []string `json:"voids"`
}

// Line is one posting of a row.
type Line struct {
	Dr     ledger.Account `json:"dr"`
	Cr     ledger.Account `json:"cr"`
	Asset  money.Asset    `json:"asset"`
	Amount money.Units    `json:"amount"`
}

// Balance is what is left on an account, normal side positive.
type Balance struct {
	Account ledger.Account `json:"account"`
	Asset   money.Asset    `json:"asset"`
	Amount  money.Units    `json:"amount"`
}

// Load reads scenarios.
func Load(raw []byte) ([]Scenario, error) {
	var all []Scenario
	err := json.Unmarshal(raw, &all)
	return all, err
}

// Scenarios are the worked scenarios of domain.md §2.16 and those of this package.
func Scenarios(t testing.TB) []Scenario {
	t.Helper()
	var all []Scenario
	for _, raw := range [][]byte{scenariosJSON, moreJSON} {
		some, err := Load(raw)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
	return all
}

// Run passes every scenario through the flows into a store and compares each event's lines
// and the balances left.
func Run(t *testing.T, open func(t testing.TB) eventstore.Store) {
	for _, s := range Scenarios(t) {
		t.Run(s.ID, func(t *testing.T) {
			t.Parallel()
			w := NewWorld(t, open(t))
			Play(w, s)
			CheckReplay(w)
		})
	}
}

// Play runs one scenario in a world.
func Play(w *World, s Scenario) {
	w.T.Helper()
	p := newPlayer(w, s)
	for n, row := range s.Events {
		p.n = n
		p.play(row)
		if w.T.Failed() {
			w.T.Fatalf("%s stopped at row %d: %s", s.ID, n+1, row.Event)
		}
	}
	p.leftovers()
	p.compareBalances(s.Balances)
}

// player goes through a scenario's rows.
type player struct {
	*World
	scenario Scenario
	n        int                   // the row that is played
	read     int64                 // position up to which the log was read
	waiting  []eventstore.Recorded // events that no row has claimed yet
	alias    map[string]string     // an account as the scenario spells it → as the store does
	orders   map[string]*orderInfo // by hold
	seen     map[string]int        // payments seen by hold
	last     map[string]transferInfo
	sent     map[string]int // transactions sent by payout or refund
}

func newPlayer(w *World, s Scenario) *player {
	return &player{
		World: w, scenario: s, alias: map[string]string{}, orders: map[string]*orderInfo{},
		seen: map[string]int{}, last: map[string]transferInfo{}, sent: map[string]int{},
	}
}

// play issues a row's command, unless an earlier command has led to its events already, and
// compares what these did to the ledger.
func (p *player) play(row Row) {
	p.T.Helper()
	switch row.Mode {
	case "rejected":
		flow, code := p.refused(row)
		p.Refuse(flow, code)
		return
	case "duplicate":
		before := p.Position()
		p.issue(row.Event, row)
		if after := p.Position(); after != before {
			p.T.Errorf("row %d: %s again wrote %d events", p.n+1, row.Event, after-before)
		}
		return
	}
	names := strings.Split(row.Event, " + ")
	var booked []booking
	for n, name := range names {
		r, ok := p.claim(typeOf(name))
		if !ok && n == 0 {
			p.issue(name, row)
			r, ok = p.claim(typeOf(name))
		}
		if !ok {
			p.T.Errorf("row %d: no %s was logged; unclaimed: %s", p.n+1, typeOf(name), p.unclaimed())
			return
		}
		booked = append(booked, p.booking(r))
	}
	p.compare(row, booked)
}

// claim takes the oldest unclaimed event of a type.
func (p *player) claim(eventType string) (eventstore.Recorded, bool) {
	p.T.Helper()
	fresh := p.Read(p.read)
	if len(fresh) > 0 {
		p.read = fresh[len(fresh)-1].Position
		p.waiting = append(p.waiting, fresh...)
	}
	for n, r := range p.waiting {
		if r.Type == eventType {
			p.waiting = slices.Delete(p.waiting, n, n+1)
			return r, true
		}
	}
	return eventstore.Recorded{}, false
}

func (p *player) unclaimed() string {
	var types []string
	for _, r := range p.waiting {
		types = append(types, r.Type)
	}
	return strings.Join(types, " ")
}

// leftovers: an event that no row names may not have moved money.
func (p *player) leftovers() {
	p.T.Helper()
	p.claim("")
	for _, r := range p.waiting {
		if b := p.booking(r); len(b.lines) > 0 || b.tx.Key != "" {
			p.T.Errorf("%s books %v, which the scenario does not have", r.Type, b.lines)
		}
	}
}
