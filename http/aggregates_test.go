package http_test

import (
	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/destination"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/offer"
	"holdfast/domain/payment"
	"holdfast/domain/payout"
	"holdfast/domain/quote"
	"holdfast/domain/receivable"
	"holdfast/domain/refund"
	"holdfast/domain/request"
	"holdfast/domain/suspense"
	"holdfast/domain/sweepplan"
	"holdfast/domain/sweepschedule"
	"holdfast/domain/treasury"
	"holdfast/domain/trezor"
)

func aggregates() []domain.Aggregate {
	return []domain.Aggregate{
		breaker.Aggregate(), destination.Aggregate(), dispute.Aggregate(), escrow.Aggregate(), offer.Aggregate(),
		payment.Aggregate(), payout.Aggregate(), quote.Aggregate(), receivable.Aggregate(), refund.Aggregate(), request.Aggregate(),
		suspense.Aggregate(), treasury.Aggregate(), sweepplan.Aggregate(), sweepschedule.Aggregate(), trezor.Aggregate(),
	}
}

func disputeTerms() dispute.Terms { return dispute.StandardTerms() }
