package payout

import (
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/outgoing"
)

// Refusals.
var (
	ErrInsufficientAvailable = fault.New(fault.Rule, "INSUFFICIENT_AVAILABLE", "the seller does not have this much available")
	ErrCoolingOff            = fault.New(fault.Conflict, "WALLET_COOLING_OFF", "the wallet was changed a short while ago and must rest first")
	ErrSelfApproval          = fault.New(fault.Forbidden, "SELF_APPROVAL", "whoever asked for the payout cannot approve it")
	ErrRevisionStale         = fault.New(fault.Conflict, "REVISION_STALE", "the payout changed since you read it; read it again")
	ErrInProgress            = fault.New(fault.Conflict, "PAYOUT_IN_PROGRESS", "the payout is signed or sent and must first run its course")
)

func request(_ State, c Request) ([]Event, error) {
	switch {
	case c.By.User() != "" && !c.By.Is(c.Seller):
		return nil, fault.ErrForbidden
	case c.Payout == "" || c.Seller == "":
		return nil, fault.ErrValidation.At("payout", "names no payout or seller")
	case c.Amount.IsZero() || c.Amount.Asset == "":
		return nil, fault.ErrValidation.At("amount", "must be more than zero")
	case c.Wallet == "":
		return nil, fault.ErrValidation.At("wallet", "is missing")
	case c.Approvals < 0:
		return nil, fault.ErrValidation.At("approvals", "must not be negative")
	}
	if err := rested(c.WalletCoolingUntil, c.At); err != nil {
		return nil, err
	}
	events := []Event{Requested{
		Payout: c.Payout, Seller: c.Seller, Amount: c.Amount, Wallet: c.Wallet, Revision: 1,
		Approvals: c.Approvals, CoolingOff: c.CoolingOff, Holds: c.Holds, By: c.By,
	}}
	if c.Approvals == 0 {
		events = append(events, Approved{Payout: c.Payout, Revision: 1})
	}
	return events, nil
}

func rested(until, at time.Time) error {
	if at.Before(until) {
		return ErrCoolingOff.With("until", until.UTC().Format(time.RFC3339))
	}
	return nil
}

func approve(s State, c Approve) ([]Event, error) {
	if c.Revision != s.Revision {
		return nil, ErrRevisionStale.With("revision", s.Revision)
	}
	u := c.By.User()
	if c.By.Is(s.Seller) || c.By.Is(s.RequestedBy.User()) {
		return nil, ErrSelfApproval
	}
	if err := rested(s.CoolingUntil, c.At); err != nil {
		return nil, err
	}
	if slices.Contains(s.Approvers, u) {
		return nil, nil
	}
	events := []Event{ApprovalRecorded{Payout: s.Payout, By: u, Revision: s.Revision}}
	if len(s.Approvers)+1 >= s.Needed {
		events = append(events, Approved{Payout: s.Payout, Revision: s.Revision})
	}
	return events, nil
}

func reject(s State, c Reject) ([]Event, error) {
	return []Event{Rejected{Payout: s.Payout, Seller: s.Seller, Amount: s.Amount, By: c.By.User(), Reason: c.Reason}}, nil
}

func changeDestination(s State, c ChangeDestination) ([]Event, error) {
	if c.Wallet == "" {
		return nil, fault.ErrValidation.At("wallet", "is missing")
	}
	if outgoing.SameAddress(c.Wallet, s.Wallet) {
		return nil, nil
	}
	return []Event{DestinationChanged{
		Payout: s.Payout, Wallet: c.Wallet, Revision: s.Revision + 1,
		CoolingUntil: c.At.Add(s.CoolingOff), By: c.By, Dropped: s.Instruction,
	}}, nil
}

// buildInstruction takes what the adapter filled in from the registry (chain, token, nonce,
// custody address) and holds it against the payout. A payout that needed no approval at
// first still needs one person after its destination changed, so the phase is enough here.
func buildInstruction(s State, c BuildInstruction) ([]Event, error) {
	in := c.Instruction
	switch {
	case !outgoing.SameAddress(in.To, s.Wallet):
		return nil, outgoing.ErrInstructionMismatch.With("field", "to")
	case in.Amount != s.Amount:
		return nil, outgoing.ErrInstructionMismatch.With("field", "amount")
	case in.From == "" || in.Chain == 0:
		return nil, fault.ErrValidation.At("instruction", "names no custody address or chain")
	}
	if c.At.Before(s.CoolingUntil) {
		return nil, outgoing.ErrCooldown.With("until", s.CoolingUntil.UTC().Format(time.RFC3339))
	}
	if old := s.Instruction; old != nil && (!c.NonceGone || in.Nonce <= old.Nonce) {
		return nil, ErrInProgress.With("nonce", old.Nonce)
	}
	return []Event{InstructionBuilt{Payout: s.Payout, Instruction: in, By: c.By}}, nil
}

