package dispute_test

import (
	"fmt"
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
)

func TestOpening(t *testing.T) {
	t.Parallel()
	open := dispute.Open{
		Issue: by(buyer), Dispute: "D", Hold: "h1", Request: "q1", Buyer: "B1", Seller: "S1", Category: "not_as_described",
		Priority: "high", Reason: said("B1", "it is broken"), FromHeld: amount(60), FromReleasable: amount(30), Terms: terms,
	}
	with := func(change func(*dispute.Open)) dispute.Open {
		c := open
		change(&c)
		return c
	}
	machinetest.Run(t, dispute.Decider, []machinetest.Case[dispute.Event]{
		{Name: "a party", When: open, Then: events{opened}},
		{Name: "a third party", When: with(func(c *dispute.Open) { c.Issue = by(domain.User("X", domain.Buyer)) }), Err: fault.ErrForbidden},
		{Name: "too late", When: with(func(c *dispute.Open) { c.WindowEnds = t0.Add(-time.Second) }), Err: dispute.ErrWindowClosed},
		{Name: "in the last instant", When: with(func(c *dispute.Open) { c.WindowEnds = t0 }), Then: events{opened}},
		{Name: "nothing is there", When: with(func(c *dispute.Open) { c.FromHeld, c.FromReleasable = amount(0), amount(0) }), Err: dispute.ErrNothingToDispute},
		{Name: "terms that wait for ever", When: with(func(c *dispute.Open) { c.Terms.MaxAge = 0 }), Err: fault.ErrValidation},
		{Name: "twice", Given: events{opened}, When: open, Err: dispute.ErrOpen},
	})
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	submit := func(i domain.Issue, id string) dispute.SubmitEvidence {
		return dispute.SubmitEvidence{Issue: i, Evidence: dispute.Evidence{ID: id, Kind: "text", Text: said("B1", "look")}}
	}
	full := path(dispute.PhaseEvidence)
	for n := range terms.EvidenceLimit {
		e := submitted
		e.Evidence.ID, e.Count = fmt.Sprint("e", n), n+1
		full = append(full, e)
	}
	bad := submit(by(buyer), "e2")
	bad.Evidence.SHA256 = "abc"
	machinetest.Run(t, dispute.Decider, []machinetest.Case[dispute.Event]{
		{Name: "the opener brings proof", Given: events{opened}, When: dispute.SubmitEvidence{Issue: by(buyer), Evidence: photo}, Then: events{submitted}},
		{Name: "the same again changes nothing", Given: events{opened, submitted}, When: dispute.SubmitEvidence{Issue: by(buyer), Evidence: photo}},
		{Name: "after the due date", Given: path(dispute.PhaseEvidence), When: submit(after(buyer, 7*day+1), "e2"), Err: dispute.ErrEvidenceClosed},
		{Name: "during the review", Given: path(dispute.PhaseUnderReview), When: submit(by(buyer), "e2"), Err: dispute.ErrEvidenceClosed},
		{Name: "too much", Given: full, When: submit(by(buyer), "one more"), Err: dispute.ErrEvidenceLimit},
		{Name: "a third party", Given: events{opened}, When: submit(by(domain.User("X", domain.Buyer)), "e2"), Err: fault.ErrForbidden},
		{Name: "a broken digest", Given: events{opened}, When: bad, Err: fault.ErrValidation},
		{Name: "the answer", Given: events{opened}, When: dispute.Respond{Issue: by(seller), Text: responded.Text}, Then: events{responded}},
		{Name: "one does not answer oneself", Given: events{opened}, When: dispute.Respond{Issue: by(buyer)}, Err: fault.ErrForbidden},
		{
			Name: "no answer in time", Given: events{opened}, When: dispute.DefaultRespondent{Issue: after(timer, 3*day)},
			Then: events{dispute.RespondentDefaulted{Dispute: "D", ReviewBy: t0.Add(8 * day)}},
		},
		{Name: "a timer with its clock set back", Given: events{opened}, When: dispute.DefaultRespondent{Issue: after(timer, 3*day-1)}, Err: fault.ErrInvalidState},
		{Name: "closed by the timer", Given: path(dispute.PhaseEvidence), When: dispute.CloseEvidence{Issue: after(timer, 7*day)}, Then: events{collected}},
		{Name: "closed by another resolver", Given: append(path(dispute.PhaseEvidence), assigned), When: dispute.CloseEvidence{Issue: by(second)}, Err: dispute.ErrNotAssigned},
		{
			Name: "more is wanted", Given: append(path(dispute.PhaseUnderReview), assigned),
			When: dispute.RequestMoreEvidence{Issue: by(resolver), From: "seller", DueBy: t0.Add(9 * day), What: more.What}, Then: events{more},
		},
	})
}

