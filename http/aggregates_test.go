package http_test

import (
	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/offer"
	"holdfast/domain/payment"
	"holdfast/domain/payout"
	"holdfast/domain/quote"
	"holdfast/domain/receivable"
	"holdfast/domain/refund"
	"holdfast/domain/request"
)

func aggregates() []domain.Aggregate {
	return []domain.Aggregate{breaker.Aggregate(), dispute.Aggregate(), escrow.Aggregate(), offer.Aggregate(), payment.Aggregate(), quote.Aggregate(), request.Aggregate(), payout.Aggregate(), receivable.Aggregate(), refund.Aggregate()}
}

func disputeTerms() dispute.Terms { return dispute.StandardTerms() }
