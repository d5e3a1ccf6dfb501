package http_test

import (
	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/apikey"
	"holdfast/domain/breaker"
	"holdfast/domain/breakglass"
	"holdfast/domain/cutover"
	"holdfast/domain/destination"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/ingestion"
	"holdfast/domain/legacyentry"
	"holdfast/domain/listing"
	"holdfast/domain/offer"
	"holdfast/domain/payment"
	"holdfast/domain/payout"
	"holdfast/domain/quote"
	"holdfast/domain/receivable"
	"holdfast/domain/reconciliation"
	"holdfast/domain/refund"
	"holdfast/domain/request"
	"holdfast/domain/safety"
	"holdfast/domain/suspense"
	"holdfast/domain/sweepplan"
	"holdfast/domain/sweepschedule"
	"holdfast/domain/threshold"
	"holdfast/domain/treasury"
	"holdfast/domain/trezor"
)

func aggregates() []domain.Aggregate {
	return []domain.Aggregate{
		breaker.Aggregate(), destination.Aggregate(), dispute.Aggregate(), escrow.Aggregate(), offer.Aggregate(),
		payment.Aggregate(), payout.Aggregate(), quote.Aggregate(), receivable.Aggregate(), refund.Aggregate(), request.Aggregate(), safety.Aggregate(),
		suspense.Aggregate(), treasury.Aggregate(), ingestion.Aggregate(), reconciliation.Aggregate(), reconciliation.RunAggregate(),
		listing.Aggregate(), threshold.Aggregate(), breakglass.Aggregate(), cutover.Aggregate(),
		sweepplan.Aggregate(), sweepschedule.Aggregate(), trezor.Aggregate(),
		account.Aggregate(),
		apikey.Aggregate(),
		legacyentry.Aggregate(),
	}
}

func disputeTerms() dispute.Terms { return dispute.StandardTerms() }
