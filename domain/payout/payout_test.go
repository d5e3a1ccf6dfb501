package payout_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
)

const usdc money.Asset = "USDC@8453"

var (
	t0     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	seller = domain.User("S1", domain.Seller)
	admin  = domain.User("A1", domain.Admin)
	admin2 = domain.User("A2", domain.Admin)
	chain  = domain.Machine(domain.Chain, "8453")
	signer = domain.Machine(domain.Process, "signer")
)

func amount(n uint64) money.Amount   { return money.Of(usdc, money.FromUint64(n)) }
func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }
func mined(hash string) outgoing.Mined {
	return outgoing.Mined{Chain: 8453, Tx: hash, Block: 9, BlockHash: "0xb"}
}

var (
	transfer = outgoing.Transfer{Chain: 8453, From: "0xtreasury", To: "0xAAA", Token: "0xusdc", Amount: amount(50), Nonce: 3}
	asked    = payout.Requested{
		Payout: "o1", Seller: "S1", Amount: amount(50), Wallet: "0xaaa", Revision: 1, Approvals: 2,
		CoolingOff: 24 * time.Hour, Holds: []domain.HoldID{"h1"}, By: seller,
	}
	firstYes  = payout.ApprovalRecorded{Payout: "o1", By: "A1", Revision: 1}
	secondYes = payout.ApprovalRecorded{Payout: "o1", By: "A2", Revision: 1}
	approved  = payout.Approved{Payout: "o1", Revision: 1}
	rejected  = payout.Rejected{Payout: "o1", Seller: "S1", Amount: amount(50), By: "A1", Reason: "asked twice"}
	changed   = payout.DestinationChanged{Payout: "o1", Wallet: "0xbbb", Revision: 2, CoolingUntil: t0.Add(24 * time.Hour), By: seller}
	built     = payout.InstructionBuilt{Payout: "o1", Instruction: transfer, By: admin}
	signed    = payout.Signed{Payout: "o1", TxHash: "0xf1", Signer: "trezor"}
	broadcast = payout.Broadcast{Payout: "o1", Amount: amount(50), TxHash: "0xf1"}
	replaced  = payout.Replaced{Payout: "o1", Old: "0xf1", New: "0xf2"}
	confirmed = payout.Confirmed{Payout: "o1", Amount: amount(50), Evidence: mined("0xf1"), Pending: "payout:o1:0xf1", Holds: []domain.HoldID{"h1"}}
	failed    = payout.Failed{Payout: "o1", Seller: "S1", Amount: amount(50), Code: "BLOCKLISTED", Pending: "payout:o1:0xf1"}
	cancelled = payout.Cancelled{Payout: "o1", Seller: "S1", Amount: amount(50), By: seller}
	reorged   = payout.Reorged{Payout: "o1", Amount: amount(50), Evidence: mined("0xf1")}
	surfaced  = payout.Surfaced{Payout: "o1", Seller: "S1", Amount: amount(50), Owed: amount(20), Evidence: mined("0xf1")}
)

type events = []payout.Event

