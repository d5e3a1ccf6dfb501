package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/safety"
	"holdfast/eventstore"
	"holdfast/projections/paymentview"
)

// Place is an address on a chain.
type Place struct {
	Chain   uint64
	Address string
	Word    safety.Outcome // the last one
}

// Known are the addresses that were clean, and when each was asked about.
type Known interface {
	// Payers gives payers of orders that are not over, not asked about since a time.
	Payers(ctx context.Context, before time.Time, limit int) ([]paymentview.Payer, error)
	// Asked notes that a payer's address was asked about and answered.
	Asked(ctx context.Context, chain uint64, address string) error
	// Wallets gives users' wallets, not asked about since a time; Tell notes what is known of one.
	Wallets(ctx context.Context, before time.Time, limit int) ([]Place, error)
	Tell(ctx context.Context, chain uint64, address string, word safety.Outcome) error
}

// Rescreening asks again, every period, about payers of running orders and about users' wallets:
// lists change. A payer who is flagged now stops his order as one who is flagged at once does; a
// wallet that is flagged is not paid any more, which its owner can see. Who cannot be asked at the
// moment keeps the word that he has, and is asked again.
type Rescreening struct {
	*loop
	known    Known
	screener Screener
	x        *eventstore.Executor
	period   time.Duration
}

// rescreenBatch is how many addresses a round asks about.
const rescreenBatch = 50

// NewRescreening makes the loop.
func NewRescreening(known Known, screener Screener, x *eventstore.Executor, period time.Duration, log *slog.Logger) *Rescreening {
	r := &Rescreening{known: known, screener: screener, x: x, period: period}
	r.loop = newLoop("rescreening", min(max(period/100, time.Second), 10*time.Minute), log, r.round)
	return r
}

func (r *Rescreening) round(ctx context.Context) (more bool, err error) {
	now, err := r.x.Store().Now(ctx)
	if err != nil {
		return false, err
	}
	payers, err := r.known.Payers(ctx, now.Add(-r.period), rescreenBatch)
	if err != nil {
		return false, err
	}
	wallets, err := r.known.Wallets(ctx, now.Add(-r.period), rescreenBatch)
	if err != nil {
		return false, err
	}
	var problems []error
	answered := 0
	said := map[string]safety.Verdict{} // one who paid several times is asked about once
	for _, p := range payers {
		key := safety.ID(p.Transfer.Evidence.Chain, p.Transfer.From)
		if _, asked := said[key]; !asked {
			said[key] = r.screener.Screen(ctx, p.Transfer.Evidence.Chain, p.Transfer.From)
		}
		if said[key].Outcome == safety.Unanswered {
			continue
		}
		answered++
		problems = append(problems, r.payer(ctx, p, said[key], now))
	}
	for _, w := range wallets {
		v := r.screener.Screen(ctx, w.Chain, w.Address)
		if v.Outcome == safety.Unanswered {
			continue
		}
		answered++
		problems = append(problems, r.wallet(ctx, w, v, now))
	}
	r.detail("asked", len(payers)+len(wallets))
	err = errors.Join(problems...)
	// Whoever does not answer stands first in the list and must not be asked without a pause.
	full := len(payers) == rescreenBatch || len(wallets) == rescreenBatch
	return err == nil && full && answered == len(payers)+len(wallets), err
}

// payer records a new word. The same again is no event.
func (r *Rescreening) payer(ctx context.Context, p paymentview.Payer, v safety.Verdict, now time.Time) error {
	f := funding.ScreenTransfer{Issue: r.issue(now), Payment: p.Payment, Evidence: p.Transfer.Evidence, Verdict: v}
	if err := r.execute(ctx, f, string(p.Payment)+"/"+p.Transfer.Pending, now); err != nil {
		return err
	}
	if v.Outcome == safety.Flagged {
		r.log.WarnContext(ctx, "a payer is not clean any more", "payment", p.Payment, "evidence", p.Transfer.Evidence.Key(), "source", v.Source())
	}
	return r.known.Asked(ctx, p.Transfer.Evidence.Chain, p.Transfer.From)
}

// wallet tells its owners; that it changed is in the log.
func (r *Rescreening) wallet(ctx context.Context, w Place, v safety.Verdict, now time.Time) error {
	if v.Outcome != w.Word {
		if err := r.execute(ctx, funding.RecordScreening{Issue: r.issue(now), Verdict: v, For: "wallet"}, safety.ID(w.Chain, w.Address), now); err != nil {
			return err
		}
	}
	if v.Outcome == safety.Flagged && w.Word != safety.Flagged {
		r.log.WarnContext(ctx, "a user's wallet is not clean any more", "chain", w.Chain, "source", v.Source())
	}
	return r.known.Tell(ctx, w.Chain, w.Address, v.Outcome)
}

func (r *Rescreening) issue(now time.Time) domain.Issue {
	return domain.Issue{By: domain.Machine(domain.Process, "screening"), At: now}
}

func (r *Rescreening) execute(ctx context.Context, f flow, key string, now time.Time) error {
	id := domain.DeriveID(key+now.Format(time.RFC3339Nano), "rescreening")
	meta := eventstore.Metadata{Actor: r.issue(now).By, CommandID: id, CausationID: id, Source: "job"}
	_, err := r.x.Execute(ctx, meta, nil, f.Run)
	if judge(err) == final {
		r.log.WarnContext(ctx, "verdict refused", "of", key, "code", code(err))
		return nil
	}
	if err != nil {
		return fmt.Errorf("record the verdict on %s: %w", key, err)
	}
	return nil
}
