package reactors

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/eventstore"
	"holdfast/projections/watchview"
)

// deposits turns what a chain shows into commands. Webhooks, the scanner and the provider's
// poller all end here, so the same transfer is the same command whoever saw it first.
type deposits struct {
	x   *eventstore.Executor
	log *slog.Logger
}

func evidenceOf(d network.Deposit) payment.Evidence {
	return payment.Evidence{Chain: d.Chain, Tx: strings.ToLower(d.Tx), Log: d.Log, Block: d.Block, BlockHash: strings.ToLower(d.BlockHash)}
}

// record books a verified deposit for the payment whose address it came to. It does nothing
// for one that is booked already. source is for the audit trail.
func (s deposits) record(ctx context.Context, p watchview.Payment, d network.Deposit, source, cause string) error {
	now, err := s.x.Store().Now(ctx)
	if err != nil {
		return err
	}
	return s.recordAt(ctx, now, p, d, source, cause)
}

// recordAt is record at a time of the database that the caller has read: for many at once.
func (s deposits) recordAt(ctx context.Context, now time.Time, p watchview.Payment, d network.Deposit, source, cause string) error {
	e := evidenceOf(d)
	f := funding.RecordTransfer{Payment: p.ID, Evidence: e, Amount: money.Of(d.Asset, d.Amount), From: d.From}
	r, err := s.runAt(ctx, now, source, cause, e.Key(), func(i domain.Issue) flow { f.Issue = i; return f })
	switch judge(err) {
	case done:
		if len(r.Events) > 0 {
			s.log.InfoContext(ctx, "transfer recorded", "payment", p.ID, "evidence", e.Key(), "block", e.Block, "amount", d.Amount, "asset", d.Asset, "source", source)
		}
		return nil
	case final:
		s.log.WarnContext(ctx, "transfer refused", "payment", p.ID, "evidence", e.Key(), "code", code(err), "source", source)
		return nil
	}
	return fmt.Errorf("record %s: %w", e.Key(), err)
}

// run executes a flow as the chain's witness, at the database's time.
func (s deposits) run(ctx context.Context, source, cause string, make func(domain.Issue) flow) (eventstore.Result, error) {
	now, err := s.x.Store().Now(ctx)
	if err != nil {
		return eventstore.Result{}, err
	}
	return s.runAt(ctx, now, source, cause, "chain fact", make)
}

// runAt is run at a time that the caller has read; what tells its commands of that time apart.
func (s deposits) runAt(ctx context.Context, now time.Time, source, cause, what string, make func(domain.Issue) flow) (eventstore.Result, error) {
	i := domain.Issue{By: domain.Machine(domain.Chain, source), At: now}
	meta := eventstore.Metadata{Actor: i.By, CommandID: domain.DeriveID(source+now.Format(time.RFC3339Nano), what), CausationID: cause, Source: source}
	return s.x.Execute(ctx, meta, nil, make(i).Run)
}

// looked is what a look at a payment's transaction found.
type looked int

const (
	lookedFound    looked = iota // deposits, now recorded
	lookedNothing                // mined, but it pays somebody else or moves no money of ours
	lookedReverted               // mined and failed
	lookedNotYet                 // not in a block (yet, or any more)
)

// look verifies on the chain what a transaction holds of a payment and records it. What came to
// the payment's address in another listed token is recorded too: the flow sets it aside.
func (s deposits) look(ctx context.Context, chain Payments, p watchview.Payment, tx, source, cause string) (looked, error) {
	v, err := chain.VerifyPayment(ctx, tx, network.Expected{Asset: p.Asset, To: p.Address})
	if err != nil {
		return lookedNotYet, fmt.Errorf("verify %s: %w", tx, err)
	}
	switch v.State {
	case network.Mined:
	case network.Failed:
		return lookedReverted, nil
	default:
		return lookedNotYet, nil
	}
	found := lookedNothing
	for _, d := range v.Deposits {
		if err := s.record(ctx, p, d, source, cause); err != nil {
			return found, err
		}
		found = lookedFound
	}
	for _, o := range v.Others {
		s.log.WarnContext(ctx, "transfer does not match", "payment", p.ID, "tx", tx, "log", o.Deposit.Log, "asset", o.Deposit.Asset, "to", o.Deposit.To, "code", o.Reason.Code)
	}
	return found, nil
}
