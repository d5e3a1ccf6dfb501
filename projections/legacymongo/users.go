package legacymongo

import (
	"strings"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/eventstore"
	"holdfast/projections"
)

// person is an account as its stream tells it.
type person struct {
	account.State
	Email    domain.Personal `json:"email"`
	FullName domain.Personal `json:"name"`
	LastName domain.Personal `json:"last_name"`
	Method   account.Method  `json:"method"`
}

// personView folds an account; signing in reads the rows.
func personView() projections.View[person] {
	return projections.View[person]{Name: "people", Version: 2, Category: account.Decider.Category, Fold: func(d *person, r eventstore.Recorded) (err error) {
		if d.State, err = projections.Evolve(account.Decider, d.State, r); err != nil {
			return err
		}
		switch e := r.Event.(type) {
		case account.UserRegistered:
			d.Email, d.FullName, d.Method = e.Email, e.Name, e.Method
		case account.UserImported:
			d.Email, d.FullName, d.LastName, d.Method = e.Email, e.Name, e.LastName, e.Method
		case account.EmailChanged:
			d.Email = e.Email
		case account.Renamed:
			d.FullName, d.LastName = e.Name, domain.Personal{}
		}
		return nil
	}}
}

// users is the collection of people.
func users() Collection {
	return Collection{
		Name: "users", Domain: User, Version: 2,
		Streams: []string{account.Decider.Category}, Render: renderUser,
		About: "People. Neither password hashes nor refresh tokens are written: they are worth nothing to the old backend (argon2id, rotating families) and much to a thief, so who signs in there must sign in here. `role` is the first of admin, guard, resolver, seller, buyer that the person holds; `roles` has them all. An erased person keeps the document, without name and address.",
		Fields: []Field{
			{"email", "string; empty for none and once erased", "user.registered, user.email_changed, user.imported"},
			{"firstName", "string; empty once erased", "user.registered, user.renamed, user.imported: all that is no last name"},
			{"lastName", "string; empty but for imported people who kept their name", "user.imported, user.renamed"},
			{"role", "string", "user.registered, user.roles_changed"},
			{"roles", "array of string", "user.registered, user.roles_changed"},
			{"isEmailVerified", "bool", "user.registered, user.email_verified, user.email_changed"},
			{"status", "active, suspended, deleted", "user.suspended, user.reinstated, user.erased"},
			{"isActive", "bool", "user.suspended, user.reinstated, user.erased"},
			{"authProvider", "email, google, telegram, wallet …", "user.registered, user.imported"},
			{"deletionDueAt", "date or null", "user.erasure_requested, user.erasure_cancelled"},
		},
	}
}

func renderUser(r *Reading, id string) (*Document, error) {
	// The view part is made for whose text is in it: erasing somebody writes their document anew.
	row, part, err := load(r, personView(), map[string]Column{}, id)
	if err != nil || row == nil {
		return nil, err
	}
	d, status := row.Doc, "active"
	switch {
	case d.Erased:
		status = "deleted"
	case d.Suspended:
		status = "suspended"
	}
	return &Document{Version: row.Version, First: row.FirstPos, view: part, Fields: stamped(bson.D{
		{Key: "email", Value: d.Email.Text},
		{Key: "firstName", Value: strings.TrimSuffix(strings.TrimSuffix(d.FullName.Text, d.LastName.Text), " ")},
		{Key: "lastName", Value: d.LastName.Text},
		{Key: "role", Value: role(d.Roles)},
		{Key: "roles", Value: texts(d.Roles)},
		{Key: "isEmailVerified", Value: d.Verified},
		{Key: "status", Value: status},
		{Key: "isActive", Value: status == "active"},
		{Key: "authProvider", Value: provider(d.Method)},
		{Key: "deletionDueAt", Value: dateOf(&d.ErasureDue)},
	}, row.CreatedAt, row.UpdatedAt)}, nil
}

// provider is the original's word for how somebody registered.
func provider(m account.Method) string {
	if m == account.Password {
		return "email"
	}
	return string(m)
}

// role is the one role that the original kept.
func role(roles []domain.Capacity) string {
	for _, first := range []domain.Capacity{domain.Admin, domain.Guard, domain.Resolver, domain.Seller} {
		for _, has := range roles {
			if has == first {
				return string(first)
			}
		}
	}
	return string(domain.Buyer)
}
