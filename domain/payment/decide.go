package payment

import (
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// Refusals of the payment.
var (
	ErrAlreadyOpen   = fault.New(fault.Conflict, "PAYMENT_ALREADY_OPEN", "there is an open payment for this order already")
	ErrBelowFloor    = fault.New(fault.Rule, "BELOW_FLOOR", "the confirmation threshold is below the configured floor")
	ErrAssigned      = fault.New(fault.Conflict, "DESTINATION_ASSIGNED", "the payment has another destination already")
	ErrMismatch      = fault.New(fault.Upstream, "PROVIDER_MISMATCH", "the provider's answer is not what was asked for")
	ErrEvidenceUsed  = fault.New(fault.Conflict, "EVIDENCE_ALREADY_USED", "this transfer has been counted elsewhere")
	ErrClosed        = fault.New(fault.Gone, "PAYMENT_CLOSED", "the payment is closed")
	ErrInProgress    = fault.New(fault.Conflict, "PAYMENT_IN_PROGRESS", "money for this payment is on its way or has arrived")
	ErrNotConfirmed  = fault.New(fault.Conflict, "NOT_CONFIRMED", "the transfer is not deep enough in the chain")
	ErrTransfer      = fault.New(fault.Conflict, "TRANSFER_UNKNOWN", "the payment knows no such transfer")
	ErrUnderReview   = fault.New(fault.Conflict, "PAYMENT_UNDER_REVIEW", "the payment waits for a review")
	ErrTxUsed        = fault.New(fault.Conflict, "TX_ALREADY_USED", "this transaction has been claimed or counted already")
	ErrManyClaims    = fault.New(fault.Rule, "TOO_MANY_CLAIMS", "too many transactions were claimed for this payment")
	ErrAssetNotTaken = fault.New(fault.Rule, "ASSET_NOT_ALLOWED", "the order is not paid in this asset")
)

func initiate(_ State, c Initiate) ([]Event, error) {
	switch {
	case c.Due.IsZero():
		return nil, fault.ErrValidation.At("due", "must be more than nothing")
	case c.Threshold.Need < c.Threshold.Floor:
		return nil, ErrBelowFloor.With("floor", c.Threshold.Floor).With("found", c.Threshold.Need)
	case !c.ExpiresAt.After(c.At):
		return nil, fault.ErrValidation.At("expiresAt", "must be later than now")
	case c.By.User() != "" && !c.By.Is(c.Buyer):
		return nil, fault.ErrForbidden
	}
	return []Event{Initiated{
		Payment: c.Payment, Request: c.Request, Offer: c.Offer, Hold: c.Hold, Buyer: c.Buyer, Seller: c.Seller, Quote: c.Quote,
		Due: c.Due, Threshold: c.Threshold, Safety: c.Safety, ExpiresAt: c.ExpiresAt, At: c.At,
	}}, nil
}

func assign(s State, c AssignDestination) ([]Event, error) {
	if s.Destination != "" {
		if s.Destination == c.Destination && strings.EqualFold(s.Address, c.Address) {
			return nil, nil
		}
		return nil, ErrAssigned
	}
	return []Event{DestinationAssigned{Destination: c.Destination, Address: c.Address, Path: c.Path, Token: c.Token, Chain: c.Chain}}, nil
}

func registerIntent(s State, c RegisterIntent) ([]Event, error) {
	if s.Intent != nil {
		if s.Intent.Reference == c.Reference && s.Intent.RequestID == c.RequestID {
			return nil, nil
		}
		return nil, ErrMismatch
	}
	if (c.Destination != "" && !strings.EqualFold(c.Destination, s.Address)) ||
		(c.Token != "" && !strings.EqualFold(c.Token, s.Token)) ||
		(!c.Amount.IsZero() && c.Amount != s.Due) {
		return nil, ErrMismatch
	}
	return []Event{IntentRegistered{Provider: c.Provider, RequestID: c.RequestID, Reference: c.Reference, Topic: c.Topic, Proxy: c.Proxy}}, nil
}

// maxClaims bounds what one payment makes us look at.
const maxClaims = 20

func report(s State, c ReportTransaction) ([]Event, error) {
	switch {
	case s.Claims[c.Tx]:
		return nil, ErrTxUsed
	case len(s.Claims) >= maxClaims:
		return nil, ErrManyClaims.With("limit", maxClaims)
	}
	return []Event{TransactionReported{Tx: c.Tx, By: c.By}}, nil
}

func reportFailure(s State, c ReportFailure) ([]Event, error) {
	if s.Failure == c.Code {
		return nil, nil
	}
	return []Event{Failed{Code: c.Code, Reason: c.Reason}}, nil
}

func detect(s State, c Detect) ([]Event, error) {
	if c.Amount.Asset != s.Due.Asset {
		return nil, money.ErrAssetMismatch
	}
	var events []Event
	if t, known := s.Transfers[c.Evidence.Key()]; known {
		if t.Confirmed || (t.Evidence.Block == c.Evidence.Block && t.Evidence.BlockHash == c.Evidence.BlockHash) {
			return nil, nil
		}
		// Mined again in another block before anybody noticed that the first is gone.
		d := s.dropped(t, c.Issue, "mined again in another block")
		events, s = append(events, d), Evolve(s, d)
	}
	return append(events, detection(s, c)), nil
}

func detectLate(s State, c Detect) ([]Event, error) {
	if t, known := s.Transfers[c.Evidence.Key()]; known && t.Confirmed {
		return nil, nil
	}
	if !c.Late {
		return nil, ErrClosed
	}
	return []Event{LateAccepted{Evidence: c.Evidence}, detection(s, c)}, nil
}

func detection(s State, c Detect) Event {
	return Detected{Payment: s.ID, Hold: s.Hold, Destination: s.Destination, Evidence: c.Evidence, Amount: c.Amount, From: c.From, Pending: s.pendingKey(c.Evidence)}
}

func confirm(s State, c Confirm) ([]Event, error) {
	t, known := s.Transfers[c.Evidence.Key()]
	switch {
	case !known:
		return nil, ErrTransfer
	case t.Confirmed:
		return nil, nil
	case s.Phase == UnderReview:
		return nil, ErrUnderReview
	case s.stops(t) != nil:
		return nil, s.stops(t)
	case !s.Threshold.Reached(c.Depth, c.Safe, c.Finalized):
		return nil, ErrNotConfirmed.With("have", c.Depth).With("need", max(s.Threshold.Need, s.Threshold.Floor))
	}
	events := []Event{Confirmed{
		Payment: s.ID, Hold: s.Hold, Evidence: t.Evidence, Amount: t.Amount, Pending: t.Pending, Depth: c.Depth, Finalized: c.Finalized, Safe: c.Safe, At: c.At,
	}}
	missing := s.Missing()
	counts := t.Amount.Units.Min(missing)
	if c.Wanted != nil {
		counts = counts.Min(*c.Wanted)
	}
	if excess := t.Amount.Units.Minus(counts); !excess.IsZero() {
		events = append(events, Overpaid{Hold: s.Hold, Buyer: s.Buyer, Excess: money.Of(s.Due.Asset, excess)})
	}
	if t.Amount.Units.Less(missing) {
		after := s.Counted().Plus(counts)
		return append(events, PartiallyPaid{Paid: money.Of(s.Due.Asset, after), Due: s.Due, LapsesAt: s.lapse(c.At)}), nil
	}
	if s.Phase != PaidPhase {
		events = append(events, Paid{At: c.At})
	}
	return events, nil
}

func drop(s State, c Drop) ([]Event, error) {
	t, known := s.Transfers[c.Evidence.Key()]
	if !known || t.Confirmed {
		return nil, nil
	}
	return []Event{s.dropped(t, c.Issue, c.Reason)}, nil
}

func (s State) dropped(t Transfer, i domain.Issue, why string) Dropped {
	return Dropped{Evidence: t.Evidence, Amount: t.Amount, Pending: t.Pending, Reason: why, LapsesAt: s.lapse(i.At)}
}

// grace is how long a payment waits for more when its expiry passed while money was on its way.
const grace = time.Hour

// lapse is when such a payment is given up. Its own timer has fired by then, and was refused.
func (s State) lapse(now time.Time) time.Time {
	if now.Before(s.ExpiresAt) {
		return time.Time{}
	}
	return now.Add(grace)
}

func reorg(s State, c Reorg) ([]Event, error) {
	t, known := s.Transfers[c.Evidence.Key()]
	if !known || !t.Confirmed {
		return nil, nil
	}
	return []Event{Reorged{Payment: s.ID, Destination: s.Destination, Evidence: t.Evidence, Amount: t.Amount, Waterfall: c.Waterfall}}, nil
}

func holdForReview(_ State, c HoldForReview) ([]Event, error) {
	return []Event{HeldForReview{Kind: c.Kind, Score: c.Score}}, nil
}

func expire(s State, c Expire) ([]Event, error) {
	if c.At.Before(s.ExpiresAt) && c.By.Kind == string(domain.Timer) {
		return nil, fault.ErrInvalidState.With("expires_at", s.ExpiresAt)
	}
	return []Event{Expired{Hold: s.Hold, Partial: !s.Confirmed.IsZero(), At: c.At}}, nil
}

func cancel(s State, c Cancel) ([]Event, error) {
	return []Event{Cancelled{Hold: s.Hold, By: c.By, Reason: c.Reason}}, nil
}
