package http

import (
	"context"
	"time"

	"holdfast/domain"
)

// MailTemplate is a kind of letter.
type MailTemplate struct {
	Name     string      `json:"name"`
	Purpose  string      `json:"purpose"`
	Optional bool        `json:"optional" doc:"Not sent to who unsubscribed"`
	Fields   []MailField `json:"fields"`
}

// MailField is a variable of a template.
type MailField struct {
	Name     string `json:"name"`
	Required bool   `json:"required"`
	Lines    bool   `json:"lines" doc:"May have several lines"`
}

// MailPreview is a letter rendered with samples.
type MailPreview struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
}

// QueuedMail is a letter in the outbox; its text is not shown.
type QueuedMail struct {
	ID       string        `json:"id"`
	UserID   domain.UserID `json:"userId,omitempty"`
	Template string        `json:"template"`
	Status   string        `json:"status" enum:"queued,sent,dead,skipped"`
	Attempts int           `json:"attempts"`
	Error    string        `json:"error,omitempty"`
	MadeAt   time.Time     `json:"madeAt"`
	NextAt   time.Time     `json:"nextAt"`
	DoneAt   *time.Time    `json:"doneAt,omitempty"`
}

// MailFilter narrows the outbox; empty fields do not. Before is a letter's id.
type MailFilter struct {
	Status, Before string
	User           domain.UserID
}

// PostOffice is the outbox as operators see it.
type PostOffice interface {
	Templates() []MailTemplate
	// Preview renders a template with samples; ok is false for an unknown one.
	Preview(name string) (p MailPreview, ok bool, err error)
	List(ctx context.Context, f MailFilter, limit int) ([]QueuedMail, error)
	// Retry queues a dead letter again; ok is false when there is no such one.
	Retry(ctx context.Context, id string) (ok bool, err error)
	// Check asks the mail server whether it takes letters.
	Check(ctx context.Context) error
	// Unsubscribe ends optional mail for the address that the token was made for; ok is
	// false for a token that was not made here.
	Unsubscribe(ctx context.Context, token string) (ok bool, err error)
}

// DevMailbox shows what was sent; only where nothing is really sent.
type DevMailbox interface {
	List(ctx context.Context, f MailFilter, limit int) ([]QueuedMail, error)
	// Letter gives a sent letter's bytes; ok is false for one that was not.
	Letter(ctx context.Context, id string) (raw []byte, ok bool, err error)
}
