package http

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/projections/escrowview"
)

// HoldOut is the money of an order.
type HoldOut struct {
	ID          domain.HoldID     `json:"id"`
	Version     int64             `json:"version"`
	State       string            `json:"state"`
	EscrowState string            `json:"escrowState" doc:"The original's word"`
	Due         money.Amount      `json:"due"`
	Held        money.Amount      `json:"held"`
	Releasable  money.Amount      `json:"releasable"`
	Disputed    money.Amount      `json:"disputed"`
	Released    money.Amount      `json:"released"`
	Refunded    money.Amount      `json:"refunded"`
	Fees        money.Amount      `json:"fees"`
	FeeBPS      money.BPS         `json:"feeBps"`
	Stopped     []escrow.HoldKind `json:"stopped,omitempty"`
	ReleaseAt   *time.Time        `json:"releaseAt,omitempty" doc:"When it is released by itself"`
}

func holdOut(row escrowview.Row) HoldOut {
	d := row.Doc
	return HoldOut{
		ID: d.ID, Version: row.Version, State: d.PhaseName, EscrowState: d.EscrowState, Due: d.Due, Held: d.Amount(d.Held),
		Releasable: d.Amount(d.State.Releasable), Disputed: d.Amount(d.Disputed), Released: d.Amount(d.Released), Refunded: d.Amount(d.Refunded),
		Fees: d.Amount(d.FeesTaken), FeeBPS: d.Terms.FeeBPS, Stopped: d.Stopped(), ReleaseAt: timeOf(d.ReleaseAt),
	}
}
