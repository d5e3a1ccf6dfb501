package network

import "holdfast/domain/fault"

// Refusals of a transaction that somebody names.
var (
	ErrTxNotFound = fault.New(fault.NotFound, "TX_NOT_FOUND", "no node knows this transaction, or nobody here has named it")
	ErrTxReverted = fault.New(fault.Rule, "TX_REVERTED", "the transaction failed on the chain")
)
