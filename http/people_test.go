package http_test

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"holdfast/domain"
	"holdfast/domain/fault"
	apihttp "holdfast/http"
)

// people are users and their sessions in memory.
type people struct {
	mu       sync.Mutex
	byID     map[domain.UserID]apihttp.User
	sessions map[string]domain.UserID
	refresh  map[string]string // token → session; used ones stay with "" as session
	family   map[string]string // token → session for ever
}

func newPeople() *people {
	p := &people{byID: map[domain.UserID]apihttp.User{}, sessions: map[string]domain.UserID{}, refresh: map[string]string{}, family: map[string]string{}}
	for _, name := range []string{"admin", "admin2", "buyer", "buyer2", "seller", "seller2", "resolver", "resolver2", "guard"} {
		role := domain.Capacity(strings.TrimSuffix(name, "2"))
		id := domain.UserID(uuid.NewSHA1(uuid.NameSpaceDNS, []byte(name)).String())
		p.byID[id] = apihttp.User{ID: id, Email: name + "@holdfast.test", Name: name, Roles: []domain.Capacity{role}, Password: password, Active: true}
	}
	return p
}

func (p *people) named(name string) apihttp.User {
	u, _, _ := p.ByEmail(context.Background(), name+"@holdfast.test")
	return u
}

func (p *people) ByEmail(_ context.Context, email string) (apihttp.User, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.byID {
		if u.Email == email {
			return u, true, nil
		}
	}
	return apihttp.User{}, false, nil
}

func (p *people) ByID(_ context.Context, id domain.UserID) (apihttp.User, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, ok := p.byID[id]
	return u, ok, nil
}

func (p *people) Verify(_ context.Context, phc, typed string) (bool, error) {
	return phc != "" && phc == typed, nil
}

func (p *people) Open(_ context.Context, u domain.UserID, _ time.Duration) (string, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, token := uuid.NewString(), uuid.NewString()
	p.sessions[id], p.refresh[token], p.family[token] = u, id, id
	return id, token, nil
}

func (p *people) Rotate(_ context.Context, token string, _ time.Duration) (apihttp.Session, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, live := p.refresh[token]
	if !live {
		return apihttp.Session{}, "", fault.New(fault.Unauthenticated, "REFRESH_INVALID", "no")
	}
	if id == "" {
		delete(p.sessions, p.family[token])
		return apihttp.Session{}, "", fault.New(fault.Unauthenticated, "REFRESH_REUSED", "no")
	}
	u, ok := p.sessions[id]
	if !ok {
		return apihttp.Session{}, "", fault.New(fault.Unauthenticated, "REFRESH_INVALID", "no")
	}
	next := uuid.NewString()
	p.refresh[token], p.refresh[next], p.family[next] = "", id, id
	return apihttp.Session{ID: id, User: u, Roles: p.byID[u].Roles}, next, nil
}

func (p *people) Live(_ context.Context, id string) (apihttp.Session, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, ok := p.sessions[id]
	if !ok || !p.byID[u].Active {
		return apihttp.Session{}, false, nil
	}
	return apihttp.Session{ID: id, User: u, Roles: p.byID[u].Roles}, true, nil
}

func (p *people) Close(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions, id)
	return nil
}

func (p *people) CloseAll(_ context.Context, u domain.UserID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, owner := range p.sessions {
		if owner == u {
			delete(p.sessions, id)
		}
	}
	return nil
}

// change edits a person, as an admin would.
func (p *people) change(id domain.UserID, edit func(*apihttp.User)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.byID[id]
	edit(&u)
	p.byID[id] = u
}
