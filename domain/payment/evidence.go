package payment

import (
	"fmt"
	"strings"
)

// Evidence names one transfer on a chain: the log of a transaction in a block. The same
// transaction mined again in another block is the same transfer.
type Evidence struct {
	Chain     uint64 `json:"chain"`
	Tx        string `json:"tx"`
	Log       uint   `json:"log"` // within the transaction's receipt
	Block     uint64 `json:"block"`
	BlockHash string `json:"block_hash"`
}

// Key is the transfer's name whatever block it stands in: "56:0xf1:2". It counts once.
func (e Evidence) Key() string {
	return fmt.Sprintf("%d:%s:%d", e.Chain, strings.ToLower(e.Tx), e.Log)
}

// PendingKey names the ledger's pending entry of the transfer in this very block.
func (e Evidence) PendingKey() string { return fmt.Sprintf("%s@%d", e.Key(), e.Block) }

// Threshold is the confirmation rule, snapshotted when the payment is opened.
type Threshold struct {
	Need      uint64 `json:"need"`
	Floor     uint64 `json:"floor"`
	Finalized bool   `json:"finalized"` // a block at or below the finalized tag is enough
	// Safe: a block at or below the safe tag is enough, once it is as deep as the floor. On
	// some chains the tag is the head itself.
	Safe bool `json:"safe,omitempty"`
}

// Reached reports whether a transfer stands firmly enough: by its depth, or by what the chain
// holds to be finalized or safe.
func (t Threshold) Reached(depth uint64, safe, finalized bool) bool {
	return t.Met(depth, finalized) || (t.Safe && safe && depth >= max(t.Floor, 1))
}

// Met is Reached where nobody has asked for the safe tag; a depth is never below the floor.
func (t Threshold) Met(depth uint64, finalized bool) bool {
	return depth >= max(t.Need, t.Floor, 1) || (t.Finalized && finalized)
}
