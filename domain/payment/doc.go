// Package payment is one pay-in: from the wish to pay until the chain has confirmed enough, or
// never did. No state "paid" exists without evidence of the chain; a webhook is only a hint.
// What is unusual about a payment (partial, over, late, reorganised) stands beside its phase.
package payment
