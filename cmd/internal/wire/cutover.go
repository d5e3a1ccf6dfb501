package wire

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	apihttp "holdfast/http"
	"holdfast/projections"
	"holdfast/projections/legacymongo"
)

// migration moves domains; the server asks for it by names such as release_hold.
type migration struct {
	s         *Service
	comparing *atomic.Bool
}

var errComparing = fault.New(fault.Conflict, "PARITY_RUNNING", "a comparison is running already")

func domainName(name string) string { return strings.ToLower(name) }

// domainOf gives the domain of a name.
func domainOf(name string) (string, error) {
	for _, d := range legacymongo.Domains() {
		if domainName(d) == name {
			return d, nil
		}
	}
	return "", fault.ErrNotFound
}

func (m migration) Pin(ctx context.Context, query bool) context.Context {
	if !query {
		return legacymongo.Here(ctx)
	}
	return m.s.Legacy.Modes.Pin(ctx)
}

func (m migration) States(ctx context.Context) ([]apihttp.DomainParity, error) {
	states, err := m.s.Legacy.States(ctx)
	if err != nil {
		return nil, err
	}
	runs, err := m.s.Legacy.Gaps.Runs(ctx, "")
	if err != nil {
		return nil, err
	}
	var all []apihttp.DomainParity
	for _, d := range legacymongo.Domains() {
		st := states[d]
		out := apihttp.DomainParity{Domain: domainName(d), Owner: st.Owner, Mode: string(st.Mode), ReadsFrom: st.ReadsAt, Lag: st.Lag, OpenGaps: st.OpenGaps, Collections: []string{}, Runs: []apihttp.ParityRun{}}
		for _, c := range legacymongo.Of(d) {
			out.Collections = append(out.Collections, c.Name)
		}
		for _, r := range runs {
			if r.Domain == d {
				out.Runs = append(out.Runs, apihttp.ParityRun{Collection: r.Collection, Position: r.Position, Documents: r.Documents, Differences: r.Differences, Explained: r.Explained, FinishedAt: r.Finished})
			}
		}
		all = append(all, out)
	}
	return all, nil
}

// Prepare begins to keep the collections of a domain that is read in Postgres: the way back needs
// them. The lag is that of the moment. A move that is forced stands on nothing: it must work while
// the legacy store is away, and is not kept waiting for it.
func (m migration) Prepare(ctx context.Context, name string, forced bool) (f apihttp.MoveFacts, err error) {
	d, err := domainOf(name)
	if err != nil {
		return f, err
	}
	l := m.s.Legacy
	if l.Owners.Legacy(d) {
		return f, legacymongo.ErrOwnedByLegacy.With("domain", name)
	}
	head, err := m.s.Store.Head(ctx)
	if err != nil {
		return f, err
	}
	f.Mode, f.Position, f.Collections = string(l.Modes.Of(d)), head.Position, len(legacymongo.Of(d))
	if forced || f.Collections == 0 {
		return f, nil
	}
	if l.Runner == nil {
		return f, fault.New(fault.Unavailable, "NOT_CONFIGURED", "the legacy store is not connected")
	}
	if err := l.awake(ctx, d); err != nil {
		return f, err
	}
	if f.Lag, err = l.lagBehind(ctx, d, head.Position); err != nil {
		return f, err
	}
	_, open, err := l.Gaps.Last(ctx)
	if err != nil {
		return f, err
	}
	f.Gaps = open[d]
	f.Compared, err = l.compared(ctx, m.s.Store, d)
	return f, err
}

// awake lets a domain's collections be kept, wherever it is read now.
func (l *Legacy) awake(ctx context.Context, d string) error {
	if err := l.Store.Ping(ctx); err != nil {
		return fmt.Errorf("%w (%w)", projections.ErrElsewhere, err)
	}
	l.turn(d) // who would let them rest must not any more
	if !l.Modes.Of(d).Kept() {
		for _, projector := range l.names[d] {
			if err := l.Runner.Resume(ctx, projector); err != nil {
				return err
			}
		}
	}
	if err := l.Store.KeepRows(ctx, l.Pool, d); err != nil {
		return fmt.Errorf("%w (%w)", projections.ErrElsewhere, err)
	}
	return nil
}

