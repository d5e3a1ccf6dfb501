package migration

import (
	"slices"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/network"
	"holdfast/domain/offer"
	"holdfast/domain/payment"
	"holdfast/domain/request"
)

// ErrSecondPayment: the order's money stands in another payment already.
var ErrSecondPayment = fault.New(fault.Conflict, "LEGACY_SECOND_PAYMENT", "another payment of this order holds money; which of them counts, a person must say")

// TakePayment takes a document of payments: the payment, the hold of its order, and what stands in
// the books for it. Errors: LEGACY_CONFLICT, LEGACY_SECOND_PAYMENT, PAYMENT_ALREADY_OPEN.
type TakePayment struct {
	domain.Issue
	Document Payment
	Money    Money
	Address  PaidTo
	Names    Names
	Policy   Policy
}

// Run decides.
func (f TakePayment) Run(u *domain.Unit) (any, error) {
	i := Import(f.Issue)
	fact, err := f.fact()
	if err != nil {
		return nil, err
	}
	r, err := domain.StateOf(u, request.Decider, string(fact.Request))
	if err != nil {
		return nil, err
	}
	was, err := domain.StateOf(u, escrow.Decider, string(fact.Hold))
	if err != nil {
		return nil, err
	}
	o, err := domain.StateOf(u, offer.Decider, string(fact.Offer))
	if err != nil {
		return nil, err
	}
	switch {
	case r.Buyer != "" && r.Buyer != fact.Buyer:
		return nil, ErrContradict.Because("buyerId: the buyer of the request")
	case o.Request != "" && o.Request != fact.Request:
		return nil, ErrContradict.Because("sellerOfferId: an offer of this request")
	case o.Seller != "" && o.Seller != fact.Seller:
		return nil, ErrContradict.Because("sellerId: the seller of the offer")
	case was.Imported != nil && len(was.Imported.Openings) > 0 && was.Due.Asset != fact.Due.Asset:
		return nil, ErrContradict.Because("amount.currency: that of the money which is there")
	}
	hold := f.hold(fact, r, was)
	counts, err := f.counts(u, i, fact, hold, was)
	if err != nil {
		return nil, err
	}
	if !counts {
		fact = superseded(fact)
	}
	if _, err := domain.Do(u, payment.Decider, string(fact.Payment), payment.Import{Issue: i, Fact: fact}); err != nil || !counts {
		return nil, err
	}
	events, err := domain.Do(u, escrow.Decider, string(fact.Hold), escrow.Import{Issue: i, Fact: hold})
	if err != nil || len(events) == 0 {
		return nil, err
	}
	var before []escrow.Opening
	if was.Imported != nil {
		before = was.Imported.Openings
	}
	books := opener{Issue: i, migration: f.Policy.Migration, hold: fact.Hold, asset: fact.Due.Asset, times: hold.Times}
	return nil, books.change(u, before, hold.Openings)
}

func (f TakePayment) fact() (payment.Imported, error) {
	d, m := f.Document, f.Money
	e := payment.Imported{
		Legacy: d.Legacy, Payment: PaymentID(d.ObjectID),
		Request: domain.RequestID(f.Names(PurchaseRequests, d.Request)), Offer: domain.OfferID(f.Names(SellerOffers, d.Offer)), Hold: HoldID(d.Request),
		Buyer: domain.UserID(f.Names(Users, d.Buyer)), Seller: domain.UserID(f.Names(Users, d.Seller)),
		Due: m.Due, Threshold: m.threshold(d), Safety: &f.Policy.Safety, ExpiresAt: d.ExpiresAt, LapsesAt: f.At.Add(f.Policy.Grace),
		Address: d.Receiver, Token: m.Asset.Address, Chain: m.Chain.ID,
		Phase: phaseOf(d, m.Books, m.Due.Units), Confirmed: m.Books.Came, Counted: m.Counts, Tx: d.Tx,
		Currency: d.Currency, Status: d.Status, EscrowState: d.EscrowState, Failure: d.Failure, PaidAt: some(d.PaidAt), Expires: some(d.ExpiresAt), At: f.At,
	}
	if e.Buyer == e.Seller {
		return e, escrow.ErrOwnRequest
	}
	if e.ExpiresAt.IsZero() {
		e.ExpiresAt = e.LapsesAt
	}
	if a := f.Address; a.Destination != "" {
		e.Destination, e.Address, e.Path = DestinationID(a.Destination), a.Address, a.Path
	}
	if tx := strings.ToLower(d.Tx); tx != "" {
		switch {
		case e.Phase == payment.AwaitingPayment:
			e.Claimed = []string{tx}
		case !slices.Contains(e.Counted, tx):
			e.Counted = append(slices.Clone(e.Counted), tx)
		}
	}
	if d.Provider+d.ProviderPayment+d.Reference == "" {
		return e, nil
	}
	e.Intent = &payment.IntentRegistered{Provider: d.Provider, RequestID: d.ProviderPayment, Reference: d.Reference, Proxy: f.proxy()}
	if topic, err := f.Policy.Topic(d.Reference); err == nil {
		e.Intent.Topic = topic
	}
	return e, nil
}

