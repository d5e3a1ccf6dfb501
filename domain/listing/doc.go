// Package listing is the aggregate of what admins have changed of a chain: enabled or disabled
// it, registered tokens, added or retired payment contracts. One stream a chain, its id the
// chain's number. The registry that is in force is the built-in table with this laid over it
// (State.Over).
//
// What decides whose word is believed about money (addresses of tokens and payment contracts,
// nodes, decimals, the rule of confirmation) takes two admins. What only stops something takes
// one.
package listing
