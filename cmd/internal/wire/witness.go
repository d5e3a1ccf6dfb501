package wire

import (
	"context"
	"strings"

	"holdfast/adapters/evm"
	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	apihttp "holdfast/http"
	"holdfast/projections/watchview"
)

// witness looks at transactions that people name.
type witness struct {
	chains *Chains
	watch  watchview.Queries
}

// Verify implements apihttp.Witness.
func (w witness) Verify(ctx context.Context, p payment.State, tx string) (v apihttp.TxVerdict, err error) {
	token, _ := w.chains.Registry.Token(p.Due.Asset)
	client, err := w.chains.Client(token.Chain)
	if err != nil {
		return v, err
	}
	found, err := client.VerifyPayment(ctx, tx, network.Expected{Asset: p.Due.Asset, To: p.Address})
	if err != nil {
		return v, err
	}
	v = apihttp.TxVerdict{Status: "pending", Reasons: []apihttp.TxReason{}}
	switch found.State {
	case network.Unknown:
		return v, network.ErrTxNotFound
	case network.Failed:
		return v, network.ErrTxReverted
	case network.Mined:
	default:
		v.Reasons = append(v.Reasons, apihttp.TxReason{Code: "TX_PENDING", Message: "the transaction waits to be mined"})
		return v, nil
	}
	if len(found.Deposits) == 0 {
		if elsewhere, err := w.Elsewhere(ctx, p.ID, tx); err != nil {
			return v, err
		} else if elsewhere {
			return v, payment.ErrTxUsed
		}
	}
	if v.Reasons = w.differs(p, found); len(v.Reasons) > 0 {
		v.Status = "mismatch"
		return v, nil
	}
	return w.final(ctx, client, p, found.Deposits, v)
}

// differs compares what arrived with what the payment waits for.
func (w witness) differs(p payment.State, found network.Verified) []apihttp.TxReason {
	reasons := []apihttp.TxReason{}
	differs := func(code, message string) {
		reasons = append(reasons, apihttp.TxReason{Code: code, Message: message})
	}
	for _, o := range found.Others {
		if len(found.Deposits) == 0 {
			differs(o.Reason.Code, o.Reason.Message)
		}
	}
	if len(found.Deposits) == 0 && len(reasons) == 0 {
		differs("TX_MISMATCH", "the transaction pays nothing to this payment's address")
	}
	var sum money.Units
	for _, d := range found.Deposits {
		more, err := sum.Add(d.Amount)
		if err != nil {
			differs("TX_MISMATCH", "the amounts make no sense")
			return reasons
		}
		sum = more
		if d.Topic != "" && p.Intent != nil && p.Intent.Topic != "" && !strings.EqualFold(d.Topic, p.Intent.Topic) {
			differs(network.ErrWrongReference.Code, network.ErrWrongReference.Message)
		}
	}
	if len(found.Deposits) > 0 && sum.Less(p.Due.Units) {
		differs("AMOUNT_BELOW_DUE", "less arrived than is due: it counts as a part")
	}
	return reasons
}

// final asks how firmly the blocks of the deposits stand.
func (w witness) final(ctx context.Context, client *evm.Client, p payment.State, all []network.Deposit, v apihttp.TxVerdict) (apihttp.TxVerdict, error) {
	v.Status = "matched"
	for _, d := range all {
		s, err := client.Standing(ctx, d.Block, d.BlockHash)
		if err != nil {
			return v, err
		}
		need := max(p.Threshold.Need, p.Threshold.Floor, 1)
		v.Confirmations = &apihttp.ConfirmationsOut{Have: s.Depth, Need: need}
		if !s.Canonical || !p.Threshold.Reached(s.Depth, s.Safe, s.Finalized) {
			v.Status = "pending"
			v.Reasons = append(v.Reasons, apihttp.TxReason{Code: payment.ErrNotConfirmed.Code, Message: payment.ErrNotConfirmed.Message})
			return v, nil
		}
	}
	return v, nil
}

// Elsewhere implements apihttp.Witness.
func (w witness) Elsewhere(ctx context.Context, p domain.PaymentID, tx string) (bool, error) {
	uses, err := w.watch.Uses(ctx, tx)
	if err != nil {
		return false, err
	}
	for _, u := range uses {
		if u.Payment == p {
			return false, nil
		}
	}
	return len(uses) > 0, nil
}

// Transaction implements apihttp.Witness.
func (w witness) Transaction(ctx context.Context, tx string) (t apihttp.Transaction, err error) {
	uses, err := w.watch.Uses(ctx, tx)
	if err != nil {
		return t, err
	}
	claims, err := w.watch.ClaimsOf(ctx, tx)
	if err != nil {
		return t, err
	}
	t = apihttp.Transaction{TxHash: tx, State: string(network.Unknown), Transfers: []apihttp.TxUse{}, Claims: []apihttp.TxClaim{}}
	need := uint64(1)
	for _, u := range uses {
		t.ChainID, need = u.Evidence.Chain, max(need, u.Need)
		t.Transfers = append(t.Transfers, apihttp.TxUse{PaymentID: u.Payment, Log: u.Evidence.Log, Confirmed: u.Confirmed, Unmatched: u.Unmatched})
	}
	for _, c := range claims {
		t.Claims = append(t.Claims, apihttp.TxClaim{PaymentID: c.Payment.ID, State: c.State, Reason: c.Reason})
		if t.ChainID == 0 {
			t.ChainID = c.Payment.Chain
		}
		if c.Payment.Chain == t.ChainID {
			need = max(need, c.Payment.Threshold.Need, c.Payment.Threshold.Floor)
		}
	}
	if len(uses)+len(claims) == 0 {
		return t, network.ErrTxNotFound
	}
	return t, w.stands(ctx, &t, need)
}

// stands adds where the transaction is on its chain.
func (w witness) stands(ctx context.Context, t *apihttp.Transaction, need uint64) error {
	client, err := w.chains.Client(t.ChainID)
	if err != nil {
		return err
	}
	state, block, err := client.Find(ctx, t.TxHash)
	t.State = string(state)
	if err != nil || block == (network.Mark{}) {
		return err
	}
	s, err := client.Standing(ctx, block.Number, block.Hash)
	t.Block, t.Confirmations = block.Number, &apihttp.ConfirmationsOut{Have: s.Depth, Need: need}
	return err
}
