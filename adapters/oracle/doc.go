// Package oracle asks price sources: Chainlink feeds over a chain's JSON-RPC, and HTTP APIs. It
// judges each answer by what its source promises (never zero, never negative, never older than
// the feed's heartbeat), says of each where it comes from, and leaves the rule that makes one
// price of several to domain/quote. No request transaction is open while it asks.
package oracle
