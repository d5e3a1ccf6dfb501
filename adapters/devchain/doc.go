// Package devchain is a small Ethereum chain inside the service, for development, the demo
// and tests: go-ethereum's own node with its simulated beacon, behind real JSON-RPC on
// 127.0.0.1, with our test contracts deployed at fixed addresses.
//
// With a data directory the chain survives a restart, also after kill -9: it keeps every
// state (archive mode), so the node finds its head again, and contracts and balances stay
// what the ledger believes they are. Without one it lives in memory.
//
// A block is mined for every transaction, then one each interval until confirmations and
// the "finalized" tag have arrived; then the chain rests.
//
// Its keys are the public ones of every Ethereum tutorial. Never send real money to them.
package devchain
