package http_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	apihttp "holdfast/http"
)

// people are users and their sessions in memory, with the rows that go with their events.
type people struct {
	slow     func(typed string) <-chan time.Time // how long comparing a password takes
	mu       sync.Mutex
	byID     map[domain.UserID]apihttp.User
	sessions map[string]apihttp.Session
	refresh  map[string]string // token → session; used ones stay with "" as session
	family   map[string]string // token → session for ever
}

func newPeople() *people {
	p := &people{byID: map[domain.UserID]apihttp.User{}, sessions: map[string]apihttp.Session{}, refresh: map[string]string{}, family: map[string]string{}}
	for _, name := range []string{"admin", "admin2", "buyer", "buyer2", "seller", "seller2", "resolver", "resolver2", "guard"} {
		role := domain.Capacity(strings.TrimSuffix(name, "2"))
		id := domain.UserID(uuid.NewSHA1(uuid.NameSpaceDNS, []byte(name)).String())
		p.byID[id] = apihttp.User{
			ID: id, Email: name + "@holdfast.test", Name: name, Roles: []domain.Capacity{role}, Password: password, Status: apihttp.StatusActive, Verified: true,
		}
	}
	return p
}

// register puts them into the log.
func (p *people) register(u *domain.Unit) error {
	for id, person := range p.byID {
		_, err := domain.Do(u, account.Decider, string(id), account.Register{
			Issue: process(), User: id, Email: person.Email, EmailKey: apihttp.EmailKey(keyed{}, person.Email), Verified: true,
			Name: person.Name, Roles: person.Roles, Method: account.Seeded, Password: true,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *people) named(name string) apihttp.User {
	u, _, _ := p.ByEmail(context.Background(), name+"@holdfast.test")
	return u
}

func (p *people) ByEmail(_ context.Context, email string) (apihttp.User, bool, error) {
	email = strings.ToLower(strings.TrimSpace(email))
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

func (p *people) Verify(ctx context.Context, phc, typed string) (bool, error) {
	if p.slow != nil {
		select {
		case <-p.slow(typed):
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	return phc != "" && phc == typed, nil
}

func (p *people) Open(_ context.Context, n apihttp.NewSession) (apihttp.Opened, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, token := uuid.NewString(), uuid.NewString()
	p.sessions[id] = apihttp.Session{ID: id, User: n.User, Method: n.Method, SignedInAt: time.Now()}
	p.refresh[token], p.family[token] = id, id
	return apihttp.Opened{ID: id, Refresh: token}, nil
}

func (p *people) Hash(_ context.Context, password string) (string, error) { return password, nil }

func (p *people) Rehash(context.Context, domain.UserID, string, string) error { return nil }

func (p *people) EmailHeld(context.Context, string) (domain.UserID, bool, error) {
	return "", false, nil
}

// sessionOf is a live session of the person.
func (p *people) sessionOf(u domain.UserID) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, s := range p.sessions {
		if s.User == u {
			return id
		}
	}
	return ""
}

func (p *people) List(context.Context, domain.UserID) ([]apihttp.Device, error) { return nil, nil }

func (p *people) CloseOne(_ context.Context, u domain.UserID, id string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sessions[id].User != u {
		return false, nil
	}
	delete(p.sessions, id)
	return true, nil
}

func (p *people) CloseOf(_ context.Context, u domain.UserID, refresh string) error {
	_, err := p.CloseOne(context.Background(), u, p.family[refresh])
	return err
}

func (p *people) Rotate(_ context.Context, token string, _ []byte, _ time.Duration) (apihttp.Rotation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, known := p.refresh[token]
	s, live := p.sessions[p.family[token]]
	if !known || !live {
		return apihttp.Rotation{}, fault.New(fault.Unauthenticated, "INVALID_TOKEN", "no")
	}
	s.Roles = p.byID[s.User].Roles
	if id == "" {
		return apihttp.Rotation{Session: s, Reused: true}, nil
	}
	next := uuid.NewString()
	p.refresh[token], p.refresh[next], p.family[next] = "", id, id
	return apihttp.Rotation{Session: s, Next: next}, nil
}

func (p *people) Live(_ context.Context, id string) (apihttp.Session, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.sessions[id]
	u := p.byID[s.User]
	if !ok || !u.Active() {
		return apihttp.Session{}, false, nil
	}
	s.Roles = u.Roles
	return s, true, nil
}

func (p *people) Close(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions, id)
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

// keyed is a keyed hash with a key that everybody knows.
type keyed struct{}

func (keyed) Of(purpose, text string) string {
	m := hmac.New(sha256.New, []byte("key"))
	m.Write([]byte(purpose + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
