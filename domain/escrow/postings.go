package escrow

import (
	"holdfast/domain"
	"holdfast/domain/ledger"
)

// Postings is what the hold's own events do to the ledger (domain.md §2.3). Money that comes
// in, is refunded or is contested is posted by the payment's, refund's and dispute's events
// of the same append; the hold's companion events only keep the amounts.
func Postings(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) {
	switch e := e.(type) {
	case FeeAbsorbed:
		return post(ledger.Dr(ledger.ProviderFee, ledger.Held(e.Hold), e.Amount)), true
	case DiscountFunded:
		return post(ledger.Dr(ledger.LoyaltyDiscount, ledger.Held(e.Hold), e.Amount)), true
	case MadeReleasable:
		tx := post(ledger.Dr(ledger.Held(e.Hold), ledger.Releasable(e.Hold), e.Amount))
		tx.Refused = ErrNotFunded
		return tx, true
	case ReleaseRevoked:
		return post(ledger.Dr(ledger.Releasable(e.Hold), ledger.Held(e.Hold), e.Amount)), true
	case Released:
		from := ledger.Releasable(e.Hold)
		tx := post(
			ledger.Dr(from, ledger.SellerAvailable(e.Seller), e.Net),
			ledger.Dr(from, ledger.PlatformFee, e.Fee),
			ledger.Dr(from, ledger.SellerReserve(e.Seller), e.Reserve))
		tx.Refused = ErrNotReleasable
		return tx, true
	case ReserveReleased:
		return post(ledger.Dr(ledger.SellerReserve(e.Seller), ledger.SellerAvailable(e.Seller), e.Amount)), true
	}
	return ledger.Transaction{}, false
}

func post(lines ...ledger.Line) ledger.Transaction {
	return ledger.Transaction{Mode: ledger.Post, Lines: ledger.Lines(lines...)}
}
