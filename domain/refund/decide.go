package refund

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
)

// Refusals.
var (
	ErrExceedsAvailable = fault.New(fault.Rule, "REFUND_EXCEEDS_AVAILABLE", "the refund is more than its source has")
	ErrAlreadyRefunded  = fault.New(fault.Conflict, "ALREADY_REFUNDED", "everything was refunded already")
	ErrAddressRequired  = fault.New(fault.Rule, "REFUND_ADDRESS_REQUIRED", "the buyer must confirm a refund address first")
	ErrAddressScreened  = fault.New(fault.Rule, "ADDRESS_SCREENED", "the address was not screened as clean")
	ErrFeeOverCap       = fault.New(fault.Rule, "NETWORK_FEE_EXCEEDS_CAP", "the network fee is above its cap or eats up the refund")
	ErrInProgress       = fault.New(fault.Conflict, "REFUND_IN_PROGRESS", "a transaction of this refund is on its way and must first run its course")
	ErrSelfApproval     = fault.New(fault.Forbidden, "SELF_APPROVAL", "whoever gets the money cannot approve it")
)

func request(_ State, c Request) ([]Event, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if u := c.By.User(); u != "" && u != c.Buyer && u != c.Seller && !c.By.Has(domain.Admin) {
		return nil, fault.ErrForbidden
	}
	return []Event{Requested{
		Refund: c.Refund, Hold: c.Hold, Request: c.Request, Buyer: c.Buyer, Seller: c.Seller,
		Deposit: c.Deposit, Dispute: c.Dispute, Source: c.Source, Mode: c.Mode, Amount: c.Amount,
		Reason: c.Reason, By: c.By,
	}}, nil
}

func (c Request) validate() error {
	bad := func(path, msg string) error { return fault.ErrValidation.At(path, msg) }
	switch c.Source {
	case FromHeld, FromReleasable, FromClawback, FromDispute:
		if c.Hold == "" {
			return bad("hold", "this source needs a hold")
		}
	case FromSuspense:
		if c.Deposit == "" {
			return bad("deposit", "this source needs a deposit")
		}
	case FromBuyerCredit:
	default:
		return bad("source", "must be held, releasable, buyer_credit, suspense, clawback or dispute")
	}
	if c.Buyer == "" && c.Source != FromSuspense {
		return bad("buyer", "is missing")
	}
	switch c.Mode {
	case Full, Partial, FiatEquivalent:
	case OverpaidAmount:
		if c.Source != FromBuyerCredit {
			return bad("mode", "an overpaid amount is refunded from the buyer's credit")
		}
	default:
		return bad("mode", "must be full, partial, overpaid_amount or fiat_equivalent")
	}
	if c.Refund == "" {
		return bad("refund", "is missing")
	}
	if c.Amount.IsZero() && c.Mode != Full {
		return bad("amount", "must be more than zero")
	}
	if c.Reason.Text != "" && c.Reason.Subject == "" {
		return bad("reason", "names no data subject")
	}
	return nil
}

