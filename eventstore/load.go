package eventstore

import (
	"context"
	"encoding/json"
	"reflect"
	"sync"

	"holdfast/domain"
)

// unitLoader loads for one unit: cache, else snapshot and tail, else the whole stream.
type unitLoader struct {
	ctx       context.Context
	x         *Executor
	fresh     bool // do not ask the cache
	fromCache bool // some state came from the cache
}

// Load implements domain.Loader.
func (l *unitLoader) Load(s domain.Stream, initial any, fold func(any, domain.Event) any) (any, int64, error) {
	if !l.fresh {
		if state, version, ok := l.x.states.get(s); ok {
			l.fromCache = true
			return state, version, nil
		}
	}
	state, version := initial, int64(0)
	snap, tail, err := l.read(s)
	if err != nil {
		return nil, 0, err
	}
	if snap != nil {
		p := reflect.New(reflect.TypeOf(initial))
		if json.Unmarshal(snap.State, p.Interface()) == nil {
			state, version = p.Elem().Interface(), snap.Version
		} else if tail, err = l.x.store.LoadStream(l.ctx, s, 0); err != nil {
			// A snapshot that no longer fits the state's shape is not an error: fold from zero.
			return nil, 0, err
		}
	}
	for _, r := range tail {
		state, version = fold(state, r.Event), r.Version
	}
	l.x.states.put(s, state, version)
	return state, version, nil
}

// snapshotLoader is a store that reads a snapshot and what came after it in one round trip.
type snapshotLoader interface {
	LoadFromSnapshot(ctx context.Context, s domain.Stream) (*Snapshot, []Recorded, error)
}

// read gives a stream's snapshot, nil when there is none, and the events after it.
func (l *unitLoader) read(s domain.Stream) (*Snapshot, []Recorded, error) {
	if both, ok := l.x.store.(snapshotLoader); ok {
		return both.LoadFromSnapshot(l.ctx, s)
	}
	snap, err := l.x.store.LoadSnapshot(l.ctx, s)
	if err != nil {
		return nil, nil, err
	}
	after := int64(0)
	if snap != nil {
		after = snap.Version
	}
	tail, err := l.x.store.LoadStream(l.ctx, s, after)
	return snap, tail, err
}

// stateCache keeps folded states of recent streams. It never decides anything: a stale
// state only costs a lost race. Eviction is by clock sweep of two generations.
type stateCache struct {
	mu       sync.Mutex
	young    map[domain.Stream]cachedState
	old      map[domain.Stream]cachedState
	capacity int
}

type cachedState struct {
	state   any
	version int64
}

func newStateCache(capacity int) *stateCache {
	return &stateCache{young: map[domain.Stream]cachedState{}, old: map[domain.Stream]cachedState{}, capacity: capacity}
}

// ForgetStates empties the memory of folded states: they hold text about people, and somebody
// was erased. The next command of each stream reads it anew.
func (x *Executor) ForgetStates() {
	x.states.mu.Lock()
	defer x.states.mu.Unlock()
	x.states.young, x.states.old = map[domain.Stream]cachedState{}, map[domain.Stream]cachedState{}
}

func (c *stateCache) get(s domain.Stream) (any, int64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.young[s]; ok {
		return e.state, e.version, true
	}
	if e, ok := c.old[s]; ok {
		c.keep(s, e)
		return e.state, e.version, true
	}
	return nil, 0, false
}

func (c *stateCache) put(s domain.Stream, state any, version int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.young[s]; ok && e.version > version {
		return
	}
	c.keep(s, cachedState{state: state, version: version})
}

func (c *stateCache) keep(s domain.Stream, e cachedState) {
	if len(c.young) >= c.capacity/2 {
		c.old, c.young = c.young, map[domain.Stream]cachedState{}
	}
	c.young[s] = e
}

func (c *stateCache) drop(s domain.Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.young, s)
	delete(c.old, s)
}

// inFlight knows which keys are being worked on in this process, so that a double click is
// told so at once. Between processes the commands row decides.
type inFlight struct {
	mu   sync.Mutex
	keys map[string]bool
}

func newInFlight() *inFlight { return &inFlight{keys: map[string]bool{}} }

func (f *inFlight) begin(key string) (done func(), ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keys[key] {
		return nil, false
	}
	f.keys[key] = true
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.keys, key)
	}, true
}
