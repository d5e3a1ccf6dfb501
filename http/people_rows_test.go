package http_test

import (
	"holdfast/domain"
	"holdfast/eventstore"
	apihttp "holdfast/http"
)

// The statements that go with an account's events are functions here; the memory store calls them.

func rowOf(do func()) []eventstore.Row { return []eventstore.Row{{SQL: "in memory", Args: []any{do}}} }

func applyRows(rows []eventstore.Row) {
	for _, r := range rows {
		r.Args[0].(func())()
	}
}

func (p *people) Registered(u apihttp.User, _ string) []eventstore.Row {
	return rowOf(func() { p.change(u.ID, func(now *apihttp.User) { *now = u }) })
}

func (p *people) EmailVerified(u domain.UserID) []eventstore.Row {
	return rowOf(func() { p.change(u, func(now *apihttp.User) { now.Verified = true }) })
}

func (p *people) EmailChanged(u domain.UserID, email string) []eventstore.Row {
	return rowOf(func() { p.change(u, func(now *apihttp.User) { now.Email, now.Verified = email, true }) })
}

func (p *people) Renamed(u domain.UserID, name string) []eventstore.Row {
	return rowOf(func() { p.change(u, func(now *apihttp.User) { now.Name = name }) })
}

func (p *people) PasswordSet(u domain.UserID, hash string) []eventstore.Row {
	return rowOf(func() { p.change(u, func(now *apihttp.User) { now.Password = hash }) })
}

func (p *people) RolesChanged(u domain.UserID, roles []domain.Capacity) []eventstore.Row {
	return rowOf(func() { p.change(u, func(now *apihttp.User) { now.Roles = roles }) })
}

func (p *people) StatusChanged(u domain.UserID, status string) []eventstore.Row {
	return rowOf(func() { p.change(u, func(now *apihttp.User) { now.Status = status }) })
}

func (p *people) SessionsRevoked(u domain.UserID, session, keep string) []eventstore.Row {
	return rowOf(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for id, s := range p.sessions {
			if s.User == u && (session == "" || session == id) && id != keep {
				delete(p.sessions, id)
			}
		}
	})
}

// everySession lists the ids of all sessions that ever were.
func (p *people) everySession() map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string]bool{}
	for _, id := range p.family {
		all[id] = true
	}
	return all
}
