package migration

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/offer"
	"holdfast/domain/request"
)

// Refusals of documents that contradict others.
var (
	ErrNoRequest  = fault.New(fault.Conflict, "LEGACY_NO_REQUEST", "the purchase request of the document was not taken")
	ErrContradict = fault.New(fault.Conflict, "LEGACY_CONTRADICTION", "the document contradicts another one")
)

// Offer is a document of selleroffers.
type Offer struct {
	Found
	Request, Seller           string // ObjectIds
	Status                    string
	Title, Description, Notes string
	Price                     offer.Price
	DeliveryTime              string
	ValidUntil                time.Time
	RejectionReason           string
	RequireAML, AMLBlocks     bool
}

// OfferStatuses are the status words that are understood. The original's documents contradict
// themselves about active: it is taken for pending.
func OfferStatuses() []string {
	return []string{"pending", "active", "accepted", "rejected", "withdrawn"}
}

// TakeOffer takes a document of selleroffers, and tells its request. Errors: LEGACY_CONFLICT,
// LEGACY_NO_REQUEST, LEGACY_CONTRADICTION, OWN_REQUEST, OFFER_EXISTS.
type TakeOffer struct {
	domain.Issue
	Document Offer
	Names    Names
	Escrow   escrow.Terms // of an order that waits for its payment
}

// Run decides.
func (f TakeOffer) Run(u *domain.Unit) (any, error) {
	d := f.Document
	id := domain.RequestID(f.Names(PurchaseRequests, d.Request))
	r, err := domain.StateOf(u, request.Decider, string(id))
	if err != nil {
		return nil, err
	}
	if r.ID == "" {
		return nil, ErrNoRequest.With("request", d.Request)
	}
	fact, err := f.fact(r)
	if err != nil {
		return nil, err
	}
	events, err := domain.Do(u, offer.Decider, string(fact.Offer), offer.Import{Issue: Import(f.Issue), Fact: fact})
	if err != nil || len(events) == 0 {
		return nil, err
	}
	note := request.OfferImported{Offer: fact.Offer, Seller: fact.Seller, Revision: 1, Price: fact.Terms.Price.Amount, Live: fact.Live()}
	if _, err = domain.Do(u, request.Decider, string(id), request.ImportOffer{Issue: Import(f.Issue), Fact: note}); err != nil {
		return nil, err
	}
	return nil, awaiting(u, Import(f.Issue), id, d.Legacy, f.Escrow)
}

func (f TakeOffer) fact(r request.State) (offer.Imported, error) {
	d := f.Document
	seller := domain.UserID(f.Names(Users, d.Seller))
	e := offer.Imported{
		Legacy: d.Legacy, Offer: domain.OfferID(ID(SellerOffers, d.ObjectID)), Request: r.ID, Buyer: r.Buyer, Seller: seller,
		Terms: offer.Terms{
			Title: d.Title, Description: domain.About(seller, d.Description), Price: d.Price, DeliveryTime: d.DeliveryTime, ValidUntil: d.ValidUntil,
			Notes: domain.About(seller, d.Notes), RequireAML: d.RequireAML, AMLBlocks: d.AMLBlocks, RequestRevision: r.Revision,
		},
	}
	selected := r.Selected != nil && r.Selected.Offer == e.Offer
	var err error
	switch d.Status {
	case "rejected":
		e.Phase, e.Reason = offer.RejectedPhase, domain.About(r.Buyer, d.RejectionReason)
	case "withdrawn":
		e.Phase, e.Reason = offer.WithdrawnPhase, domain.About(seller, d.RejectionReason)
	default:
		e.Phase, err = offered(r.Phase, selected, d.Status == "accepted")
	}
	if selected && e.Phase != offer.SubmittedPhase && e.Phase != offer.VoidedPhase {
		e.Hold = r.Selected.Hold
	}
	if selected && Ended(e.Phase) && r.Phase != request.CancelledPhase && r.Phase != request.ExpiredPhase {
		err = ErrContradict.Because("the offer is %s, but its request is an order about it", d.Status)
	}
	return e, err
}

// Ended reports that an offer was turned down or taken back.
func Ended(phase string) bool { return phase == offer.RejectedPhase || phase == offer.WithdrawnPhase }

// offered is the phase of an offer that was not turned down. Before its payment was there the
// original called the selected offer pending, too.
func offered(of string, selected, accepted bool) (string, error) {
	switch {
	case over(of) && accepted:
		return offer.VoidedPhase, nil
	case over(of) || !selected && !accepted:
		return offer.SubmittedPhase, nil
	case !selected:
		return "", ErrContradict.Because("the offer is accepted, but its request does not name it")
	case of == request.CompletedPhase:
		return offer.FulfilledPhase, nil
	}
	return offer.AcceptedPhase, nil
}

func over(phase string) bool {
	return phase == request.CancelledPhase || phase == request.ExpiredPhase
}
