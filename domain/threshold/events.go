package threshold

import (
	"time"

	"holdfast/domain"
)

// Event is something that happened to a chain's rule.
type Event interface {
	domain.Event
	threshold()
}

// Changed: another rule applies to payments opened from now on. Approver is the other admin
// who agreed, where the rule asks for less than the one before.
type Changed struct {
	Chain    uint64       `json:"chain"`
	From     Rule         `json:"from"`
	To       Rule         `json:"to"`
	By       domain.Actor `json:"by"`
	Approver domain.Actor `json:"approver,omitzero"`
	Reason   string       `json:"reason"`
}

// Lowered: an admin alone asks for less, as long as the glass is broken.
type Lowered struct {
	Chain   uint64       `json:"chain"`
	From    Rule         `json:"from"`
	To      Rule         `json:"to"`
	By      domain.Actor `json:"by"`
	Session string       `json:"session"` // of the broken glass
	Until   time.Time    `json:"until"`
	Reason  string       `json:"reason"`
}

// Reset: the registry's own rule applies again.
type Reset struct {
	Chain    uint64       `json:"chain"`
	From     Rule         `json:"from"`
	By       domain.Actor `json:"by"`
	Approver domain.Actor `json:"approver,omitzero"`
	Reason   string       `json:"reason"`
}

func (Changed) EventType() string { return "threshold.changed" }
func (Lowered) EventType() string { return "threshold.lowered" }
func (Reset) EventType() string   { return "threshold.reset" }
func (Changed) threshold()        {}
func (Lowered) threshold()        {}
func (Reset) threshold()          {}
