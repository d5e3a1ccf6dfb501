// Package requestnetwork speaks with Request Network: it creates requests, reads their
// state, verifies and reads the webhooks.
//
// Nothing here moves money. A webhook, and a "paid" answer of the API, become a
// network.Hint: the name of a transaction worth looking at. Deliveries come up to four
// times, in any order, in up to three variants of the same payment, under delivery ids that
// are not signed, and after 21 seconds not at all; so what counts is read from the chain.
package requestnetwork
