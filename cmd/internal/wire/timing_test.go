package wire

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	apihttp "holdfast/http"
)

// steps counts what a sign-in spends time on.
type steps struct {
	users
	mu  sync.Mutex
	did map[string]int
}

func (s *steps) note(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.did[step]++
}

func (s *steps) ByEmail(ctx context.Context, email string) (apihttp.User, bool, error) {
	s.note("look")
	return s.users.ByEmail(ctx, email)
}

func (s *steps) Verify(ctx context.Context, stored, password string) (bool, error) {
	s.note("verify")
	return s.users.Verify(ctx, stored, password)
}

func (s *steps) Hash(ctx context.Context, password string) (string, error) {
	s.note("hash")
	return s.users.Hash(ctx, password)
}

func (s *steps) Failed(context.Context, string) { s.note("failed") }
func (s *steps) Clear(context.Context, string)  { s.note("clear") }
func (s *steps) Locked(context.Context, string) (time.Time, bool) {
	s.note("locked")
	return time.Time{}, false
}

// The clock must not tell whether an account exists (faults.md, rows 38, 41, 47). That both ways
// do the same costly steps, and are kept back for the same time where they cannot, is shown here;
// make bench measures the medians.
func TestKnownAndUnknownGoTheSameWay(t *testing.T) {
	t.Parallel()
	counted := &steps{did: map[string]int{}}
	w := withAccounts(t, func(_ *apihttp.Config, d *apihttp.Deps) {
		counted.users, _ = d.Users.(users)
		d.Users, d.Lockouts = counted, counted
	})
	w.person("ann@example.org")
	spent := func(path string, body fields) (map[string]int, time.Duration) {
		counted.mu.Lock()
		counted.did = map[string]int{}
		counted.mu.Unlock()
		began := time.Now()
		w.post(path, body)
		return counted.did, time.Since(began)
	}
	wrong := func(email string) fields { return fields{"email": email, "password": "a wrong password"} }
	known, _ := spent("login", wrong("ann@example.org"))
	unknown, _ := spent("login", wrong("nobody@example.org"))
	assert.Equal(t, map[string]int{"look": 1, "locked": 2, "verify": 1, "failed": 1}, known, "the lock is asked before and after the turn")
	assert.Equal(t, known, unknown)

	register := func(email string) fields {
		return fields{"email": email, "password": annsPassword, "name": "Ann"}
	}
	taken, took := spent("register", register("ann@example.org"))
	free, tookFree := spent("register", register("bob@example.org"))
	assert.Equal(t, map[string]int{"hash": 1}, taken)
	assert.Equal(t, taken, free)
	least := 120 * time.Millisecond
	assert.GreaterOrEqual(t, min(took, tookFree), least)

	reset := func(email string) fields {
		return fields{"email": email, "code": "000000", "newPassword": "another horse battery"}
	}
	code := func(email string) fields { return fields{"email": email, "code": "000000"} }
	for path, body := range map[string]func(string) fields{
		"forgot-password": func(email string) fields { return fields{"email": email} }, "resend-verification": func(email string) fields { return fields{"email": email} },
		"reset-password": reset, "verify-email": code,
	} {
		for _, email := range []string{"ann@example.org", "nobody@example.org"} {
			did, took := spent(path, body(email))
			assert.GreaterOrEqual(t, took, least, "%s %s", path, email)
			assert.Equal(t, map[string]int{"look": 1}, did, fmt.Sprint(path, " ", email))
		}
	}
}
