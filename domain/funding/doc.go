// Package funding holds the flows of money on its way in and of the hold itself: pay-ins, their
// confirmation and undoing, releases, sweeps, the treasury. What must be true together is decided
// in one unit: a confirmed payment, the funded hold, the order that may go on, and the losing
// offers are one append.
package funding
