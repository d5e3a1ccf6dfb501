package dispute_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
)

const usdc money.Asset = "USDC@8453"

var (
	t0       = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	buyer    = domain.User("B1", domain.Buyer)
	seller   = domain.User("S1", domain.Seller)
	admin    = domain.User("A1", domain.Admin)
	resolver = domain.User("R1", domain.Resolver)
	second   = domain.User("R2", domain.Resolver)
	timer    = domain.Machine(domain.Timer, "timers")
	policy   = domain.Machine(domain.Process, "disputes")
)

func amount(n uint64) money.Amount                       { return money.Of(usdc, money.FromUint64(n)) }
func by(a domain.Actor) domain.Issue                     { return domain.Issue{By: a, At: t0} }
func after(a domain.Actor, d time.Duration) domain.Issue { return domain.Issue{By: a, At: t0.Add(d)} }
func bps(n money.BPS) *money.BPS                         { return &n }
func said(u domain.UserID, text string) domain.Personal  { return domain.About(u, text) }

const day = 24 * time.Hour

var (
	terms  = dispute.StandardTerms()
	opened = dispute.Opened{
		Dispute: "D", Hold: "h1", Request: "q1", Buyer: "B1", Seller: "S1", Opener: "B1", Category: "not_as_described",
		Priority: "high", Reason: said("B1", "it is broken"), Amount: amount(90), FromHeld: amount(60), FromReleasable: amount(30),
		Terms: terms, RespondBy: t0.Add(3 * day), MaxAgeAt: t0.Add(45 * day),
	}
	assigned  = dispute.ResolverAssigned{Dispute: "D", Resolver: "R1", Round: 1, By: admin}
	responded = dispute.Responded{Dispute: "D", By: "S1", Text: said("S1", "it was not"), EvidenceDue: t0.Add(7 * day)}
	silent    = dispute.RespondentDefaulted{Dispute: "D", ReviewBy: t0.Add(8 * day)}
	photo     = dispute.Evidence{ID: "e1", Kind: "image", SHA256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Text: said("B1", "look")}
	submitted = dispute.EvidenceSubmitted{Dispute: "D", Evidence: photo, By: "B1", At: t0, DueBy: t0.Add(3 * day), Round: 1, Count: 1}
	collected = dispute.EvidencePeriodClosed{Dispute: "D", ReviewBy: t0.Add(12 * day)}
	more      = dispute.MoreEvidenceRequested{Dispute: "D", From: "seller", DueBy: t0.Add(9 * day), What: said("S1", "the invoice"), By: resolver}
	proposed  = dispute.SettlementProposed{Dispute: "D", Settlement: "s1", By: "S1", SellerBPS: 7000, At: t0, ExpiresAt: t0.Add(3 * day)}
	accepted  = dispute.SettlementAccepted{Dispute: "D", Settlement: "s1", By: "B1", SellerBPS: 7000}
	declined  = dispute.SettlementDeclined{Dispute: "D", Settlement: "s1", By: "B1", EvidenceDue: t0.Add(7 * day)}
	lapsed    = dispute.SettlementLapsed{Dispute: "D", Settlement: "s1", EvidenceDue: t0.Add(10 * day)}
	decided   = dispute.Decided{
		Dispute: "D", Round: 1, Action: dispute.Split, SellerBPS: 6000, FeePayer: dispute.SellerPays,
		Reason: said("B1", "both are right"), By: "R1", AppealUntil: t0.Add(3 * day),
	}
	appealed = dispute.Appealed{Dispute: "D", By: "B1", Grounds: said("B1", "no"), Round: 2, ReviewBy: t0.Add(5 * day), MaxAgeAt: t0.Add(45 * day)}
	final    = dispute.Decided{
		Dispute: "D", Round: 2, Action: dispute.Split, SellerBPS: 5000, FeePayer: dispute.SellerPays,
		Reason: said("B1", "half"), By: "R2", AppealUntil: t0, Final: true,
	}
	over     = dispute.AppealWindowClosed{Dispute: "D"}
	returnBy = t0.Add(14 * day)
	goods    = dispute.AppealWindowClosed{Dispute: "D", ReturnBy: &returnBy}
	toReturn = dispute.Decided{
		Dispute: "D", Round: 1, Action: dispute.ReturnThenRefund, FeePayer: dispute.SellerPays,
		Reason: said("B1", "send it back"), By: "R1", AppealUntil: t0.Add(3 * day),
	}
	returned  = dispute.ReturnConfirmed{Dispute: "D", By: seller}
	kept      = dispute.ReturnLapsed{Dispute: "D"}
	tooOld    = dispute.Defaulted{Dispute: "D", SellerBPS: 5000}
	parts     = dispute.Parts{Buyer: amount(45), PlatformFee: amount(2), DisputeFee: amount(1), Seller: amount(42)}
	resolved  = dispute.Resolved{Dispute: "D", Hold: "h1", Request: "q1", Buyer: "B1", Seller: "S1", Refund: "r1", Parts: parts, CheckCloseAt: t0.Add(day)}
	withdrawn = dispute.Withdrawn{Dispute: "D", Hold: "h1", FromHeld: amount(60), FromReleasable: amount(30), By: buyer}
	rejected  = dispute.Rejected{Dispute: "D", Hold: "h1", FromHeld: amount(60), FromReleasable: amount(30), Reason: said("B1", "too vague"), By: admin}
	escalated = dispute.Escalated{Dispute: "D", By: buyer}
	warned    = dispute.SideMeasureTaken{Dispute: "D", Measure: dispute.Warn, Target: "S1", Reason: said("S1", "late"), By: admin}
	deferred  = dispute.CloseDeferred{Dispute: "D", CheckCloseAt: t0.Add(2 * day)}
	closed    = dispute.Closed{Dispute: "D"}
)

