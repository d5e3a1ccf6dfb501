package rndouble

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"holdfast/adapters/requestnetwork"
	"holdfast/domain/money"
)

// request is one request, with what was paid for it.
type request struct {
	ID        string      `json:"requestId"`
	Reference string      `json:"paymentReference"`
	Payee     string      `json:"payee"`
	Asset     money.Asset `json:"asset"`
	Currency  string      `json:"currency"`
	Due       money.Units `json:"due"`
	Decimals  uint8       `json:"decimals"`
	Ours      string      `json:"reference,omitempty"`
	Payments  []paid      `json:"payments,omitempty"`
	Block     uint64      `json:"block"` // looked at up to here
}

type paid struct {
	ID     string      `json:"id"`
	Tx     string      `json:"tx"`
	Log    uint        `json:"log"`
	Payer  string      `json:"payer"`
	Amount money.Units `json:"amount"`
	At     time.Time   `json:"at"`
}

func (r *request) total() (sum money.Units) {
	for _, p := range r.Payments {
		sum = sum.Plus(p.Amount)
	}
	return sum
}

func (r *request) settled() bool { return !r.total().Less(r.Due) }

func (r *request) status() string {
	switch {
	case r.settled():
		return "paid"
	case len(r.Payments) > 0:
		return "partially_paid"
	}
	return "pending"
}

// knows reports whether a payment was seen before.
func (r *request) knows(tx string, log uint) bool {
	for _, p := range r.Payments {
		if p.Tx == tx && p.Log == log {
			return true
		}
	}
	return false
}

func newRequest(payee string) *request {
	r := &request{ID: "01" + random(32), Payee: payee}
	r.Reference = requestnetwork.Reference(r.ID, random(8), payee)
	return r
}

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// ulid has the look of a delivery id; nobody sorts by it.
func ulid() string { return "01K" + strings.ToUpper(random(12))[:23] }

func (d *Double) load() error {
	if d.o.File == "" {
		return nil
	}
	raw, err := os.ReadFile(d.o.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the requests: %w", err)
	}
	if err := json.Unmarshal(raw, &d.requests); err != nil {
		return fmt.Errorf("read the requests of %s: %w", d.o.File, err)
	}
	return nil
}

// save writes the requests beside the file and puts them in its place, so that a kill
// leaves the old or the new, never half. The caller holds the lock.
func (d *Double) save() error {
	if d.o.File == "" {
		return nil
	}
	raw, err := json.Marshal(d.requests)
	if err != nil {
		return fmt.Errorf("encode the requests: %w", err)
	}
	if err := os.WriteFile(d.o.File+".new", raw, 0o600); err != nil {
		return fmt.Errorf("write the requests: %w", err)
	}
	if err := os.Rename(d.o.File+".new", d.o.File); err != nil {
		return fmt.Errorf("keep the requests: %w", err)
	}
	return nil
}
