package network

import "holdfast/domain/money"

// Holder is an address that may hold an asset.
type Holder struct {
	Address string
	Asset   money.Asset
}

// Looked is what a chain shows of a transaction.
type Looked struct {
	State    TxState
	Block    uint64
	Deposits []Deposit   // every transfer that it made, to whomever
	Fee      money.Units // what it cost its sender in native coin
}
