package migration

import (
	"holdfast/domain"
	"holdfast/domain/account"
)

// User is a document of users.
type User struct {
	Found
	Email               string // lower case, empty for none
	FirstName, LastName string
	Roles               []domain.Capacity
	Verified            bool
	Status              string // active, suspended, deleted
	Password            string // bcrypt, empty for none
	Method              account.Method
	Google, Telegram    string // how they are named there, empty for none
	Profile             Profile
	Addresses           []Address
}

// Profile is what a person said about themselves.
type Profile struct{ Avatar, Bio, Locale, Phone string }

// Address is an address within a document of users.
type Address struct {
	Label, FullName, Line1, Line2, City, Region, PostalCode, Country, Phone string
	Default                                                                 bool
}

// Name is what people read.
func (d User) Name() string {
	switch {
	case d.FirstName == "":
		return d.LastName
	case d.LastName == "":
		return d.FirstName
	}
	return d.FirstName + " " + d.LastName
}

// Deleted reports that the old backend had forgotten the person.
func (d User) Deleted() bool { return d.Status == "deleted" }

// TakeUser takes a document of users. Errors: LEGACY_CONFLICT, EMAIL_IN_USE, SIGN_IN_IN_USE.
type TakeUser struct {
	domain.Issue
	Document User
	// EmailKey and SignIns name the address and the means of signing in; empty for none.
	EmailKey string
	SignIns  []account.SignIn
}

// Run decides.
func (f TakeUser) Run(u *domain.Unit) (any, error) {
	d := f.Document
	id := domain.UserID(ID(Users, d.ObjectID))
	e := account.UserImported{
		Legacy: d.Legacy, User: id, Roles: d.Roles, Method: d.Method, Suspended: d.Status == "suspended", Deleted: d.Deleted(),
	}
	if !d.Deleted() {
		e.Email, e.EmailKey, e.EmailVerified = domain.About(id, d.Email), f.EmailKey, d.Verified && f.EmailKey != ""
		e.Name, e.LastName = domain.About(id, d.Name()), domain.About(id, d.LastName)
		e.Password, e.SignIns = d.Password != "", f.SignIns
	}
	_, err := domain.Do(u, account.Decider, string(id), account.Import{Issue: Import(f.Issue), Fact: e})
	return nil, err
}
