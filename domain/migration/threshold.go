package migration

import (
	"holdfast/domain"
	"holdfast/domain/network"
	"holdfast/domain/threshold"
)

// Threshold is a document of confirmationthresholds.
type Threshold struct {
	Found
	Chain  uint64
	Min    int64
	User   string
	Reason string
}

// TakeThreshold takes a document of confirmationthresholds. Errors: UNKNOWN_CHAIN, BELOW_FLOOR,
// INVALID_THRESHOLD, LEGACY_CONFLICT.
type TakeThreshold struct {
	domain.Issue
	Document Threshold
	Names    Names
	Policy   Policy
}

// Run decides. Beside the depth that was asked for, the chain's own tag counts as it does without.
func (f TakeThreshold) Run(u *domain.Unit) (any, error) {
	d := f.Document
	chain, ok := f.Policy.Networks.Chain(d.Chain)
	if !ok {
		return nil, network.ErrUnknownChain.Because("chainId: a chain of the registry")
	}
	rule := threshold.DefaultRule(chain.Confirmations)
	rule.Min = d.Min
	e := threshold.Imported{Legacy: d.Legacy, Chain: d.Chain, Rule: rule, By: domain.UserID(f.Names(Users, d.User)), Reason: d.Reason, At: f.At}
	_, err := domain.Do(u, threshold.Decider, threshold.ID(d.Chain), threshold.Import{Issue: Import(f.Issue), Fact: e, Default: chain.Confirmations})
	return nil, err
}
