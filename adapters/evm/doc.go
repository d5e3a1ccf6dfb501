// Package evm reads and writes Ethereum-like chains over JSON-RPC, and turns what they say
// into the words of domain/network.
//
// A node may lag, lie, hang or answer nonsense. Every call has a deadline and a bound on
// the answer's size, goes to the next node when one fails, and never goes to a node of
// another chain. What moves money is asked of all nodes: when they disagree the answer is
// ErrContradiction and nothing happens.
//
// A payment is believed only on a receipt: status 1, an event of a payment contract that
// the registry lists (or a transfer to an address of ours), and the token's own Transfer
// logs, whose sum is what counts. The event's claim does not: a token that takes a fee on
// transfer lets the event say 100 where 90 arrived.
//
// Native coin sent to an address by a plain transfer leaves no log and is not seen here;
// it is seen when it comes through a payment contract.
package evm
