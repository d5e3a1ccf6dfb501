package settlement

import (
	"testing"

	"github.com/holiman/uint256"
	"pgregory.net/rapid"

	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
)

// Whatever the amount (up to 2^256−1), the shares, the fees and who pays them: the parts are
// the whole, the buyer never gets more than his share, and a fee is never more than the part
// it comes out of (L9).
func TestThePartsAreTheWhole(t *testing.T) {
	t.Parallel()
	anyAmount := rapid.Custom(func(t *rapid.T) money.Units {
		var v uint256.Int
		words := rapid.SliceOfN(rapid.Uint64(), 4, 4).Draw(t, "words")
		copy(v[:], words)
		v.Rsh(&v, uint(rapid.IntRange(0, 255).Draw(t, "shift")))
		return money.FromUint256(&v)
	})
	rapid.Check(t, func(t *rapid.T) {
		all := anyAmount.Draw(t, "contested")
		h := escrow.State{
			Due: money.Of("USDC@8453", all), Disputed: all,
			Terms: escrow.Terms{FeeBPS: money.BPS(rapid.Uint32Range(0, 10000).Draw(t, "fee"))},
		}
		o := dispute.Outcome{
			Action:    rapid.SampledFrom([]dispute.Action{dispute.Refund, dispute.Release, dispute.Split, dispute.Replacement}).Draw(t, "action"),
			SellerBPS: money.BPS(rapid.Uint32Range(0, 10000).Draw(t, "share")),
			FeePayer:  rapid.SampledFrom([]dispute.FeePayer{dispute.SellerPays, dispute.BuyerPays, dispute.NobodyPays}).Draw(t, "payer"),
		}
		p := partsOf(h, o, anyAmount.Draw(t, "dispute fee"))
		sum := money.Zero
		for _, a := range []money.Amount{p.Buyer, p.PlatformFee, p.DisputeFee, p.Seller, p.Held, p.Releasable} {
			sum = sum.Plus(a.Units) // panics when it exceeds 2^256−1
		}
		if sum != all {
			t.Fatalf("%s became %s: %+v", all, sum, p)
		}
		if share := (money.All - o.SellerBPS).Of(all); o.Action != dispute.Replacement && share.Less(p.Buyer.Units) {
			t.Fatalf("the buyer gets %s of %s", p.Buyer, share)
		}
		if o.FeePayer == dispute.NobodyPays && !p.DisputeFee.IsZero() {
			t.Fatal("a fee that nobody pays")
		}
	})
}
