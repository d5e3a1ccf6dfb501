package http

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
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
)

// Views are the read models that the queries ask.
type Views struct {
	Requests   requestview.Queries
	Offers     offerview.Queries
	Payments   paymentview.Queries
	Holds      escrowview.Queries
	Refunds    refundview.Queries
	Payouts    payoutview.Queries
	Disputes   disputeview.Queries
	Deposits   depositview.Queries
	Networks   networkview.Queries
	Thresholds thresholdview.Queries
	Statements statementview.Queries
	Timeline   timelineview.Queries

	Breaks          breakview.Queries
	Reconciliations reconciliationview.Queries
	Destinations    destinationview.Queries
	Sweeps          sweepview.Queries
	SweepPlans      sweepview.PlanQueries
	APIKeys         apikeyview.Queries
	Trezors         trezorview.Queries
}

// NewViews asks the read models of one database.
func NewViews(pool *pgxpool.Pool, codec *eventstore.Codec) *Views {
	return &Views{
		Requests: requestview.New(pool, codec), Offers: offerview.New(pool, codec), Payments: paymentview.New(pool, codec),
		Holds: escrowview.New(pool, codec), Refunds: refundview.New(pool, codec), Payouts: payoutview.New(pool, codec),
		Disputes: disputeview.New(pool, codec), Deposits: depositview.New(pool, codec), Networks: networkview.New(pool, codec),
		Thresholds: thresholdview.New(pool, codec), Statements: statementview.New(pool), Timeline: timelineview.New(pool, codec),
		Breaks: breakview.New(pool, codec), Reconciliations: reconciliationview.New(pool, codec),
		Destinations: destinationview.New(pool, codec), Sweeps: sweepview.New(pool), SweepPlans: sweepview.NewPlans(pool, codec),
		APIKeys: apikeyview.New(pool, codec), Trezors: trezorview.New(pool, codec),
	}
}

// From answers what a legacy collection can answer from there, while its domain is read there.
func (v *Views) From(e projections.Elsewhere) *Views {
	v.Requests, v.Offers, v.Payments, v.Holds = v.Requests.From(e), v.Offers.From(e), v.Payments.From(e), v.Holds.From(e)
	v.Disputes, v.Thresholds, v.Destinations, v.Trezors = v.Disputes.From(e), v.Thresholds.From(e), v.Destinations.From(e), v.Trezors.From(e)
	return v
}

func (s *Server) views() (*Views, error) {
	if s.deps.Views == nil {
		return nil, errNotConfigured
	}
	return s.deps.Views, nil
}

func (p Page) ask(sort projections.Sort) projections.Page {
	return projections.Page{Cursor: p.Cursor, Limit: p.Limit, Sort: sort}
}

// listed answers with a page of rows, each as show shows it.
func listed[D, O any](list projections.List[D], err error, show func(projections.Row[D]) O) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return reply{data: shown(list.Rows, show), meta: Meta{NextCursor: list.Next}}, nil
}

func shown[D, O any](rows []projections.Row[D], show func(projections.Row[D]) O) []O {
	all := make([]O, 0, len(rows))
	for _, row := range rows {
		all = append(all, show(row))
	}
	return all
}

// timeOf shows a time only when there is one.
func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// textOf shows personal text; what was erased is empty.
func textOf(p domain.Personal) string { return p.Text }
