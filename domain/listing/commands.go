package listing

import (
	"holdfast/domain"
	"holdfast/domain/network"
)

// Decision is what every command of a listing says: on which chain, as the registry has it
// without this stream (zero for a chain that it does not know), who agreed, and why.
type Decision struct {
	domain.Issue
	Chain    uint64
	Base     network.Chain
	Approver domain.Actor
	Reason   string
}

func (d Decision) who() Who { return Who{By: d.By, Approver: d.Approver, Reason: d.Reason} }

// Enable opens a chain for new payments.
type Enable struct {
	Decision
	Definition Definition
}

// Change describes it otherwise. TakesTwo demands a second admin beside those changes that
// always do.
type Change struct {
	Decision
	Definition Definition
	TakesTwo   bool
}

// Disable closes it for new payments. Unwatch also ends the watch of it; InUse says how many
// payments and transactions are under way there.
type Disable struct {
	Decision
	Unwatch bool
	InUse   int
}

// RegisterToken takes a token.
type RegisterToken struct {
	Decision
	Token network.Token
}

// ChangeToken describes one otherwise or takes it again. InUse says how many payments in it are
// under way.
type ChangeToken struct {
	Decision
	Token network.Token
	InUse int
}

// DisableToken stops taking one.
type DisableToken struct {
	Decision
	Address string
}

// AddProxy believes a payment contract.
type AddProxy struct {
	Decision
	Proxy network.Proxy
}

// RetireProxy stops offering one; with Distrust its events are not believed any more.
type RetireProxy struct {
	Decision
	Address  string
	Distrust bool
}
