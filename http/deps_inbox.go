package http

import (
	"context"
	"time"
)

// Delivery is one notice that a provider sent.
type Delivery struct {
	Source     string // "request-network"
	ID         string // the provider's delivery id
	Body       []byte // as received
	Header     map[string]string
	ReceivedAt time.Time
	// Event and RequestID are what the body says, for the list alone.
	Event     string
	RequestID string
	// Quarantine is set when the signature is right but the body cannot be read.
	Quarantine string
}

// StoredDelivery is a row of the inbox.
type StoredDelivery struct {
	ID         string    `json:"id"`
	Source     string    `json:"source"`
	Delivery   string    `json:"delivery"`
	Status     string    `json:"status"`
	ReceivedAt time.Time `json:"receivedAt"`
	Attempts   int       `json:"attempts"`
	Error      string    `json:"error,omitempty"`
	Event      string    `json:"event,omitempty" doc:"As the provider names it"`
	RequestID  string    `json:"requestId,omitempty" doc:"The provider's"`
	Copies     int       `json:"copies" doc:"How often this very delivery came"`
}

// DeliveryFilter narrows the list; empty fields do not. Before is a row id.
type DeliveryFilter struct {
	Status, RequestID, Before string
}

// Inbox keeps notices before anything else happens to them.
type Inbox interface {
	// Store keeps a delivery; a delivery id that is known already is no error.
	Store(ctx context.Context, d Delivery) error
	// List gives deliveries, newest first.
	List(ctx context.Context, f DeliveryFilter, limit int) ([]StoredDelivery, error)
	// Replay puts deliveries up for ingestion again, by row or provider id, or by time of arrival,
	// and gives how many.
	Replay(ctx context.Context, id string, from, to time.Time) (int, error)
}

// WebhookVerifier checks a provider's signature over the raw body in constant time, against
// every secret that is valid now.
type WebhookVerifier interface {
	Verify(signature string, body []byte) bool
}