func TestSettlement(t *testing.T) {
	t.Parallel()
	open := path(dispute.PhaseSettlementProposed)
	machinetest.Run(t, dispute.Decider, []machinetest.Case[dispute.Event]{
		{Name: "proposed", Given: path(dispute.PhaseEvidence), When: dispute.ProposeSettlement{Issue: by(seller), Settlement: "s1", SellerBPS: 7000}, Then: events{proposed}},
		{Name: "more than the whole", Given: path(dispute.PhaseEvidence), When: dispute.ProposeSettlement{Issue: by(seller), Settlement: "s1", SellerBPS: 10001}, Err: dispute.ErrInvalidSplit},
		{Name: "accepted", Given: open, When: dispute.AcceptSettlement{Issue: by(buyer), Settlement: "s1"}, Then: events{accepted}},
		{Name: "one's own", Given: open, When: dispute.AcceptSettlement{Issue: by(seller), Settlement: "s1"}, Err: fault.ErrForbidden},
		{Name: "too late", Given: open, When: dispute.AcceptSettlement{Issue: after(buyer, 3*day+1), Settlement: "s1"}, Err: dispute.ErrSettlementExpired},
		{Name: "another", Given: open, When: dispute.AcceptSettlement{Issue: by(buyer), Settlement: "s0"}, Err: dispute.ErrSettlementExpired},
		{Name: "after it was declined", Given: append(open, declined), When: dispute.AcceptSettlement{Issue: by(buyer), Settlement: "s1"}, Err: dispute.ErrSettlementExpired},
		{Name: "declined", Given: open, When: dispute.DeclineSettlement{Issue: by(buyer), Settlement: "s1"}, Then: events{declined}},
		{Name: "lapsed, and the evidence clock goes on where it stood", Given: open, When: dispute.LapseSettlement{Issue: after(timer, 3*day)}, Then: events{lapsed}},
	})
}

