// Package machine makes an aggregate's decider, its diagram and its completeness test from
// one table of (state, command, actor, guard, events, next).
package machine

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"holdfast/domain"
	"holdfast/domain/fault"
)

// Table is an aggregate's state machine as data. S is the state, E its event interface.
type Table[S any, E domain.Event] struct {
	// Name is the aggregate's name as people say it: "SellerOffer".
	Name string
	// Phases lists every state of the diagram; the first is the one before the first event.
	Phases []string
	// Phase reads the state's name out of the state.
	Phase func(S) string
	// As adds the capacities that an actor has on this very object (its buyer, its seller).
	// General capacities (admin, machines …) are added by the table.
	As func(S, domain.Actor) []domain.Capacity
	// Rows are tried in order; the first that fits command and phase decides.
	Rows []Row[S, E]
	// Refuse gives a better code than INVALID_STATE for a command in a phase; optional.
	Refuse func(S, domain.Command) error
}

// Row is one line of the table.
type Row[S any, E domain.Event] struct {
	Command string
	From    []string
	By      []domain.Capacity
	Guard   string   // the rule in words, with its error codes
	Events  []string // every event type it may emit
	To      []string // every phase it may lead to
	Aside   bool     // left out of the diagram

	fits   func(domain.Command) bool
	zero   domain.Command
	decide func(S, domain.Command) ([]E, error)
}

// Line is the declarative part of a row.
type Line struct {
	From   []string
	By     []domain.Capacity
	Guard  string
	Events []string
	To     []string
	// Aside keeps a row that leads from everywhere to everywhere out of the diagram.
	Aside bool
}

// On makes a row for commands of type K. decide checks the guard and gives the events; no
// events and no error means that the command was already carried out.
func On[S any, E domain.Event, K domain.Command](line Line, decide func(S, K) ([]E, error)) Row[S, E] {
	var zero K
	return Row[S, E]{
		Command: reflect.TypeOf(zero).Name(),
		From:    line.From, By: line.By, Guard: line.Guard, Events: line.Events, To: line.To, Aside: line.Aside,
		zero: zero,
		fits: func(c domain.Command) bool { _, ok := c.(K); return ok },
		decide: func(s S, c domain.Command) ([]E, error) {
			return decide(s, c.(K))
		},
	}
}

// Zero gives an empty command of the row's type, for the completeness test.
func (r Row[S, E]) Zero() domain.Command { return r.zero }

// Decide is the decider's function: it finds the row, checks state and capacity, and lets
// the row decide. An unknown command is a bug, not a refusal.
func (t Table[S, E]) Decide(s S, c domain.Command) ([]E, error) {
	phase := t.Phase(s)
	known := false
	for _, r := range t.Rows {
		if !r.fits(c) {
			continue
		}
		known = true
		if !slices.Contains(r.From, phase) {
			continue
		}
		if !t.may(s, c.Issuer(), r.By) {
			continue
		}
		events, err := r.decide(s, c)
		if err != nil {
			return nil, err
		}
		return events, t.declared(r, phase, events)
	}
	switch {
	case !known:
		return nil, fmt.Errorf("%s does not know the command %T", t.Name, c)
	case t.anyRowIn(phase, c):
		return nil, fault.ErrForbidden
	}
	if t.Refuse != nil {
		if err := t.Refuse(s, c); err != nil {
			return nil, err
		}
	}
	return nil, fault.ErrInvalidState.With("state", phase).With("command", reflect.TypeOf(c).Name())
}

func (t Table[S, E]) anyRowIn(phase string, c domain.Command) bool {
	return slices.ContainsFunc(t.Rows, func(r Row[S, E]) bool {
		return r.fits(c) && slices.Contains(r.From, phase)
	})
}

func (t Table[S, E]) may(s S, a domain.Actor, by []domain.Capacity) bool {
	as := a.General()
	if t.As != nil {
		as = append(as, t.As(s, a)...)
	}
	return slices.ContainsFunc(as, func(c domain.Capacity) bool { return slices.Contains(by, c) })
}

// declared keeps the table honest: an event that its row does not list is a bug.
func (t Table[S, E]) declared(r Row[S, E], phase string, events []E) error {
	for _, e := range events {
		if !slices.Contains(r.Events, e.EventType()) {
			return fmt.Errorf("%s: %s in %s emitted %s, which its row does not list", t.Name, r.Command, phase, e.EventType())
		}
	}
	return nil
}

// Commands lists the table's command names, each once, in order.
func (t Table[S, E]) Commands() []string {
	var names []string
	for _, r := range t.Rows {
		if !slices.Contains(names, r.Command) {
			names = append(names, r.Command)
		}
	}
	return names
}

// Mermaid draws the state diagram from the rows.
func (t Table[S, E]) Mermaid() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	seen := map[string]bool{}
	for _, r := range t.Rows {
		if r.Aside {
			continue
		}
		for _, from := range r.From {
			for _, to := range r.To {
				label := r.Command
				arrow := fmt.Sprintf("  %s --> %s: %s\n", node(t, from), node(t, to), label)
				if to != from && !seen[arrow] {
					seen[arrow] = true
					b.WriteString(arrow)
				}
			}
		}
	}
	return b.String()
}

func node[S any, E domain.Event](t Table[S, E], phase string) string {
	if phase == t.Phases[0] && phase == "" {
		return "[*]"
	}
	return phase
}

// Markdown writes the table for docs/aggregates.
func (t Table[S, E]) Markdown() string {
	var b strings.Builder
	b.WriteString("| Command | In state | By | Guard | Events | Leads to |\n|---|---|---|---|---|---|\n")
	for _, r := range t.Rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.Command, names(r.From), capacities(r.By),
			r.Guard, strings.Join(r.Events, ", "), names(r.To))
	}
	return b.String()
}

func names(phases []string) string {
	var out []string
	for _, p := range phases {
		if p == "" {
			p = "–"
		}
		out = append(out, p)
	}
	return strings.Join(out, ", ")
}

func capacities(by []domain.Capacity) string {
	var out []string
	for _, c := range by {
		out = append(out, string(c))
	}
	return strings.Join(out, ", ")
}
