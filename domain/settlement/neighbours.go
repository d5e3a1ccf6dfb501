package settlement

import (
	"slices"

	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/refund"
	"holdfast/domain/request"
	"holdfast/domain/suspense"
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

// flag marks the order as disputed, or takes the mark away. A hold without a request, or one
// whose request is not under way, has nothing to mark.
func flag(u *domain.Unit, i domain.Issue, id domain.RequestID, d domain.DisputeID, on bool) error {
	if id == "" {
		return nil
	}
	r, err := domain.StateOf(u, request.Decider, string(id))
	if err != nil {
		return err
	}
	i = own(i, "disputes")
	switch {
	case on && slices.Contains([]string{request.Processing, request.ShippedPhase, request.DeliveredPhase}, r.Phase):
		_, err = domain.Do(u, request.Decider, string(id), request.FlagDispute{Issue: i, Dispute: d})
	case !on && r.Dispute == d:
		_, err = domain.Do(u, request.Decider, string(id), request.UnflagDispute{Issue: i, Dispute: d})
	}
	return err
}

// takeFromSuspense takes a refund's money from its unmatched deposit, so that the deposit
// cannot be assigned to somebody as well.
func takeFromSuspense(u *domain.Unit, i domain.Issue, s refund.State, amount money.Amount) error {
	_, err := domain.Do(u, suspense.Decider, s.Deposit, suspense.Take{Issue: own(i, "refunds"), Refund: s.Refund, Amount: amount})
	return err
}

func returnToSuspense(u *domain.Unit, i domain.Issue, s refund.State, amount money.Amount) error {
	_, err := domain.Do(u, suspense.Decider, s.Deposit, suspense.Return{Issue: own(i, "refunds"), Refund: s.Refund, Amount: amount})
	return err
}