func path(phase string) events {
	ready := events{asked, firstYes, secondYes, approved}
	sent := events{asked, firstYes, secondYes, approved, built, signed, broadcast}
	return map[string]events{
		"":                           nil,
		payout.PhaseRequested:        {asked},
		payout.PhaseApproved:         ready,
		payout.PhaseInstructionBuilt: sent[:5],
		payout.PhaseSigned:           sent[:6],
		payout.PhaseBroadcast:        sent,
		payout.PhaseConfirmed:        append(sent[:7:7], confirmed),
		payout.PhaseFailed:           append(sent[:7:7], failed),
		payout.PhaseRejected:         {asked, rejected},
		payout.PhaseCancelled:        {asked, cancelled},
	}[phase]
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]payout.State{}
	for _, p := range payout.Table().Phases {
		states[p] = machinetest.Fold(payout.Decider, path(p)...)
		machinetest.CheckSnapshot(t, states[p])
	}
	machinetest.CheckComplete(t, payout.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	withDropped := failed
	withDropped.Dropped = &transfer
	machinetest.CheckGolden(t, payout.Aggregate(), asked, firstYes, approved, rejected, changed, built, signed, broadcast,
		replaced, confirmed, withDropped, cancelled, reorged, surfaced)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	ask := payout.Request{
		Issue: by(seller), Payout: "o1", Seller: "S1", Amount: amount(50), Wallet: "0xaaa", Approvals: 2,
		CoolingOff: 24 * time.Hour, Holds: []domain.HoldID{"h1"},
	}
	young := ask
	young.WalletCoolingUntil = t0.Add(time.Minute)
	foreign := ask
	foreign.Issue = by(domain.User("S2", domain.Seller))
	tx := func(hash string, change func(*outgoing.Transfer)) outgoing.Tx {
		d := transfer
		change(&d)
		return outgoing.Tx{Hash: hash, Signer: "trezor", Transfer: d}
	}
	same := func(*outgoing.Transfer) {}
	var cases []machinetest.Case[payout.Event]
	for field, change := range map[string]func(*outgoing.Transfer){
		"to":     func(d *outgoing.Transfer) { d.To = "0xbbb" },
		"from":   func(d *outgoing.Transfer) { d.From = "0xother" },
		"token":  func(d *outgoing.Transfer) { d.Token = "0xfake" },
		"amount": func(d *outgoing.Transfer) { d.Amount = amount(51) },
		"chain":  func(d *outgoing.Transfer) { d.Chain = 56 },
		"nonce":  func(d *outgoing.Transfer) { d.Nonce = 4 },
	} {
		cases = append(cases, machinetest.Case[payout.Event]{
			Name: "signed with another " + field, Given: path(payout.PhaseInstructionBuilt),
			When: payout.RecordSignature{Issue: by(signer), Tx: tx("0xf1", change)}, Err: outgoing.ErrInstructionMismatch,
		})
	}
	wrong := transfer
	wrong.To = "0xbbb"
	later := domain.Issue{By: admin, At: t0.Add(25 * time.Hour)}
	machinetest.Run(t, payout.Decider, append(cases, []machinetest.Case[payout.Event]{
		{Name: "the seller asks", When: ask, Then: events{asked}},
		{Name: "a wallet that must rest", When: young, Err: payout.ErrCoolingOff},
		{Name: "another seller's money", When: foreign, Err: fault.ErrForbidden},
		{Name: "an admin asks for nobody", When: payout.Request{Issue: by(domain.Machine(domain.Timer, "x"))}, Err: fault.ErrForbidden},
		{Name: "the first of two", Given: path(payout.PhaseRequested), When: payout.Approve{Issue: by(admin), Revision: 1}, Then: events{firstYes}},
		{Name: "the second of two", Given: events{asked, firstYes}, When: payout.Approve{Issue: by(admin2), Revision: 1}, Then: events{secondYes, approved}},
		{Name: "the same person twice", Given: events{asked, firstYes}, When: payout.Approve{Issue: by(admin), Revision: 1}},
		{Name: "the seller may not approve", Given: path(payout.PhaseRequested), When: payout.Approve{Issue: by(domain.User("S1", domain.Admin)), Revision: 1}, Err: payout.ErrSelfApproval},
		{Name: "an old revision", Given: events{asked, changed}, When: payout.Approve{Issue: later, Revision: 1}, Err: payout.ErrRevisionStale},
		{Name: "a changed wallet must rest", Given: events{asked, changed}, When: payout.Approve{Issue: by(admin), Revision: 2}, Err: payout.ErrCoolingOff},
		{
			Name: "and then may be approved", Given: events{asked, changed}, When: payout.Approve{Issue: later, Revision: 2},
			Then: events{payout.ApprovalRecorded{Payout: "o1", By: "A1", Revision: 2}},
		},
		{Name: "rejected", Given: path(payout.PhaseRequested), When: payout.Reject{Issue: by(admin), Reason: "asked twice"}, Then: events{rejected}},
		{Name: "another wallet", Given: events{asked, firstYes}, When: payout.ChangeDestination{Issue: by(seller), Wallet: "0xbbb"}, Then: events{changed}},
		{
			Name: "approvals begin anew", Given: events{asked, firstYes, changed}, When: payout.Approve{Issue: domain.Issue{By: admin2, At: later.At}, Revision: 2},
			Then: events{payout.ApprovalRecorded{Payout: "o1", By: "A2", Revision: 2}},
		},
		{
			Name: "whoever changed the wallet does not approve it", Given: events{asked, payout.DestinationChanged{Payout: "o1", Wallet: "0xbbb", Revision: 2, By: admin}},
			When: payout.Approve{Issue: later, Revision: 2}, Err: payout.ErrSelfApproval,
		},
		{Name: "not once it is signed", Given: path(payout.PhaseSigned), When: payout.ChangeDestination{Issue: by(seller), Wallet: "0xbbb"}, Err: payout.ErrInProgress},
		{Name: "an instruction", Given: path(payout.PhaseApproved), When: payout.BuildInstruction{Issue: by(admin), Instruction: transfer}, Then: events{built}},
		{Name: "to another wallet", Given: path(payout.PhaseApproved), When: payout.BuildInstruction{Issue: by(admin), Instruction: wrong}, Err: outgoing.ErrInstructionMismatch},
		{Name: "before approval", Given: events{asked, firstYes}, When: payout.BuildInstruction{Issue: by(admin), Instruction: transfer}, Err: fault.ErrInvalidState},
		{Name: "signed", Given: path(payout.PhaseInstructionBuilt), When: payout.RecordSignature{Issue: by(signer), Tx: tx("0xF1", same)}, Then: events{signed}},
		{Name: "signed again by a second signer", Given: path(payout.PhaseSigned), When: payout.RecordSignature{Issue: by(signer), Tx: tx("0xf9", same)}, Err: payout.ErrInProgress},
		{Name: "the same signature again", Given: path(payout.PhaseSigned), When: payout.RecordSignature{Issue: by(signer), Tx: tx("0xf1", same)}},
		{Name: "recorded before it is sent", Given: path(payout.PhaseSigned), When: payout.BroadcastTx{Issue: by(signer)}, Then: events{broadcast}},
		{Name: "not twice", Given: path(payout.PhaseBroadcast), When: payout.BroadcastTx{Issue: by(signer)}, Err: payout.ErrInProgress},
		{Name: "replaced", Given: path(payout.PhaseBroadcast), When: payout.Replace{Issue: by(signer), Tx: tx("0xf2", same)}, Then: events{replaced}},
		{
			Name: "replaced with another nonce", Given: path(payout.PhaseBroadcast),
			When: payout.Replace{Issue: by(signer), Tx: tx("0xf2", func(d *outgoing.Transfer) { d.Nonce = 4 })}, Err: outgoing.ErrReplacement,
		},
		{
			Name: "the replacement is mined", Given: append(path(payout.PhaseBroadcast), replaced), When: payout.Confirm{Issue: by(chain), Evidence: mined("0xf2")},
			Then: events{payout.Confirmed{Payout: "o1", Amount: amount(50), Evidence: mined("0xf2"), Pending: "payout:o1:0xf1", Holds: []domain.HoldID{"h1"}}},
		},
		{Name: "confirmed", Given: path(payout.PhaseBroadcast), When: payout.Confirm{Issue: by(chain), Evidence: mined("0xf1")}, Then: events{confirmed}},
		{Name: "confirmed twice is once", Given: path(payout.PhaseConfirmed), When: payout.Confirm{Issue: by(chain), Evidence: mined("0xf1")}},
		{Name: "a foreign transaction", Given: path(payout.PhaseBroadcast), When: payout.Confirm{Issue: by(chain), Evidence: mined("0xee")}, Err: outgoing.ErrUnknownTx},
		{Name: "failed", Given: path(payout.PhaseBroadcast), When: payout.Fail{Issue: by(chain), Tx: "0xf1", Code: "BLOCKLISTED", NonceUsed: true}, Then: events{failed}},
		{Name: "mined after all", Given: path(payout.PhaseFailed), When: payout.Surface{Issue: by(chain), Evidence: mined("0xf1"), Available: money.FromUint64(30)}, Then: events{surfaced}},
		{Name: "and told twice", Given: append(path(payout.PhaseFailed), surfaced), When: payout.Surface{Issue: by(chain), Evidence: mined("0xf1")}},
		{Name: "in a transaction of others", Given: path(payout.PhaseFailed), When: payout.Surface{Issue: by(chain), Evidence: mined("0xee")}, Err: outgoing.ErrUnknownTx},
		{Name: "and undone by the chain", Given: append(path(payout.PhaseFailed), surfaced), When: payout.Reorg{Issue: by(chain), Evidence: mined("0xf1")}, Then: events{reorged}},
		{Name: "reorged", Given: path(payout.PhaseConfirmed), When: payout.Reorg{Issue: by(chain), Evidence: mined("0xf1")}, Then: events{reorged}},
		{
			Name: "confirmed again after a reorg posts by itself", Given: append(path(payout.PhaseConfirmed), reorged), When: payout.Confirm{Issue: by(chain), Evidence: mined("0xf1")},
			Then: events{payout.Confirmed{Payout: "o1", Amount: amount(50), Evidence: mined("0xf1"), Holds: []domain.HoldID{"h1"}}},
		},
		{Name: "cancelled", Given: path(payout.PhaseRequested), When: payout.Cancel{Issue: by(seller)}, Then: events{cancelled}},
		{Name: "not once it is sent", Given: path(payout.PhaseBroadcast), When: payout.Cancel{Issue: by(admin)}, Err: payout.ErrInProgress},
	}...))
}

