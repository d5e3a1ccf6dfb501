package wire

import (
	"context"
	"time"

	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/eventstore"
	apihttp "holdfast/http"
)

// The rows speak their own words and the server its own; these turn one into the other.

type users struct{ *records.Users }

func (u users) ByEmail(ctx context.Context, email string) (apihttp.User, bool, error) {
	r, ok, err := u.Users.ByEmail(ctx, email)
	return apihttp.User(r), ok, err
}

func (u users) ByID(ctx context.Context, id domain.UserID) (apihttp.User, bool, error) {
	r, ok, err := u.Users.ByID(ctx, id)
	return apihttp.User(r), ok, err
}

func (u users) Registered(p apihttp.User, method string) []eventstore.Row {
	return u.Users.Registered(records.User(p), method)
}

type sessions struct{ *records.Sessions }

func (s sessions) Open(ctx context.Context, n apihttp.NewSession) (apihttp.Opened, error) {
	o, err := s.Sessions.Open(ctx, records.NewSession(n))
	return apihttp.Opened(o), err
}

func (s sessions) List(ctx context.Context, u domain.UserID) ([]apihttp.Device, error) {
	rows, err := s.Sessions.List(ctx, u)
	all := make([]apihttp.Device, len(rows))
	for i, r := range rows {
		all[i] = apihttp.Device(r)
	}
	return all, err
}

type accountCodes struct{ *records.AccountCodes }

func (c accountCodes) Put(ctx context.Context, code apihttp.NewCode, most apihttp.CodeLimits) (bool, error) {
	return c.AccountCodes.Put(ctx, records.NewCode(code), records.CodeLimits(most))
}

func (c accountCodes) Try(ctx context.Context, u domain.UserID, purpose, asker string, most apihttp.CodeLimits) (apihttp.AccountCode, bool, error) {
	r, ok, err := c.AccountCodes.Try(ctx, u, purpose, asker, records.CodeLimits(most))
	return apihttp.AccountCode(r), ok, err
}

func (s sessions) Rotate(ctx context.Context, refresh string, binding []byte, lives time.Duration) (apihttp.Rotation, error) {
	r, err := s.Sessions.Rotate(ctx, refresh, binding, lives)
	return apihttp.Rotation{Session: apihttp.Session(r.Session), Next: r.Next, Reused: r.Reused}, err
}

func (s sessions) Live(ctx context.Context, id string) (apihttp.Session, bool, error) {
	r, ok, err := s.Sessions.Live(ctx, id)
	return apihttp.Session(r), ok, err
}

type wallets struct{ *records.Wallets }

func (w wallets) OfUser(ctx context.Context, u domain.UserID, id string) (apihttp.Wallet, bool, error) {
	r, ok, err := w.Wallets.OfUser(ctx, u, id)
	return apihttp.Wallet(r), ok, err
}

func (w wallets) Default(ctx context.Context, u domain.UserID, chain uint64) (apihttp.Wallet, bool, error) {
	r, ok, err := w.Wallets.Default(ctx, u, chain)
	return apihttp.Wallet(r), ok, err
}

func (w wallets) List(ctx context.Context, u domain.UserID) ([]apihttp.Wallet, error) {
	rows, err := w.Wallets.List(ctx, u)
	all := make([]apihttp.Wallet, len(rows))
	for i, r := range rows {
		all[i] = apihttp.Wallet(r)
	}
	return all, err
}

func (w wallets) Linked(u domain.UserID, added apihttp.Wallet, cooling time.Duration) []eventstore.Row {
	return w.Wallets.Linked(u, records.Wallet(added), cooling)
}

type inbox struct{ *records.Inbox }

func (i inbox) Store(ctx context.Context, d apihttp.Delivery) error {
	return i.Inbox.Store(ctx, records.Delivery(d))
}

func (i inbox) List(ctx context.Context, f apihttp.DeliveryFilter, limit int) ([]apihttp.StoredDelivery, error) {
	rows, err := i.Inbox.List(ctx, records.DeliveryFilter(f), limit)
	all := make([]apihttp.StoredDelivery, len(rows))
	for n, r := range rows {
		all[n] = apihttp.StoredDelivery(r)
	}
	return all, err
}