func TestDeciding(t *testing.T) {
	t.Parallel()
	review := append(path(dispute.PhaseUnderReview), assigned)
	decide := dispute.Decide{Issue: by(resolver), Action: dispute.Split, SellerBPS: bps(6000), FeePayer: dispute.SellerPays, Reason: decided.Reason}
	with := func(change func(*dispute.Decide)) dispute.Decide {
		c := decide
		change(&c)
		return c
	}
	again := append(path(dispute.PhaseDecided), appealed)
	machinetest.Run(t, dispute.Decider, []machinetest.Case[dispute.Event]{
		{Name: "assigned", Given: path(dispute.PhaseUnderReview), When: dispute.AssignResolver{Issue: by(admin), Resolver: "R1"}, Then: events{assigned}},
		{
			Name: "a resolver takes it himself", Given: path(dispute.PhaseUnderReview), When: dispute.AssignResolver{Issue: by(resolver), Resolver: "R1"},
			Then: events{dispute.ResolverAssigned{Dispute: "D", Resolver: "R1", Round: 1, By: resolver}},
		},
		{Name: "a resolver assigns nobody else", Given: path(dispute.PhaseUnderReview), When: dispute.AssignResolver{Issue: by(resolver), Resolver: "R2"}, Err: dispute.ErrNotAssigned},
		{Name: "nor takes it from another", Given: review, When: dispute.AssignResolver{Issue: by(second), Resolver: "R2"}, Err: dispute.ErrNotAssigned},
		{Name: "a party", Given: path(dispute.PhaseUnderReview), When: dispute.AssignResolver{Issue: by(admin), Resolver: "S1"}, Err: dispute.ErrResolverConflict},
		{Name: "who decided before", Given: again, When: dispute.AssignResolver{Issue: by(admin), Resolver: "R1"}, Err: dispute.ErrResolverConflict},
		{
			Name: "who was assigned when an admin decided", Given: append(review[:4:4], dispute.Decided{Dispute: "D", Round: 1, Action: dispute.Split, By: "A1", AppealUntil: t0}, appealed),
			When: dispute.AssignResolver{Issue: by(admin), Resolver: "R1"}, Err: dispute.ErrResolverConflict,
		},
		{
			Name: "who approved a payout of this order", Given: path(dispute.PhaseUnderReview),
			When: dispute.AssignResolver{Issue: by(admin), Resolver: "R1", PayoutApprovers: []domain.UserID{"R1"}}, Err: dispute.ErrResolverConflict,
		},

		{Name: "decided", Given: review, When: decide, Then: events{decided}},
		{Name: "by somebody else", Given: review, When: with(func(c *dispute.Decide) { c.Issue = by(second) }), Err: dispute.ErrNotAssigned},
		{Name: "by an admin who is a party", Given: review, When: with(func(c *dispute.Decide) { c.Issue = by(domain.User("S1", domain.Admin)) }), Err: dispute.ErrResolverConflict},
		{Name: "more than the whole", Given: review, When: with(func(c *dispute.Decide) { c.SellerBPS = bps(10001) }), Err: dispute.ErrInvalidSplit},
		{Name: "a split without shares", Given: review, When: with(func(c *dispute.Decide) { c.SellerBPS = nil }), Err: dispute.ErrInvalidSplit},
		{Name: "a refund that pays the seller", Given: review, When: with(func(c *dispute.Decide) { c.Action = dispute.Refund }), Err: dispute.ErrInvalidSplit},
		{Name: "twice", Given: path(dispute.PhaseDecided), When: decide, Err: dispute.ErrAlreadyResolved},
		{Name: "after it is resolved", Given: path(dispute.PhaseResolved), When: decide, Err: dispute.ErrAlreadyResolved},

		{Name: "appealed", Given: path(dispute.PhaseDecided), When: dispute.Appeal{Issue: by(buyer), Grounds: appealed.Grounds}, Then: events{appealed}},
		{Name: "too late", Given: path(dispute.PhaseDecided), When: dispute.Appeal{Issue: after(buyer, 3*day+1)}, Err: dispute.ErrAppealClosed},
		{Name: "a second time", Given: append(again, dispute.ResolverAssigned{Dispute: "D", Resolver: "R2", Round: 2}, final), When: dispute.Appeal{Issue: by(seller)}, Err: dispute.ErrAppealLimit},
		{Name: "after it is resolved", Given: path(dispute.PhaseResolved), When: dispute.Appeal{Issue: by(buyer)}, Err: dispute.ErrAppealClosed},
		{
			Name: "by who got everything", Given: append(review[:4:4], dispute.Decided{Dispute: "D", Round: 1, Action: dispute.Refund, By: "R1", AppealUntil: t0}),
			When: dispute.Appeal{Issue: by(buyer)}, Err: fault.ErrForbidden,
		},
		{
			Name: "the second round is final", Given: append(again, dispute.ResolverAssigned{Dispute: "D", Resolver: "R2", Round: 2}),
			When: dispute.Decide{Issue: by(second), Action: dispute.Split, SellerBPS: bps(5000), Reason: final.Reason}, Then: events{final},
		},

		{Name: "the window is still open", Given: path(dispute.PhaseDecided), When: dispute.CloseAppealWindow{Issue: after(timer, 3*day)}, Err: fault.ErrInvalidState},
		{Name: "the window is over", Given: path(dispute.PhaseDecided), When: dispute.CloseAppealWindow{Issue: after(timer, 3*day+1)}, Then: events{over}},
		{
			Name: "the goods must come back first", Given: append(review[:4:4], toReturn), When: dispute.CloseAppealWindow{Issue: after(timer, 3*day+1)},
			Then: events{dispute.AppealWindowClosed{Dispute: "D", ReturnBy: ptr(t0.Add(17*day + 1))}},
		},
		{Name: "the goods are back", Given: path(dispute.PhaseAwaitingReturn), When: dispute.ConfirmReturn{Issue: by(seller)}, Then: events{returned}},
		{Name: "the buyer does not say so himself", Given: path(dispute.PhaseAwaitingReturn), When: dispute.ConfirmReturn{Issue: by(buyer)}, Err: fault.ErrForbidden},
		{Name: "the goods never came", Given: path(dispute.PhaseAwaitingReturn), When: dispute.LapseReturn{Issue: after(timer, 14*day)}, Then: events{kept}},
		{Name: "too old", Given: path(dispute.PhaseUnderReview), When: dispute.Default{Issue: after(timer, 45*day)}, Then: events{tooOld}},

		{Name: "carried out", Given: path(dispute.PhaseExecuting), When: dispute.Resolve{Issue: by(policy), Parts: parts, Refund: "r1"}, Then: events{resolved}},
		{Name: "not twice", Given: path(dispute.PhaseResolved), When: dispute.Resolve{Issue: by(policy), Parts: parts, Refund: "r1"}, Err: dispute.ErrAlreadyResolved},
		{
			Name: "more than was contested", Given: path(dispute.PhaseExecuting),
			When: dispute.Resolve{Issue: by(policy), Parts: dispute.Parts{Buyer: amount(91)}, Refund: "r1"}, Err: dispute.ErrInvalidSplit,
		},
	})
}

