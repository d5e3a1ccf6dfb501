package wire

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"holdfast/domain"
	"holdfast/domain/cutover"
	"holdfast/domain/fault"
	"holdfast/eventstore"
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
		out := apihttp.DomainParity{Domain: domainName(d), Owner: st.Owner, Mode: string(st.Mode), ReadsFrom: st.ReadsAt, Lag: st.Lag, OpenGaps: st.OpenGaps, Runs: []apihttp.ParityRun{}}
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
// them. The lag is that of the moment.
func (m migration) Prepare(ctx context.Context, name string) (f apihttp.MoveFacts, err error) {
	d, err := domainOf(name)
	if err != nil {
		return f, err
	}
	l := m.s.Legacy
	if l.Runner == nil {
		return f, fault.New(fault.Unavailable, "NOT_CONFIGURED", "the legacy store is not connected")
	}
	if l.Owners.Legacy(d) {
		return f, legacymongo.ErrOwnedByLegacy.With("domain", name)
	}
	f.Mode = string(l.Modes.Of(d))
	for _, projector := range l.names[d] {
		if err := l.Runner.Resume(ctx, projector); err != nil {
			return f, err
		}
	}
	head, err := m.s.Store.Head(ctx)
	if err != nil {
		return f, err
	}
	f.Position = head.Position
	if f.Lag, err = l.lagBehind(ctx, d, head.Position); err != nil {
		return f, err
	}
	_, open, err := l.Gaps.Last(ctx)
	if err != nil {
		return f, err
	}
	f.Gaps = open[d]
	f.Compared, err = l.compared(ctx, d)
	return f, err
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

// compared is when the collection that was compared longest ago was compared; nil when one never
// was. A domain without collections has nothing to compare: now.
func (l *Legacy) compared(ctx context.Context, d string) (*time.Time, error) {
	runs, err := l.Gaps.Runs(ctx, d)
	if err != nil {
		return nil, err
	}
	oldest := time.Now().UTC()
	for _, c := range legacymongo.Of(d) {
		found := false
		for _, r := range runs {
			if r.Collection == c.Name {
				found = true
				if r.Finished.Before(oldest) {
					oldest = r.Finished
				}
			}
		}
		if !found {
			return nil, nil //nolint:nilnil // never
		}
	}
	return &oldest, nil
}

func (m migration) Moved(ctx context.Context, name string) error { return m.s.moved(ctx, name) }

// moved makes queries of a domain read where the log says now. An event that is told late changes
// nothing: it may be an old one.
func (s *Service) moved(ctx context.Context, name string) error {
	d, err := domainOf(name)
	if err != nil {
		return err
	}
	s.Legacy.moving.Lock() // who read the log first must not set the mode last
	defer s.Legacy.moving.Unlock()
	// Another process may have written it: what this one remembers is not asked.
	state, version, err := eventstore.FreshState(ctx, s.Executor, cutover.Decider, name)
	before := s.Legacy.Modes.Of(d)
	if err != nil || version == 0 || before == legacymongo.Mode(state.Mode) {
		return err
	}
	s.Legacy.Modes.Set(d, legacymongo.Mode(state.Mode))
	if err := s.Legacy.steer(ctx, d); err != nil {
		s.Legacy.Modes.Set(d, before) // who tries again must find something to do
		return err
	}
	return nil
}

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

// placed overlays the modes of the settings with what was decided since.
func (c *Core) placed(ctx context.Context, l *Legacy) error {
	for _, d := range legacymongo.Domains() {
		s, version, err := eventstore.FreshState(ctx, c.Executor, cutover.Decider, domainName(d))
		if err != nil {
			return fmt.Errorf("look up where %s is: %w", d, err)
		}
		if version == 0 {
			continue
		}
		if s.Mode != cutover.Postgres && c.Config.MongoConnect == "never" {
			return fmt.Errorf("MONGO_CONNECT_MODE is never, but %s was moved to %s: move it to pg first", d, s.Mode)
		}
		l.Modes.Set(d, legacymongo.Mode(s.Mode))
	}
	return nil
}

// followCutovers reads where other processes have moved domains.
func (s *Service) followCutovers(ctx context.Context) error {
	head, err := s.Store.Head(ctx)
	if err != nil {
		return err
	}
	reader, after := s.Runner.Reader(cutover.Decider.Category), head.Position
	if err := s.placed(ctx, s.Legacy); err != nil { // what was decided since the boot looked
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(500 * time.Millisecond):
		}
		slice, err := reader.Slice(ctx, after, 1000)
		if err != nil {
			continue // the database is away; it is asked again
		}
		if err := s.followed(ctx, reader, slice.Events); err != nil {
			s.Log.WarnContext(ctx, "a move of a domain could not be followed; it is tried again", "error", err)
			continue
		}
		after = slice.To
	}
}

// followed takes note of the moves in a piece of the log. It may be repeated.
func (s *Service) followed(ctx context.Context, reader *projections.Reader, events []eventstore.Recorded) error {
	for _, e := range events {
		if err := reader.Decode(&e); err != nil {
			return err
		}
		if moved, ok := e.Event.(cutover.Moved); ok {
			if err := s.moved(ctx, moved.Domain); err != nil {
				return fmt.Errorf("%s: %w", moved.Domain, err)
			}
		}
	}
	return nil
}
