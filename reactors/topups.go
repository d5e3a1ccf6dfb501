package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/payment"
	"holdfast/domain/sweepplan"
	"holdfast/eventstore"
	"holdfast/projections/sweepview"
)

// TopUpOptions join TopUps.
type TopUpOptions struct {
	Network  network.Chain
	Chain    PlanChain
	Decode   Decoder
	Raw      func(ctx context.Context, chain uint64, hash string) (raw string, ok bool, err error)
	Executor *eventstore.Executor
	Sweeps   sweepview.Queries
	Every    time.Duration // 5 s when 0
	Log      *slog.Logger
}

// TopUps follows the gas of plans to its end: one that no node knows is sent again, one that is
// mined firmly is booked. A late receipt never leads to a second one.
type TopUps struct {
	*loop
	o        TopUpOptions
	rule     payment.Threshold
	deposits deposits
	replaced map[string]uint64 // head at which the nonce was first seen used by another
}

// NewTopUps makes the loop for one chain.
func NewTopUps(o TopUpOptions) *TopUps {
	c := o.Network.Confirmations
	t := &TopUps{
		o: o, replaced: map[string]uint64{},
		rule: payment.Threshold{Need: max(c.Need, c.Floor, 1), Floor: c.Floor, Finalized: c.Tag == network.Finalized, Safe: c.Tag == network.Safe},
	}
	t.loop = newLoop("gas:"+strconv.FormatUint(o.Network.ID, 10), orDefault(o.Every, 5*time.Second), o.Log, t.round)
	t.deposits = deposits{x: o.Executor, log: t.log}
	return t
}

func (t *TopUps) round(ctx context.Context) (more bool, err error) {
	all, err := t.o.Sweeps.TopUps(ctx, t.o.Network.ID)
	if err != nil {
		return false, err
	}
	t.detail("under_way", len(all))
	return false, each(all, func(one sweepview.TopUp) error {
		if err := t.follow(ctx, one); err != nil {
			return fmt.Errorf("top-up %s: %w", one.Tx, err)
		}
		return nil
	})
}

func (t *TopUps) follow(ctx context.Context, one sweepview.TopUp) error {
	raw, ok, err := t.o.Raw(ctx, one.Chain, one.Tx)
	if err != nil || !ok {
		if err == nil {
			err = errors.New("its bytes are not kept here")
		}
		return err
	}
	tx, err := t.o.Decode(raw)
	if err != nil {
		return err
	}
	out, err := t.o.Chain.Outcome(ctx, tx)
	if err != nil {
		return err
	}
	switch out.State {
	case network.Mined, network.Failed:
		delete(t.replaced, one.Tx)
		if !t.rule.Reached(out.Depth, out.Safe, out.Finalized) {
			return nil
		}
		return t.end(ctx, one, tx, out)
	case network.Replaced:
		return t.gone(ctx, one, tx)
	case network.Unknown:
		_, err := t.o.Chain.Send(ctx, raw)
		t.log.InfoContext(ctx, "top-up sent again", "plan", one.Plan, "destination", one.Destination, "tx", one.Tx, "error", err)
		if judge(err) == final {
			return nil // the next look says what became of it
		}
		return err
	}
	return nil
}

// gone ends a top-up whose nonce another transaction used, once that one stands firmly.
func (t *TopUps) gone(ctx context.Context, one sweepview.TopUp, tx outgoing.Tx) error {
	head, err := t.o.Chain.Head(ctx)
	if err != nil {
		return err
	}
	since, seen := t.replaced[one.Tx]
	if !seen {
		t.replaced[one.Tx] = head.Number
	}
	if !seen || head.Number < since+max(t.rule.Need, t.rule.Floor) {
		return nil
	}
	return t.end(ctx, one, tx, network.Outcome{State: network.Replaced})
}

// end books what it moved and cost, together with its end.
func (t *TopUps) end(ctx context.Context, one sweepview.TopUp, tx outgoing.Tx, out network.Outcome) error {
	chain := fmt.Sprint(one.Chain)
	_, err := t.deposits.run(ctx, "chain", "tx:"+one.Tx, func(i domain.Issue) flow {
		f := funding.EndTopUp{Issue: i, Plan: one.Plan, Destination: one.Destination, Outcome: sweepplan.Replaced}
		entry := funding.Entry{Issue: i, Ref: outgoing.NormalHash(one.Tx), Amount: tx.Amount, Reason: "gas"}
		switch out.State {
		case network.Mined:
			f.Outcome, f.Moved = sweepplan.Arrived, &funding.TopUpGas{Entry: entry, Chain: chain, Destination: one.Destination}
		case network.Failed:
			f.Outcome = sweepplan.Failed
		}
		if !out.Fee.IsZero() {
			entry.Amount = money.Of(network.NativeAsset(one.Chain), out.Fee)
			f.Fee = &funding.RecordNetworkFee{Entry: entry, Chain: chain, Purpose: "top-up"}
		}
		return f
	})
	if err == nil {
		t.log.InfoContext(ctx, "top-up ended", "plan", one.Plan, "destination", one.Destination, "tx", one.Tx, "state", out.State)
	}
	return err
}
