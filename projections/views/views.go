// Package views joins the read models: the list of their projectors, and their queries in one
// value.
package views

import (
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/eventstore"
	"holdfast/projections"
	"holdfast/projections/apikeyview"
	"holdfast/projections/breakview"
	"holdfast/projections/depositview"
	"holdfast/projections/destinationview"
	"holdfast/projections/disputeview"
	"holdfast/projections/escrowview"
	"holdfast/projections/networkview"
	"holdfast/projections/offerview"
	"holdfast/projections/paymentview"
	"holdfast/projections/payoutview"
	"holdfast/projections/reconciliationview"
	"holdfast/projections/refundview"
	"holdfast/projections/requestview"
	"holdfast/projections/statementview"
	"holdfast/projections/sweepview"
	"holdfast/projections/thresholdview"
	"holdfast/projections/timelineview"
	"holdfast/projections/trezorview"
	"holdfast/projections/watchview"
)

// Projectors lists every projector.
func Projectors() []projections.Projector {
	return []projections.Projector{
		requestview.Projector(), offerview.Projector(), paymentview.Projector(), escrowview.Projector(),
		disputeview.Projector(), payoutview.Projector(), refundview.Projector(), destinationview.Projector(),
		depositview.Projector(), networkview.Projector(), thresholdview.Projector(),
		sweepview.PlanProjector(),
		sweepview.Projector{},
		timelineview.Projector{},
		statementview.Projector{},
		watchview.Projector{},
		breakview.Projector(), reconciliationview.Projector(),
		apikeyview.Projector(),
		trezorview.Projector(),
	}
}

// Queries read every read model.
type Queries struct {
	Requests     requestview.Queries
	Offers       offerview.Queries
	Payments     paymentview.Queries
	Holds        escrowview.Queries
	Disputes     disputeview.Queries
	Payouts      payoutview.Queries
	Refunds      refundview.Queries
	Destinations destinationview.Queries
	Deposits     depositview.Queries
	Networks     networkview.Queries
	Thresholds   thresholdview.Queries
	Timelines    timelineview.Queries
	Statements   statementview.Queries
	Watch        watchview.Queries

	Breaks          breakview.Queries
	Reconciliations reconciliationview.Queries
}

// New makes the queries over one pool.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) *Queries {
	return &Queries{
		Requests: requestview.New(pool, codec), Offers: offerview.New(pool, codec), Payments: paymentview.New(pool, codec),
		Holds: escrowview.New(pool, codec), Disputes: disputeview.New(pool, codec), Payouts: payoutview.New(pool, codec),
		Refunds: refundview.New(pool, codec), Destinations: destinationview.New(pool, codec), Deposits: depositview.New(pool, codec),
		Networks: networkview.New(pool, codec), Thresholds: thresholdview.New(pool, codec),
		Timelines: timelineview.New(pool, codec), Statements: statementview.New(pool),
		Watch:  watchview.New(pool),
		Breaks: breakview.New(pool, codec), Reconciliations: reconciliationview.New(pool, codec),
	}
}
