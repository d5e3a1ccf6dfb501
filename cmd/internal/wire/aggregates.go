package wire

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
	"holdfast/domain/points"
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

// Aggregates is every kind of stream that the log holds.
func Aggregates() []domain.Aggregate {
	return []domain.Aggregate{
		request.Aggregate(), offer.Aggregate(), quote.Aggregate(), payment.Aggregate(), suspense.Aggregate(), escrow.Aggregate(),
		refund.Aggregate(), payout.Aggregate(), receivable.Aggregate(), dispute.Aggregate(), destination.Aggregate(),
		treasury.Aggregate(), breaker.Aggregate(), points.Aggregate(), safety.Aggregate(), ingestion.Aggregate(),
		reconciliation.Aggregate(), reconciliation.RunAggregate(),
		listing.Aggregate(), threshold.Aggregate(), breakglass.Aggregate(), cutover.Aggregate(),
		sweepplan.Aggregate(), sweepschedule.Aggregate(), trezor.Aggregate(),
		account.Aggregate(),
		apikey.Aggregate(),
		legacyentry.Aggregate(),
	}
}
