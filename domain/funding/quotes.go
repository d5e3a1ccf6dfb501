package funding

import (
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/payment"
	"holdfast/domain/quote"
)

// priced locks the payment's quote and lets it say what is due. A price in the settlement asset
// itself needs none; a price in a currency does. Errors: QUOTE_REQUIRED, QUOTE_EXPIRED,
// QUOTE_USED, PRICE_MISMATCH, ASSET_NOT_ALLOWED.
func (f InitiatePayment) priced(u *domain.Unit, h escrow.State) (escrow.State, error) {
	if f.Quote == "" {
		if h.ByQuote() {
			return h, escrow.ErrQuoteRequired
		}
		return h, nil
	}
	lock := quote.Lock{Issue: own(f.Issue), Payment: f.Payment, Buyer: f.By.User(), Offer: h.Offer, Price: h.Agreed(), Settle: f.Asset}
	if _, err := domain.Do(u, quote.Decider, string(f.Quote), lock); err != nil {
		return h, err
	}
	q, err := domain.StateOf(u, quote.Decider, string(f.Quote))
	if err != nil || !h.ByQuote() {
		return h, err
	}
	if _, err := domain.Do(u, escrow.Decider, string(h.ID), escrow.FixDue{Issue: own(f.Issue), Due: q.AmountDue, Quote: f.Quote}); err != nil {
		return h, err
	}
	return holdOf(u, h.ID)
}

// judgedByItsQuote: money that comes late for a quote is held against what that quote said, even
// when a newer one has said something else meanwhile; unless that one is being paid already.
func judgedByItsQuote(u *domain.Unit, i domain.Issue, s payment.State) error {
	if s.Quote == "" {
		return nil
	}
	h, err := holdOf(u, s.Hold)
	if err != nil || !h.ByQuote() || h.Due == s.Due || !h.In().IsZero() {
		return err
	}
	_, err = domain.Do(u, escrow.Decider, string(h.ID), escrow.FixDue{Issue: own(i), Due: s.Due, Quote: s.Quote})
	return err
}

// endQuote ends the quote that a payment has locked: consumed when it was paid, else expired.
func endQuote(u *domain.Unit, id domain.QuoteID, c domain.Command) error {
	if id == "" {
		return nil
	}
	q, err := domain.StateOf(u, quote.Decider, string(id))
	if err != nil || q.Phase != quote.LockedPhase {
		return err
	}
	_, err = domain.Do(u, quote.Decider, string(id), c)
	return err
}
