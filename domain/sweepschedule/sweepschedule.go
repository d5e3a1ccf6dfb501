// Package sweepschedule is how sweeps are planned without a person: whether, how often, from
// which amount on, and what gas may cost. Its limits hold for plans that people ask for too.
package sweepschedule

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
	"holdfast/domain/money"
)

// Stream is the id of the only stream.
const Stream = "platform"

// Settings of the schedule.
type Settings struct {
	Enabled  bool          `json:"enabled"`
	Interval time.Duration `json:"interval"`
	// MinAmount is the least that is worth a sweep, a decimal in whole tokens.
	MinAmount string `json:"min_amount"`
	// MaxGasPrice is the most that a unit of gas may cost, DailyGas the most that top-ups of a
	// chain may send in 24 hours; both in base units of the native coin.
	MaxGasPrice money.Units `json:"max_gas_price"`
	DailyGas    money.Units `json:"daily_gas"`
	// MaxSweeps is the most sweeps of one plan.
	MaxSweeps int `json:"max_sweeps"`
}

// Standard is what holds until somebody says otherwise: any amount, 200 gwei, one coin a day, fifty sweeps.
func Standard() Settings {
	return Settings{
		Interval: time.Hour, MinAmount: "0", MaxSweeps: 50,
		MaxGasPrice: money.FromUint64(200_000_000_000), DailyGas: money.FromUint64(1_000_000_000_000_000_000),
	}
}

// Event is something that happened to the schedule.
type Event interface {
	domain.Event
	sweepSchedule()
}

// Changed: these settings hold from now on.
type Changed struct {
	Settings Settings     `json:"settings"`
	By       domain.Actor `json:"by"`
}

// EventType implements domain.Event.
func (Changed) EventType() string { return "sweep_schedule.changed" }
func (Changed) sweepSchedule()    {}

// Change sets all settings.
type Change struct {
	domain.Issue
	Settings Settings
}

// The phases.
const (
	Off = "Off"
	On  = "On"
)

// State is the settings in force.
type State struct {
	Settings Settings `json:"settings"`
}

// Phase names it.
func (s State) Phase() string {
	if s.Settings.Enabled {
		return On
	}
	return Off
}

// Decider is the schedule.
var Decider = domain.Decider[State, Event]{Category: "sweep_schedule", Initial: State{Settings: Standard()}, Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	if c, ok := e.(Changed); ok {
		s.Settings = c.Settings
	}
	return s
}

// Table is the schedule's state machine.
func Table() machine.Table[State, Event] {
	both := []string{Off, On}
	return machine.Table[State, Event]{
		Name: "SweepSchedule", Phases: both, Phase: State.Phase,
		Rows: []machine.Row[State, Event]{
			machine.On(machine.Line{
				From: both, By: []domain.Capacity{domain.Admin}, To: both,
				Guard: "1 minute … 7 days, 1 … 200 sweeps, gas limits above zero; the same again changes nothing", Events: []string{"sweep_schedule.changed"},
			}, change),
		},
	}
}

func change(s State, c Change) ([]Event, error) {
	n := c.Settings
	switch {
	case n == s.Settings:
		return nil, nil
	case n.Interval < time.Minute || n.Interval > 7*24*time.Hour:
		return nil, fault.ErrValidation.At("interval", "1 minute … 7 days")
	case n.MaxSweeps < 1 || n.MaxSweeps > 200:
		return nil, fault.ErrValidation.At("maxSweeps", "1 … 200")
	case n.MaxGasPrice.IsZero():
		return nil, fault.ErrValidation.At("maxGasPrice", "more than nothing")
	case n.DailyGas.IsZero():
		return nil, fault.ErrValidation.At("dailyGas", "more than nothing")
	}
	if _, err := money.ParseDecimal(n.MinAmount, 18); err != nil {
		return nil, fault.ErrValidation.At("minAmount", "a decimal number of whole tokens")
	}
	return []Event{Changed{Settings: n, By: c.By}}, nil
}

// Aggregate registers the schedule with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{Category: Decider.Category, Events: []domain.Event{Changed{}}}
}