func approve(s State, c Approve) ([]Event, error) {
	if err := mayApprove(s, c); err != nil {
		return nil, err
	}
	amount := c.Amount
	if amount.IsZero() {
		amount = s.Asked
	}
	if err := checkAmount(s, amount, c); err != nil {
		return nil, err
	}
	net, ok := amount.Units.Sub(c.NetworkFee.Units)
	if !ok || net.IsZero() || c.NetworkFeeCap.Units.Less(c.NetworkFee.Units) {
		return nil, ErrFeeOverCap.With("fee", c.NetworkFee.Units).With("cap", c.NetworkFeeCap.Units)
	}
	var events []Event
	if s.Source == FromClawback {
		e, err := clawback(s, amount, c.Clawback)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	approved := Approved{
		Refund: s.Refund, Hold: s.Hold, Buyer: s.Buyer, Source: s.Source, Amount: amount,
		Net: money.Of(amount.Asset, net), NetworkFee: money.Of(amount.Asset, c.NetworkFee.Units),
		Fiat: c.Fiat, By: c.By,
	}
	if c.AddressWindow > 0 && s.Digest == "" {
		approved.AddressBy = c.At.Add(c.AddressWindow)
	}
	events = append(events, approved)
	if s.Digest != "" || c.Address == nil || c.Address.Origin == SenderCustodial {
		return events, nil
	}
	e, err := confirmed(s, *c.Address, time.Time{})
	if err != nil {
		return nil, err
	}
	return append(events, e), nil
}

// mayApprove: nobody approves money to himself, and a seller on his own gives back only
// the whole of what is still his order's.
func mayApprove(s State, c Approve) error {
	if c.By.Is(s.Buyer) {
		return ErrSelfApproval
	}
	if c.By.User() == "" || c.By.Has(domain.Admin) {
		return nil
	}
	if s.Mode != Full || (s.Source != FromHeld && s.Source != FromReleasable) {
		return fault.ErrForbidden
	}
	return nil
}

func checkAmount(s State, amount money.Amount, c Approve) error {
	if amount.IsZero() {
		return ErrAlreadyRefunded
	}
	if s.Asked.Asset != "" && amount.Asset != s.Asked.Asset {
		return money.ErrAssetMismatch
	}
	if !s.Asked.IsZero() && s.Asked.Units.Less(amount.Units) {
		return ErrExceedsAvailable.With("have", s.Asked.Units).With("need", amount.Units)
	}
	if s.Mode != FiatEquivalent {
		return nil
	}
	if c.Fiat == nil || c.Fiat.units() != amount.Units {
		return fault.ErrValidation.At("fiat", "does not give this amount")
	}
	return nil
}

// rateLimit keeps Minor × Num within 256 bits: no honest rate comes near it.
var rateLimit = money.MustUnits("6277101735386680763835789423207666416102355444464034512895") // 2^192-1

// units is the amount in base units, rounded down; zero for a rate that cannot be.
func (f Fiat) units() money.Units {
	if f.Den.IsZero() || rateLimit.Less(f.Num) {
		return money.Zero
	}
	return money.FromUint64(f.Minor).MulDivFloor(f.Num, f.Den)
}

func clawback(s State, amount money.Amount, parts *Clawback) (Event, error) {
	if parts == nil {
		return nil, fault.ErrValidation.At("clawback", "names no parts")
	}
	sum := parts.FeePart.Units.Plus(parts.AvailablePart.Units).Plus(parts.ReceivablePart.Units)
	if sum != amount.Units {
		return nil, fault.ErrValidation.At("clawback", "the parts do not sum to the amount")
	}
	return SellerClawbackRecorded{
		Refund: s.Refund, Hold: s.Hold, Seller: s.Seller, Amount: amount,
		FeePart: parts.FeePart, AvailablePart: parts.AvailablePart, ReceivablePart: parts.ReceivablePart,
	}, nil
}

func reject(s State, c Reject) ([]Event, error) {
	return []Event{Rejected{Refund: s.Refund, By: c.By, Reason: c.Reason}}, nil
}

func confirmAddress(s State, c ConfirmAddress) ([]Event, error) {
	if c.Address.Origin == SenderCustodial || (c.Address.Origin == SenderOwn && c.By.User() == "") {
		return nil, ErrAddressRequired
	}
	rest := time.Time{}
	if s.Digest != "" && c.CoolingOff > 0 {
		rest = c.At.Add(c.CoolingOff)
	}
	e, err := confirmed(s, c.Address, rest)
	if err != nil {
		return nil, err
	}
	if e.Digest == s.Digest {
		return nil, nil
	}
	return []Event{e}, nil
}

// confirmed believes in an address. It rests until a time that the caller gives, or longer
// where the address itself must.
func confirmed(s State, a Address, rest time.Time) (AddressConfirmed, error) {
	if a.RestUntil.After(rest) {
		rest = a.RestUntil
	}
	if strings.TrimSpace(a.Text) == "" {
		return AddressConfirmed{}, ErrAddressRequired
	}
	if a.Screening != "clean" {
		return AddressConfirmed{}, ErrAddressScreened
	}
	subject := s.Buyer
	if subject == "" {
		subject = domain.UserID(s.Refund) // a depositor we do not know otherwise
	}
	return AddressConfirmed{
		Refund: s.Refund, Address: domain.About(subject, a.Text), Digest: DigestOf(a.Text), Origin: a.Origin, RestUntil: rest,
	}, nil
}

// DigestOf is the SHA-256 of an address regardless of the case of its hex digits.
func DigestOf(address string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(address))))
	return hex.EncodeToString(sum[:])
}

func lapseAddress(s State, c LapseAddress) ([]Event, error) {
	if s.AddressBy.IsZero() || c.At.Before(s.AddressBy) {
		return nil, fault.ErrInvalidState.Because("the buyer may still confirm an address")
	}
	return []Event{failed(s, "ADDRESS_NOT_CONFIRMED")}, nil
}

// takeCredit is the buyer's choice not to be paid on the chain: nothing was sent, so the fee
// for sending is his again too.
func takeCredit(s State, _ TakeCredit) ([]Event, error) {
	if s.Buyer == "" {
		return nil, fault.ErrForbidden
	}
	e := failed(s, "TAKEN_AS_CREDIT")
	e.FeeBack = s.NetworkFee
	return []Event{e}, nil
}

func broadcast(s State, c BroadcastTx) ([]Event, error) {
	if !c.Sent && c.At.Before(s.RestUntil) {
		return nil, outgoing.ErrCooldown.With("until", s.RestUntil.UTC().Format(time.RFC3339))
	}
	if !c.Sent && c.Screening != "clean" {
		return nil, ErrAddressScreened
	}
	if DigestOf(c.Tx.To) != s.Digest {
		return nil, outgoing.ErrInstructionMismatch.With("field", "to")
	}
	if c.Tx.Amount != s.Net {
		return nil, outgoing.ErrInstructionMismatch.With("field", "amount")
	}
	if c.Tx.Hash == "" || c.Tx.From == "" {
		return nil, fault.ErrValidation.At("tx", "names no hash or sender")
	}
	tx := SentTx{Hash: outgoing.NormalHash(c.Tx.Hash), Chain: c.Tx.Chain, From: c.Tx.From, Nonce: c.Tx.Nonce}
	return []Event{Broadcast{Refund: s.Refund, Net: s.Net, Custody: c.Custody, Tx: tx}}, nil
}

