package migration

import (
	"holdfast/domain"
	"holdfast/domain/legacyentry"
)

// TakeEntry takes a document of fundsledgerentries as history.
type TakeEntry struct {
	domain.Issue
	Document Entry
	Names    Names
}

// Run decides.
func (f TakeEntry) Run(u *domain.Unit) (any, error) {
	d := f.Document
	e := legacyentry.Imported{Legacy: d.Legacy, Payment: domain.PaymentID(f.Names(Payments, d.Payment)), Body: d.Body}
	if d.Text != "" {
		e.Text = domain.About(domain.UserID(f.Names(Users, d.User)), d.Text)
	}
	_, err := domain.Do(u, legacyentry.Decider, ID(LedgerEntries, d.ObjectID), legacyentry.Import{Issue: Import(f.Issue), Fact: e})
	return nil, err
}
