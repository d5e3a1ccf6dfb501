// Package aml asks whether an address may be dealt with: a sanctions oracle on the chain, and an
// HTTP screening API. It never says "clean" for want of an answer: whatever goes wrong is
// safety.Unanswered, and the domain keeps the money where it is.
package aml
