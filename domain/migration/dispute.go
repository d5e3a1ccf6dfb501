package migration

import (
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/network"
)

// Dispute is a document of disputes.
type Dispute struct {
	Found
	Payment, Request                    string
	Buyer, Seller, Opener, Resolver     string
	Category, Priority, Reason, Desired string
	Amount, Currency                    string // exact decimal; empty where it was left out
	Status                              string
	Evidence                            []Evidence
	Resolution                          *Resolution
	DueAt, ResolvedAt, ClosedAt         time.Time
}

// Evidence is a piece of proof.
type Evidence struct {
	ID, Kind, Text, Hash, By string
	At                       time.Time
}

// Resolution is how the old backend decided.
type Resolution struct {
	Action    string
	SellerBPS uint16
	Reason    string
	By        string
	At        time.Time
}

// disputePhases is domain.md §2.14 read backwards. A dispute that was looked at is under review:
// whoever it is assigned to may decide it at once.
var disputePhases = map[string]string{
	"pending":          dispute.PhaseAwaitingResponse,
	"waiting_response": dispute.PhaseAwaitingResponse,
	"in_progress":      dispute.PhaseUnderReview,
	"resolved":         dispute.PhaseResolved,
	"rejected":         dispute.PhaseRejected,
	"closed":           dispute.PhaseClosed,
}

// DisputeStatuses are the words that are understood, for the decoder.
func DisputeStatuses() []string {
	return []string{"pending", "in_progress", "waiting_response", "resolved", "rejected", "closed"}
}

// actions are the old words for what was decided, and what they come to (domain.md §2.11).
var actions = map[string]dispute.Action{
	"refund": dispute.Refund, "release": dispute.Release, "split": dispute.Split, "compensation": dispute.Split,
	"replacement": dispute.Replacement, "no_action": dispute.Replacement, "warning_seller": dispute.Replacement, "ban_seller": dispute.Replacement,
	"return_then_refund": dispute.ReturnThenRefund,
}

// DisputeActions are the words that are understood, for the decoder.
func DisputeActions() []string {
	return []string{"refund", "release", "split", "compensation", "replacement", "no_action", "warning_seller", "ban_seller", "return_then_refund"}
}

// TakeDispute takes a document of disputes. One that is open freezes the hold of its order: what
// stood in the books as held or releasable is disputed. Errors: LEGACY_NO_HOLD, LEGACY_CONFLICT,
// DISPUTE_OPEN.
type TakeDispute struct {
	domain.Issue
	Document Dispute
	Names    Names
	Policy   Policy
	Terms    dispute.Terms
}

// Run decides.
func (f TakeDispute) Run(u *domain.Unit) (any, error) {
	i := Import(f.Issue)
	id, err := holdOf(u, f.Names, f.Document.Payment, f.Document.Request)
	if err != nil {
		return nil, err
	}
	h, err := domain.StateOf(u, escrow.Decider, string(id))
	if err != nil {
		return nil, err
	}
	fact, err := f.fact(h)
	if err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, dispute.Decider, string(fact.Dispute), dispute.Import{Issue: i, Fact: fact}); err != nil {
		return nil, err
	}
	return nil, f.freeze(u, i, h, fact)
}

// freeze lets the hold follow the dispute; one that holds nothing has nothing to freeze.
func (f TakeDispute) freeze(u *domain.Unit, i domain.Issue, h escrow.State, fact dispute.Imported) error {
	frozen := h.Contested != nil && h.Contested.Dispute == fact.Dispute
	if open := fact.Open() && !fact.Amount().IsZero(); open == frozen {
		return nil
	}
	if h.Imported == nil {
		return domain.ErrLegacyConflict
	}
	e := escrow.DisputeImported{Dispute: fact.Dispute, Open: !frozen, Openings: moved(h, !frozen), Times: h.Imported.Times + 1}
	events, err := domain.Do(u, escrow.Decider, string(h.ID), escrow.ImportDispute{Issue: i, Fact: e})
	if err != nil || len(events) == 0 {
		return err
	}
	o := opener{Issue: i, migration: f.Policy.Migration, hold: h.ID, asset: h.Due.Asset, times: e.Times}
	return o.change(u, h.Imported.Openings, e.Openings)
}

// checked refuses a dispute of other people than those of the order, or about more digits than the
// asset has.
func (f TakeDispute) checked(h escrow.State, e dispute.Imported, buyer, seller domain.UserID) (dispute.Imported, error) {
	switch {
	case buyer != "" && buyer != h.Buyer:
		return e, ErrContradict.Because("buyerId: the buyer of the order")
	case seller != "" && seller != h.Seller:
		return e, ErrContradict.Because("sellerId: the seller of the order")
	case e.Opener != h.Buyer && e.Opener != h.Seller:
		return e, ErrContradict.Because("initiatorId: a party of the order")
	case f.Document.Amount == "":
		return e, nil
	}
	t, ok := f.Policy.Networks.Token(h.Due.Asset)
	if !ok {
		return e, network.ErrUnknownAsset
	}
	units, err := Exact(f.Document.Amount, t.Decimals)
	said := h.Amount(units)
	e.Said, e.Currency = &said, f.Document.Currency
	return e, at(err, "amount")
}

func (f TakeDispute) fact(h escrow.State) (dispute.Imported, error) {
	d, id := f.Document, domain.DisputeID(ID(Disputes, f.Document.ObjectID))
	user := func(objectID string) domain.UserID { return domain.UserID(f.Names(Users, objectID)) }
	opener := user(d.Opener)
	e := dispute.Imported{
		Legacy: d.Legacy, Dispute: id, Hold: h.ID, Request: h.Request, Payment: domain.PaymentID(f.Names(Payments, d.Payment)), Buyer: h.Buyer, Seller: h.Seller, Opener: opener, Resolver: user(d.Resolver),
		Category: d.Category, Priority: d.Priority, Reason: domain.About(opener, d.Reason), DesiredOutcome: d.Desired,
		FromHeld: h.Amount(money.Zero), FromReleasable: h.Amount(money.Zero), Terms: f.Terms, Phase: disputePhases[d.Status], Status: d.Status,
		Due: some(d.DueAt), ResolvedAt: some(d.ResolvedAt), ClosedAt: some(d.ClosedAt), At: f.At,
	}
	switch frozen := h.Contested; {
	case frozen != nil && frozen.Dispute == id:
		e.FromHeld, e.FromReleasable = h.Amount(frozen.FromHeld), h.Amount(frozen.FromReleasable)
	case e.Open():
		e.FromHeld, e.FromReleasable = h.Amount(h.Held), h.Amount(h.Releasable)
	}
	for _, x := range d.Evidence {
		by := user(x.By)
		e.Evidence = append(e.Evidence, dispute.ImportedEvidence{
			Evidence: dispute.Evidence{ID: ID("evidence", x.ID), Kind: x.Kind, SHA256: strings.ToLower(x.Hash), Text: domain.About(by, x.Text)}, By: by, At: x.At,
		})
	}
	if r := d.Resolution; r != nil {
		e.Decision = &dispute.ImportedDecision{
			Word: r.Action, Action: actions[r.Action], SellerBPS: money.BPS(r.SellerBPS), Reason: domain.About(opener, r.Reason), By: user(r.By), At: r.At,
		}
	}
	return f.checked(h, e, user(d.Buyer), user(d.Seller))
}