func TestEnding(t *testing.T) {
	t.Parallel()
	machinetest.Run(t, dispute.Decider, []machinetest.Case[dispute.Event]{
		{Name: "withdrawn", Given: events{opened}, When: dispute.Withdraw{Issue: by(buyer), Held: amount(60), Releasable: amount(30)}, Then: events{withdrawn}},
		{Name: "not by the other", Given: events{opened}, When: dispute.Withdraw{Issue: by(seller)}, Err: fault.ErrForbidden},
		{Name: "not during the review", Given: path(dispute.PhaseUnderReview), When: dispute.Withdraw{Issue: by(buyer)}, Err: fault.ErrInvalidState},
		{Name: "rejected", Given: events{opened}, When: dispute.Reject{Issue: by(admin), Held: amount(60), Releasable: amount(30), Reason: rejected.Reason}, Then: events{rejected}},
		{Name: "escalated", Given: events{opened}, When: dispute.Escalate{Issue: by(buyer)}, Then: events{escalated}},
		{Name: "warned", Given: path(dispute.PhaseClosed), When: dispute.TakeSideMeasure{Issue: by(admin), Measure: dispute.Warn, Target: "S1", Reason: warned.Reason}, Then: events{warned}},
		{Name: "a stranger is not warned", Given: events{opened}, When: dispute.TakeSideMeasure{Issue: by(admin), Measure: dispute.Ban, Target: "X"}, Err: fault.ErrValidation},
		{Name: "closed", Given: path(dispute.PhaseResolved), When: dispute.Close{Issue: by(policy), Settled: true}, Then: events{closed}},
		{Name: "the money is still on its way", Given: path(dispute.PhaseResolved), When: dispute.Close{Issue: by(policy)}, Err: fault.ErrInvalidState},
		{Name: "a timer looks again later", Given: path(dispute.PhaseResolved), When: dispute.Close{Issue: after(timer, day)}, Then: events{deferred}},
	})
}

func ptr(t time.Time) *time.Time { return &t }
