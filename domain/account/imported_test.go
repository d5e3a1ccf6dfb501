package account_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
)

var (
	importer   = domain.Machine(domain.Import, "legacy")
	fromBefore = account.UserImported{
		Legacy: domain.Legacy{ObjectID: "65a000000000000000000001", Hash: "aa", CreatedAt: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), UpdatedAt: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)},
		User:   "U1", Roles: roles, Email: domain.About("U1", "ann@example.org"), EmailKey: "e1", EmailVerified: true,
		Name: domain.About("U1", "Ann Lee"), LastName: domain.About("U1", "Lee"), Method: account.Imported, Password: true,
		SignIns: []account.SignIn{google},
	}
)

func TestImport(t *testing.T) {
	t.Parallel()
	with := func(edit func(*account.UserImported)) account.UserImported {
		e := fromBefore
		edit(&e)
		return e
	}
	take := func(e account.UserImported) account.Import { return account.Import{Issue: by(importer), Fact: e} }
	moved := with(func(e *account.UserImported) { e.Hash, e.EmailKey, e.SignIns = "bb", "e2", nil })
	written := moved
	written.Was, written.Gone = "e1", []account.SignIn{google}
	machinetest.Run(t, account.Decider, []machinetest.Case[account.Event]{
		{Name: "a person", When: take(fromBefore), Then: []account.Event{fromBefore}},
		{Name: "once", Given: []account.Event{fromBefore}, When: take(fromBefore)},
		{Name: "names that are gone are given back", Given: []account.Event{fromBefore}, When: take(moved), Then: []account.Event{written}},
		{Name: "not once we have changed them", Given: []account.Event{fromBefore, account.RolesChanged{To: roles}}, When: take(moved), Err: domain.ErrLegacyConflict},
		{Name: "never over somebody who registered here", Given: []account.Event{registered}, When: take(fromBefore), Err: domain.ErrLegacyConflict},
		{Name: "nobody else imports", When: account.Import{Issue: by(admin), Fact: fromBefore}, Err: fault.ErrForbidden},
		{Name: "a role that is none", When: take(with(func(e *account.UserImported) { e.Roles = []domain.Capacity{"king"} })), Err: fault.ErrValidation},
		{Name: "an address without its key", When: take(with(func(e *account.UserImported) { e.EmailKey = "" })), Err: fault.ErrValidation},
		{Name: "who was suspended can be reinstated", Given: []account.Event{with(func(e *account.UserImported) { e.Suspended = true })}, When: account.Reinstate{Issue: by(admin)}, Then: []account.Event{account.UserReinstated{By: admin}}},
		{Name: "who was deleted stays so", Given: []account.Event{with(func(e *account.UserImported) { e.Deleted = true })}, When: account.Reinstate{Issue: by(admin)}, Err: fault.ErrNotFound},
	})
	names := map[string]bool{}
	for _, c := range account.Aggregate().Claims(domain.Stream{}, written) {
		names[c.Name] = c.Free
	}
	if len(names) != 3 || names["email:e2"] || !names["email:e1"] || !names["google:g"] {
		t.Errorf("claims: %v", names)
	}
}