func replace(s State, c Replace) ([]Event, error) {
	if outgoing.Known(s.Txs, c.Tx.Hash) == nil {
		return nil, nil
	}
	if c.Tx.Hash == "" || c.Tx.Nonce != s.Tx.Nonce || c.Tx.Chain != s.Tx.Chain || !outgoing.SameAddress(c.Tx.From, s.Tx.From) {
		return nil, outgoing.ErrReplacement
	}
	if DigestOf(c.Tx.To) != s.Digest || c.Tx.Amount != s.Net {
		return nil, outgoing.ErrInstructionMismatch
	}
	return []Event{Replaced{Refund: s.Refund, Old: s.Txs[len(s.Txs)-1], New: outgoing.NormalHash(c.Tx.Hash)}}, nil
}

func confirm(s State, c Confirm) ([]Event, error) {
	if err := outgoing.Known(s.Txs, c.Evidence.Tx); err != nil {
		return nil, err
	}
	if s.Phase == PhaseConfirmed {
		return nil, nil
	}
	return []Event{Confirmed{
		Refund: s.Refund, Hold: s.Hold, Net: s.Net, Custody: s.Custody, Evidence: c.Evidence, Pending: s.Pending,
	}}, nil
}

func surface(s State, c Surface) ([]Event, error) {
	if err := outgoing.Known(s.Txs, c.Evidence.Tx); err != nil {
		return nil, err
	}
	if s.Phase == PhaseConfirmed {
		return nil, nil
	}
	owed := s.Net
	owed.Units = owed.Units.Minus(owed.Units.Min(c.Available))
	if s.Buyer == "" {
		owed.Units = money.Zero // it is taken from the deposit
	}
	return []Event{Surfaced{Refund: s.Refund, Hold: s.Hold, Buyer: s.Buyer, Net: s.Net, Owed: owed, Custody: s.Custody, Evidence: c.Evidence}}, nil
}

func fail(s State, c Fail) ([]Event, error) {
	if err := outgoing.Known(s.Txs, c.Tx); err != nil {
		return nil, err
	}
	if s.Phase == PhaseFailed {
		return nil, nil
	}
	e := failed(s, c.Code)
	if !c.NonceUsed {
		e.Tx = &s.Tx
	}
	return []Event{e}, nil
}

func failed(s State, code string) Failed {
	return Failed{Refund: s.Refund, Hold: s.Hold, Buyer: s.Buyer, Source: s.Source, Net: s.Net, Code: code, Pending: s.Pending}
}

func reorg(s State, c Reorg) ([]Event, error) {
	if err := outgoing.Known(s.Txs, c.Evidence.Tx); err != nil {
		return nil, err
	}
	if s.Phase == PhaseBroadcast {
		return nil, nil
	}
	return []Event{Reorged{Refund: s.Refund, Hold: s.Hold, Net: s.Net, Custody: s.Custody, Evidence: c.Evidence}}, nil
}

func cancel(s State, c Cancel) ([]Event, error) {
	moved := s.Phase != PhaseRequested
	if moved && c.By.User() != "" && !c.By.Has(domain.Admin) {
		return nil, fault.ErrForbidden
	}
	e := Cancelled{
		Refund: s.Refund, Hold: s.Hold, Buyer: s.Buyer, Seller: s.Seller, Source: s.Source,
		Amount: s.Amount, Net: s.Net, NetworkFee: s.NetworkFee, Moved: moved, By: c.By,
	}
	if moved && s.Source == FromClawback {
		if s.Clawback.ReceivablePart.Units.Less(c.ToReceivable.Units) {
			return nil, fault.ErrValidation.At("to_receivable", "is more than the clawback recorded")
		}
		if s.Clawback.AvailablePart.Units.Less(c.ToReserve.Units) {
			return nil, fault.ErrValidation.At("to_reserve", "is more than the clawback took from the seller")
		}
		e.ReservePart = c.ToReserve
		e.FeePart, e.ReceivablePart = s.Clawback.FeePart, money.Of(s.Amount.Asset, c.ToReceivable.Units)
	}
	return []Event{e}, nil
}

// refuse names the refusal of a repeat more exactly than INVALID_STATE.
func refuse(s State, c domain.Command) error {
	if s.Phase == "" {
		return fault.ErrNotFound
	}
	switch c.(type) {
	case BroadcastTx:
		switch s.Phase {
		case PhaseAddressPending:
			return ErrAddressRequired
		case PhaseBroadcast:
			return ErrInProgress
		}
	case ConfirmAddress, Cancel, TakeCredit:
		if s.Phase == PhaseBroadcast {
			return ErrInProgress
		}
	case Approve:
		if s.Phase != PhaseRejected && s.Phase != PhaseCancelled {
			return ErrAlreadyRefunded
		}
	}
	return nil
}
