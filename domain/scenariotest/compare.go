package scenariotest

import (
	"fmt"
	"slices"
	"strings"

	"holdfast/domain/ledger"
	"holdfast/eventstore"
	"holdfast/eventstore/audit"
)

// booking is what one event did: what its posting rule says, and what stands in the ledger.
type booking struct {
	tx    ledger.Transaction
	lines []Line // as written, debit and credit of each line put together again
}

// booking looks an event's posting rule and its ledger entries up.
func (p *player) booking(r eventstore.Recorded) booking {
	p.T.Helper()
	var b booking
	for _, a := range Aggregates() {
		if a.Category == r.Stream.Type && a.Postings != nil {
			b.tx, _ = a.Postings(r.Stream, r.Event)
		}
	}
	entries, err := p.Store.Entries(p.T.Context(), "", "", r.Position-1, 100)
	if err != nil {
		p.T.Fatal(err)
	}
	b.lines = written(entries, r.Position)
	return b
}

// written puts the entries of one position together to lines. Entries that only take a
// pending transaction off the pending totals are not lines of the event.
func written(entries []eventstore.Entry, position int64) []Line {
	byLine := map[int]*Line{}
	var order []int
	for _, e := range entries {
		if e.Position != position || e.Mode == ledger.VoidPending {
			continue
		}
		l, ok := byLine[e.Line]
		if !ok {
			l = &Line{Asset: e.Asset, Amount: e.Amount}
			byLine[e.Line] = l
			order = append(order, e.Line)
		}
		if e.Debit {
			l.Dr = e.Account
		} else {
			l.Cr = e.Account
		}
	}
	slices.Sort(order)
	var lines []Line
	for _, n := range order {
		lines = append(lines, *byLine[n])
	}
	return lines
}

// compare holds a row against what its events did: the mode, every line, and the pending
// entries that were voided.
func (p *player) compare(row Row, booked []booking) {
	p.T.Helper()
	var got []Line
	var voided []string
	for _, b := range booked {
		got = append(got, b.lines...)
		if b.tx.Mode == ledger.VoidPending {
			voided = append(voided, b.tx.Key)
		}
	}
	want := slices.Clone(row.Lines)
	for n := range want {
		want[n].Dr, want[n].Cr = p.real(want[n].Dr), p.real(want[n].Cr)
	}
	if a, b := spell(want), spell(got); a != b {
		p.T.Errorf("row %d: %s books\n%s\nwant\n%s", p.n+1, row.Event, b, a)
	}
	if mode := modeOf(booked[0], row); mode != row.Mode {
		p.T.Errorf("row %d: %s is %q, want %q", p.n+1, row.Event, mode, row.Mode)
	}
	if len(voided) != len(row.Voids) {
		p.T.Errorf("row %d: %s voids %v, want %v", p.n+1, row.Event, voided, row.Voids)
		return
	}
	for n, key := range row.Voids {
		if !strings.Contains(voided[n], key) {
			p.T.Errorf("row %d: %s voids %s, want %s", p.n+1, row.Event, voided[n], key)
		}
	}
}

// modeOf names a booking as the scenarios do. A transaction that is mined again after a
// reorganisation has no pending entry any more and posts by itself, which a scenario may
// call either way.
func modeOf(b booking, row Row) string {
	switch b.tx.Mode {
	case "":
		return "none"
	case ledger.Post:
		if row.Mode == "post_pending" && b.tx.Fact {
			return row.Mode
		}
		return "post"
	}
	return string(b.tx.Mode)
}

func (p *player) real(a ledger.Account) ledger.Account {
	if r, ok := p.alias[string(a)]; ok {
		return ledger.Account(r)
	}
	return a
}

func spell(lines []Line) string {
	var out []string
	for _, l := range lines {
		out = append(out, fmt.Sprintf("  %s ← %s %s %s", l.Dr, l.Cr, l.Amount, l.Asset))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// compareBalances compares every account that has a posted balance.
func (p *player) compareBalances(want []Balance) {
	p.T.Helper()
	all, err := p.Store.Balances(p.T.Context(), "", 0)
	if err != nil {
		p.T.Fatal(err)
	}
	var a, b []string
	for _, w := range want {
		a = append(a, fmt.Sprintf("%s %s %s", p.real(w.Account), w.Asset, w.Amount))
	}
	for _, t := range all {
		units, negative := normal(p.T, t)
		if units.IsZero() {
			continue
		}
		sign := ""
		if negative {
			sign = "-"
		}
		b = append(b, fmt.Sprintf("%s %s %s%s", t.Account, t.Asset, sign, units))
	}
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) {
		p.T.Errorf("balances\n  %s\nwant\n  %s", strings.Join(b, "\n  "), strings.Join(a, "\n  "))
	}
}

// CheckReplay folds the stored events into an empty ledger and compares all four totals of
// every account with those that were written with the log.
func CheckReplay(w *World) {
	w.T.Helper()
	fold := audit.NewLedger(codecOf(w))
	for _, r := range w.Read(0) {
		if err := fold.Apply(r); err != nil {
			w.T.Fatal(err)
		}
	}
	written, err := w.Store.Balances(w.T.Context(), "", 0)
	if err != nil {
		w.T.Fatal(err)
	}
	for _, d := range fold.Compare(written) {
		w.T.Errorf("the ledger is not the fold of the events: %+v", d)
	}
	problems, err := audit.CheckTotals(written)
	if err != nil {
		w.T.Fatal(err)
	}
	for _, p := range problems {
		w.T.Error(p)
	}
}

func codecOf(w *World) *eventstore.Codec {
	w.T.Helper()
	c, err := eventstore.NewCodec(nil, Aggregates()...)
	if err != nil {
		w.T.Fatal(err)
	}
	return c
}