// catchUpWithin is how long a move waits for the collections to come to where the log ended when
// it was asked for: under load they are never at the end of the moment.
const catchUpWithin = 3 * time.Second

// lagBehind gives how many events the slowest collection of a domain lacks of a position.
func (l *Legacy) lagBehind(ctx context.Context, d string, position int64) (lag int64, err error) {
	wait, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	for _, projector := range l.names[d] {
		if err := l.Runner.WaitFor(wait, projector, position); err != nil && ctx.Err() != nil {
			return 0, err
		}
	}
	status, err := l.Runner.Status(ctx)
	if err != nil {
		return 0, err
	}
	for _, s := range status {
		if slices.Contains(l.names[d], s.Name) {
			lag = max(lag, position-s.Position)
		}
	}
	return lag, nil
}

// comparedBehind is how far behind the log a collection may have been when it was compared.
const comparedBehind = 2 * time.Second

// compared is when the collection that was compared longest ago was compared; nil when one never
// was, or only while it rested behind the log: that says nothing of what has been written since.
func (l *Legacy) compared(ctx context.Context, log interface {
	PositionAt(context.Context, time.Time) (int64, error)
}, d string,
) (*time.Time, error) {
	runs, err := l.Gaps.Runs(ctx, d)
	if err != nil {
		return nil, err
	}
	oldest := time.Now().UTC()
	for _, c := range legacymongo.Of(d) {
		found := false
		for _, r := range runs {
			if r.Collection != c.Name {
				continue
			}
			due, err := log.PositionAt(ctx, r.Started.Add(-comparedBehind))
			if err != nil {
				return nil, err
			}
			found = c.Rows != nil || r.Position >= due
			if r.Finished.Before(oldest) {
				oldest = r.Finished
			}
		}
		if !found {
			return nil, nil //nolint:nilnil // never
		}
	}
	return &oldest, nil
}

func (m migration) Moved(ctx context.Context, name string) error { return m.s.moved(ctx, name) }

func (m migration) Compare(_ context.Context, name string) error {
	l := m.s.Legacy
	if l.Store == nil {
		return fault.New(fault.Unavailable, "NOT_CONFIGURED", "the legacy store is not connected")
	}
	var domains []string
	if name != "" {
		d, err := domainOf(name)
		if err != nil {
			return err
		}
		domains = append(domains, d)
	}
	if !m.comparing.CompareAndSwap(false, true) {
		return errComparing
	}
	m.s.group.Go(func() error {
		defer m.comparing.Store(false)
		if _, err := l.Verify(m.s.ctx, domains, nil); err != nil && m.s.ctx.Err() == nil {
			m.s.Log.Error("the comparison with the legacy store failed", "error", err)
		}
		return nil
	})
	return nil
}

func (m migration) Gaps(ctx context.Context, name string, limit int) ([]apihttp.ParityGap, error) {
	d, err := domainOf(name)
	if err != nil {
		return nil, err
	}
	gaps, err := m.s.Legacy.Gaps.Open(ctx, d, limit)
	all := make([]apihttp.ParityGap, len(gaps))
	for i, g := range gaps {
		all[i] = gapOut(g)
	}
	return all, err
}

func gapOut(g legacymongo.Gap) apihttp.ParityGap {
	return apihttp.ParityGap{
		ID: g.ID, Domain: domainName(g.Domain), Collection: g.Collection, Document: g.Document, Field: g.Field, Severity: g.Severity, Kind: g.Kind,
		Postgres: g.Postgres, Mongo: g.Mongo, Error: g.Error, Times: g.Times, FirstSeen: g.FirstSeen, LastSeen: g.LastSeen, ResolvedBy: g.ResolvedBy, Notes: g.Notes,
	}
}

func (m migration) Resolve(ctx context.Context, id int64, by domain.UserID, reason string) (apihttp.ParityGap, bool, error) {
	g, ok, err := m.s.Legacy.Gaps.Resolve(ctx, id, string(by), reason)
	return gapOut(g), ok, err
}
