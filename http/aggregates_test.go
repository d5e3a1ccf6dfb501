package http_test

import (
	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/payment"
	"holdfast/domain/payout"
	"holdfast/domain/receivable"
	"holdfast/domain/refund"
)

func aggregates() []domain.Aggregate {
	return []domain.Aggregate{breaker.Aggregate(), dispute.Aggregate(), escrow.Aggregate(), payment.Aggregate(), payout.Aggregate(), receivable.Aggregate(), refund.Aggregate()}
}

func disputeTerms() dispute.Terms { return dispute.StandardTerms() }
