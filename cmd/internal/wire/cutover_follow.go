package wire

import (
	"context"
	"fmt"
	"time"

	"holdfast/domain/cutover"
	"holdfast/eventstore"
	"holdfast/projections"
	"holdfast/projections/legacymongo"
)

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

// moved makes queries of a domain read where the log says now. An event that is told late changes
// nothing: it may be an old one.
func (s *Service) moved(ctx context.Context, name string) error {
	d, err := domainOf(name)
	if err != nil {
		return err
	}
	l := s.Legacy
	l.moving.Lock() // who read the log first must not set the mode last
	defer l.moving.Unlock()
	// Another process may have written it: what this one remembers is not asked.
	state, version, err := eventstore.FreshState(ctx, s.Executor, cutover.Decider, name)
	before := l.Modes.Of(d)
	if err != nil || version == 0 || before == legacymongo.Mode(state.Mode) {
		return err
	}
	l.Modes.Set(d, legacymongo.Mode(state.Mode))
	turn := l.turn(d)
	if !l.Modes.Of(d).Kept() {
		s.restLater(d, turn)
		return nil
	}
	if err := l.steer(ctx, d); err != nil {
		l.Modes.Set(d, before) // who tries again must find something to do
		return err
	}
	return nil
}

// restAfter is how long the collections of a domain that was moved to Postgres are still kept:
// queries that have begun wait for them, and so do those of processes that follow a moment later.
const restAfter = 5 * time.Second

// restLater lets a domain's projectors rest after a while, unless it takes another turn before. It
// waits for the legacy store in the background, since a slice that hangs there holds the projector.
func (s *Service) restLater(d string, turn int64) {
	l := s.Legacy
	s.group.Go(func() error {
		for wait := restAfter; ; wait = time.Second {
			select {
			case <-s.ctx.Done():
				return nil
			case <-time.After(wait):
			}
			if !l.still(d, turn) {
				return nil
			}
			if err := l.steer(s.ctx, d); err != nil {
				s.Log.WarnContext(s.ctx, "collections cannot be let rest; it is tried again", "domain", domainName(d), "error", err)
				continue
			}
			if l.still(d, turn) {
				return nil
			}
			// It was moved meanwhile, and may have been steered before us.
			if err := l.steer(s.ctx, d); err == nil {
				return nil
			}
		}
	})
}

// turn begins another turn of a domain: to another mode, or towards one.
func (l *Legacy) turn(d string) int64 {
	l.turnsLock.Lock()
	defer l.turnsLock.Unlock()
	l.turns[d]++
	return l.turns[d]
}

// still reports whether a domain has taken no other turn since.
func (l *Legacy) still(d string, turn int64) bool {
	l.turnsLock.Lock()
	defer l.turnsLock.Unlock()
	return l.turns[d] == turn
}

// followEvery is how often the log is asked for moves that other processes have written.
const followEvery = 500 * time.Millisecond

// followCutovers reads where other processes have moved domains, until ctx ends. Whatever fails is
// tried again: a process that stopped to follow would answer from the wrong store for ever.
func (s *Service) followCutovers(ctx context.Context) error {
	reader := s.Runner.Reader(cutover.Decider.Category)
	after, begun := int64(0), false
	for {
		err := func() (err error) {
			if !begun {
				if after, err = s.overtake(ctx); err != nil {
					return err
				}
				begun = true
			}
			slice, err := reader.Slice(ctx, after, 1000)
			if err != nil {
				return err
			}
			if err := s.followed(ctx, reader, slice.Events); err != nil {
				return err
			}
			after = slice.To
			return nil
		}()
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "moves of domains could not be followed; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}
	}
}

// overtake takes note of what was decided since the boot looked, and gives the position after which
// moves are to be followed.
func (s *Service) overtake(ctx context.Context) (int64, error) {
	head, err := s.Store.Head(ctx)
	if err != nil {
		return 0, err
	}
	for _, d := range legacymongo.Domains() {
		if err := s.moved(ctx, domainName(d)); err != nil {
			return 0, fmt.Errorf("%s: %w", domainName(d), err)
		}
	}
	return head.Position, nil
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
