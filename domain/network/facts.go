package network

import (
	"strings"

	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// Deposit is money that a chain shows to have arrived: one log of one successful
// transaction, with what was measured rather than what was promised.
type Deposit struct {
	Chain uint64 `json:"chain"`
	Tx    string `json:"tx"`
	// Log is the position of the log within its own transaction's receipt, from 0. The
	// index within the block would change when a reorganisation mines the transaction
	// again in another block, and the same transfer would look like a new one. PlainLog for
	// a plain transfer of the native coin.
	Log       uint   `json:"log"`
	Block     uint64 `json:"block"`
	BlockHash string `json:"block_hash"`

	Asset money.Asset `json:"asset"`
	From  string      `json:"from"`
	To    string      `json:"to"`
	// Amount is what the token's own Transfer logs of this receipt say has arrived.
	Amount money.Units `json:"amount"`
	// Stated is what the payment contract's event claims; for a token that takes a fee on
	// transfer it is more than Amount. Equal to Amount for a direct transfer.
	Stated money.Units `json:"stated"`

	// Proxy is the payment contract, empty for a direct transfer.
	Proxy string `json:"proxy,omitempty"`
	// Topic is the keccak hash of the payment reference: all that the log shows of it.
	Topic string `json:"topic,omitempty"`
	// Reference is the clear reference, when the one who asked knew it.
	Reference string `json:"reference,omitempty"`
}

// Expected is what a payment waits for. The amount is not part of it: too little and too
// much are payments too.
type Expected struct {
	Asset money.Asset `json:"asset"`
	To    string      `json:"to"`
	// Reference is the clear payment reference (0x and 16 hex digits); empty when the
	// destination is a derived address, which names the payment by itself.
	Reference string `json:"reference,omitempty"`
}

// Refusals of a transfer that is real but not the one that was waited for.
var (
	ErrWrongToken     = fault.New(fault.Rule, "WRONG_TOKEN", "the transfer is in another token")
	ErrWrongRecipient = fault.New(fault.Rule, "WRONG_RECIPIENT", "the transfer went to another address")
	ErrWrongReference = fault.New(fault.Rule, "WRONG_REFERENCE", "the transfer carries another payment reference")
	ErrNothingArrived = fault.New(fault.Rule, "NOTHING_ARRIVED", "the payment contract reports a payment, but the token did not move")
)

// Match compares a deposit with what was expected; nil means that it is the payment's money.
func (e Expected) Match(d Deposit) error {
	switch {
	case e.Reference != "" && !strings.EqualFold(e.Reference, d.Reference):
		return ErrWrongReference.With("expected", e.Reference)
	case d.Asset != e.Asset:
		return ErrWrongToken.With("expected", e.Asset).With("found", d.Asset)
	case !strings.EqualFold(e.To, d.To):
		return ErrWrongRecipient.With("expected", e.To).With("found", d.To)
	case d.Amount.IsZero():
		return ErrNothingArrived
	}
	return nil
}

// Mismatch is a deposit that was found but is not what was expected.
type Mismatch struct {
	Deposit Deposit
	Reason  *fault.Error
}

// Verified is what a transaction holds of an expected payment.
type Verified struct {
	State    TxState
	Deposits []Deposit // each is the payment's money
	Others   []Mismatch
}

// TxState is what became of a transaction.
type TxState string

// The states. Unknown: no node has heard of it (yet, or any more). Replaced: another
// transaction of the same sender has used its nonce, so this one can never be mined.
const (
	Unknown  TxState = "unknown"
	Waiting  TxState = "pending"
	Mined    TxState = "mined"
	Failed   TxState = "failed"
	Replaced TxState = "replaced"
)

// Standing is how firmly a block stands: the answer of the most careful node.
type Standing struct {
	Head  uint64 `json:"head"`
	Depth uint64 `json:"depth"` // 1 for the head itself, 0 when not canonical
	// Canonical: the chain still has the block with this hash at this height.
	Canonical bool `json:"canonical"`
	Safe      bool `json:"safe"`
	Finalized bool `json:"finalized"`
}

// Mark is a height of a chain with the hash that its block had.
type Mark struct {
	Number uint64
	Hash   string
}

// Head is a chain's head and what it holds to be out of danger.
type Head struct {
	Number    uint64
	Hash      string
	Safe      uint64
	Finalized uint64
}

// Watch is what a scan looks for: references of payments that wait, and addresses of ours
// that may be paid directly.
type Watch struct {
	References   []string
	Destinations []string
	// Coins are destinations to which plain transfers of the native coin are looked for. They
	// leave no log, so every transaction of every block is read: none where nobody pays in coin.
	Coins []string
}

// PlainLog stands where a transfer's log is named, for a plain transfer of the native coin: it
// has no log, and a transaction makes one of them at most, so chain and transaction name it. No
// receipt has as many logs.
const PlainLog uint = 1<<31 - 1

// Scanned is what a scan found, and the block up to which it looked.
type Scanned struct {
	To     uint64
	ToHash string
	// Parent is the hash of the block below the first one, as that one names it: a scan whose Parent is
	// not the ToHash of the scan before it looked at another chain. Empty where the node does not say.
	Parent   string
	Deposits []Deposit
}

// Outcome is what became of a transaction of ours.
type Outcome struct {
	State     TxState
	Block     uint64
	BlockHash string
	Depth     uint64
	Safe      bool
	Finalized bool
	// Fee is what the transaction cost, in base units of the native coin.
	Fee money.Units
	// Moved is what the recipient got by the token's own logs.
	Moved money.Units
	// Tx is the transaction that stands there where it is another than was asked about, which a Safe's
	// owners may carry the same out in; empty otherwise.
	Tx string
}

// Unsigned is a transaction ready for a signer.
type Unsigned struct {
	Chain    uint64      `json:"chain"`
	From     string      `json:"from"`
	To       string      `json:"to"` // the contract for tokens
	Value    money.Units `json:"value"`
	Data     string      `json:"data"`
	Nonce    uint64      `json:"nonce"`
	Gas      uint64      `json:"gas"`
	MaxFee   money.Units `json:"max_fee_per_gas"`
	Tip      money.Units `json:"max_priority_fee_per_gas"`
	Raw      string      `json:"raw"`          // RLP without signature, EIP-1559
	SignHash string      `json:"signing_hash"` // what the signer signs
}

// Cost is the most that the gas can cost.
func (u Unsigned) Cost() money.Units {
	return u.MaxFee.MulDivFloor(money.FromUint64(u.Gas), money.FromUint64(1))
}

// HintKind says what a provider tells about a payment.
type HintKind string

// The kinds. Only Paid is worth a look at the chain; Noise is stored and nothing more.
const (
	Paid      HintKind = "paid"
	Trouble   HintKind = "failed"
	Refunded  HintKind = "refunded"
	Progress  HintKind = "processing"
	Recurring HintKind = "recurring"
	// Doubt: the provider says that the payer did not pass its compliance check.
	Doubt HintKind = "doubt"
	Noise HintKind = "noise"
)

// Hint is a provider's word that something may have happened. It moves nothing: it only
// says where to look.
type Hint struct {
	Kind      HintKind `json:"kind"`
	Event     string   `json:"event"`
	RequestID string   `json:"request_id,omitempty"`
	Reference string   `json:"reference,omitempty"`
	// Chain is 0 when the provider's name for the network is not known to the registry.
	Chain   uint64 `json:"chain,omitempty"`
	Network string `json:"network,omitempty"`
	Tx      string `json:"tx,omitempty"`
	// Amount is what the provider says was paid, as it wrote it; never credited.
	Amount string `json:"amount,omitempty"`
	Test   bool   `json:"test,omitempty"`
	// Code and Detail are the provider's words about a failure, a step or a doubt.
	Code   string `json:"code,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Ours is the reference that we gave when the request was made, where the provider tells it.
	Ours string `json:"ours,omitempty"`
}
