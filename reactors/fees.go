package reactors

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/treasury"
	"holdfast/projections/watchview"
)

// ended books the end of a payout, refund or sweep together with what its transaction cost. A fee
// that is booked already (the transaction was mined before, and undone) is left out; one of another
// transaction with the same nonce was paid in a block that is gone, and is taken back.
func (f *ChainFollower) ended(ctx context.Context, t watchview.Transaction, out network.Outcome, end func(domain.Issue) flow) error {
	fees, err := f.o.Watch.Fees(ctx, t.Kind, t.ID)
	if err != nil {
		return err
	}
	ofThis, paid := 0, out.Fee.IsZero()
	var stale []watchview.Fee
	for _, fee := range fees {
		if mined := strings.EqualFold(fee.Tx, t.Hash) && out.State != network.Replaced; mined {
			ofThis++
			paid = paid || !fee.Reversed
		} else if !fee.Reversed {
			stale = append(stale, fee)
		}
	}
	err = f.try(ctx, t, func(i domain.Issue) flow {
		all := together{end(i)}
		if !paid {
			all = append(all, f.fee(i, t, watchview.FeeRef(t.Hash, ofThis), out))
		}
		for _, fee := range stale {
			all = append(all, unpaid(i, fee))
		}
		return all
	})
	if errors.Is(err, treasury.ErrBooked) { // by another process, a moment ago
		return f.fact(ctx, t, end)
	}
	return f.noted(ctx, t, err)
}

// fee is paid by the address that sends: a derived one, or the treasury, out of the gas account
// where that stands at its address.
func (f *ChainFollower) fee(i domain.Issue, t watchview.Transaction, ref string, out network.Outcome) flow {
	fee := funding.RecordNetworkFee{
		Entry: funding.Entry{Issue: i, Ref: ref, Amount: money.Of(network.NativeAsset(f.id), out.Fee), Reason: "gas"},
		Chain: fmt.Sprint(f.id), Purpose: t.Kind,
	}
	switch {
	case t.Destination != "":
		fee.Custody = ledger.Derived(t.Destination)
	case f.o.OwnGas:
		fee.Custody = ledger.Treasury
	}
	return fee
}

// unpaid takes a fee back into the pocket that is booked to have paid it.
func unpaid(i domain.Issue, fee watchview.Fee) flow {
	return funding.ReverseNetworkFee{
		Entry: funding.Entry{Issue: i, Ref: fee.Ref, Amount: fee.Amount, Reason: "the chain has undone the transaction"},
		Chain: fee.Chain, Custody: fee.Custody,
	}
}