type events = []dispute.Event

func path(phase string) events {
	review := events{opened, responded, collected}
	return map[string]events{
		"":                              nil,
		dispute.PhaseAwaitingResponse:   {opened},
		dispute.PhaseEvidence:           {opened, responded},
		dispute.PhaseSettlementProposed: {opened, responded, proposed},
		dispute.PhaseUnderReview:        review,
		dispute.PhaseDecided:            append(review[:3:3], assigned, decided),
		dispute.PhaseAwaitingReturn:     append(review[:3:3], assigned, toReturn, goods),
		dispute.PhaseExecuting:          append(review[:3:3], assigned, decided, over),
		dispute.PhaseResolved:           append(review[:3:3], assigned, decided, over, resolved),
		dispute.PhaseWithdrawn:          {opened, withdrawn},
		dispute.PhaseRejected:           {opened, rejected},
		dispute.PhaseClosed:             append(review[:3:3], assigned, decided, over, resolved, closed),
	}[phase]
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]dispute.State{}
	for _, p := range dispute.Table().Phases {
		states[p] = machinetest.Fold(dispute.Decider, path(p)...)
		machinetest.CheckSnapshot(t, states[p])
	}
	machinetest.CheckComplete(t, dispute.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, dispute.Aggregate(), imported, opened, assigned, responded, silent, submitted, collected, more, proposed, accepted,
		declined, lapsed, decided, appealed, goods, returned, kept, tooOld, resolved, withdrawn, rejected, escalated, warned, deferred, closed)
}

// Every state that waits for somebody has a live deadline whose command the table takes
// from a timer in that very state (docs/complaints.md, 18).
func TestNoStateWaitsForEver(t *testing.T) {
	t.Parallel()
	commands := map[string]domain.Command{
		"settlement.default_respondent":  dispute.DefaultRespondent{},
		"settlement.close_evidence":      dispute.CloseEvidence{},
		"settlement.lapse_settlement":    dispute.LapseSettlement{},
		"settlement.escalate_dispute":    dispute.Escalate{},
		"settlement.close_appeal_window": dispute.CloseAppealWindow{},
		"settlement.lapse_return":        dispute.LapseReturn{},
		"settlement.default_dispute":     dispute.Default{},
		"settlement.close_dispute":       dispute.Close{},
	}
	for _, phase := range dispute.Table().Phases {
		switch phase {
		case "", dispute.PhaseExecuting, dispute.PhaseWithdrawn, dispute.PhaseRejected, dispute.PhaseClosed:
			continue
		}
		live := map[string]domain.Deadline{}
		for _, e := range path(phase) {
			for _, d := range dispute.Aggregate().Deadlines(domain.Stream{}, e) {
				if delete(live, d.Key); !d.Cancel {
					live[d.Key] = d
				}
			}
		}
		leaves := false
		for _, d := range live {
			c := commands[d.Command]
			if c == nil {
				t.Errorf("%s: the deadline %s issues the unknown %q", phase, d.Key, d.Command)
				continue
			}
			got, err := dispute.Decider.Decide(machinetest.Fold(dispute.Decider, path(phase)...), at(c, d.Due))
			if err != nil {
				t.Errorf("%s: %s at its time: %v", phase, d.Command, err)
			}
			leaves = leaves || len(got) > 0 && d.Command != "settlement.escalate_dispute"
		}
		if !leaves {
			t.Errorf("%s waits without a deadline that leads on", phase)
		}
	}
}

// at issues a timer's command.
func at(c domain.Command, due time.Time) domain.Command {
	issue := domain.Issue{By: timer, At: due}
	switch c.(type) {
	case dispute.DefaultRespondent:
		return dispute.DefaultRespondent{Issue: issue}
	case dispute.CloseEvidence:
		return dispute.CloseEvidence{Issue: issue}
	case dispute.LapseSettlement:
		return dispute.LapseSettlement{Issue: issue}
	case dispute.Escalate:
		return dispute.Escalate{Issue: issue}
	case dispute.CloseAppealWindow:
		return dispute.CloseAppealWindow{Issue: issue}
	case dispute.LapseReturn:
		return dispute.LapseReturn{Issue: issue}
	case dispute.Default:
		return dispute.Default{Issue: issue}
	}
	return dispute.Close{Issue: issue}
}

func TestPostings(t *testing.T) {
	t.Parallel()
	for _, e := range (events{opened, resolved, withdrawn, rejected}) {
		p, ok := dispute.Postings(e)
		if !ok {
			t.Errorf("%s posts nothing", e.EventType())
		}
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", e.EventType(), err)
		}
	}
	p, _ := dispute.Postings(resolved)
	if got := p.Lines[3].Credit; got != "seller:S1:available" {
		t.Errorf("the remainder goes to %s", got)
	}
}

func TestOneOpenDisputeAHold(t *testing.T) {
	t.Parallel()
	claims := dispute.Aggregate().Claims
	taken := claims(domain.Stream{}, opened)[0]
	for _, e := range (events{resolved, withdrawn, rejected}) {
		if freed := claims(domain.Stream{}, e)[0]; !freed.Free || freed.Name != taken.Name {
			t.Errorf("%s does not free %s", e.EventType(), taken.Name)
		}
	}
}
