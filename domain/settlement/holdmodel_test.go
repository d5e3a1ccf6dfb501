package settlement_test

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"holdfast/domain/refund"
)

// What a client may do to the hold of the linearizability test.
const (
	opMark     = "mark releasable"
	opRelease  = "release"
	opRequest  = "request refund"
	opApprove  = "approve refund"
	opDispute  = "open dispute"
	opWithdraw = "withdraw dispute"
	opRead     = "read"
)

// op is one operation on the hold. Id names its refund or dispute; From is the refund's source,
// or the account that is read.
type op struct {
	Kind   string
	ID     string
	From   string
	Amount uint64
}

// outcome is what a client saw: a refusal's code or, of a read, a balance. Nobody knows the
// outcome of an operation that was given up: it may take effect at any later time, or never.
type outcome struct {
	Unknown bool
	Code    string // empty = accepted
	Balance uint64
}

// holdModel is the hold as the specification has it: one sequence of operations, whole numbers.
// It is written anew on purpose, without a line of the code that it judges.
type holdModel struct {
	Held, Releasable, Disputed, Released, Refunded uint64
	Dispute                                        string
	FromHeld                                       uint64 // of the disputed amount
}

func (m holdModel) left() uint64 { return m.Held + m.Releasable + m.Disputed }

func (m holdModel) stock(from string) uint64 {
	if from == string(refund.FromReleasable) {
		return m.Releasable
	}
	return m.Held
}

// next is the state after an operation, and the code it is refused with.
func (m holdModel) next(o op) (after holdModel, code string) {
	switch o.Kind {
	case opMark:
		return m.mark(o.Amount)
	case opRelease:
		return m.release(o.Amount)
	case opRequest:
		return m, m.refusesRefund(o)
	case opApprove:
		return m.approve(o)
	case opDispute:
		return m.dispute(o)
	case opWithdraw:
		if m.Dispute != o.ID {
			return m, "INVALID_STATE"
		}
		m.Held, m.Releasable = m.Held+m.FromHeld, m.Releasable+m.Disputed-m.FromHeld
		m.Disputed, m.FromHeld, m.Dispute = 0, 0, ""
	}
	return m, ""
}

func (m holdModel) mark(n uint64) (holdModel, string) {
	switch {
	case m.Disputed > 0:
		return m, "ESCROW_DISPUTED"
	case m.left() == 0:
		return m, "INVALID_STATE"
	case m.Held < n:
		return m, "INSUFFICIENT_HELD_FUNDS"
	}
	m.Held, m.Releasable = m.Held-n, m.Releasable+n
	return m, ""
}

func (m holdModel) release(n uint64) (holdModel, string) {
	switch {
	case m.Disputed > 0:
		return m, "ESCROW_DISPUTED"
	case m.Releasable == 0:
		return m, "ESCROW_NOT_RELEASABLE"
	case m.Releasable < n:
		return m, "INSUFFICIENT_HELD_FUNDS"
	}
	m.Releasable, m.Released = m.Releasable-n, m.Released+n
	return m, ""
}

func (m holdModel) refusesRefund(o op) string {
	switch {
	case m.Disputed > 0:
		return "ESCROW_DISPUTED"
	case m.left() == 0 && m.Released == 0:
		return "ALREADY_REFUNDED"
	case m.stock(o.From) < o.Amount:
		return "REFUND_EXCEEDS_AVAILABLE"
	}
	return ""
}

func (m holdModel) approve(o op) (holdModel, string) {
	if code := m.refusesRefund(o); code != "" {
		return m, code
	}
	if o.From == string(refund.FromReleasable) {
		m.Releasable -= o.Amount
	} else {
		m.Held -= o.Amount
	}
	m.Refunded += o.Amount
	return m, ""
}

func (m holdModel) dispute(o op) (holdModel, string) {
	switch {
	case m.Disputed > 0:
		return m, "DISPUTE_OPEN"
	case m.Held+m.Releasable < o.Amount:
		return m, "NOTHING_TO_DISPUTE"
	}
	m.Dispute, m.Disputed, m.FromHeld = o.ID, o.Amount, min(m.Held, o.Amount)
	m.Held, m.Releasable = m.Held-m.FromHeld, m.Releasable-(o.Amount-m.FromHeld)
	return m, ""
}

// balance is what the ledger has to show on an account.
func (m holdModel) balance(account string) uint64 {
	return map[string]uint64{"held": m.Held, "releasable": m.Releasable, "disputed": m.Disputed, "released": m.Released, "refunded": m.Refunded}[account]
}

// modelOf begins with a funded hold.
func modelOf(funded uint64) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return holdModel{Held: funded} },
		Step: func(state, input, output any) (bool, any) {
			m, o, saw := state.(holdModel), input.(op), output.(outcome)
			if o.Kind == opRead {
				return saw.Unknown || m.balance(o.From) == saw.Balance, m
			}
			after, code := m.next(o)
			return saw.Unknown || code == saw.Code, after
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}
}
