// Package rndouble plays Request Network on this machine: the API, an indexer that watches
// a chain's payment contracts, and signed webhooks with the provider's habits (repeats,
// variants, retries after 1, 5 and 15 s, then nothing). Development, the demo and tests use
// it; its answers have the provider's published shapes and its data is worth nothing.
package rndouble
