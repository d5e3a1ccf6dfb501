// Package outgoing is what payouts and refunds share: the instruction that a custody signer
// gets, the transaction that comes back, and how both are compared and named.
package outgoing

import (
	"fmt"
	"strings"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
)

// Refusals of a signed or reported transaction.
var (
	ErrInstructionMismatch = fault.New(fault.Rule, "INSTRUCTION_MISMATCH", "the transaction does not do exactly what the instruction says")
	ErrNonceInUse          = fault.New(fault.Conflict, "NONCE_IN_USE", "another transaction of this custody address uses this nonce")
	ErrUnknownTx           = fault.New(fault.Rule, "TX_NOT_OURS", "this transaction was never recorded for this payment")
	ErrReplacement         = fault.New(fault.Rule, "REPLACEMENT_INVALID", "a replacement has the same nonce and another hash")
	ErrCooldown            = fault.New(fault.Conflict, "DESTINATION_COOLDOWN", "the address is new or was changed a short while ago and must rest first")
	ErrCustodyShort        = fault.New(fault.Conflict, "CUSTODY_SHORT", "custody has too little of this at the moment; what was decided stands and waits")
)

// Transfer is one token transfer out of custody: what an instruction asks for, and what a
// signed transaction decodes to.
type Transfer struct {
	Chain uint64 `json:"chain"`
	From  string `json:"from"` // custody address that signs
	To    string `json:"to"`
	// Token is the contract's address, empty for the chain's native coin.
	Token  string       `json:"token,omitempty"`
	Amount money.Amount `json:"amount"`
	Nonce  uint64       `json:"nonce"`
}

// Tx is a signed transaction: its hash, who signed it, and what it decodes to.
type Tx struct {
	Hash   string `json:"hash"`
	Signer string `json:"signer,omitempty"`
	Transfer
	// MaxFee and Tip are the most it pays for a unit of gas, in the native coin's base units;
	// zero where an adapter did not say.
	MaxFee money.Units `json:"-"`
	Tip    money.Units `json:"-"`
}

// Outbids refuses a replacement that the chain's nodes would not take for the transaction of
// the same nonce before it: both prices must be at least a tenth higher. What is known of
// neither is left to the nodes.
func (t Tx) Outbids(old Tx) error {
	if t.MaxFee.IsZero() || old.MaxFee.IsZero() {
		return nil
	}
	eleven, ten := money.FromUint64(11), money.FromUint64(10)
	for _, p := range []struct {
		name     string
		old, now money.Units
	}{{"max_fee", old.MaxFee, t.MaxFee}, {"tip", old.Tip, t.Tip}} {
		if need := p.old.MulDivFloor(eleven, ten); p.now.Less(need) {
			return ErrReplacement.Because("a replacement must pay a tenth more").With("field", p.name).With("need", need).With("found", p.now)
		}
	}
	return nil
}

// Mined is where the chain has a transaction.
type Mined struct {
	Chain     uint64 `json:"chain"`
	Tx        string `json:"tx"`
	Block     uint64 `json:"block"`
	BlockHash string `json:"block_hash,omitempty"`
}

// Check compares a decoded transaction with the instruction. ErrInstructionMismatch names
// the first field that differs.
func (t Transfer) Check(got Transfer) error {
	for _, f := range []struct {
		name string
		same bool
	}{
		{"chain", t.Chain == got.Chain},
		{"from", SameAddress(t.From, got.From)},
		{"to", SameAddress(t.To, got.To)},
		{"token", SameAddress(t.Token, got.Token)},
		{"amount", t.Amount == got.Amount},
		{"nonce", t.Nonce == got.Nonce},
	} {
		if !f.same {
			return ErrInstructionMismatch.With("field", f.name)
		}
	}
	return nil
}

// SameAddress compares two addresses or hashes regardless of the case of their hex digits.
func SameAddress(a, b string) bool { return strings.EqualFold(a, b) }

// NormalHash is a transaction hash as keys and events spell it.
func NormalHash(hash string) string { return strings.ToLower(strings.TrimSpace(hash)) }

// Known finds a hash among those that were recorded.
func Known(hashes []string, hash string) error {
	for _, h := range hashes {
		if SameAddress(h, hash) {
			return nil
		}
	}
	return ErrUnknownTx.With("tx", hash)
}

// NonceClaim takes the custody address's nonce: only one transaction that is not final may
// have it, whichever payout or refund it belongs to.
func NonceClaim(t Transfer) domain.Claim {
	name := fmt.Sprintf("nonce:%d:%s/%d", t.Chain, strings.ToLower(t.From), t.Nonce)
	return domain.Claim{Name: name, Taken: ErrNonceInUse.With("nonce", t.Nonce)}
}

// Free gives a claim back.
func Free(c domain.Claim) domain.Claim {
	c.Free = true
	return c
}

// PendingKey names the pending entry of one transaction: kind is "payout" or "refund". A
// retry after a failure has another hash, hence another key.
func PendingKey[T ~string](kind string, id T, hash string) string {
	return kind + ":" + string(id) + ":" + NormalHash(hash)
}

// Custody says which pocket the tokens leave: the treasury, or one derived address whose
// deposit was never swept.
type Custody struct {
	Destination domain.DestinationID `json:"destination,omitempty"`
}

// Account is the pocket's ledger account.
func (c Custody) Account() ledger.Account {
	if c.Destination == "" {
		return ledger.Treasury
	}
	return ledger.Derived(c.Destination)
}

// Confirmed is the posting of a mined transaction. key is the open pending entry; after a
// reorg there is none any more, and the lines are posted themselves.
func Confirmed(key string, line ledger.Line) ledger.Transaction {
	if key != "" {
		return ledger.Transaction{Mode: ledger.PostPending, Key: key, Fact: true}
	}
	return ledger.Transaction{Mode: ledger.Post, Fact: true, Lines: ledger.Lines(line)}
}

// Undone is the posting of a transaction that came to nothing: its pending entry, if one is
// open, is voided, and back moves the money out of clearing.
func Undone(key string, back ledger.Line) ledger.Transaction {
	if key != "" {
		return ledger.Transaction{Mode: ledger.VoidPending, Key: key, Fact: true, Lines: ledger.Lines(back)}
	}
	return ledger.Transaction{Mode: ledger.Post, Fact: true, Lines: ledger.Lines(back)}
}
