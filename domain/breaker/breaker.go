package breaker

import (
	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
	"holdfast/domain/money"
)

// ErrPaused: releases, payouts and refunds of the asset are stopped.
var ErrPaused = fault.New(fault.Unavailable, "ASSET_PAUSED", "releases, payouts and refunds of this asset are paused").Retry(300)

// Event is something that happened to a breaker.
type Event interface {
	domain.Event
	breaker()
}

// SolvencyBreached: custody is below the liabilities; signed numbers in base units.
type SolvencyBreached struct {
	Asset       money.Asset `json:"asset"`
	Custody     string      `json:"custody"`
	Liabilities string      `json:"liabilities"`
}

// SolvencyRestored: it no longer is.
type SolvencyRestored struct {
	Asset       money.Asset `json:"asset"`
	Custody     string      `json:"custody"`
	Liabilities string      `json:"liabilities"`
}

// AssetPaused by a person.
type AssetPaused struct {
	Asset  money.Asset  `json:"asset"`
	By     domain.Actor `json:"by"`
	Reason string       `json:"reason"`
}

// AssetResumed by a person.
type AssetResumed struct {
	Asset  money.Asset  `json:"asset"`
	By     domain.Actor `json:"by"`
	Reason string       `json:"reason"`
}

func (SolvencyBreached) EventType() string { return "breaker.solvency_breached" }
func (SolvencyRestored) EventType() string { return "breaker.solvency_restored" }
func (AssetPaused) EventType() string      { return "breaker.asset_paused" }
func (AssetResumed) EventType() string     { return "breaker.asset_resumed" }
func (SolvencyBreached) breaker()          {}
func (SolvencyRestored) breaker()          {}
func (AssetPaused) breaker()               {}
func (AssetResumed) breaker()              {}

// RecordSolvency notes how an asset stands.
type RecordSolvency struct {
	domain.Issue
	Asset       money.Asset
	Custody     string
	Liabilities string
	Solvent     bool
}

// Pause stops an asset; Resume lets it go on.
type Pause struct {
	domain.Issue
	Asset  money.Asset
	Reason string
}

// Resume ends a person's pause; a breach is ended by solvency alone.
type Resume struct {
	domain.Issue
	Asset  money.Asset
	Reason string
}

// The phases.
const (
	Running  = "Running"
	Paused   = "Paused"
	Breached = "Breached"
)

// State says whether the asset's money may move.
type State struct {
	IsPaused   bool `json:"is_paused"`
	IsBreached bool `json:"is_breached"`
}

// Phase names it; a breach outweighs a pause.
func (s State) Phase() string {
	switch {
	case s.IsBreached:
		return Breached
	case s.IsPaused:
		return Paused
	}
	return Running
}

// Check refuses when the asset is stopped.
func (s State) Check() error {
	if s.IsPaused || s.IsBreached {
		return ErrPaused.With("state", s.Phase())
	}
	return nil
}

// Decider is the breaker of one asset; its stream's id is the asset.
var Decider = domain.Decider[State, Event]{Category: "asset_breaker", Decide: Table().Decide, Evolve: Evolve}

// Check reads an asset's breaker inside a unit.
func Check(u *domain.Unit, asset money.Asset) error {
	s, err := domain.StateOf(u, Decider, string(asset))
	if err != nil {
		return err
	}
	return s.Check()
}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	switch e.(type) {
	case SolvencyBreached:
		s.IsBreached = true
	case SolvencyRestored:
		s.IsBreached = false
	case AssetPaused:
		s.IsPaused = true
	case AssetResumed:
		s.IsPaused = false
	}
	return s
}

// Table is the breaker's state machine. A guard may stop money and never start it.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	all := []string{Running, Paused, Breached}
	return machine.Table[State, Event]{
		Name: "AssetBreaker", Phases: all, Phase: State.Phase,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: all, By: []domain.Capacity{domain.Process, domain.Chain}, To: all,
				Guard: "a repeat changes nothing", Events: []string{"breaker.solvency_breached", "breaker.solvency_restored"},
			}, recordSolvency),
			machine.On(line{
				From: all, By: []domain.Capacity{domain.Admin, domain.Guard}, To: []string{Paused, Breached},
				Guard: "with a reason; a repeat changes nothing", Events: []string{"breaker.asset_paused"},
			}, pause),
			machine.On(line{
				From: []string{Paused, Breached}, By: []domain.Capacity{domain.Admin}, To: []string{Running, Breached},
				Guard: "with a reason; a repeat changes nothing", Events: []string{"breaker.asset_resumed"},
			}, resume),
		},
	}
}

func recordSolvency(s State, c RecordSolvency) ([]Event, error) {
	switch {
	case c.Solvent && s.IsBreached:
		return []Event{SolvencyRestored{Asset: c.Asset, Custody: c.Custody, Liabilities: c.Liabilities}}, nil
	case !c.Solvent && !s.IsBreached:
		return []Event{SolvencyBreached{Asset: c.Asset, Custody: c.Custody, Liabilities: c.Liabilities}}, nil
	}
	return nil, nil
}

func pause(s State, c Pause) ([]Event, error) {
	if c.Reason == "" {
		return nil, fault.ErrValidation.At("reason", "is required")
	}
	if s.IsPaused {
		return nil, nil
	}
	return []Event{AssetPaused{Asset: c.Asset, By: c.By, Reason: c.Reason}}, nil
}

func resume(s State, c Resume) ([]Event, error) {
	if c.Reason == "" {
		return nil, fault.ErrValidation.At("reason", "is required")
	}
	if !s.IsPaused {
		return nil, nil
	}
	return []Event{AssetResumed{Asset: c.Asset, By: c.By, Reason: c.Reason}}, nil
}

// Aggregate registers the breaker with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category,
		Events:   []domain.Event{SolvencyBreached{}, SolvencyRestored{}, AssetPaused{}, AssetResumed{}},
	}
}
