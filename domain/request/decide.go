package request

import (
	"crypto/subtle"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"holdfast/domain"
	"holdfast/domain/fault"
)

// Refusals of a request.
var (
	ErrNotOpen         = fault.New(fault.Conflict, "REQUEST_NOT_OPEN", "the request takes no offers in its state")
	ErrNotInvited      = fault.New(fault.Forbidden, "NOT_INVITED", "the request is open to invited sellers only")
	ErrLocked          = fault.New(fault.Conflict, "REQUEST_LOCKED", "the request can no longer be changed")
	ErrNotSelectable   = fault.New(fault.Conflict, "OFFER_NOT_SELECTABLE", "the offer cannot be selected in its state")
	ErrAlreadySelected = fault.New(fault.Conflict, "ALREADY_SELECTED", "an offer is selected already")
	ErrNotFunded       = fault.New(fault.Conflict, "ESCROW_NOT_FUNDED", "the escrow is not funded")
	ErrCodeInvalid     = fault.New(fault.Rule, "CODE_INVALID", "the delivery code is wrong")
	ErrCodeExpired     = fault.New(fault.Rule, "CODE_EXPIRED", "there is no valid delivery code; the buyer must issue a new one")
	ErrCodeLocked      = fault.New(fault.Locked, "CODE_LOCKED", "too many wrong codes; the buyer must issue a new one")
	ErrRevisionLimit   = fault.New(fault.Conflict, "REVISION_LIMIT", "no more revisions may be asked for")
	ErrRefundRequired  = fault.New(fault.Conflict, "REFUND_REQUIRED", "the order is funded; cancel it with refund: true")
)

// Limits of a request.
const (
	CodeAttempts = 5
	maxRevisions = 3
)

func (d Details) check(c domain.Issue) error {
	n := utf8.RuneCountInString
	e := fault.ErrValidation
	switch {
	case strings.TrimSpace(d.Title) == "" || n(d.Title) > 200:
		e = e.At("title", "1 … 200 characters")
	case n(d.Description.Text) < 5 || n(d.Description.Text) > 2000:
		e = e.At("description", "5 … 2000 characters")
	case d.Quantity < 1 || d.Quantity > 100000:
		e = e.At("quantity", "1 … 100000")
	case d.DeliveryType != "physical" && d.DeliveryType != "online":
		e = e.At("deliveryInfo.deliveryType", "physical or online")
	case len(d.Specifications) > 50:
		e = e.At("specifications", "at most 50")
	case len(d.Attachments) > 20:
		e = e.At("attachments", "at most 20")
	case !d.ExpiresAt.IsZero() && !d.ExpiresAt.After(c.At):
		e = e.At("expiresAt", "must be later than now")
	default:
		return d.Budget.check()
	}
	return e
}

func (b Budget) check() error {
	if b.Min == "" && b.Max == "" {
		return nil
	}
	low, err1 := number(b.Min)
	high, err2 := number(b.Max)
	if err1 != nil || err2 != nil || high.LessThan(low) {
		return fault.ErrValidation.At("budget", "min and max are decimals with min ≤ max")
	}
	return nil
}

// number reads a decimal of at most 20 characters; longer ones can stall the parser.
func number(s string) (decimal.Decimal, error) {
	if len(s) > 20 || strings.ContainsAny(s, "eE-+") {
		return decimal.Decimal{}, fault.ErrValidation
	}
	return decimal.NewFromString(s)
}

func create(_ State, c Create) ([]Event, error) {
	if c.By.User() != "" && !c.By.Is(c.Buyer) {
		return nil, fault.ErrForbidden
	}
	if slices.Contains(c.Invited, c.Buyer) {
		return nil, fault.ErrValidation.At("preferredSellerIds", "must not name yourself")
	}
	if err := c.Details.check(c.Issue); err != nil {
		return nil, err
	}
	return []Event{Created{Request: c.Request, Buyer: c.Buyer, Details: c.Details, Invited: c.Invited, At: c.At}}, nil
}

func update(s State, c Update) ([]Event, error) {
	if err := c.Details.check(c.Issue); err != nil {
		return nil, err
	}
	revision := s.Revision
	if len(s.Offers) > 0 && priceRelevant(s.Details, c.Details) {
		revision++
	}
	return []Event{DetailsUpdated{Revision: revision, Details: c.Details}}, nil
}

func priceRelevant(a, b Details) bool {
	return a.Quantity != b.Quantity || a.ProductType != b.ProductType || a.ProductLink != b.ProductLink || a.Size != b.Size ||
		a.Color != b.Color || a.Brand != b.Brand || a.DeliveryType != b.DeliveryType || a.Description.Text != b.Description.Text ||
		!slices.Equal(a.Specifications, b.Specifications)
}

func publish(s State, c Publish) ([]Event, error) {
	if !s.Details.ExpiresAt.IsZero() && !c.At.Before(s.Details.ExpiresAt) {
		return nil, fault.ErrInvalidState.With("expires_at", s.Details.ExpiresAt)
	}
	return []Event{Published{At: c.At}}, nil
}

