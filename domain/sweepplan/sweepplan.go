package sweepplan

import (
	"maps"
	"time"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
	"holdfast/domain/outgoing"
)

// Refusals of a plan.
var (
	ErrExpired    = fault.New(fault.Conflict, "PLAN_EXPIRED", "the plan has expired; nonces and prices have moved on: make another")
	ErrSigned     = fault.New(fault.Conflict, "SWEEP_IN_FLIGHT", "this part of the plan came back signed already")
	ErrUsed       = fault.New(fault.Conflict, "TX_ALREADY_USED", "this transaction was counted as another sweep of the same address")
	ErrNotFinal   = fault.New(fault.Conflict, "NOT_FINAL", "the money is there, but the chain may still undo it")
	ErrGasTooHigh = fault.New(fault.Rule, "GAS_TOO_HIGH", "gas costs more than the configured limit")
	ErrNotAllowed = fault.New(fault.Conflict, "SWEEP_NOT_ALLOWED", "this sweep may not be made now")
	ErrNoSigner   = fault.New(fault.Unavailable, "SIGNER_UNAVAILABLE", "the configured signer cannot sign this now")
)

// The phases.
const (
	Open = "Open" // something is still to be signed
	Used = "Used" // everything came back
	Over = "Over" // it expired before everything came back
)

// Commands of a plan.
type (
	// Plan makes it known.
	Plan struct {
		domain.Issue
		Planned Planned
	}
	// Sign brings one signed transaction, a sweep's or a top-up's.
	Sign struct {
		domain.Issue
		Tx outgoing.Signed
	}
	// Execute notes that the Safe's owners have executed a proposal, in a transaction of theirs.
	Execute struct {
		domain.Issue
		Sweep domain.SweepID
		Tx    string
	}
	// Expire ends a plan whose time is over.
	Expire struct{ domain.Issue }
	// EndTopUp notes what became of a top-up.
	EndTopUp struct {
		domain.Issue
		Destination domain.DestinationID
		Outcome     string
	}
)

// What may become of a top-up.
const (
	Arrived  = "arrived"
	Failed   = "failed"
	Replaced = "replaced"
)

// State is a plan with what came back of it.
type State struct {
	Planned
	Signed   map[domain.SweepID]string       `json:"signed,omitempty"`    // hashes
	ToppedUp map[domain.DestinationID]string `json:"topped_up,omitempty"` // hashes
	Ended    map[domain.DestinationID]string `json:"ended,omitempty"`     // outcomes of top-ups
	IsOver   bool                            `json:"is_over,omitempty"`
}

// Phase names how it stands.
func (s State) Phase() string {
	switch {
	case s.Plan == "":
		return ""
	case len(s.Signed) == len(s.Sweeps) && len(s.ToppedUp) == len(s.TopUps):
		return Used
	case s.IsOver:
		return Over
	}
	return Open
}

// Find gives a sweep of the plan.
func (s State) Find(id domain.SweepID) (Sweep, bool) {
	for _, w := range s.Sweeps {
		if w.ID == id {
			return w, true
		}
	}
	return Sweep{}, false
}

// Decider is the plan.
var Decider = domain.Decider[State, Event]{Category: "sweep_plan", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Planned:
		s = State{Planned: e}
	case SweepSigned:
		s.Signed = with(s.Signed, e.Sweep, e.Tx)
	case TopUpSigned:
		s.ToppedUp = with(s.ToppedUp, e.Destination, e.Tx)
	case Expired:
		s.IsOver = true
	case TopUpEnded:
		s.Ended = with(s.Ended, e.Destination, e.Outcome)
	}
	return s
}

func with[K comparable](m map[K]string, k K, v string) map[K]string {
	m = maps.Clone(m)
	if m == nil {
		m = map[K]string{}
	}
	m[k] = v
	return m
}

// Table is the plan's state machine.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	by := []domain.Capacity{domain.Admin, domain.Process}
	after := []string{Open, Used, Over}
	return machine.Table[State, Event]{
		Name: "SweepPlan", Phases: []string{"", Open, Used, Over}, Phase: State.Phase,
		Rows: []machine.Row[State, Event]{
			machine.On(line{From: []string{""}, By: by, To: []string{Open}, Guard: "at least one sweep → NOTHING_TO_SWEEP", Events: []string{"sweep_plan.planned"}}, plan),
			machine.On(line{
				From: after, By: by, To: after,
				Guard:  "every field is the plan's → INSTRUCTION_MISMATCH; before it expires → PLAN_EXPIRED; the same again changes nothing, another signature → SWEEP_IN_FLIGHT",
				Events: []string{"sweep_plan.sweep_signed", "sweep_plan.top_up_signed"},
			}, sign),
			machine.On(line{
				From: after, By: by, To: after,
				Guard:  "a proposal of the plan → SWEEP_NOT_FOUND; what the chain shows has no expiry",
				Events: []string{"sweep_plan.sweep_signed"},
			}, execute),
			machine.On(line{
				From: after, By: []domain.Capacity{domain.Timer}, To: []string{Used, Over},
				Guard: "everything came back, or it is over already: changes nothing", Events: []string{"sweep_plan.expired"},
			}, expire),
			machine.On(line{
				From: after, By: []domain.Capacity{domain.Chain, domain.Process}, To: after,
				Guard: "signed before → SWEEP_NOT_FOUND; a repeat changes nothing", Events: []string{"sweep_plan.top_up_ended"},
			}, endTopUp),
		},
	}
}

