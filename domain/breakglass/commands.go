package breakglass

import (
	"time"

	"holdfast/domain"
)

// Power is one of the few things that a broken glass allows.
type Power string

// The powers.
const (
	LowerThreshold Power = "lower_threshold"
	ClearReview    Power = "clear_review"
)

// Enable breaks the glass; Approver is the admin who agreed before.
type Enable struct {
	domain.Issue
	Session  string
	Approver domain.Actor
	Reason   string
	For      time.Duration
}

// Use records that a power is used; it must be an admin, and the glass broken.
type Use struct {
	domain.Issue
	Power  Power
	Object string
	Reason string
}

// End closes it before its time.
type End struct{ domain.Issue }

// Expire closes it when its time is over.
type Expire struct{ domain.Issue }
