// Package offer is a seller's answer to a request: submitted, revised, countered, accepted. An
// acceptance names the revision it accepts, so a price never changes under the buyer's hand.
// The others are superseded only when the money is there: a payment that never comes does not kill competing offers.
package offer
