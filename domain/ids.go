package domain

import "github.com/google/uuid"

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

// namespace of all ids that are derived rather than drawn.
var namespace = uuid.MustParse("6f9d0c52-5b1e-5c0e-9a55-7b1d64a9f001")

// DeriveID names the thing that follows from seed for a purpose: the same pair gives the
// same UUIDv5 for ever, so a policy or timer that runs twice asks for the same thing twice.
func DeriveID(seed, purpose string) string {
	return uuid.NewSHA1(namespace, []byte(purpose+"\x00"+seed)).String()
}
