package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"holdfast/domain"
	"holdfast/domain/fault"
)

// Executor carries commands out: load, fold, decide, append, and again when the append lost
// a race. It is safe for concurrent use.
type Executor struct {
	store   Store
	states  *stateCache
	running *inFlight
}

// cachedStates is how many folded states are remembered: some 30 MiB of holds and payments, and
// each one that is missing costs two reads.
const cachedStates = 20480

// NewExecutor makes an executor over a store. It remembers folded states of recent streams;
// the append's expected version makes a stale one harmless.
func NewExecutor(store Store) *Executor {
	return &Executor{store: store, states: newStateCache(cachedStates), running: newInFlight()}
}

// Store gives the store below.
func (x *Executor) Store() Store { return x.store }

// maxAttempts bounds deciding again after lost races (docs/fault-model.md, fault 9).
const maxAttempts = 6

// Result is what a command did.
type Result struct {
	Position int64           // last position written, 0 when nothing was
	Data     json.RawMessage // what decide answered, as JSON
	Value    any             // the same, before encoding; nil on a replay
	Events   []domain.Event  // what was appended; nil on a replay
	Replayed bool            // the key was known: this is the first outcome
}

// Execute decides and appends. decide is pure and may run several times; what it returns is
// the command's answer. When the answer is itself a *fault.Error, the events are appended
// and the command is refused with it all the same: that is how a wrong delivery code is
// counted. A refusal (fault) of a keyed command is remembered with its key, so
// the same key gets the same refusal for ever; other errors are not remembered.
func (x *Executor) Execute(ctx context.Context, meta Metadata, key *Key, decide func(*domain.Unit) (any, error)) (Result, error) {
	return x.ExecuteWith(ctx, meta, key, nil, decide)
}

// ExecuteWith is Execute with statements on plain rows, which are carried out in the append's
// transaction. rows is asked after each decision that has events, so it may use what decide
// found out; without events, and on a replay, no row is touched.
func (x *Executor) ExecuteWith(ctx context.Context, meta Metadata, key *Key, rows func() []Row, decide func(*domain.Unit) (any, error)) (Result, error) {
	if key != nil {
		done, ok := x.running.begin(key.Actor + "\x00" + key.Key)
		if !ok {
			return Result{}, ErrKeyInProgress
		}
		defer done()
	}
	fresh := false
	for attempt := 1; ; attempt++ {
		result, err := x.attempt(ctx, meta, key, fresh, rows, decide)
		if !errors.Is(err, ErrVersion) || attempt == maxAttempts {
			return result, err
		}
		fresh = true
	}
}

// attempt decides and appends once. ErrVersion means: decide again, on states read afresh.
func (x *Executor) attempt(ctx context.Context, meta Metadata, key *Key, fresh bool, rows func() []Row, decide func(*domain.Unit) (any, error)) (Result, error) {
	loader := &unitLoader{ctx: ctx, x: x, fresh: fresh}
	unit := domain.NewUnit(loader)
	value, err := decide(unit)
	if loader.fromCache && (err != nil || !unit.Writes()) {
		// Nothing will be appended, so nothing would find out that the cache was behind.
		return Result{}, ErrVersion
	}
	if err != nil {
		return x.refuse(ctx, meta, key, unit, err)
	}
	outcome, err := outcomeOf(value)
	if err != nil {
		return Result{}, err
	}
	if !unit.Writes() && key == nil {
		return answer(Result{Data: outcome.Data, Value: value}, outcome)
	}
	wish := Append{Streams: unit.Staged(), Metadata: meta, Key: key, Outcome: outcome}
	if rows != nil && unit.Writes() {
		wish.Rows = rows()
	}
	done, err := x.store.Append(ctx, wish)
	if err != nil {
		x.forget(unit)
		if f, ok := fault.From(err); ok && remembered(f) && !errors.Is(err, ErrVersion) && !errors.Is(err, ErrKeyReused) {
			return x.refuse(ctx, meta, key, nil, err)
		}
		return Result{}, err
	}
	if done.Replay != nil {
		x.forget(unit)
		return replay(*done.Replay)
	}
	unit.Final(x.states.put)
	x.snapshot(ctx, unit)
	var events []domain.Event
	for _, s := range unit.Staged() {
		events = append(events, s.Events...)
	}
	return answer(Result{Position: done.Last, Data: outcome.Data, Value: value, Events: events}, outcome)
}