func recordSignature(s State, c RecordSignature) ([]Event, error) {
	if c.Tx.Hash == "" {
		return nil, fault.ErrValidation.At("tx.hash", "is missing")
	}
	if err := s.Instruction.Check(c.Tx.Transfer); err != nil {
		return nil, err
	}
	if s.Phase == PhaseSigned {
		if outgoing.Known(s.Txs, c.Tx.Hash) == nil {
			return nil, nil
		}
		return nil, ErrInProgress
	}
	return []Event{Signed{Payout: s.Payout, TxHash: outgoing.NormalHash(c.Tx.Hash), Signer: c.Tx.Signer}}, nil
}

func broadcast(s State, c BroadcastTx) ([]Event, error) {
	return []Event{Broadcast{Payout: s.Payout, Amount: s.Amount, Custody: c.Custody, TxHash: s.Txs[0]}}, nil
}

func replace(s State, c Replace) ([]Event, error) {
	if outgoing.Known(s.Txs, c.Tx.Hash) == nil {
		return nil, nil
	}
	if c.Tx.Hash == "" || c.Tx.Nonce != s.Instruction.Nonce {
		return nil, outgoing.ErrReplacement
	}
	if err := s.Instruction.Check(c.Tx.Transfer); err != nil {
		return nil, err
	}
	return []Event{Replaced{Payout: s.Payout, Old: s.Txs[len(s.Txs)-1], New: outgoing.NormalHash(c.Tx.Hash)}}, nil
}

func confirm(s State, c Confirm) ([]Event, error) {
	if err := outgoing.Known(s.Txs, c.Evidence.Tx); err != nil {
		return nil, err
	}
	if s.Phase == PhaseConfirmed {
		return nil, nil
	}
	return []Event{Confirmed{
		Payout: s.Payout, Amount: s.Amount, Custody: s.Custody, Evidence: c.Evidence, Pending: s.Pending, Holds: s.Holds,
	}}, nil
}

func surface(s State, c Surface) ([]Event, error) {
	if err := outgoing.Known(s.Txs, c.Evidence.Tx); err != nil {
		return nil, err
	}
	if s.Phase == PhaseConfirmed {
		return nil, nil
	}
	owed := s.Amount
	owed.Units = owed.Units.Minus(owed.Units.Min(c.Available))
	return []Event{Surfaced{Payout: s.Payout, Seller: s.Seller, Amount: s.Amount, Owed: owed, Custody: s.Custody, Evidence: c.Evidence}}, nil
}

func fail(s State, c Fail) ([]Event, error) {
	if err := outgoing.Known(s.Txs, c.Tx); err != nil {
		return nil, err
	}
	if s.Phase == PhaseFailed {
		return nil, nil
	}
	e := Failed{Payout: s.Payout, Seller: s.Seller, Amount: s.Amount, Code: c.Code, Pending: s.Pending}
	if !c.NonceUsed {
		e.Dropped = s.Instruction
	}
	return []Event{e}, nil
}

func cancel(s State, c Cancel) ([]Event, error) {
	return []Event{Cancelled{Payout: s.Payout, Seller: s.Seller, Amount: s.Amount, By: c.By, Dropped: s.Instruction}}, nil
}

func reorg(s State, c Reorg) ([]Event, error) {
	if err := outgoing.Known(s.Txs, c.Evidence.Tx); err != nil {
		return nil, err
	}
	if s.Phase == PhaseBroadcast {
		return nil, nil
	}
	return []Event{Reorged{Payout: s.Payout, Amount: s.Amount, Custody: s.Custody, Evidence: c.Evidence}}, nil
}

// refuse says more exactly than INVALID_STATE why a payout on its way cannot be changed.
func refuse(s State, c domain.Command) error {
	if s.Phase == "" {
		return fault.ErrNotFound
	}
	switch c.(type) {
	case Cancel, ChangeDestination, Reject, BuildInstruction, BroadcastTx:
		if s.Phase == PhaseSigned || s.Phase == PhaseBroadcast {
			return ErrInProgress.With("state", s.Phase)
		}
	}
	return nil
}
