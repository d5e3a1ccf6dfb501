package settlement

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/receivable"
)

// PayoutAnswer is what a payout's flows answer.
type PayoutAnswer struct {
	Payout    domain.PayoutID `json:"payout"`
	State     string          `json:"state"`
	Revision  int             `json:"revision"`
	Amount    money.Amount    `json:"amount"`
	Wallet    string          `json:"wallet"`
	Approvals int             `json:"approvals"` // of the present revision
	Needed    int             `json:"needed"`
	// Recovered is what was netted against the seller's debt first.
	Recovered money.Units `json:"recovered"`
}

func payoutAnswer(s payout.State) PayoutAnswer {
	return PayoutAnswer{
		Payout: s.Payout, State: s.Phase, Revision: s.Revision, Amount: s.Amount, Wallet: s.Wallet,
		Approvals: len(s.Approvers), Needed: s.Needed,
	}
}

// payoutStep is a flow of one command on one payout.
func payoutStep(u *domain.Unit, id domain.PayoutID, c domain.Command) (any, error) {
	s, err := step(u, payout.Decider, string(id), c)
	if err != nil {
		return nil, err
	}
	return payoutAnswer(s), nil
}

// RequestPayout moves a seller's money to clearing, after his debt in this asset is netted.
// Errors: INSUFFICIENT_AVAILABLE, RECEIVABLE_OUTSTANDING, WALLET_COOLING_OFF,
// RELEASE_HOLD_ACTIVE, ASSET_PAUSED.
type RequestPayout struct {
	domain.Issue
	Payout domain.PayoutID
	Seller domain.UserID
	Amount money.Amount
	Wallet string
	// WalletCoolingUntil is until when the wallet must rest, zero when it may be used.
	WalletCoolingUntil time.Time
	// Approvals is how many people must approve this amount.
	Approvals  int
	CoolingOff time.Duration
	// Holds are the orders whose proceeds these are; a release hold on one stops the payout.
	Holds []domain.HoldID
	// Available is the seller's balance as looked up; the ledger checks again.
	Available money.Units
}

// Run decides.
func (f RequestPayout) Run(u *domain.Unit) (any, error) {
	if err := payable(u, f.Amount.Asset, f.Holds); err != nil {
		return nil, err
	}
	recovered, err := f.net(u)
	if err != nil {
		return nil, err
	}
	s, err := step(u, payout.Decider, string(f.Payout), payout.Request{
		Issue: f.Issue, Payout: f.Payout, Seller: f.Seller, Amount: f.Amount, Wallet: f.Wallet,
		WalletCoolingUntil: f.WalletCoolingUntil, Approvals: f.Approvals, CoolingOff: f.CoolingOff, Holds: f.Holds,
	})
	if err != nil {
		return nil, err
	}
	answer := payoutAnswer(s)
	answer.Recovered = recovered
	return answer, nil
}

// net recovers what the seller owes before he is paid.
func (f RequestPayout) net(u *domain.Unit) (money.Units, error) {
	id := receivable.ID(receivable.Seller, f.Seller, f.Amount.Asset)
	debt, err := domain.StateOf(u, receivable.Decider, id)
	if err != nil || debt.Owed.IsZero() {
		return money.Zero, err
	}
	recovered := f.Available.Min(debt.Owed.Units)
	rest := f.Available.Minus(recovered)
	if rest.Less(f.Amount.Units) {
		return money.Zero, receivable.ErrOutstanding.With("owed", debt.Owed.Units).With("have", rest).With("need", f.Amount.Units)
	}
	_, err = domain.Do(u, receivable.Decider, id, receivable.Recover{
		Issue: own(f.Issue, "netting"), Amount: money.Of(f.Amount.Asset, recovered),
	})
	return recovered, err
}

// ApprovePayout is one person's agreement to a revision.
type ApprovePayout struct {
	domain.Issue
	Payout   domain.PayoutID
	Revision int
}

// Run decides.
func (f ApprovePayout) Run(u *domain.Unit) (any, error) {
	if err := stillPayable(u, f.Payout); err != nil {
		return nil, err
	}
	return payoutStep(u, f.Payout, payout.Approve{Issue: f.Issue, Revision: f.Revision})
}

// RejectPayout gives the money back to the seller.
type RejectPayout struct {
	domain.Issue
	Payout domain.PayoutID
	Reason string
}

// Run decides.
func (f RejectPayout) Run(u *domain.Unit) (any, error) {
	return payoutStep(u, f.Payout, payout.Reject{Issue: f.Issue, Reason: f.Reason})
}

// ChangePayoutDestination names another wallet; approvals begin anew after a rest.
type ChangePayoutDestination struct {
	domain.Issue
	Payout domain.PayoutID
	Wallet string
}

// Run decides.
func (f ChangePayoutDestination) Run(u *domain.Unit) (any, error) {
	return payoutStep(u, f.Payout, payout.ChangeDestination{Issue: f.Issue, Wallet: f.Wallet})
}

// BuildPayoutInstruction fixes what the custody signer must sign.
type BuildPayoutInstruction struct {
	domain.Issue
	Payout      domain.PayoutID
	Instruction outgoing.Transfer
	NonceGone   bool // see payout.BuildInstruction
}

// Run decides.
func (f BuildPayoutInstruction) Run(u *domain.Unit) (any, error) {
	if err := stillPayable(u, f.Payout); err != nil {
		return nil, err
	}
	return payoutStep(u, f.Payout, payout.BuildInstruction{Issue: f.Issue, Instruction: f.Instruction, NonceGone: f.NonceGone})
}

// RecordPayoutSignature brings the signed transaction, decoded by an adapter.
type RecordPayoutSignature struct {
	domain.Issue
	Payout domain.PayoutID
	Tx     outgoing.Tx
}

// Run decides.
func (f RecordPayoutSignature) Run(u *domain.Unit) (any, error) {
	return payoutStep(u, f.Payout, payout.RecordSignature{Issue: f.Issue, Tx: f.Tx})
}

// BroadcastPayout is recorded before the transaction is sent.
type BroadcastPayout struct {
	domain.Issue
	Payout  domain.PayoutID
	Custody outgoing.Custody
}

// Run decides.
func (f BroadcastPayout) Run(u *domain.Unit) (any, error) {
	if err := stillPayable(u, f.Payout); err != nil {
		return nil, err
	}
	return payoutStep(u, f.Payout, payout.BroadcastTx{Issue: f.Issue, Custody: f.Custody})
}

// stillPayable checks again, at every step towards the chain, what was true when the payout
// was requested: the asset runs, and no release hold was placed on its orders meanwhile.
func stillPayable(u *domain.Unit, id domain.PayoutID) error {
	s, err := domain.StateOf(u, payout.Decider, string(id))
	if err != nil || s.Phase == "" {
		return err
	}
	return payable(u, s.Amount.Asset, s.Holds)
}

// CancelPayout takes the payout back before it is signed.
type CancelPayout struct {
	domain.Issue
	Payout domain.PayoutID
}

// Run decides.
func (f CancelPayout) Run(u *domain.Unit) (any, error) {
	return payoutStep(u, f.Payout, payout.Cancel{Issue: f.Issue})
}
