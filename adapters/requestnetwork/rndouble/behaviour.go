package rndouble

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"holdfast/domain/money"
)

// Behaviour is how a double treats us: the zero value is a provider on a good day.
type Behaviour struct {
	// Mute sends no webhooks at all, as after 21 seconds of our downtime.
	Mute bool
	// Copies is how often an event is delivered, under one delivery id; 1 when 0. Variants
	// ("client_id", "checkout") are sent besides, each once and under an id of its own.
	Copies   int
	Variants []string
	// Scatter delays each delivery by up to so long, at random, so that they come in any order.
	Scatter time.Duration
	// WrongAmount stands in every webhook and every call data instead of what is right, and
	// WrongPayee in the call data.
	WrongAmount money.Units
	WrongPayee  string
	// Limited, HTML and Lost count down: so many calls are answered with 429, so many with a page
	// of HTML, and so many are carried out without an answer.
	Limited, HTML, Lost int
	// Slow is how long every answer takes.
	Slow time.Duration
}

// Behave changes the behaviour from now on.
func (d *Double) Behave(change func(*Behaviour)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.how)
	d.how.Variants = slices.Clone(d.how.Variants)
}

// Calls counts the requests that reached the API, by their first two words ("POST request").
func (d *Double) Calls() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string]int{}
	for k, n := range d.calls {
		all[k] = n
	}
	return all
}

// Requests tells the ids of the requests that were made with a reference of ours.
func (d *Double) Requests(ours string) (ids []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.requests {
		if r.Ours == ours {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func (d *Double) count(r *http.Request) {
	words := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.calls == nil {
		d.calls = map[string]int{}
	}
	name := r.Method + " " + words[min(1, len(words)-1)]
	if len(words) > 3 {
		name += " " + words[3]
	}
	d.calls[name]++
}

// trouble answers a call badly when it is to; true when it has.
func (d *Double) trouble(w http.ResponseWriter, r *http.Request) bool {
	take := func(n *int) bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		if *n == 0 {
			return false
		}
		*n--
		return true
	}
	d.mu.Lock()
	slow := d.how.Slow
	d.mu.Unlock()
	if slow > 0 && !pause(r.Context(), slow) {
		return true
	}
	switch {
	case take(&d.how.Limited):
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, "Too Many Requests")
	case take(&d.how.HTML):
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Just a moment...</title>")) // the caller may be gone
	default:
		return false
	}
	return true
}

// lost reports whether the answer to a call that was carried out is to be lost.
func (d *Double) lost() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.how.Lost == 0 {
		return false
	}
	d.how.Lost--
	return true
}

// Reference tells the payment reference of a request, empty when there is none.
func (d *Double) Reference(id string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.find(id); r != nil {
		return r.Reference
	}
	return ""
}
