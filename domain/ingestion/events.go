package ingestion

import (
	"time"

	"holdfast/domain"
)

// Event is something that happened to a provider's report.
type Event interface {
	domain.Event
	ingestion()
}

// Received: a provider reports something for the first time.
type Received struct {
	Provider string `json:"provider"`
	// Delivery is the provider's id of the delivery that was first; it is not signed.
	Delivery string `json:"delivery_id,omitempty"`
	SHA256   string `json:"raw_sha256"` // of the body as it came, in hex
	Type     string `json:"type"`       // as the provider names it: "payment.confirmed.client_id"
	// Request, Reference and Tx are the provider's words and nothing that is believed.
	Request   string    `json:"request_id,omitempty"`
	Reference string    `json:"reference,omitempty"`
	Tx        string    `json:"tx,omitempty"`
	At        time.Time `json:"at"`
}

// Matched: it is about a payment of ours, and what it asks for was done. Evidence is the
// transaction that was read from the chain ("1337:0x…"); empty when none was to be read.
type Matched struct {
	Payment  domain.PaymentID `json:"payment"`
	Evidence string           `json:"evidence,omitempty"`
}

// Parked: nobody's payment, or the chain does not say what the provider says. A person looks.
type Parked struct {
	Reason string `json:"reason"`
}

func (Received) EventType() string { return "ingestion.received" }
func (Matched) EventType() string  { return "ingestion.matched" }
func (Parked) EventType() string   { return "ingestion.parked" }
func (Received) ingestion()        {}
func (Matched) ingestion()         {}
func (Parked) ingestion()          {}
