package http

import (
	"context"

	"holdfast/domain"
)

// Mail is one message to a person, by template.
type Mail struct {
	// To is a user; Address, when given, is where it goes instead of the user's own address.
	To      domain.UserID
	Address string
	// Template is one of verify-email, reset-password, email-changed, password-changed,
	// new-sign-in, account-erased, seller-application.
	Template string
	Vars     map[string]string
	// Key makes a repeat harmless and the Message-ID stable.
	Key string
}

// Mailer puts messages into the outbox; it never talks to a mail server meanwhile.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}
