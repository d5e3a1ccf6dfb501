package funding

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/order"
)

// HoldAnswer is what the flows of a hold answer.
type HoldAnswer struct {
	Hold       domain.HoldID     `json:"hold"`
	Request    domain.RequestID  `json:"request"`
	State      string            `json:"state"`
	Asset      money.Asset       `json:"asset"`
	Due        money.Units       `json:"due"`
	Held       money.Units       `json:"held"`
	Releasable money.Units       `json:"releasable"`
	Disputed   money.Units       `json:"disputed"`
	Released   money.Units       `json:"released"`
	Refunded   money.Units       `json:"refunded"`
	Fees       money.Units       `json:"fees"`
	Withheld   money.Units       `json:"withheld" doc:"Of the seller's proceeds, in reserve"`
	Stopped    []escrow.HoldKind `json:"stopped,omitempty"`
	Version    int64             `json:"version"`
}

func holdAnswer(u *domain.Unit, id domain.HoldID) (any, error) {
	s, err := domain.StateOf(u, escrow.Decider, string(id))
	if err != nil {
		return nil, err
	}
	v, err := domain.VersionOf(u, escrow.Decider, string(id))
	return HoldAnswer{
		Hold: s.ID, Request: s.Request, State: s.Phase(), Asset: s.Due.Asset, Due: s.Due.Units, Held: s.Held, Releasable: s.Releasable,
		Disputed: s.Disputed, Released: s.Released, Refunded: s.Refunded, Fees: s.FeesTaken, Withheld: s.Withheld(), Stopped: s.Stopped(), Version: v,
	}, err
}

func onHold(u *domain.Unit, id domain.HoldID, commands ...domain.Command) (any, error) {
	if _, err := holdOf(u, id); err != nil {
		return nil, err
	}
	for _, c := range commands {
		if _, err := domain.Do(u, escrow.Decider, string(id), c); err != nil {
			return nil, err
		}
	}
	return holdAnswer(u, id)
}

// MarkReleasable says that the conditions are met for an amount (zero = all that is held).
type MarkReleasable struct {
	domain.Issue
	Hold   domain.HoldID
	Amount money.Units
	Cause  string
}

// Run decides.
func (f MarkReleasable) Run(u *domain.Unit) (any, error) {
	return onHold(u, f.Hold, escrow.MarkReleasable{Issue: f.Issue, Amount: f.Amount, Cause: f.Cause})
}

// ReleaseEscrow pays the seller: all that is releasable, or Amount of it. The buyer may
// release early what is still held. A hold that ends empty is closed in the same unit.
// Errors: RELEASE_HOLD_ACTIVE, ESCROW_DISPUTED, ESCROW_NOT_RELEASABLE,
// INSUFFICIENT_HELD_FUNDS, APPROVAL_REQUIRED (the first agreement is recorded), ASSET_PAUSED.
type ReleaseEscrow struct {
	domain.Issue
	Hold   domain.HoldID
	Amount money.Units
	// Early lets a buyer release what is held before delivery is confirmed.
	Early bool
}

// Run decides.
func (f ReleaseEscrow) Run(u *domain.Unit) (any, error) {
	h, err := holdOf(u, f.Hold)
	if err != nil {
		return nil, err
	}
	if err := breaker.Check(u, h.Due.Asset); err != nil {
		return nil, err
	}
	if f.Early && f.By.Is(h.Buyer) {
		if err := f.makeReleasable(u, h); err != nil {
			return nil, err
		}
	}
	events, err := domain.Do(u, escrow.Decider, string(f.Hold), escrow.Release{Issue: f.Issue, Amount: f.Amount})
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if agreed, ok := e.(escrow.ReleaseApprovalRecorded); ok {
			return escrow.ErrApprovalRequired.With("agreed", agreed.By.ID).With("amount", agreed.Amount.Units), nil
		}
	}
	return closeWhenEmpty(u, f.Issue, f.Hold)
}

// makeReleasable lifts what an early release needs beyond what is releasable already.
func (f ReleaseEscrow) makeReleasable(u *domain.Unit, h escrow.State) error {
	need := f.Amount
	if need.IsZero() {
		need = h.Held.Plus(h.Releasable)
	}
	lack, ok := need.Sub(h.Releasable)
	if !ok || lack.IsZero() || h.Held.IsZero() {
		return nil
	}
	_, err := domain.Do(u, escrow.Decider, string(f.Hold), escrow.MarkReleasable{Issue: f.Issue, Amount: lack.Min(h.Held), Cause: "early release by the buyer"})
	return err
}

