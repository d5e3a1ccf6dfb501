package domain

import "fmt"

// Loader gives a stream's folded state. The executor provides it; it may answer from a
// cache, because the append checks the expected version again.
type Loader interface {
	// Load folds the stream with fold, beginning at initial, and gives the state and the
	// version it stands for (0 = the stream does not exist).
	Load(s Stream, initial any, fold func(state any, e Event) any) (state any, version int64, err error)
}

// Staged is what one stream gets when the unit is appended; without Events its version is
// only checked.
type Staged struct {
	Stream   Stream
	Expected int64 // the stream's version that the decision was based on
	Events   []Event
}

// Unit is one command's decision over one or several streams. Everything that is decided in
// it is appended in one transaction or not at all. It is rebuilt from scratch when the
// append loses a race, so the code that runs in it must be pure.
type Unit struct {
	loader Loader
	order  []Stream
	open   map[Stream]*openStream
}

type openStream struct {
	state    any
	expected int64
	events   []Event
}

// NewUnit begins a decision.
func NewUnit(l Loader) *Unit { return &Unit{loader: l, open: map[Stream]*openStream{}} }

// Staged lists every stream the unit read, in the order in which they were first read. One
// without events was only looked at: its version is checked all the same when the unit is
// appended, so that no decision rests on a state that has moved on.
func (u *Unit) Staged() []Staged {
	all := make([]Staged, 0, len(u.order))
	for _, s := range u.order {
		o := u.open[s]
		all = append(all, Staged{Stream: s, Expected: o.expected, Events: o.events})
	}
	return all
}

// Writes reports whether any stream got events.
func (u *Unit) Writes() bool {
	for _, o := range u.open {
		if len(o.events) > 0 {
			return true
		}
	}
	return false
}

// Final gives each touched stream's state and version as they will be after the append.
func (u *Unit) Final(visit func(s Stream, state any, version int64)) {
	for _, s := range u.order {
		o := u.open[s]
		visit(s, o.state, o.expected+int64(len(o.events)))
	}
}

// StateOf reads an aggregate inside the unit, with what the unit has decided so far.
func StateOf[S any, E Event](u *Unit, d Decider[S, E], id string) (S, error) {
	o, err := opened(u, d, id)
	if err != nil {
		var none S
		return none, err
	}
	return o.state.(S), nil
}

// VersionOf is the stream's version after what the unit has decided so far.
func VersionOf[S any, E Event](u *Unit, d Decider[S, E], id string) (int64, error) {
	o, err := opened(u, d, id)
	if err != nil {
		return 0, err
	}
	return o.expected + int64(len(o.events)), nil
}

// Do decides one command on one stream of the unit and stages its events.
func Do[S any, E Event](u *Unit, d Decider[S, E], id string, c Command) ([]E, error) {
	o, err := opened(u, d, id)
	if err != nil {
		return nil, err
	}
	events, err := d.Decide(o.state.(S), c)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		o.state = d.Evolve(o.state.(S), e)
		o.events = append(o.events, e)
	}
	return events, nil
}

func opened[S any, E Event](u *Unit, d Decider[S, E], id string) (*openStream, error) {
	s := Stream{Type: d.Category, ID: id}
	if o, ok := u.open[s]; ok {
		return o, nil
	}
	state, version, err := u.loader.Load(s, d.Initial, func(state any, e Event) any {
		return d.Evolve(state.(S), e.(E))
	})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", s, err)
	}
	o := &openStream{state: state, expected: version}
	u.open[s] = o
	u.order = append(u.order, s)
	return o, nil
}
