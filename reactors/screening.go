package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/payment"
	"holdfast/domain/safety"
	"holdfast/eventstore"
	"holdfast/projections/paymentview"
)

// Screener says what is known of an address. It has no error: what cannot be known is unanswered.
type Screener interface {
	Screen(ctx context.Context, chain uint64, address string) safety.Verdict
}

// Unscreened lists the payments some payer of which has no answer yet (projections/paymentview).
type Unscreened interface {
	Unscreened(ctx context.Context) ([]paymentview.Row, error)
}

// Screening asks about the payers of everything that was seen, outside any transaction, and
// records what it is told. What nobody could answer is asked again, later and later. While it
// stands still, money is seen and waits; none is released.
type Screening struct {
	*loop
	payments Unscreened
	screener Screener
	x        *eventstore.Executor
	asked    map[string]attempt // by payment and evidence
}

// attempt is how often somebody was asked about in vain.
type attempt struct {
	times int
	next  time.Time
}

// NewScreening makes the loop.
func NewScreening(payments Unscreened, screener Screener, x *eventstore.Executor, every time.Duration, log *slog.Logger) *Screening {
	s := &Screening{payments: payments, screener: screener, x: x, asked: map[string]attempt{}}
	s.loop = newLoop("screening", every, log, s.screen)
	return s
}

func (s *Screening) screen(ctx context.Context) (more bool, err error) {
	rows, err := s.payments.Unscreened(ctx)
	if err != nil {
		return false, err
	}
	s.detail("waiting", len(rows))
	var problems []error
	open := map[string]bool{}
	for _, row := range rows {
		for _, t := range row.Doc.ToScreen() {
			key := string(row.Doc.ID) + "/" + t.Pending
			open[key] = true
			problems = append(problems, s.one(ctx, row.Doc.State, t, key))
		}
	}
	for key := range s.asked {
		if !open[key] {
			delete(s.asked, key)
		}
	}
	return false, errors.Join(problems...)
}

func (s *Screening) one(ctx context.Context, p payment.State, t payment.Transfer, key string) error {
	before := s.asked[key]
	if time.Now().Before(before.next) {
		return nil
	}
	v := s.screener.Screen(ctx, t.Evidence.Chain, t.From)
	now, err := s.x.Store().Now(ctx)
	if err != nil {
		return err
	}
	id := domain.DeriveID(fmt.Sprint(key, "/", v.Outcome, "/", now.UnixNano()), "screening")
	machine := domain.Machine(domain.Process, "screening")
	f := funding.ScreenTransfer{Issue: domain.Issue{By: machine, At: now}, Payment: p.ID, Evidence: t.Evidence, Verdict: v}
	_, err = s.x.Execute(ctx, eventstore.Metadata{Actor: machine, CommandID: id, CausationID: id, Source: "job"}, nil, f.Run)
	switch judge(err) {
	case later:
		return fmt.Errorf("record the verdict on %s: %w", key, err)
	case bug:
		return fmt.Errorf("record the verdict on %s: %w", key, err)
	case final:
		s.log.WarnContext(ctx, "verdict refused", "payment", p.ID, "evidence", t.Evidence.Key(), "code", code(err))
	}
	// The view needs a moment to see the answer, and whoever did not answer needs a longer one.
	s.asked[key] = attempt{times: before.times + 1, next: time.Now().Add(min(time.Second<<min(before.times, 9), 5*time.Minute))}
	if v.Outcome != safety.Clean {
		s.log.WarnContext(ctx, "payer is not clean", "payment", p.ID, "evidence", t.Evidence.Key(), "outcome", v.Outcome, "source", v.Source())
	}
	return nil
}