// closeWhenEmpty ends hold and order when nothing is left and nothing is under way.
func closeWhenEmpty(u *domain.Unit, i domain.Issue, id domain.HoldID) (any, error) {
	h, err := holdOf(u, id)
	if err != nil {
		return nil, err
	}
	if h.Left().IsZero() && len(h.OpenRefunds) == 0 && h.Phase() == escrow.Settling {
		if _, err := (CloseEscrow{Issue: own(i), Hold: id}).Run(u); err != nil {
			return nil, err
		}
	}
	return holdAnswer(u, id)
}

// AutoRelease at the end of the inspection. A dispute or a release hold stops it for good:
// whoever ends them decides about the money.
type AutoRelease struct {
	domain.Issue
	Hold domain.HoldID
}

// Run decides.
func (f AutoRelease) Run(u *domain.Unit) (any, error) {
	h, err := holdOf(u, f.Hold)
	if err != nil {
		return nil, err
	}
	if h.ReleaseAt.IsZero() || f.At.Before(h.ReleaseAt) {
		return nil, escrow.ErrNotReleasable.With("release_at", h.ReleaseAt)
	}
	return ReleaseEscrow{Issue: f.Issue, Hold: f.Hold}.Run(u)
}

// ReleaseReserve gives a seller what was withheld of his proceeds for long enough. Errors:
// RESERVE_NOT_DUE, RELEASE_HOLD_ACTIVE: lifting the last one looks again.
type ReleaseReserve struct {
	domain.Issue
	Hold domain.HoldID
}

// Run decides.
func (f ReleaseReserve) Run(u *domain.Unit) (any, error) {
	return onHold(u, f.Hold, escrow.ReleaseReserve{Issue: f.Issue, Cause: "time"})
}

// PlaceHold stops the release of an order; it never stops a refund to the buyer.
type PlaceHold struct {
	domain.Issue
	Hold   domain.HoldID
	ID     string
	Kind   escrow.HoldKind
	Reason string
}

// Run decides.
func (f PlaceHold) Run(u *domain.Unit) (any, error) {
	return onHold(u, f.Hold, escrow.PlaceReleaseHold{Issue: f.Issue, ID: f.ID, Kind: f.Kind, Reason: f.Reason})
}

// LiftHold removes a release hold. Errors: HOLD_NOT_FOUND, HOLD_OWNER, SELF_APPROVAL.
type LiftHold struct {
	domain.Issue
	Hold     domain.HoldID
	ID       string
	Reason   string
	Approver domain.Actor // who has agreed before, where two must
}

// Run decides.
func (f LiftHold) Run(u *domain.Unit) (any, error) {
	return onHold(u, f.Hold, escrow.LiftReleaseHold{Issue: f.Issue, ID: f.ID, Reason: f.Reason, Approver: f.Approver})
}

// ExtendInspection moves the end of the inspection.
type ExtendInspection struct {
	domain.Issue
	Hold   domain.HoldID
	EndsAt time.Time
}

// Run decides.
func (f ExtendInspection) Run(u *domain.Unit) (any, error) {
	return onHold(u, f.Hold, escrow.ExtendInspection{Issue: f.Issue, EndsAt: f.EndsAt})
}

// AbsorbFee lets the platform pay what a provider kept back.
type AbsorbFee struct {
	domain.Issue
	Hold   domain.HoldID
	Amount money.Amount
}

// Run decides.
func (f AbsorbFee) Run(u *domain.Unit) (any, error) {
	return fundMore(u, f.Issue, f.Hold, escrow.AbsorbFee{Issue: f.Issue, Amount: f.Amount})
}

// FundDiscount lets the platform pay a discount of redeemed points.
type FundDiscount struct {
	domain.Issue
	Hold       domain.HoldID
	Amount     money.Amount
	Redemption string
}

// Run decides.
func (f FundDiscount) Run(u *domain.Unit) (any, error) {
	return fundMore(u, f.Issue, f.Hold, escrow.FundDiscount{Issue: f.Issue, Amount: f.Amount, Redemption: f.Redemption})
}

func fundMore(u *domain.Unit, i domain.Issue, id domain.HoldID, c domain.Command) (any, error) {
	if _, err := onHold(u, id, c); err != nil {
		return nil, err
	}
	h, err := holdOf(u, id)
	if err != nil {
		return nil, err
	}
	if h.IsFunded {
		if err := secure(u, i, h); err != nil {
			return nil, err
		}
	}
	return holdAnswer(u, id)
}

// CloseEscrow ends a hold of which nothing is left, and its order. Errors: ESCROW_NOT_EMPTY.
type CloseEscrow struct {
	domain.Issue
	Hold domain.HoldID
}

// Run decides.
func (f CloseEscrow) Run(u *domain.Unit) (any, error) {
	if _, err := onHold(u, f.Hold, escrow.Close{Issue: f.Issue}); err != nil {
		return nil, err
	}
	if _, err := (order.CompleteOrder{Issue: f.Issue, Hold: f.Hold}).Run(u); err != nil {
		return nil, err
	}
	return holdAnswer(u, f.Hold)
}
