package destination

import (
	"holdfast/domain"
	"holdfast/domain/money"
)

// Derive makes a destination known.
type Derive struct {
	domain.Issue
	Destination domain.DestinationID
	Fingerprint string
	Chain       uint64
	Index       uint32
	Path        string
	Address     string
}

// Assign gives it to a payment.
type Assign struct {
	domain.Issue
	Payment domain.PaymentID
}

// Fund adds confirmed money.
type Fund struct {
	domain.Issue
	Amount money.Amount
}

// Drain takes out what the chain undid.
type Drain struct {
	domain.Issue
	Amount money.Amount
}

// Broadcast records a signed sweep.
type Broadcast struct {
	domain.Issue
	Sweep  domain.SweepID
	Amount money.Amount
	Tx     string
	Nonce  uint64
	Raw    string
}

// Confirm, Fail and Reorg are the chain's facts about a sweep.
type Confirm struct {
	domain.Issue
	Sweep     domain.SweepID
	Tx        string
	Block     uint64
	BlockHash string
}

// Fail: the sweep will not happen.
type Fail struct {
	domain.Issue
	Sweep domain.SweepID
	Code  string
}

// Reorg: the sweep is undone.
type Reorg struct {
	domain.Issue
	Sweep domain.SweepID
}

// Quarantine, Release and Retire are operators' commands.
type Quarantine struct {
	domain.Issue
	Reason string
}

// Release ends a quarantine.
type Release struct {
	domain.Issue
	Reason string
}

// Retire ends the watch.
type Retire struct{ domain.Issue }
