package breakglass

import (
	"time"

	"holdfast/domain"
)

// Event is something that happened to the glass.
type Event interface {
	domain.Event
	breakglass()
}

// Enabled: two admins broke the glass.
type Enabled struct {
	Session  string       `json:"session"`
	By       domain.Actor `json:"by"`
	Approver domain.Actor `json:"approver"`
	Reason   string       `json:"reason"`
	Until    time.Time    `json:"until"`
}

// Used: somebody did alone what else takes two.
type Used struct {
	Session string       `json:"session"`
	By      domain.Actor `json:"by"`
	Power   Power        `json:"power"`
	Object  string       `json:"object"` // a chain's number, a payment's id
	Reason  string       `json:"reason"`
}

// Ended: an admin closed it before its time.
type Ended struct {
	Session string       `json:"session"`
	By      domain.Actor `json:"by"`
}

// Expired: its time was over.
type Expired struct {
	Session string `json:"session"`
}

func (Enabled) EventType() string { return "break_glass.enabled" }
func (Used) EventType() string    { return "break_glass.used" }
func (Ended) EventType() string   { return "break_glass.ended" }
func (Expired) EventType() string { return "break_glass.expired" }
func (Enabled) breakglass()       {}
func (Used) breakglass()          {}
func (Ended) breakglass()         {}
func (Expired) breakglass()       {}
