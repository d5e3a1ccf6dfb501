// Package ratelimit counts requests and failed sign-ins in Redis, so that all instances of the
// service share one count, and keeps a shadow of every count in this process.
//
// What it promises: an answer within Options.Patience, whatever Redis does; a count that is
// never below what this process has seen, so that a Redis that was emptied gives nobody a new
// budget here; and half of the limits while Redis does not answer. Names are kept as MACs: no
// address and no e-mail stands in Redis. Memory is bounded.
package ratelimit