func invite(s State, c Invite) ([]Event, error) {
	var fresh []domain.UserID
	for _, u := range c.Sellers {
		if u == s.Buyer {
			return nil, fault.ErrValidation.At("sellerIds", "must not name yourself")
		}
		if !slices.Contains(s.Invited, u) && !slices.Contains(fresh, u) {
			fresh = append(fresh, u)
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	return []Event{SellersInvited{Sellers: fresh}}, nil
}

func loseOffer(s State, c LoseOffer) ([]Event, error) {
	if _, live := s.Offers[c.Offer]; !live {
		return nil, nil
	}
	return []Event{OfferGone{Offer: c.Offer, Reason: c.Reason}}, nil
}

func endNegotiation(s State, c EndNegotiation) ([]Event, error) {
	if !s.Negotiating[c.Offer] {
		return nil, nil
	}
	return []Event{NegotiationEnded{Offer: c.Offer}}, nil
}

func selectOffer(s State, c SelectOffer) ([]Event, error) {
	if seller, live := s.Offers[c.Offer]; !live || seller != c.Seller || c.Seller == s.Buyer {
		return nil, ErrNotSelectable
	}
	return []Event{OfferSelected{Offer: c.Offer, Revision: c.Revision, Seller: c.Seller, Hold: c.Hold, Price: c.Price}}, nil
}

func releaseSelection(s State, c ReleaseSelection) ([]Event, error) {
	return []Event{OfferSelectionReleased{Offer: s.Selected.Offer, Reason: c.Reason}}, nil
}

func losePayment(s State, c LosePayment) ([]Event, error) {
	if s.Phase != Processing {
		return nil, nil // goods on their way cannot be called back; the hold and the ledger know
	}
	return []Event{PaymentLost{Hold: c.Hold, Reason: c.Reason}}, nil
}

func markShipped(_ State, c MarkShipped) ([]Event, error) {
	if !c.Funded || c.AMLHold {
		return nil, ErrNotFunded
	}
	return []Event{Shipped{Carrier: c.Carrier, Tracking: c.Tracking, At: c.At}}, nil
}

func issueCode(_ State, c IssueCode) ([]Event, error) {
	if len(c.MAC) < 16 || !c.ExpiresAt.After(c.At) {
		return nil, fault.ErrValidation.At("code", "needs a MAC and an end later than now")
	}
	return []Event{DeliveryCodeIssued{MAC: c.MAC, ExpiresAt: c.ExpiresAt}}, nil
}

// verifyCode gives DeliveryCodeFailed for a wrong code; the flow turns that into the
// refusal, so that the attempt is counted all the same.
func verifyCode(s State, c VerifyCode) ([]Event, error) {
	switch {
	case s.Code == nil || !c.At.Before(s.Code.ExpiresAt):
		return nil, ErrCodeExpired
	case s.Code.Failures >= CodeAttempts:
		return nil, ErrCodeLocked
	case subtle.ConstantTimeCompare(s.Code.MAC, c.MAC) != 1:
		return []Event{DeliveryCodeFailed{Attempt: s.Code.Failures + 1}}, nil
	}
	return []Event{DeliveryConfirmed{Method: "code", By: c.By, At: c.At}}, nil
}

func confirmDelivery(s State, c ConfirmDelivery) ([]Event, error) {
	method := c.By.Kind
	if c.By.Is(s.Buyer) {
		method = "buyer"
	} else if c.By.User() != "" {
		method = "admin"
		if c.Reason == "" {
			return nil, fault.ErrValidation.At("reason", "is required of an admin")
		}
	}
	return []Event{DeliveryConfirmed{Method: method, By: c.By, At: c.At}}, nil
}

func requestRevision(s State, c RequestRevision) ([]Event, error) {
	if s.Revisions >= maxRevisions || (!c.InspectionTo.IsZero() && !c.At.Before(c.InspectionTo)) {
		return nil, ErrRevisionLimit
	}
	return []Event{RevisionRequested{N: s.Revisions + 1, Reason: c.Reason}}, nil
}

func unflagDispute(s State, c UnflagDispute) ([]Event, error) {
	if s.Dispute != c.Dispute || s.Dispute == "" {
		return nil, nil
	}
	return []Event{DisputeUnflagged{Dispute: c.Dispute}}, nil
}

func cancel(s State, c Cancel) ([]Event, error) {
	if s.Phase == Processing && !c.Refund {
		return nil, ErrRefundRequired
	}
	return []Event{Cancelled{By: c.By, Reason: c.Reason}}, nil
}

func expire(s State, c Expire) ([]Event, error) {
	if s.Details.ExpiresAt.IsZero() || c.At.Before(s.Details.ExpiresAt) {
		return nil, fault.ErrInvalidState.With("expires_at", s.Details.ExpiresAt)
	}
	return []Event{Expired{At: c.At}}, nil
}
