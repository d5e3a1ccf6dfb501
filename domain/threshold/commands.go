package threshold

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/network"
)

// Change sets a chain's rule. Default is what the registry says of the chain. A rule that asks
// for less than the one in force needs an Approver.
type Change struct {
	domain.Issue
	Chain    uint64
	Rule     Rule
	Default  network.Confirmations
	Approver domain.Actor
	Reason   string
}

// Lower sets one for as long as the glass is broken.
type Lower struct {
	domain.Issue
	Chain   uint64
	Rule    Rule
	Default network.Confirmations
	Session string
	Until   time.Time
	Reason  string
}

// ResetRule goes back to the registry's rule.
type ResetRule struct {
	domain.Issue
	Chain    uint64
	Default  network.Confirmations
	Approver domain.Actor
	Reason   string
}