func plan(_ State, c Plan) ([]Event, error) {
	if len(c.Planned.Sweeps) == 0 {
		return nil, destination.ErrNothing
	}
	e := c.Planned
	e.By = c.By
	return []Event{e}, nil
}

// sign finds what the transaction is of by its sender and nonce, and compares the rest.
func sign(s State, c Sign) ([]Event, error) {
	mismatch := outgoing.ErrInstructionMismatch.With("field", "from")
	for _, w := range s.Sweeps {
		if !outgoing.SameAddress(w.Instruction.From, c.Tx.From) || w.Proposal != nil {
			continue
		}
		if err := w.Instruction.CheckSigned(c.Tx); err != nil {
			return nil, err
		}
		if known, err := s.again(s.Signed[w.ID], c.Tx.Hash, c.At); known || err != nil {
			return nil, err
		}
		return []Event{SweepSigned{Sweep: w.ID, Destination: w.Destination, Tx: outgoing.NormalHash(c.Tx.Hash), By: c.By}}, nil
	}
	for _, t := range s.TopUps {
		if !outgoing.SameAddress(t.Instruction.From, c.Tx.From) {
			continue
		}
		if t.Instruction.Nonce != c.Tx.Nonce {
			mismatch = outgoing.ErrInstructionMismatch.With("field", "nonce")
			continue
		}
		if err := t.Instruction.CheckSigned(c.Tx); err != nil {
			return nil, err
		}
		if known, err := s.again(s.ToppedUp[t.Destination], c.Tx.Hash, c.At); known || err != nil {
			return nil, err
		}
		return []Event{TopUpSigned{Destination: t.Destination, Transfer: t.Instruction.Transfer, Tx: outgoing.NormalHash(c.Tx.Hash), By: c.By}}, nil
	}
	return nil, mismatch
}

// again reports whether the hash is known already. Another one for the same instruction is
// refused, and so is a first one after the plan's end.
func (s State) again(known, hash string, at time.Time) (bool, error) {
	switch {
	case known != "" && outgoing.SameAddress(known, hash):
		return true, nil
	case known != "":
		return false, ErrSigned.With("tx", known)
	case !at.Before(s.ExpiresAt):
		return false, ErrExpired
	}
	return false, nil
}

func execute(s State, c Execute) ([]Event, error) {
	w, ok := s.Find(c.Sweep)
	if !ok || w.Proposal == nil {
		return nil, destination.ErrSweep
	}
	switch known := s.Signed[c.Sweep]; {
	case known != "" && outgoing.SameAddress(known, c.Tx):
		return nil, nil
	case known != "":
		return nil, ErrSigned.With("tx", known)
	}
	return []Event{SweepSigned{Sweep: c.Sweep, Destination: w.Destination, Tx: outgoing.NormalHash(c.Tx), By: c.By}}, nil
}

func expire(s State, c Expire) ([]Event, error) {
	if s.Phase() != Open {
		return nil, nil
	}
	return []Event{Expired{At: c.At}}, nil
}

func endTopUp(s State, c EndTopUp) ([]Event, error) {
	tx := s.ToppedUp[c.Destination]
	switch {
	case tx == "":
		return nil, destination.ErrSweep
	case s.Ended[c.Destination] != "":
		return nil, nil
	}
	return []Event{TopUpEnded{Destination: c.Destination, Tx: tx, Outcome: c.Outcome}}, nil
}

// Aggregate registers the plan with the log. One transaction is one sweep of an address. A top-up takes its nonce like every transaction out
// of custody, so that no payout is signed with the same; and a destination has one at a time, so
// that two plans do not fill it twice.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category,
		Events:   []domain.Event{Planned{}, SweepSigned{}, TopUpSigned{}, TopUpEnded{}, Expired{}},
		Deadlines: func(_ domain.Stream, e domain.Event) []domain.Deadline {
			if p, ok := e.(Planned); ok {
				return []domain.Deadline{{Key: "expiry", Due: p.ExpiresAt, Command: "funding.expire_sweep_plan"}}
			}
			return nil
		},
		Claims: func(_ domain.Stream, e domain.Event) []domain.Claim {
			switch e := e.(type) {
			case SweepSigned:
				return []domain.Claim{{Name: "sweep-tx:" + e.Tx + "/" + string(e.Destination), Once: true, Taken: ErrUsed.With("tx", e.Tx)}}
			case TopUpSigned:
				return []domain.Claim{outgoing.NonceClaim(e.Transfer), underWay(e.Destination)}
			case TopUpEnded:
				return []domain.Claim{outgoing.Free(underWay(e.Destination))}
			}
			return nil
		},
	}
}

func underWay(d domain.DestinationID) domain.Claim {
	return domain.Claim{Name: "top-up:" + string(d), Once: true, Taken: ErrSigned.Because("gas for this destination is under way already")}
}
