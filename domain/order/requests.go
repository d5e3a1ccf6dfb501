package order

import (
	"holdfast/domain"
	"holdfast/domain/request"
)

// CreateRequest makes a draft, and publishes it at once when Publish is set.
type CreateRequest struct {
	domain.Issue
	Request domain.RequestID
	Buyer   domain.UserID
	Details request.Details
	Invited []domain.UserID
	Publish bool
}

// Run decides.
func (f CreateRequest) Run(u *domain.Unit) (any, error) {
	c := request.Create{Issue: f.Issue, Request: f.Request, Buyer: f.Buyer, Details: f.Details, Invited: f.Invited}
	if _, err := domain.Do(u, request.Decider, string(f.Request), c); err != nil {
		return nil, err
	}
	if f.Publish {
		return onRequest(u, f.Request, request.Publish{Issue: f.Issue})
	}
	return requestAnswer(u, f.Request)
}

// UpdateRequest changes what is wanted. Errors: REQUEST_LOCKED.
type UpdateRequest struct {
	domain.Issue
	Request domain.RequestID
	Details request.Details
}

// Run decides.
func (f UpdateRequest) Run(u *domain.Unit) (any, error) {
	return onRequest(u, f.Request, request.Update{Issue: f.Issue, Details: f.Details})
}

// PublishRequest shows a draft to sellers.
type PublishRequest struct {
	domain.Issue
	Request domain.RequestID
}

// Run decides.
func (f PublishRequest) Run(u *domain.Unit) (any, error) {
	return onRequest(u, f.Request, request.Publish{Issue: f.Issue})
}

// InviteSellers adds sellers.
type InviteSellers struct {
	domain.Issue
	Request domain.RequestID
	Sellers []domain.UserID
}

// Run decides.
func (f InviteSellers) Run(u *domain.Unit) (any, error) {
	return onRequest(u, f.Request, request.Invite{Issue: f.Issue, Sellers: f.Sellers})
}

// ExpireRequest ends a request at its time.
type ExpireRequest struct {
	domain.Issue
	Request domain.RequestID
}

// Run decides.
func (f ExpireRequest) Run(u *domain.Unit) (any, error) {
	return onRequest(u, f.Request, request.Expire{Issue: f.Issue})
}
