package settlement_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/refund"
	"holdfast/domain/scenariotest"
	"holdfast/domain/settlement"
	"holdfast/eventstore"
)

func whole(u money.Units) uint64 { return u.Uint256().Uint64() }

// client does one operation after another, each by either process.
type client struct {
	*race
	id   int
	rand *rand.Rand
	made int
}

func (c *client) process() *scenariotest.World { return c.processes[c.rand.IntN(len(c.processes))] }

func (c *client) name(what string) string {
	c.made++
	return fmt.Sprintf("%s-%s-%d-%d", c.hold, what, c.id, c.made)
}

func (c *client) step() {
	w := c.process()
	n := 1 + c.rand.Uint64N(30)
	switch c.rand.IntN(7) {
	case 0, 1:
		c.try(op{Kind: opMark, Amount: n}, scenariotest.Act(escrow.Decider, string(c.hold), escrow.MarkReleasable{Issue: w.By(buyer), Amount: units(n), Cause: "test"}))
	case 2:
		c.try(op{Kind: opRelease, Amount: n}, funding.ReleaseEscrow{Issue: w.By(buyer), Hold: c.hold, Amount: units(n)})
	case 3, 4:
		c.refund(w, n)
	case 5:
		c.dispute(w, n)
	default:
		account := []string{"held", "releasable", "disputed", "released"}[c.rand.IntN(4)]
		call := c.now()
		c.note(c.id, op{Kind: opRead, From: account}, call, outcome{Balance: c.read(w, account)})
	}
}

// refund asks for money and, when that is taken down, lets an admin approve it.
func (c *client) refund(w *scenariotest.World, n uint64) {
	id := domain.RefundID(c.name("r"))
	source := []refund.Source{refund.FromHeld, refund.FromReleasable}[c.rand.IntN(2)]
	o := op{Kind: opRequest, ID: string(id), From: string(source), Amount: n}
	asked := c.must(o, settlement.RequestRefund{Issue: w.By(buyer), Refund: id, Hold: c.hold, Mode: refund.Partial, Source: source, Amount: amount(n)})
	if asked.Code != "" {
		return
	}
	c.mu.Lock()
	c.refunds = append(c.refunds, id)
	c.mu.Unlock()
	o.Kind = opApprove
	c.try(o, settlement.ApproveRefund{Issue: w.By(admin), Refund: id})
}

// dispute contests an amount, and gives up when the money was frozen.
func (c *client) dispute(w *scenariotest.World, n uint64) {
	id := domain.DisputeID(c.name("d"))
	opened := c.must(op{Kind: opDispute, ID: string(id), Amount: n}, settlement.OpenDispute{
		Issue: w.By(buyer), Dispute: id, Hold: c.hold, Category: "not_as_described", Reason: domain.About("B1", "it is broken"),
		Amount: amount(n), Terms: dispute.StandardTerms(),
	})
	if opened.Code == "" {
		c.must(op{Kind: opWithdraw, ID: string(id)}, settlement.WithdrawDispute{Issue: w.By(buyer), Dispute: id})
	}
}

// try does an operation once. One in eight is given up after some random time: if it was not
// answered by then, nobody knows its outcome.
func (c *client) try(o op, f scenariotest.Flow) {
	ctx, cancel := c.patience()
	defer cancel()
	call := c.now()
	saw := c.execute(ctx, c.process(), nil, f)
	c.note(c.id, o, call, saw)
}

// must does an operation under a key, by one process after the other, until the outcome is
// known. It is one operation, from the first call to the last answer.
func (c *client) must(o op, f scenariotest.Flow) outcome {
	key := &eventstore.Key{Actor: fmt.Sprint(c.id), Key: c.name("key"), Fingerprint: []byte(o.Kind)}
	call := c.now()
	ctx, cancel := c.patience()
	defer cancel()
	saw := c.execute(ctx, c.process(), key, f)
	for saw.Unknown && c.t.Context().Err() == nil {
		saw = c.execute(c.t.Context(), c.process(), key, f)
	}
	c.note(c.id, o, call, saw)
	return saw
}

func (c *client) patience() (context.Context, context.CancelFunc) {
	if c.rand.IntN(8) > 0 {
		return context.WithCancel(c.t.Context())
	}
	return context.WithTimeout(c.t.Context(), time.Duration(c.rand.Int64N(int64(8*time.Millisecond))))
}

// execute runs a flow. Only an answer and a refusal by the rules are outcomes: a log that
// could not be reached may have written all the same.
func (c *client) execute(ctx context.Context, w *scenariotest.World, key *eventstore.Key, f scenariotest.Flow) outcome {
	_, err := w.X.Execute(ctx, eventstore.Metadata{Source: "test"}, key, f.Run)
	if err == nil {
		return outcome{}
	}
	refusal, ok := fault.From(err)
	switch {
	case ctx.Err() != nil, errors.Is(err, eventstore.ErrVersion), errors.Is(err, eventstore.ErrKeyInProgress):
		return outcome{Unknown: true}
	case ok && refusal.Kind != fault.Unavailable && refusal.Kind != fault.Timeout && refusal.Kind != fault.Internal:
		return outcome{Code: refusal.Code}
	}
	c.t.Errorf("%T: %v", f, err)
	return outcome{Unknown: true}
}
