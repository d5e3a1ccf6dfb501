package trezor

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"holdfast/domain/money"
)

// The kinds of operations. A release is paid out by its payout, so both name one.
const (
	ReleaseKind = "release"
	RefundKind  = "refund"
	SweepKind   = "sweep"
	PayoutKind  = "payout"
)

// Target is what an operation lets happen, to the last field: what people read on the device,
// and Instruction, a hash over all of it. When any of it changes the signature is of no use.
type Target struct {
	Kind        string
	ID          string
	Chain       uint64
	To          string // zero address where it is not ours to know
	Token       string // zero address for the native coin
	Amount      money.Units
	Nonce       uint64
	Instruction string // 0x and 64 hex digits
}

const zeroAddress = "0x0000000000000000000000000000000000000000"

// NewTarget fills in what is not known, and hashes the instruction.
func NewTarget(t Target, instruction any) (Target, error) {
	raw, err := json.Marshal(instruction)
	if err != nil {
		return t, fmt.Errorf("hash the instruction of %s %s: %w", t.Kind, t.ID, err)
	}
	h := sha256.Sum256(raw)
	t.Instruction = "0x" + hex.EncodeToString(h[:])
	if t.To == "" {
		t.To = zeroAddress
	}
	if t.Token == "" {
		t.Token = zeroAddress
	}
	return t, nil
}

// TypedData is a message of EIP-712, in the form that wallets take.
type TypedData struct {
	Types       map[string][]TypedField `json:"types"`
	PrimaryType string                  `json:"primaryType"`
	Domain      map[string]any          `json:"domain"`
	Message     map[string]any          `json:"message"`
}

// TypedField is a member of a type.
type TypedField struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Typed is the message that the device shows and signs. operation is drawn anew for each, so no
// two messages are the same.
func (t Target) Typed(operation string, expires time.Time) TypedData {
	return TypedData{
		Types: map[string][]TypedField{
			"EIP712Domain": {{"name", "string"}, {"version", "string"}, {"chainId", "uint256"}},
			"Operation": {
				{"kind", "string"},
				{"target", "string"},
				{"to", "address"},
				{"token", "address"},
				{"amount", "uint256"},
				{"nonce", "uint256"},
				{"instruction", "bytes32"},
				{"operation", "string"},
				{"expiresAt", "uint256"},
			},
		},
		PrimaryType: "Operation",
		Domain:      map[string]any{"name": "Holdfast", "version": "1", "chainId": strconv.FormatUint(t.Chain, 10)},
		Message: map[string]any{
			"kind": t.Kind, "target": t.ID, "to": t.To, "token": t.Token, "amount": t.Amount.String(), "nonce": strconv.FormatUint(t.Nonce, 10),
			"instruction": t.Instruction, "operation": operation, "expiresAt": strconv.FormatInt(expires.Unix(), 10),
		},
	}
}
