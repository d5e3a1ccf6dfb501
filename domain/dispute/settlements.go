package dispute

import (
	"time"

	"holdfast/domain/fault"
	"holdfast/domain/money"
)

func proposeSettlement(s State, c ProposeSettlement) ([]Event, error) {
	if c.Settlement == "" {
		return nil, fault.ErrValidation.At("settlement", "is missing")
	}
	if c.SellerBPS > money.All {
		return nil, ErrInvalidSplit
	}
	expires := c.ExpiresAt
	if expires.IsZero() {
		expires = c.At.Add(s.Terms.SettlementWindow)
	}
	if !expires.After(c.At) || expires.After(c.At.Add(s.Terms.SettlementWindow)) {
		return nil, fault.ErrValidation.At("expires_at", "must lie within the settlement window")
	}
	return []Event{SettlementProposed{
		Dispute: s.Dispute, Settlement: c.Settlement, By: c.By.User(), SellerBPS: c.SellerBPS,
		Message: c.Message, At: c.At, ExpiresAt: expires,
	}}, nil
}

func acceptSettlement(s State, c AcceptSettlement) ([]Event, error) {
	if c.Settlement != s.Settlement.ID || c.At.After(s.Settlement.ExpiresAt) {
		return nil, ErrSettlementExpired
	}
	if c.By.Is(s.Settlement.By) {
		return nil, fault.ErrForbidden
	}
	return []Event{SettlementAccepted{
		Dispute: s.Dispute, Settlement: c.Settlement, By: c.By.User(), SellerBPS: s.Settlement.SellerBPS,
	}}, nil
}

func declineSettlement(s State, c DeclineSettlement) ([]Event, error) {
	if c.Settlement != s.Settlement.ID {
		return nil, ErrSettlementExpired
	}
	return []Event{SettlementDeclined{
		Dispute: s.Dispute, Settlement: c.Settlement, By: c.By.User(), EvidenceDue: resumed(s, c.At),
	}}, nil
}

func lapseSettlement(s State, c LapseSettlement) ([]Event, error) {
	if err := due(c.At, s.Settlement.ExpiresAt); err != nil {
		return nil, err
	}
	return []Event{SettlementLapsed{Dispute: s.Dispute, Settlement: s.Settlement.ID, EvidenceDue: resumed(s, c.At)}}, nil
}

// resumed is the evidence's due date after the clock stood still for the proposal.
func resumed(s State, at time.Time) time.Time {
	return s.EvidenceDue.Add(at.Sub(s.Settlement.At))
}
