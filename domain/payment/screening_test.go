package payment_test

import (
	"testing"

	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/payment"
	"holdfast/domain/safety"
)

func said(o safety.Outcome) safety.Verdict {
	return safety.Verdict{
		Chain: 8453, Address: "0xbuyer", Outcome: o, Score: 100, At: t0,
		Findings: []safety.Finding{{Source: "list", Outcome: o, Score: 100, Note: "sanctions", Raw: "ab", At: t0}},
	}
}

func screened(o safety.Outcome) payment.Screened {
	return payment.Screened{Evidence: ev("0xf1", 100), From: "0xbuyer", Verdict: said(o)}
}

var doubted = screened(safety.Flagged)

func TestScreening(t *testing.T) {
	t.Parallel()
	careful := initiated
	careful.Safety = &safety.Policy{Screen: true, Block: true}
	watching := initiated
	watching.Safety = &safety.Policy{Screen: true}
	on := func(first payment.Initiated, more ...payment.Event) events {
		return append(events{first, assigned, seen("0xf1", 100)}, more...)
	}
	screen := func(o safety.Outcome) payment.Screen {
		return payment.Screen{Issue: by(policy), Evidence: ev("0xf1", 100), Verdict: said(o)}
	}
	confirm := payment.Confirm{Issue: by(chain), Evidence: ev("0xf1", 100), Depth: 12}
	held := payment.HeldForReview{Kind: "aml", Score: 100}
	cleared := payment.ReviewCleared{By: admin, With: "A2"}
	clear := payment.ClearReview{Issue: by(admin), Approver: admin2}
	done := events{deep("0xf1", 100), paid}
	machinetest.Run(t, payment.Decider, []machinetest.Case[payment.Event]{
		{Name: "no confirmation before the payer is screened", Given: on(careful), When: confirm, Err: payment.ErrUnderReview},
		{Name: "nor where it is only watched", Given: on(watching), When: confirm, Err: payment.ErrUnderReview},
		{Name: "clean", Given: on(careful), When: screen(safety.Clean), Then: events{screened(safety.Clean)}},
		{Name: "the same again", Given: on(careful, screened(safety.Clean)), When: screen(safety.Clean)},
		{Name: "clean is confirmed", Given: on(careful, screened(safety.Clean)), When: confirm, Then: done},
		{Name: "a hit holds the payment", Given: on(careful), When: screen(safety.Flagged), Then: events{doubted, held}},
		{Name: "a hit is noted where nothing is blocked", Given: on(watching), When: screen(safety.Flagged), Then: events{doubted}},
		{Name: "and confirmed there", Given: on(watching, doubted), When: confirm, Then: done},
		{Name: "a hit is not confirmed", Given: on(careful, doubted, held), When: confirm, Err: payment.ErrUnderReview},
		{Name: "no answer does not lose the pay-in", Given: on(careful, screened(safety.Unanswered)), When: confirm, Then: done},
		{Name: "two people clear it", Given: on(careful, doubted, held), When: clear, Then: events{cleared}},
		{Name: "then it is confirmed", Given: on(careful, doubted, held, cleared), When: confirm, Then: done},
		{Name: "no answer is cleared too", Given: on(careful, screened(safety.Unanswered), deep("0xf1", 100), paid), When: clear, Then: events{cleared}},
		{Name: "nothing is in doubt", Given: on(careful, screened(safety.Clean), deep("0xf1", 100), paid), When: clear, Err: fault.ErrInvalidState},
		{Name: "a later hit is in doubt again", Given: on(careful, screened(safety.Unanswered), cleared, doubted, held), When: confirm, Err: payment.ErrUnderReview},
		{Name: "only a machine screens", Given: on(careful), When: payment.Screen{Issue: by(admin), Evidence: ev("0xf1", 100), Verdict: said(safety.Clean)}, Err: fault.ErrForbidden},
		{Name: "a transfer that is gone", Given: on(careful), When: payment.Screen{Issue: by(policy), Evidence: ev("0xf9", 1), Verdict: said(safety.Clean)}},
	})
}
