package dispute

import (
	"time"

	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// StandardTerms are the terms where no policy says otherwise.
func StandardTerms() Terms {
	const day = 24 * time.Hour
	return Terms{
		ResponseWindow: 3 * day, EvidenceWindow: 7 * day, ReviewWindow: 5 * day, SettlementWindow: 3 * day,
		AppealWindow: 3 * day, ReturnWindow: 14 * day, MaxAge: 45 * day, CloseCheck: day,
		EvidenceLimit: 20, DefaultSellerBPS: 5000,
	}
}

// validate refuses terms under which a state could wait for ever.
func (t Terms) validate() error {
	for _, w := range []time.Duration{
		t.ResponseWindow, t.EvidenceWindow, t.ReviewWindow, t.SettlementWindow, t.AppealWindow,
		t.ReturnWindow, t.MaxAge, t.CloseCheck,
	} {
		if w <= 0 {
			return fault.ErrValidation.At("terms", "every window must be longer than nothing")
		}
	}
	if t.EvidenceLimit <= 0 || t.DefaultSellerBPS > money.All {
		return fault.ErrValidation.At("terms", "evidence limit or default split is out of bounds")
	}
	return nil
}
