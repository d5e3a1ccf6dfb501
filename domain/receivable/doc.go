// Package receivable is what a seller or buyer owes us in one asset: recorded when a refund
// reaches back past a release (or a pay-in is undone after delivery), netted before every
// payout, and given up only by two people.
package receivable
