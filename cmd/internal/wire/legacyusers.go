package wire

import (
	"context"
	"strconv"

	"holdfast/adapters/legacydb"
	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/account"
	legacy "holdfast/domain/migration"
	"holdfast/eventstore"
	apihttp "holdfast/http"
	"holdfast/reactors/legacyimport"
)

func (i importTools) users() legacyimport.Taker {
	return legacyimport.Take(legacy.Users, legacydb.User, func(u legacy.User) legacy.Found { return u.Found },
		func(_ context.Context, d legacy.User, t legacyimport.Taking) (legacyimport.Step, error) {
			flow := legacy.TakeUser{Issue: t.Issue, Document: d}
			step := legacyimport.Step{Streams: []domain.Stream{{Type: account.Decider.Category, ID: t.ID}}, Subjects: []domain.UserID{domain.UserID(t.ID)}}
			row := records.ImportedUser{
				User: records.User{
					ID: domain.UserID(t.ID), Email: d.Email, Name: d.Name(), Roles: d.Roles, Password: d.Password, Status: d.Status, Verified: d.Verified && d.Email != "",
				},
				Method: string(d.Method), Since: d.CreatedAt, Profile: records.Profile(d.Profile),
			}
			if d.Deleted() {
				row.Name, row.Status, row.Profile = "", "erased", records.Profile{}
			} else {
				i.signIns(d, &flow, &row)
			}
			if d.Email != "" {
				flow.EmailKey = apihttp.EmailKey(i.hashes, d.Email)
				step.Alone = append(step.Alone, account.EmailClaim(flow.EmailKey))
			}
			for _, s := range flow.SignIns {
				step.Alone = append(step.Alone, s.Claim())
			}
			step.Flow, step.Rows = flow, i.records.Users.Imported(row)
			if !d.Deleted() {
				step.Sealed = func(ctx context.Context) ([]eventstore.Row, error) { return i.personal(ctx, d, row) }
			}
			return step, nil
		}, legacyimport.Warm(account.Decider))
}

// signIns adds what the person signs in with beside the password.
func (i importTools) signIns(d legacy.User, flow *legacy.TakeUser, row *records.ImportedUser) {
	add := func(m account.Method, subject, label string) {
		if subject == "" {
			return
		}
		flow.SignIns = append(flow.SignIns, account.SignIn{Method: m, Key: i.hashes.Of(string(m), subject)})
		row.SignIns = append(row.SignIns, records.SignInMethod{Method: string(m), Subject: subject, Label: label})
	}
	add(account.Google, d.Google, d.Email)
	add(account.Telegram, d.Telegram, d.FirstName)
	if chat, err := strconv.ParseInt(d.Telegram, 10, 64); err == nil {
		row.Chat = chat
	}
}

// personal are the rows that are sealed with the person's key.
func (i importTools) personal(ctx context.Context, d legacy.User, row records.ImportedUser) ([]eventstore.Row, error) {
	rows, err := i.profiles.Imported(ctx, row.ID, row.Profile)
	if err != nil {
		return nil, err
	}
	var list []records.Address
	for n, a := range d.Addresses {
		list = append(list, records.Address{
			ID: domain.DeriveID(d.ObjectID, "legacy address\x00"+strconv.Itoa(n)), Default: a.Default,
			AddressText: records.AddressText{Label: a.Label, FullName: a.FullName, Line1: a.Line1, Line2: a.Line2, City: a.City, Region: a.Region, PostalCode: a.PostalCode, Country: a.Country, Phone: a.Phone},
		})
	}
	addresses, err := i.addresses.Imported(ctx, row.ID, list)
	return append(rows, addresses...), err
}
