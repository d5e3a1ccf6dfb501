package settlement_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/scenariotest"
	"holdfast/domain/settlement"
)

// node is a chain of which only one thing matters: which transaction has a nonce.
type node struct {
	mined map[uint64]string          // nonce → hash; "" of a foreign one
	known map[uint64]map[string]bool // transactions that exist with a nonce, and may be mined
	fixed map[uint64]bool            // too deep to be undone
}

// Whatever is signed, by whomever, in whichever order, and whatever the chain does with it:
// all transactions of a payout share one nonce, so that the chain can take one of them at
// most, and the books say what it took.
func TestNoOrderOfFactsPaysOneInstructionTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := world(t)
		order(w, "h1", 1000)
		release(w, "h1") // 950 for the seller
		c := node{map[uint64]string{}, map[uint64]map[string]bool{}, map[uint64]bool{}}
		ids := []domain.PayoutID{"o1", "o2"}
		for n, id := range ids {
			w.Do(settlement.RequestPayout{Issue: w.By(seller), Payout: id, Seller: "S1", Amount: amount(400), Wallet: "0xwallet", Approvals: 1, Available: units(950)})
			w.Do(settlement.ApprovePayout{Issue: w.By(admin), Payout: id, Revision: 1})
			w.Do(settlement.BuildPayoutInstruction{Issue: w.By(admin), Payout: id, Instruction: transfer("0xwallet", 400, uint64(n+1))})
		}
		for n := range rapid.IntRange(1, 40).Draw(rt, "steps") {
			id := rapid.SampledFrom(ids).Draw(rt, "payout")
			c.step(rt, w, id, n)
			c.check(rt, w, ids)
		}
	})
}

func (c node) step(rt *rapid.T, w *scenariotest.World, id domain.PayoutID, n int) {
	s := scenariotest.StateOf(w, payout.Decider, string(id))
	nonce := s.Instruction.Nonce
	try := func(f scenariotest.Flow) bool {
		before := w.Position()
		_, err := w.Try(f)
		if _, refused := fault.From(err); err != nil && !refused {
			rt.Fatalf("%T: %v", f, err)
		}
		if err != nil && w.Position() != before {
			rt.Fatalf("%T was refused with %v and wrote", f, err)
		}
		return err == nil
	}
	switch rapid.SampledFrom([]string{"sign", "sign", "mine", "mine", "hijack", "undo", "deepen", "tell", "tell", "tell", "lie", "cancel"}).Draw(rt, "step") {
	case "sign": // one signer or another, the right nonce or another one
		tx := outgoing.Tx{Hash: fmt.Sprintf("0x%s%d", id, n), Transfer: transfer("0xwallet", 400, nonce)}
		if rapid.IntRange(0, 3).Draw(rt, "astray") == 0 {
			tx.Nonce += 10
		}
		if try(settlement.SignPayout{Issue: w.By(rapid.SampledFrom([]domain.Actor{admin, admin2}).Draw(rt, "signer")), Payout: id, Tx: tx}) {
			if tx.Nonce != nonce {
				rt.Fatalf("%s got a transaction of another nonce", id)
			}
			if c.known[nonce] == nil {
				c.known[nonce] = map[string]bool{}
			}
			c.known[nonce][tx.Hash] = true
		}
	case "mine":
		if _, taken := c.mined[nonce]; !taken && len(s.Txs) > 0 && s.Phase != payout.PhaseFailed {
			c.mined[nonce] = rapid.SampledFrom(s.Txs).Draw(rt, "tx")
		}
	case "hijack": // a foreign transaction takes the nonce
		if _, taken := c.mined[nonce]; !taken && len(s.Txs) > 0 {
			c.mined[nonce] = ""
		}
	case "undo":
		if !c.fixed[nonce] {
			delete(c.mined, nonce)
		}
	case "deepen":
		if _, taken := c.mined[nonce]; taken && s.Phase != payout.PhaseBroadcast {
			c.fixed[nonce] = true
		}
	case "tell":
		c.tell(rt, w, s, try)
	case "lie":
		if try(settlement.ConfirmPayout{Issue: w.By(chain), Payout: id, Evidence: mined("0xforeign")}) {
			rt.Fatalf("%s was confirmed by a transaction that nobody signed", id)
		}
	case "cancel":
		if try(settlement.CancelPayout{Issue: w.By(seller), Payout: id}) && len(s.Txs) > 0 {
			rt.Fatalf("%s was cancelled although a transaction of it exists", id)
		}
	}
}

// tell is what the follower says, late or early: what the chain has now.
func (c node) tell(rt *rapid.T, w *scenariotest.World, s payout.State, try func(scenariotest.Flow) bool) {
	hash, taken := c.mined[s.Instruction.Nonce]
	switch {
	case s.Phase == payout.PhaseConfirmed && (!taken || hash == ""):
		if !try(settlement.ReorgPayout{Issue: w.By(chain), Payout: s.Payout, Evidence: mined(s.Txs[0])}) {
			rt.Fatalf("a fact about %s was refused", s.Payout)
		}
	case s.Phase == payout.PhaseBroadcast && taken && hash != "":
		for range rapid.IntRange(1, 3).Draw(rt, "times") {
			if !try(settlement.ConfirmPayout{Issue: w.By(chain), Payout: s.Payout, Evidence: mined(hash)}) {
				rt.Fatalf("a fact about %s was refused", s.Payout)
			}
		}
	case s.Phase == payout.PhaseBroadcast && taken:
		c.fixed[s.Instruction.Nonce] = true // the follower says so only of what stands firmly
		for range rapid.IntRange(1, 3).Draw(rt, "times") {
			if !try(settlement.FailPayout{Issue: w.By(chain), Payout: s.Payout, Tx: s.Txs[len(s.Txs)-1], Code: "REPLACED", NonceUsed: true}) {
				rt.Fatalf("a fact about %s was refused", s.Payout)
			}
		}
	}
}

func (c node) check(rt *rapid.T, w *scenariotest.World, ids []domain.PayoutID) {
	left := uint64(1000)
	for _, id := range ids {
		s := scenariotest.StateOf(w, payout.Decider, string(id))
		if s.Phase == payout.PhaseConfirmed {
			left -= 400
		}
		if s.Phase == payout.PhaseFailed && c.mined[s.Instruction.Nonce] != "" {
			rt.Fatalf("%s failed and was paid", id)
		}
		for _, hash := range s.Txs {
			if !c.known[s.Instruction.Nonce][hash] {
				rt.Fatalf("%s has a transaction of another nonce: %s", id, hash)
			}
		}
	}
	if got := w.Balance("custody:treasury", usdc); got != units(left) {
		rt.Fatalf("the treasury has %s in the books, %d by the chain", got, left)
	}
	if err := solvent(w); err != nil {
		rt.Fatal(err)
	}
}
