// Package storetest is the one suite that every eventstore.Store must pass. It brings a
// made-up aggregate whose events say themselves what they do to the ledger, to claims and to
// deadlines, so that the suite knows nothing of the business.
package storetest
