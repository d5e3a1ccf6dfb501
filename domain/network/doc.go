// Package network is the registry of chains and tokens, and the vocabulary in which an
// adapter reports what it saw on a chain.
//
// The registry is the only place that knows decimals: they belong to (chain, token), never
// to a symbol (USDC has 6 decimals on most chains and 18 on BNB Smart Chain). The facts
// (Deposit, Standing, Outcome, Hint) are plain values, so that the parts that watch a chain
// and the parts that decide share words and no code.
//
// Spelling, everywhere: addresses in EIP-55 as the adapter gives them, transaction and
// block hashes in lower case, asset ids in lower case.
package network