func outcomeOf(value any) (Outcome, error) {
	if f, ok := value.(*fault.Error); ok {
		return Outcome{Refusal: f}, nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return Outcome{}, fmt.Errorf("encode the answer: %w", err)
	}
	return Outcome{Data: data}, nil
}

func answer(r Result, o Outcome) (Result, error) {
	if o.Refusal != nil {
		return r, o.Refusal
	}
	return r, nil
}

// refuse remembers a deterministic refusal under the command's key, then returns it. The
// versions of the streams it was decided on are checked like those of an acceptance; unit
// is nil when the store itself refused.
func (x *Executor) refuse(ctx context.Context, meta Metadata, key *Key, unit *domain.Unit, cause error) (Result, error) {
	f, ok := fault.From(cause)
	if !ok || key == nil || !remembered(f) {
		return Result{}, cause
	}
	a := Append{Metadata: meta, Key: key, Outcome: Outcome{Refusal: f}}
	if unit != nil {
		for _, s := range unit.Staged() {
			s.Events = nil
			a.Streams = append(a.Streams, s)
		}
	}
	done, err := x.store.Append(ctx, a)
	switch {
	case err != nil:
		return Result{}, err
	case done.Replay != nil:
		return replay(*done.Replay)
	}
	return Result{}, cause
}

// remembered says which refusals a key keeps: those that depend on the log alone. A broken
// part may be mended, so its refusals are tried again.
func remembered(f *fault.Error) bool {
	switch f.Kind {
	case fault.Internal, fault.Unavailable, fault.Upstream, fault.Timeout, fault.RateLimited, fault.Unauthenticated:
		return false
	}
	return true
}

func replay(o Outcome) (Result, error) {
	return answer(Result{Position: o.Position, Data: o.Data, Replayed: true}, o)
}

func (x *Executor) forget(u *domain.Unit) {
	u.Final(func(s domain.Stream, _ any, _ int64) { x.states.drop(s) })
}

// snapshotEvery is the stream length at which folding from zero begins to cost more than a
// read of a snapshot; only hot holds and long disputes ever get there.
const snapshotEvery = 200

func (x *Executor) snapshot(ctx context.Context, u *domain.Unit) {
	for _, staged := range u.Staged() {
		if len(staged.Events) == 0 {
			continue
		}
		was := staged.Expected
		now := was + int64(len(staged.Events))
		if was/snapshotEvery == now/snapshotEvery {
			continue
		}
		u.Final(func(s domain.Stream, state any, version int64) {
			// A state with text about people is never written: its text is not sealed, and
			// would outlive its subject's key. Such streams are short.
			if s != staged.Stream || holdsPersonal(reflect.TypeOf(state), map[reflect.Type]bool{}) {
				return
			}
			if raw, err := json.Marshal(state); err == nil {
				// A snapshot is an optimisation: losing one costs a longer fold, nothing else.
				_ = x.store.SaveSnapshot(ctx, s, Snapshot{Version: version, State: raw})
			}
		})
	}
}

// State folds one stream outside a command, for handlers that check before they decide.
func State[S any, E domain.Event](ctx context.Context, x *Executor, d domain.Decider[S, E], id string) (S, int64, error) {
	s, v, err := stateOf(&unitLoader{ctx: ctx, x: x}, d, id)
	if err == nil && v == 0 {
		// Another process may have begun the stream since this one looked.
		return stateOf(&unitLoader{ctx: ctx, x: x, fresh: true}, d, id)
	}
	return s, v, err
}

// FreshState is State as the log has it at this moment, for what must not be a moment old:
// whether a key still opens anything.
func FreshState[S any, E domain.Event](ctx context.Context, x *Executor, d domain.Decider[S, E], id string) (S, int64, error) {
	return stateOf(&unitLoader{ctx: ctx, x: x, fresh: true}, d, id)
}

func stateOf[S any, E domain.Event](l *unitLoader, d domain.Decider[S, E], id string) (S, int64, error) {
	u := domain.NewUnit(l)
	s, err := domain.StateOf(u, d, id)
	if err != nil {
		return s, 0, err
	}
	v, err := domain.VersionOf(u, d, id)
	return s, v, err
}
