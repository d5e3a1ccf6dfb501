package reconciliation

import (
	"time"

	"holdfast/domain"
)

// BreakEvent is something that happened to a break.
type BreakEvent interface {
	domain.Event
	ofBreak()
}

// BreakFound: a run found the difference, for the first time or again after it was closed,
// settled, or explained with another amount.
type BreakFound struct {
	Run     string  `json:"run"`
	Finding Finding `json:"finding"`
	Again   bool    `json:"again,omitempty"`
}

// BreakChanged: it is still open, and the sides say something else now.
type BreakChanged struct {
	Run     string  `json:"run"`
	Finding Finding `json:"finding"`
}

// BreakResolved: an operator says what it is, or has booked it. Round counts the resolutions.
type BreakResolved struct {
	Way      Way          `json:"way"`
	Reason   string       `json:"reason"`
	By       domain.Actor `json:"by"`
	Approver domain.Actor `json:"approver,omitzero"`
	Round    int          `json:"round"`
}

// BreakClosed: a run has looked and the difference is gone.
type BreakClosed struct {
	Run string `json:"run"`
}

func (BreakFound) EventType() string    { return "reconciliation.break_found" }
func (BreakChanged) EventType() string  { return "reconciliation.break_changed" }
func (BreakResolved) EventType() string { return "reconciliation.break_resolved" }
func (BreakClosed) EventType() string   { return "reconciliation.break_closed" }
func (BreakFound) ofBreak()             {}
func (BreakChanged) ofBreak()           {}
func (BreakResolved) ofBreak()          {}
func (BreakClosed) ofBreak()            {}

// RunEvent is something that happened to a run.
type RunEvent interface {
	domain.Event
	ofRun()
}

// RunStarted: somebody, or the night, asked for a comparison.
type RunStarted struct {
	By       domain.Actor `json:"by"`
	Position int64        `json:"position"`
	At       time.Time    `json:"at"`
}

// RunCompleted: everything that could be read was compared.
type RunCompleted struct {
	Counts Counts            `json:"counts"`
	Breaks []string          `json:"breaks"` // ids of those that it found, at most MaxBreaks
	Heads  map[string]uint64 `json:"heads"`  // chain → block of the last comparison
	Unread map[string]string `json:"unread"` // chain or "provider" → why it could not be read
	From   int64             `json:"from"`   // positions of the log between which it looked
	To     int64             `json:"to"`
	At     time.Time         `json:"at"`
}

// MaxBreaks is the most breaks that one run lists; more are only counted. A world in which
// everything differs has one cause, not a hundred thousand.
const MaxBreaks = 1000

// Counts of a run.
type Counts struct {
	Payments  int64 `json:"payments"`
	Addresses int64 `json:"addresses"`
	Transfers int64 `json:"transfers"`
	Reports   int64 `json:"reports"` // of the provider
	Assets    int64 `json:"assets"`
	Breaks    int64 `json:"breaks"`      // that the run found
	Open      int64 `json:"unexplained"` // of them, those nobody has explained
	Closed    int64 `json:"closed"`      // earlier breaks that are gone
}

// OK reports whether nothing is left for an operator.
func (c RunCompleted) OK() bool { return c.Counts.Open == 0 && len(c.Unread) == 0 }

func (RunStarted) EventType() string   { return "reconciliation.run_started" }
func (RunCompleted) EventType() string { return "reconciliation.run_completed" }
func (RunStarted) ofRun()              {}
func (RunCompleted) ofRun()            {}
