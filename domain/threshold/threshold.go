package threshold

import (
	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
	"holdfast/domain/network"
)

// Refusals of a change.
var (
	ErrSelfApproval     = fault.New(fault.Forbidden, "SELF_APPROVAL", "two different people must agree to this")
	ErrApprovalRequired = fault.New(fault.Forbidden, "APPROVAL_REQUIRED", "asking for less than before takes two admins")
)

// The phases.
const (
	Default     = "Default"
	Set         = "Set"
	Temporarily = "Lowered" // until the glass is whole again
)

// State is a chain's rule. Nil means the registry's own.
type State struct {
	Rule    *Rule  `json:"rule,omitempty"`
	Lowered *Rule  `json:"lowered,omitempty"`
	Session string `json:"session,omitempty"` // in which Lowered applies
	// Changed: somebody has said something about it here. Legacy is that of its import, if it was.
	Changed bool            `json:"changed,omitempty"`
	Legacy  domain.Snapshot `json:"legacy,omitzero"`
	// Document is the ObjectId that was imported: a chain has one.
	Document string `json:"document,omitempty"`
}

// Phase names it.
func (s State) Phase() string {
	switch {
	case s.Lowered != nil:
		return Temporarily
	case s.Rule != nil:
		return Set
	}
	return Default
}

// InForce is the rule that applies; session is that of the broken glass, empty for none.
func (s State) InForce(c network.Confirmations, session string) Rule {
	switch {
	case s.Lowered != nil && session != "" && session == s.Session:
		return *s.Lowered
	case s.Rule != nil:
		return *s.Rule
	}
	return DefaultRule(c)
}

// Decider is the rule of one chain; its stream's id is the chain's number.
var Decider = domain.Decider[State, Event]{Category: "confirmation_threshold", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	snapshot := s.Legacy.After(e)
	s = evolve(s, e)
	s.Legacy, s.Changed = snapshot, true
	return s
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Imported:
		return State{Rule: &e.Rule, Document: e.ObjectID}
	case Changed:
		return State{Rule: &e.To}
	case Lowered:
		s.Lowered, s.Session = &e.To, e.Session
	case Reset:
		return State{}
	}
	return s
}

// Table is the state machine of a rule.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	all, admin := []string{Default, Set, Temporarily}, []domain.Capacity{domain.Admin}
	return machine.Table[State, Event]{
		Name: "ConfirmationThreshold", Phases: all, Phase: State.Phase,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: all, By: admin, To: []string{Set},
				Guard:  "never below the floor → BELOW_FLOOR; less than before takes two → APPROVAL_REQUIRED, SELF_APPROVAL; a repeat changes nothing",
				Events: []string{"threshold.changed"},
			}, change),
			machine.On(line{
				From: all, By: []domain.Capacity{domain.Import}, To: []string{Set}, Aside: true,
				Guard:  "the same document again is no news; one that was changed here as well → LEGACY_CONFLICT; never below the floor → BELOW_FLOOR",
				Events: []string{"threshold.imported"},
			}, importRule),
			machine.On(line{
				From: all, By: admin, To: []string{Temporarily},
				Guard: "never below the floor → BELOW_FLOOR; a repeat changes nothing", Events: []string{"threshold.lowered"},
			}, lower),
			machine.On(line{
				From: all, By: admin, To: []string{Default},
				Guard: "less than before takes two → APPROVAL_REQUIRED, SELF_APPROVAL; a repeat changes nothing", Events: []string{"threshold.reset"},
			}, reset),
		},
	}
}

func change(s State, c Change) ([]Event, error) {
	if err := check(c.Rule, c.Default, c.Reason); err != nil {
		return nil, err
	}
	before := s.InForce(c.Default, "")
	if s.Lowered == nil && s.Rule != nil && same(before, c.Rule) {
		return nil, nil
	}
	if err := twoFor(c.Rule, before, c.By, c.Approver); err != nil {
		return nil, err
	}
	return []Event{Changed{Chain: c.Chain, From: before, To: c.Rule, By: c.By, Approver: c.Approver, Reason: c.Reason}}, nil
}

func lower(s State, c Lower) ([]Event, error) {
	if err := check(c.Rule, c.Default, c.Reason); err != nil {
		return nil, err
	}
	if s.Lowered != nil && s.Session == c.Session && same(*s.Lowered, c.Rule) {
		return nil, nil
	}
	return []Event{Lowered{
		Chain: c.Chain, From: s.InForce(c.Default, c.Session), To: c.Rule, By: c.By, Session: c.Session, Until: c.Until, Reason: c.Reason,
	}}, nil
}

func reset(s State, c ResetRule) ([]Event, error) {
	if c.Reason == "" {
		return nil, fault.ErrValidation.At("reason", "is required")
	}
	if s.Rule == nil && s.Lowered == nil {
		return nil, nil
	}
	before := s.InForce(c.Default, "")
	if err := twoFor(DefaultRule(c.Default), before, c.By, c.Approver); err != nil {
		return nil, err
	}
	return []Event{Reset{Chain: c.Chain, From: before, By: c.By, Approver: c.Approver, Reason: c.Reason}}, nil
}

func check(r Rule, c network.Confirmations, reason string) error {
	if reason == "" {
		return fault.ErrValidation.At("reason", "is required")
	}
	return r.Check(c.Floor)
}

// twoFor demands a second admin where the new rule asks for less.
func twoFor(to, from Rule, by, approver domain.Actor) error {
	if !to.WeakerThan(from) {
		return nil
	}
	switch {
	case approver.ID == "":
		return ErrApprovalRequired
	case approver.ID == by.ID || !approver.Has(domain.Admin):
		return ErrSelfApproval
	}
	return nil
}

func same(a, b Rule) bool { return a.Kind == b.Kind && !a.WeakerThan(b) && !b.WeakerThan(a) }

// Aggregate registers the rule with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{Category: Decider.Category, Events: []domain.Event{Changed{}, Lowered{}, Reset{}, Imported{}}}
}
