// Package ingestion is what a payment provider told us, once a report: received, then matched
// with a payment of ours or parked for a person. It holds no money and moves none. A report is
// named by the hash of its signed bytes, because a provider's delivery id is not signed: the
// same body under a new id is the same report, and nothing is written for it.
package ingestion