func TestSmallPayoutsNeedNobody(t *testing.T) {
	t.Parallel()
	got, err := payout.Decider.Decide(payout.State{}, payout.Request{Issue: by(domain.Machine(domain.Process, "netting")), Payout: "o1", Seller: "S1", Amount: amount(1), Wallet: "0xaaa"})
	if err != nil || len(got) != 2 || got[1] != payout.Event(approved) {
		t.Fatal(got, err)
	}
}

func TestEveryPostingIsValid(t *testing.T) {
	t.Parallel()
	for _, phase := range payout.Table().Phases {
		for _, e := range append(path(phase), reorged, surfaced) {
			if p, ok := payout.Postings(e); ok {
				if err := p.Validate(); err != nil {
					t.Errorf("%s: %v", e.EventType(), err)
				}
			}
		}
	}
}

func TestNonceIsClaimedFromTheInstructionOn(t *testing.T) {
	t.Parallel()
	claims := payout.Aggregate().Claims
	taken := claims(domain.Stream{}, built)
	if len(taken) != 1 || taken[0].Free {
		t.Fatal(taken)
	}
	e := cancelled
	e.Dropped = &transfer
	if freed := claims(domain.Stream{}, e); len(freed) != 1 || !freed[0].Free || freed[0].Name != taken[0].Name {
		t.Fatal(freed)
	}
	if kept := claims(domain.Stream{}, confirmed); len(kept) != 0 {
		t.Fatal("a used nonce was given back", kept)
	}
}
