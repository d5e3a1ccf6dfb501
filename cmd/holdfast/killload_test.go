package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/cmd/internal/apiclient"
)

// sent is a command and what came back.
type sent struct {
	user  string
	path  string
	key   string
	body  []byte
	tries int
	data  json.RawMessage
	made  trace
}

// trace is the event that the command must have left exactly once: its type, and the field
// of its data (a dotted path) that no other command shares.
type trace struct{ event, field, value string }

// load is what the clients do meanwhile.
type load struct {
	t       *testing.T
	service *service
	people  map[string]*apiclient.Client
	stop    chan struct{}
	workers sync.WaitGroup

	mu   sync.Mutex
	done []*sent
}

func newLoad(t *testing.T, s *service) *load {
	t.Helper()
	l := &load{t: t, service: s, people: map[string]*apiclient.Client{}, stop: make(chan struct{})}
	guest := apiclient.New(s.base)
	for _, name := range []string{"admin", "admin2", "buyer", "seller", "seller2"} {
		c, err := guest.Login(t.Context(), name+"@holdfast.test", records.DemoPassword)
		require.NoError(t, err)
		l.people[name] = c
	}
	return l
}

func (l *load) begin() {
	for n := range 4 {
		l.workers.Go(func() { l.forever(func(i int) { l.order(fmt.Sprintf("%d-%d", n, i)) }) })
	}
	l.workers.Go(func() { l.forever(func(i int) { l.capital(fmt.Sprintf("capital-%d", i)) }) })
}

func (l *load) forever(work func(int)) {
	for i := 0; ; i++ {
		select {
		case <-l.stop:
			return
		default:
			work(i)
		}
	}
}

// end lets every worker finish what it has begun.
func (l *load) end() {
	close(l.stop)
	l.workers.Wait()
}

// order is a request with two offers, one of which is taken.
func (l *load) order(name string) {
	made := l.do("buyer", "/api/marketplace/requests", trace{"request.created", "details.title", "wish " + name}, map[string]any{
		"title": "wish " + name, "description": "as red as can be", "categoryId": "00000000-0000-4000-8000-000000000c01", "productType": "goods", "publish": true,
		"budget": map[string]string{"min": "50", "max": "200", "currency": "USDC"}, "deliveryInfo": map[string]string{"deliveryType": "physical", "address": "1 Demo Street"},
	})
	request := made.get("request")
	var offer string
	for _, seller := range []string{"seller", "seller2"} {
		title := seller + " offers " + name
		offer = l.do(seller, "/api/marketplace/offers", trace{"offer.submitted", "terms.title", title}, map[string]any{
			"purchaseRequestId": request, "title": title, "price": map[string]string{"asset": "USDC@1337", "display": "100"},
			"deliveryTime": map[string]any{"amount": 3, "unit": "days"}, "validUntil": time.Now().Add(24 * time.Hour).UTC(),
		}).get("offer")
	}
	l.do("buyer", "/api/marketplace/requests/"+request+"/select-offer", trace{"escrow.opened", "request", request}, map[string]any{"offerId": offer, "revision": 1})
}

// capital is money that two admins agree to book: the first one's call leaves no event.
func (l *load) capital(ref string) {
	body := map[string]any{"kind": "capital_contributed", "ref": ref, "reason": "for the test of kills", "amount": map[string]string{"asset": "USDC@1337", "amount": "1"}}
	l.do("admin", "/api/ledger/adjustments", trace{}, body)
	l.do("admin2", "/api/ledger/adjustments", trace{"treasury.capital_contributed", "ref", ref}, body)
}

// do sends a command until it is answered, always under the same key.
func (l *load) do(user, path string, made trace, body any) *sent {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	c := &sent{user: user, path: path, key: uuid.NewString(), body: raw, made: made}
	l.send(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = append(l.done, c)
	return c
}

func (c *sent) get(field string) string { return apiclient.Answer{Data: c.data}.Get(field) }

func (l *load) repeated() (n int) {
	for _, c := range l.done {
		if c.tries > 1 {
			n++
		}
	}
	return n
}

// checkOnce reads the log: every acknowledged command left its event once, and nobody else did.
func (l *load) checkOnce() {
	l.t.Helper()
	want, found := map[trace]int{}, map[trace]int{}
	for _, c := range l.done {
		if c.made != (trace{}) {
			want[c.made]++
		}
	}
	fields := map[string]string{}
	for made := range want {
		fields[made.event] = made.field
	}
	for _, e := range l.events() {
		if field, ok := fields[e.Type]; ok {
			made := trace{e.Type, field, apiclient.Answer{Data: e.Data}.Get(field)}
			if want[made] > 0 || e.Type != "treasury.capital_contributed" { // the development chain's own capital
				found[made]++
			}
		}
	}
	for made, n := range want {
		if found[made] != n {
			l.t.Errorf("acknowledged %d times, in the log %d times: %v", n, found[made], made)
		}
	}
	for made, n := range found {
		if want[made] == 0 {
			l.t.Errorf("in the log %d times, never acknowledged: %v", n, made)
		}
	}
}

type logged struct {
	Position int64           `json:"position"`
	Type     string          `json:"type"`
	Data     json.RawMessage `json:"data"`
}

func (l *load) events() (all []logged) {
	l.t.Helper()
	for after := int64(0); ; {
		a, err := l.people["admin"].Call(l.t.Context(), http.MethodGet, fmt.Sprintf("/api/audit/events?limit=1000&from_position=%d", after), nil)
		require.NoError(l.t, err)
		var page []logged
		require.NoError(l.t, a.Into(&page))
		if len(page) == 0 {
			return all
		}
		for _, e := range page {
			require.Equal(l.t, after+1, e.Position, "positions are dense")
			after = e.Position
		}
		all = append(all, page...)
	}
}

// checkRepeatsAnswerTheSame sends every command again: the first answer comes back, and the
// log does not grow by any of them.
func (l *load) checkRepeatsAnswerTheSame() {
	l.t.Helper()
	for _, c := range l.done {
		again := *c
		l.send(&again)
		if !bytes.Equal(c.data, again.data) {
			l.t.Errorf("%s %s, sent again: %s, at first: %s", c.user, c.path, again.data, c.data)
		}
	}
	l.checkOnce()
}

// send repeats a command until the service has answered it by an acceptance. Nothing that
// these clients do may be refused.
func (l *load) send(c *sent) {
	for deadline := time.Now().Add(60 * time.Second); ; {
		client := *l.people[c.user] // a copy each: its position is not for sharing
		c.tries++
		a, err := l.service.call(&client, c)
		if err == nil {
			c.data = a.Data
			return
		}
		if !passing(err) || time.Now().After(deadline) {
			l.t.Errorf("%s %s: %v", c.user, c.path, err)
			return
		}
		l.service.letRun(20 * time.Millisecond)
	}
}
