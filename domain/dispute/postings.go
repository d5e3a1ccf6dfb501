package dispute

import (
	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
)

// Aggregate registers disputes with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Category,
		Events: []domain.Event{
			Opened{},
			Imported{},
			ResolverAssigned{},
			Responded{},
			RespondentDefaulted{},
			EvidenceSubmitted{},
			EvidencePeriodClosed{},
			MoreEvidenceRequested{},
			SettlementProposed{},
			SettlementAccepted{},
			SettlementDeclined{},
			SettlementLapsed{},
			Decided{},
			Appealed{},
			AppealWindowClosed{},
			ReturnConfirmed{},
			ReturnLapsed{},
			Defaulted{},
			Resolved{},
			Withdrawn{},
			Rejected{},
			Escalated{},
			SideMeasureTaken{},
			CloseDeferred{},
			Closed{},
		},
		Postings:  func(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) { return Postings(e) },
		Claims:    claims,
		Deadlines: deadlines,
	}
}

// Postings is what an event does to the ledger (domain.md §2.3). It is pure.
func Postings(e domain.Event) (tx ledger.Transaction, ok bool) {
	switch e := e.(type) {
	case Opened:
		frozen := ledger.Disputed(e.Hold)
		return ledger.Transaction{Mode: ledger.Post, Refused: ErrNothingToDispute, Lines: ledger.Lines(
			ledger.Dr(ledger.Held(e.Hold), frozen, e.FromHeld),
			ledger.Dr(ledger.Releasable(e.Hold), frozen, e.FromReleasable),
		)}, true
	case Withdrawn:
		return back(e.Hold, e.FromHeld, e.FromReleasable)
	case Rejected:
		return back(e.Hold, e.FromHeld, e.FromReleasable)
	case Resolved:
		frozen := ledger.Disputed(e.Hold)
		return post(
			ledger.Dr(frozen, ledger.ClearingRefund(e.Refund), e.Parts.Buyer),
			ledger.Dr(frozen, ledger.PlatformFee, e.Parts.PlatformFee),
			ledger.Dr(frozen, ledger.DisputeFee, e.Parts.DisputeFee),
			ledger.Dr(frozen, ledger.SellerAvailable(e.Seller), e.Parts.Seller),
			ledger.Dr(frozen, ledger.SellerReserve(e.Seller), e.Parts.Reserve),
			ledger.Dr(frozen, ledger.Held(e.Hold), e.Parts.Held),
			ledger.Dr(frozen, ledger.Releasable(e.Hold), e.Parts.Releasable),
		)
	}
	return ledger.Transaction{}, false
}

// back returns the contested money to where it lay.
func back(hold domain.HoldID, held, releasable money.Amount) (ledger.Transaction, bool) {
	frozen := ledger.Disputed(hold)
	return post(
		ledger.Dr(frozen, ledger.Held(hold), held),
		ledger.Dr(frozen, ledger.Releasable(hold), releasable),
	)
}

// post books the lines that move something; there are none when the chain has undone all
// that was contested.
func post(lines ...ledger.Line) (ledger.Transaction, bool) {
	kept := ledger.Lines(lines...)
	return ledger.Transaction{Mode: ledger.Post, Lines: kept}, len(kept) > 0
}

// claims: one open dispute a hold.
func claims(_ domain.Stream, e domain.Event) []domain.Claim {
	claim := func(h domain.HoldID, free bool) []domain.Claim {
		return []domain.Claim{{Name: "dispute:" + string(h), Free: free, Taken: ErrOpen}}
	}
	switch e := e.(type) {
	case Opened:
		return claim(e.Hold, false)
	case Imported:
		return claim(e.Hold, !e.Open())
	case Resolved:
		return claim(e.Hold, true)
	case Withdrawn:
		return claim(e.Hold, true)
	case Rejected:
		return claim(e.Hold, true)
	}
	return nil
}
