package wire

import (
	"context"

	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/eventstore"
	apihttp "holdfast/http"
	"holdfast/projections/dependencyview"
)

// The rows about people speak their own words and the server its own.

type profiles struct{ *records.Profiles }

func (p profiles) Of(ctx context.Context, u domain.UserID) (apihttp.Profile, error) {
	r, err := p.Profiles.Of(ctx, u)
	return apihttp.Profile(r), err
}

func (p profiles) Put(ctx context.Context, u domain.UserID, in apihttp.Profile) error {
	return p.Profiles.Put(ctx, u, records.Profile(in))
}

type addresses struct{ *records.Addresses }

func addressOut(a records.Address) apihttp.Address {
	return apihttp.Address{ID: a.ID, Default: a.Default, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, AddressText: apihttp.AddressText(a.AddressText)}
}

func addressIn(a apihttp.Address) records.Address {
	return records.Address{ID: a.ID, Default: a.Default, AddressText: records.AddressText(a.AddressText)}
}

func (s addresses) List(ctx context.Context, u domain.UserID) ([]apihttp.Address, error) {
	rows, err := s.Addresses.List(ctx, u)
	all := make([]apihttp.Address, len(rows))
	for i, r := range rows {
		all[i] = addressOut(r)
	}
	return all, err
}

func (s addresses) OfUser(ctx context.Context, u domain.UserID, id string) (apihttp.Address, bool, error) {
	r, ok, err := s.Addresses.OfUser(ctx, u, id)
	return addressOut(r), ok, err
}

func (s addresses) Add(ctx context.Context, u domain.UserID, a apihttp.Address) error {
	return s.Addresses.Add(ctx, u, addressIn(a))
}

func (s addresses) Change(ctx context.Context, u domain.UserID, a apihttp.Address) error {
	return s.Addresses.Change(ctx, u, addressIn(a))
}

type applications struct{ *records.Applications }

func applicationOut(a records.Application) apihttp.Application {
	return apihttp.Application{
		ID: a.ID, User: a.User, Status: a.Status, Reason: a.Reason, MadeAt: a.MadeAt, DecidedAt: a.DecidedAt, ApplicationText: apihttp.ApplicationText(a.ApplicationText),
	}
}

func applicationIn(a apihttp.Application) records.Application {
	return records.Application{ID: a.ID, User: a.User, Status: a.Status, Reason: a.Reason, ApplicationText: records.ApplicationText(a.ApplicationText)}
}

func (s applications) Submitted(ctx context.Context, a apihttp.Application) ([]eventstore.Row, error) {
	return s.Applications.Submitted(ctx, applicationIn(a))
}

func (s applications) Decided(ctx context.Context, a apihttp.Application, by domain.UserID) ([]eventstore.Row, error) {
	return s.Applications.Decided(ctx, applicationIn(a), by)
}

func (s applications) Newest(ctx context.Context, u domain.UserID) (apihttp.Application, bool, error) {
	r, ok, err := s.Applications.Newest(ctx, u)
	return applicationOut(r), ok, err
}

func (s applications) Get(ctx context.Context, id string) (apihttp.Application, bool, error) {
	r, ok, err := s.Applications.Get(ctx, id)
	return applicationOut(r), ok, err
}

func (s applications) List(ctx context.Context, status, after string, limit int) ([]apihttp.Application, error) {
	rows, err := s.Applications.List(ctx, status, after, limit)
	all := make([]apihttp.Application, len(rows))
	for i, r := range rows {
		all[i] = applicationOut(r)
	}
	return all, err
}

type exports struct{ *records.Exports }

func (s exports) Newest(ctx context.Context, u domain.UserID) (apihttp.Export, bool, error) {
	r, ok, err := s.Exports.Newest(ctx, u)
	return apihttp.Export(r), ok, err
}

type directory struct{ *records.Users }

func entryOut(e records.Entry) apihttp.Entry {
	return apihttp.Entry{User: apihttp.User(e.User), Method: e.Method, CreatedAt: e.CreatedAt}
}

func (d directory) Directory(ctx context.Context, f apihttp.DirectoryFilter, limit int) ([]apihttp.Entry, error) {
	rows, err := d.Users.Directory(ctx, records.DirectoryFilter(f), limit)
	all := make([]apihttp.Entry, len(rows))
	for i, r := range rows {
		all[i] = entryOut(r)
	}
	return all, err
}

func (d directory) Entry(ctx context.Context, u domain.UserID) (apihttp.Entry, bool, error) {
	r, ok, err := d.Users.Entry(ctx, u)
	return entryOut(r), ok, err
}

func (d directory) Census(ctx context.Context) (apihttp.Census, error) {
	c, err := d.Users.Census(ctx)
	return apihttp.Census(c), err
}

type dependencies struct{ dependencyview.Queries }

func (d dependencies) Of(ctx context.Context, u domain.UserID) (apihttp.OpenMatters, error) {
	o, err := d.Queries.Of(ctx, u)
	out := apihttp.OpenMatters{
		Balances: []apihttp.OpenBalance{}, Requests: o.Requests, Offers: o.Offers, Holds: o.Holds, Payments: o.Payments, Payouts: o.Payouts,
		Refunds: o.Refunds, Disputes: o.Disputes, None: o.None(),
	}
	for _, b := range o.Balances {
		out.Balances = append(out.Balances, apihttp.OpenBalance(b))
	}
	return out, err
}

func (d dependencies) Record(ctx context.Context, u domain.UserID) (apihttp.TrackRecord, error) {
	r, err := d.Queries.Record(ctx, u)
	return apihttp.TrackRecord(r), err
}
