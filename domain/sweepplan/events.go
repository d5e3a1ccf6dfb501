package sweepplan

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
)

// ID names a plan.
type ID string

// Sweep is one transfer of a plan to the treasury.
type Sweep struct {
	ID          domain.SweepID       `json:"id"`
	Destination domain.DestinationID `json:"destination"`
	// Index is the path index of the key that signs, below the account's 0/.
	Index       uint32            `json:"index"`
	Instruction outgoing.Signable `json:"instruction"`
	// Proposal is what the owners of a Safe sign instead; nil for other signers.
	Proposal *Proposal `json:"proposal,omitempty"`
}

// Proposal is a SafeTx: the treasury's Safe fetches what the destination has approved.
type Proposal struct {
	Safe       string `json:"safe"`
	Chain      uint64 `json:"chain"`
	To         string `json:"to"` // the token
	Value      string `json:"value"`
	Data       string `json:"data"`
	Operation  int    `json:"operation"` // 0: call
	Nonce      uint64 `json:"nonce"`
	SafeTxHash string `json:"safe_tx_hash"`
	// Block is the chain's head when it was proposed: the owners cannot have carried it out before.
	// 0 in plans of older versions.
	Block uint64 `json:"block,omitempty"`
}

// TopUp is gas for a destination that cannot pay for its sweep.
type TopUp struct {
	Destination domain.DestinationID `json:"destination"`
	Instruction outgoing.Signable    `json:"instruction"`
}

// Event is something that happened to a plan.
type Event interface {
	domain.Event
	sweepPlan()
}

// Planned: what is to be signed.
type Planned struct {
	Plan      ID           `json:"plan"`
	Chain     uint64       `json:"chain"`
	Signer    string       `json:"signer"`
	Sweeps    []Sweep      `json:"sweeps"`
	TopUps    []TopUp      `json:"top_ups,omitempty"`
	ExpiresAt time.Time    `json:"expires_at"`
	By        domain.Actor `json:"by"`
}

// Named gives the plan its id, and its sweeps theirs, which follow from it: a plan that is asked
// for twice under one key is the same plan.
func (p Planned) Named(id ID) Planned {
	p.Plan, p.Sweeps = id, append([]Sweep(nil), p.Sweeps...)
	for i := range p.Sweeps {
		p.Sweeps[i].ID = domain.SweepID(domain.DeriveID(string(id)+"/"+string(p.Sweeps[i].Destination), "sweep"))
	}
	return p
}

// Total is what the plan brings to the treasury; all its sweeps are of one asset.
func (p Planned) Total() money.Amount {
	var sum money.Amount
	for _, w := range p.Sweeps {
		sum = money.Of(w.Instruction.Amount.Asset, sum.Units.Plus(w.Instruction.Amount.Units))
	}
	return sum
}

// SweepSigned: a sweep came back signed, as planned.
type SweepSigned struct {
	Sweep       domain.SweepID       `json:"sweep"`
	Destination domain.DestinationID `json:"destination"`
	Tx          string               `json:"tx"`
	By          domain.Actor         `json:"by"`
}

// TopUpSigned: so did gas for a destination.
type TopUpSigned struct {
	Destination domain.DestinationID `json:"destination"`
	Transfer    outgoing.Transfer    `json:"transfer"`
	Tx          string               `json:"tx"`
	By          domain.Actor         `json:"by"`
}

// TopUpEnded: it arrived, failed, or another transaction took its nonce.
type TopUpEnded struct {
	Destination domain.DestinationID `json:"destination"`
	Tx          string               `json:"tx"`
	Outcome     string               `json:"outcome"` // arrived, failed, replaced
}

// Expired: nobody signed all of it in time. What was signed runs its course.
type Expired struct {
	At time.Time `json:"at"`
}

func (Planned) EventType() string     { return "sweep_plan.planned" }
func (SweepSigned) EventType() string { return "sweep_plan.sweep_signed" }
func (TopUpSigned) EventType() string { return "sweep_plan.top_up_signed" }
func (TopUpEnded) EventType() string  { return "sweep_plan.top_up_ended" }
func (Expired) EventType() string     { return "sweep_plan.expired" }
func (Planned) sweepPlan()            {}
func (Expired) sweepPlan()            {}
func (SweepSigned) sweepPlan()        {}
func (TopUpSigned) sweepPlan()        {}
func (TopUpEnded) sweepPlan()         {}
