package funding

import (
	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// SweepAnswer is what the flows of a sweep answer.
type SweepAnswer struct {
	Destination domain.DestinationID `json:"destination"`
	State       string               `json:"state"`
	Version     int64                `json:"version"`
}

func onDestination(u *domain.Unit, id domain.DestinationID, c domain.Command) (any, error) {
	s, err := domain.StateOf(u, destination.Decider, string(id))
	if err != nil {
		return nil, err
	}
	if s.ID == "" {
		return nil, fault.ErrNotFound
	}
	if _, err := domain.Do(u, destination.Decider, string(id), c); err != nil {
		return nil, err
	}
	if s, err = domain.StateOf(u, destination.Decider, string(id)); err != nil {
		return nil, err
	}
	v, err := domain.VersionOf(u, destination.Decider, string(id))
	return SweepAnswer{Destination: id, State: s.Phase(), Version: v}, err
}

// DeriveDestination makes a derived address known. Errors: DERIVATION_CONFLICT.
type DeriveDestination struct {
	domain.Issue
	Destination
}

// Run decides.
func (f DeriveDestination) Run(u *domain.Unit) (any, error) {
	d := f.Destination
	c := destination.Derive{Issue: f.Issue, Destination: d.ID, Fingerprint: d.Fingerprint, Chain: d.Chain, Index: d.Index, Path: d.Path, Address: d.Address}
	if _, err := domain.Do(u, destination.Decider, string(d.ID), c); err != nil {
		return nil, err
	}
	return SweepAnswer{Destination: d.ID, State: destination.DerivedPhase}, nil
}

// BroadcastSweep records a signed sweep before it is sent. Errors: SWEEP_IN_FLIGHT,
// NOTHING_TO_SWEEP, SWEEP_NOT_ALLOWED.
type BroadcastSweep struct {
	domain.Issue
	Destination domain.DestinationID
	Sweep       domain.SweepID
	Amount      money.Amount
	Tx          string
	Nonce       uint64
	Raw         string
}

// Run decides.
func (f BroadcastSweep) Run(u *domain.Unit) (any, error) {
	return onDestination(u, f.Destination, destination.Broadcast{Issue: f.Issue, Sweep: f.Sweep, Amount: f.Amount, Tx: f.Tx, Nonce: f.Nonce, Raw: f.Raw})
}

// ConfirmSweep notes that a sweep is final.
type ConfirmSweep struct {
	domain.Issue
	Destination domain.DestinationID
	Sweep       domain.SweepID
	Tx          string // that carried it out; a Safe's owners may have taken another one than was recorded
	Block       uint64
	BlockHash   string
}

// Run decides.
func (f ConfirmSweep) Run(u *domain.Unit) (any, error) {
	return onDestination(u, f.Destination, destination.Confirm{Issue: f.Issue, Sweep: f.Sweep, Tx: f.Tx, Block: f.Block, BlockHash: f.BlockHash})
}

// FailSweep notes that a sweep will never happen.
type FailSweep struct {
	domain.Issue
	Destination domain.DestinationID
	Sweep       domain.SweepID
	Code        string
}

// Run decides.
func (f FailSweep) Run(u *domain.Unit) (any, error) {
	return onDestination(u, f.Destination, destination.Fail{Issue: f.Issue, Sweep: f.Sweep, Code: f.Code})
}

// ReorgSweep notes that the chain undid a sweep.
type ReorgSweep struct {
	domain.Issue
	Destination domain.DestinationID
	Sweep       domain.SweepID
}

// Run decides.
func (f ReorgSweep) Run(u *domain.Unit) (any, error) {
	return onDestination(u, f.Destination, destination.Reorg{Issue: f.Issue, Sweep: f.Sweep})
}

// QuarantineDestination stops the money of an address; ReleaseDestination lets it move again.
type QuarantineDestination struct {
	domain.Issue
	Destination domain.DestinationID
	Reason      string
}

// Run decides.
func (f QuarantineDestination) Run(u *domain.Unit) (any, error) {
	return onDestination(u, f.Destination, destination.Quarantine{Issue: f.Issue, Reason: f.Reason})
}

// ReleaseDestination lets it move again.
type ReleaseDestination struct {
	domain.Issue
	Destination domain.DestinationID
	Reason      string
}

// Run decides.
func (f ReleaseDestination) Run(u *domain.Unit) (any, error) {
	return onDestination(u, f.Destination, destination.Release{Issue: f.Issue, Reason: f.Reason})
}
