// Package refund is money on its way back to the buyer: asked for, approved (the money moves
// to clearing at once, so that it cannot be spent twice), sent, and confirmed by the chain.
//
// A refund's amount is fixed at approval. A failed refund is final: its money becomes the
// buyer's credit and is sent again as a new refund from that credit. Nothing is ever sent to
// an address that the buyer has not confirmed or that was not screened.
//
// The state diagram is drawn from Table; see docs/aggregates.
package refund
