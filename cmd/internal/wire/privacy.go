package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/eventstore"
	apihttp "holdfast/http"
	"holdfast/projections/dependencyview"
	"holdfast/reactors"
)

// personal is the sealed rows about people.
type personal struct {
	profiles     *records.Profiles
	addresses    *records.Addresses
	applications *records.Applications
	exports      *records.Exports
	letters      *records.Mails
	erasures     *records.Erasures
	open         dependencyview.Queries
	eraser       *reactors.Eraser
}

func (s *Service) openPersonal(keyed hashes) {
	sealer := eventstore.NewSealer(s.Keys)
	p := &personal{
		profiles: records.NewProfiles(s.HTTP, sealer), addresses: records.NewAddresses(s.HTTP, sealer),
		applications: records.NewApplications(s.HTTP, sealer), exports: records.NewExports(s.HTTP, sealer),
		letters: records.NewMails(s.HTTP, sealer, keyed), open: dependencyview.New(s.HTTP),
	}
	p.erasures = records.NewErasures(s.HTTP, s.Keys, p.letters)
	p.eraser = reactors.NewEraser(p.erasures, s.Log, s.Executor.ForgetStates, s.Keys.Forget)
	s.personal = p
}

// people joins the rows with the server.
func (s *Service) people() apihttp.People {
	return apihttp.People{
		Profiles: profiles{s.personal.profiles}, Addresses: addresses{s.personal.addresses}, Applications: applications{s.personal.applications},
		Exports: exports{s.personal.exports}, Directory: directory{s.Records.Users}, Dependencies: dependencies{s.personal.open}, Erasures: erasures{s},
	}
}

// erasures ends accounts.
type erasures struct{ s *Service }

// Due implements apihttp.Erasures.
func (e erasures) Due(now time.Time) time.Time { return now.Add(e.s.Config.ErasureDelay) }

// Erase implements apihttp.Erasures. The event, the end of the sessions and the anonymous row
// are one transaction; the key and everything else follow at once, and by the worker when this
// process dies in between.
func (e erasures) Erase(ctx context.Context, issue domain.Issue, meta eventstore.Metadata, u domain.UserID) (int64, error) {
	s := e.s
	person, ok, err := s.Records.Users.ByID(ctx, u)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, fault.ErrNotFound
	}
	if err := e.free(ctx, u); err != nil {
		return 0, err
	}
	rows := s.personal.erasures.Erased(u, person.Email)
	if slices.Contains(person.Roles, domain.Admin) {
		rows = append(rows, s.Records.Users.KeepAnAdmin()...)
	}
	answers := ""
	result, err := s.Executor.ExecuteWith(ctx, meta, nil, func() []eventstore.Row { return append(rows, s.personal.erasures.Answers(answers)) }, func(unit *domain.Unit) (any, error) {
		state, err := domain.StateOf(unit, account.Decider, string(u))
		if err != nil || state.Erased {
			return nil, err
		}
		answers = "email:" + state.EmailKey // who registers is nobody yet: the key is bound to the address
		_, err = domain.Do(unit, account.Decider, string(u), account.Erase{Issue: issue})
		return nil, err
	})
	if err != nil {
		return 0, err
	}
	if s.mail != nil && person.Email != "" && result.Position > 0 {
		last := records.NewMail{Key: "account-erased:" + string(u), To: person.Email, Template: records.LastLetter}
		if err := s.personal.letters.Put(ctx, last); err != nil {
			s.Log.WarnContext(ctx, "last letter not queued", "error", err)
		}
	}
	if err := s.personal.erasures.Purge(ctx, u); err != nil {
		s.Log.WarnContext(ctx, "the rest of an erasure is left to the worker", "user", u, "error", err)
		s.personal.eraser.Wake()
	}
	s.personal.eraser.Forget()
	return result.Position, nil
}

// free refuses while anything depends on the person, by read models that have caught up.
func (e erasures) free(ctx context.Context, u domain.UserID) error {
	head, err := e.s.Store.Head(ctx)
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, view := range dependencyview.Views() {
		if err := e.s.Runner.WaitFor(wait, view, head.Position); err != nil {
			return fmt.Errorf("wait for %s: %w", view, err)
		}
	}
	open, err := e.s.personal.open.Of(ctx, u)
	if err == nil && !open.None() {
		err = account.ErrDependencies
	}
	return err
}

// whileOpen is how long an erasure that is due waits where something is still open.
const whileOpen = 6 * time.Hour

// due is the deadline of an erasure. What is open then may be settled later.
func (e erasures) due(ctx context.Context, stream domain.Stream, i domain.Issue, meta eventstore.Metadata) error {
	_, err := e.Erase(ctx, i, meta, domain.UserID(stream.ID))
	if errors.Is(err, account.ErrDependencies) || errors.Is(err, account.ErrLastAdmin) {
		return &reactors.Later{After: whileOpen, Why: err}
	}
	return err
}

// personalLoops are the workers about people, and what wakes them.
func (s *Service) personalLoops(timers *reactors.Timers, wakes map[string][]reactors.Sleeper) []loop {
	timers.Handle(account.EraseCommand, erasures{s}.due)
	exporter := reactors.NewExporter(exportBook{s.personal.exports}, gatherer{s}, s.Log)
	wakes[records.ErasureChannel] = append(wakes[records.ErasureChannel], reactors.Forgetting{Eraser: s.personal.eraser})
	wakes[records.ExportChannel] = append(wakes[records.ExportChannel], exporter)
	return []loop{s.personal.eraser, exporter}
}
