// Package breaker stops the money of one asset: by itself when custody falls below what is
// owed, or by an operator. Releases, payouts and refunds read it in their unit, which is why
// it is a stream of its own that rarely changes (docs/decisions/0003).
package breaker