// proxy is the contract through which such payments are made on their chain.
func (f TakePayment) proxy() string {
	kind := network.ERC20FeeProxy
	if f.Money.Asset.Address == "" {
		kind = network.EthereumFeeProxy
	}
	for _, p := range f.Money.Chain.Proxies {
		if p.Kind == kind && !p.Retired {
			return p.Address
		}
	}
	return ""
}

// hold is the escrow that this payment stands for.
func (f TakePayment) hold(fact payment.Imported, r request.State, was escrow.State) escrow.Imported {
	e := escrow.Imported{
		Legacy: fact.Legacy, Hold: fact.Hold, Payment: fact.Payment, Request: fact.Request, Offer: fact.Offer, Buyer: fact.Buyer, Seller: fact.Seller,
		Due: fact.Due, Terms: f.Policy.Escrow, EscrowState: f.Document.EscrowState, FundedAt: fact.PaidAt, Times: 1, At: f.At,
	}
	if was.Imported != nil {
		e.Times = was.Imported.Times + 1
	}
	e, seller := buckets(e, f.Document, f.Money.Books)
	if e.IsCancelled && r.Phase == request.AwaitingPayment && r.Selected.Hold == e.Hold {
		e.IsCancelled = false // the order still waits for its money: another payment may be made
	}
	left := e.Held.Plus(e.Releasable)
	switch {
	case left.IsZero():
	case was.Contested != nil:
		e.Contested = &escrow.Contested{Dispute: was.Contested.Dispute, FromHeld: e.Held, FromReleasable: e.Releasable}
	case e.IsFunded && r.Phase == request.DeliveredPhase:
		e.InspectionTo = f.At.Add(e.Terms.Inspection)
		e.ReleaseAt = e.InspectionTo.Add(e.Terms.AutoRelease)
	}
	e.Openings = openings(e, custodyOf(f.Address), seller, f.Money.Books.Platform)
	return e
}

// counts reports whether this payment says how its order's hold stands. Of several payments of one
// order the one with money does; without money the one that can still be made; then the later one.
// An open one that no longer counts is superseded.
func (f TakePayment) counts(u *domain.Unit, i domain.Issue, fact payment.Imported, hold escrow.Imported, was escrow.State) (bool, error) {
	if was.ID == "" || was.Imported == nil || was.Imported.Payment == fact.Payment || was.Imported.Payment == "" {
		return true, nil
	}
	other, err := domain.StateOf(u, payment.Decider, string(was.Imported.Payment))
	if err != nil {
		return false, err
	}
	mine, its := weight(hold, fact.Phase), weight(*was.Imported, other.Phase)
	switch {
	case mine == 3 && its == 3:
		return false, ErrSecondPayment.With("payment", was.Imported.Payment)
	case was.Legacy.Ours && mine == 3:
		return false, domain.ErrLegacyConflict
	case was.Legacy.Ours, mine < its, mine == its && !later(fact.Legacy, was.Imported.Legacy):
		return false, nil
	}
	if other.Untouched() && !other.Imported.Superseded {
		_, err = domain.Do(u, payment.Decider, string(other.ID), payment.Import{Issue: i, Fact: superseded(*other.Imported)})
	}
	return true, err
}

// superseded is a payment of whose order another one counts. One that could still be made cannot.
func superseded(e payment.Imported) payment.Imported {
	if e.Superseded = true; e.Phase == payment.AwaitingPayment || e.Phase == payment.PartlyPaid {
		e.Phase = payment.ExpiredPhase
	}
	return e
}

// later reports that a document is younger than another.
func later(a, b domain.Legacy) bool {
	if !a.CreatedAt.Equal(b.CreatedAt) {
		return a.CreatedAt.After(b.CreatedAt)
	}
	return a.ObjectID > b.ObjectID
}

func some(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
