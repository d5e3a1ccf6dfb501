package domain

// The names of things. All are UUIDs in text form; they come in with the command, because
// the domain knows no randomness.
type (
	UserID        string
	RequestID     string
	OfferID       string
	QuoteID       string
	PaymentID     string
	HoldID        string
	RefundID      string
	PayoutID      string
	DisputeID     string
	DestinationID string
	SweepID       string
)
