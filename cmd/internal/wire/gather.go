package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/eventstore"
	apihttp "holdfast/http"
	"holdfast/reactors"
)

// exportBook is the exports as the worker takes them.
type exportBook struct{ *records.Exports }

func (b exportBook) Take(ctx context.Context, lease time.Duration) (reactors.ExportOrder, bool, error) {
	e, ok, err := b.Exports.Take(ctx, lease)
	return reactors.ExportOrder{ID: e.ID, User: e.User, Attempts: e.Attempts, Expires: e.ExpiresAt}, ok, err
}

func (b exportBook) Ready(ctx context.Context, o reactors.ExportOrder, content []byte) error {
	return b.Exports.Ready(ctx, records.Export{ID: o.ID, User: o.User}, content)
}

// gatherer finds everything about a person.
type gatherer struct{ s *Service }

// exportLine is one line of the file.
type exportLine struct {
	Kind string `json:"kind"`
	Data any    `json:"data"`
}

// exportedEvent is a fact of the log that the person issued or that names them. Their own text
// is in the clear; text of others is left out.
type exportedEvent struct {
	Position int64        `json:"position"`
	Type     string       `json:"type"`
	Stream   string       `json:"stream"`
	At       time.Time    `json:"at"`
	Event    domain.Event `json:"event"`
}

// Gather implements reactors.Gatherer: rows first, then the log from its beginning.
func (g gatherer) Gather(ctx context.Context, u domain.UserID) ([]byte, error) {
	var file bytes.Buffer
	out := json.NewEncoder(&file)
	line := func(kind string, data any) error { return out.Encode(exportLine{kind, data}) }
	now, err := g.s.Store.Now(ctx)
	if err != nil {
		return nil, err
	}
	if err := line("export", map[string]any{"user": u, "madeAt": now.UTC(), "note": "Everything that this service holds about you: rows as they are, then events in their order."}); err != nil {
		return nil, err
	}
	if err := g.rows(ctx, u, line); err != nil {
		return nil, err
	}
	if err := g.events(ctx, u, line); err != nil {
		return nil, err
	}
	return file.Bytes(), nil
}

func (g gatherer) rows(ctx context.Context, u domain.UserID, line func(string, any) error) error {
	p := g.s.personal
	entry, ok, err := g.s.Records.Users.Entry(ctx, u)
	if err != nil || !ok {
		return err
	}
	entry.Password = ""
	profile, err := p.profiles.Of(ctx, u)
	if err != nil {
		return err
	}
	preferences, err := p.profiles.Preferences(ctx, u)
	if err != nil {
		return err
	}
	addresses, err := p.addresses.List(ctx, u)
	if err != nil {
		return err
	}
	application, applied, err := p.applications.Newest(ctx, u)
	if err != nil {
		return err
	}
	letters, err := p.letters.Letters(ctx, u)
	if err != nil {
		return err
	}
	holdings, err := records.Holdings(ctx, g.s.Jobs, u)
	if err != nil {
		return err
	}
	lines := []exportLine{
		{"account", map[string]any{
			"id": entry.ID, "email": entry.Email, "name": entry.Name, "roles": entry.Roles, "status": entry.Status,
			"emailVerified": entry.Verified, "method": entry.Method, "createdAt": entry.CreatedAt,
		}}, {"profile", profile}, {"preferences", preferences},
	}
	for _, a := range addresses {
		lines = append(lines, exportLine{"address", apihttp.AddressOut{ID: a.ID, AddressText: apihttp.AddressText(a.AddressText), Default: a.Default, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt}})
	}
	if applied {
		lines = append(lines, exportLine{"seller_application", application})
	}
	for _, l := range letters {
		lines = append(lines, exportLine{"mail", l})
	}
	for _, h := range holdings {
		lines = append(lines, exportLine{h.Table, h.Row})
	}
	for _, l := range lines {
		if err := line(l.Kind, l.Data); err != nil {
			return fmt.Errorf("write %s: %w", l.Kind, err)
		}
	}
	return nil
}

// gatherSlice is how many positions of the log are looked through by one statement, gatherBatch
// how many of those found are read and decoded at once.
const (
	gatherSlice = 20_000
	gatherBatch = 500
)

func (g gatherer) events(ctx context.Context, u domain.UserID, line func(string, any) error) error {
	head, err := g.s.Store.Head(ctx)
	if err != nil {
		return err
	}
	for from := int64(0); from < head.Position; from += gatherSlice {
		positions, err := g.s.Store.About(ctx, u, from, from+gatherSlice)
		if err != nil {
			return err
		}
		for batch := range slices.Chunk(positions, gatherBatch) {
			found, err := g.s.Store.ReadAt(ctx, batch)
			if err != nil {
				return err
			}
			for _, r := range found {
				own, err := eventstore.Disclose(r.Event, u)
				if err != nil {
					return err
				}
				if err := line("event", exportedEvent{r.Position, own.EventType(), r.Stream.String(), r.RecordedAt, own}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Told implements reactors.Gatherer.
func (g gatherer) Told(ctx context.Context, o reactors.ExportOrder) {
	if g.s.mail == nil {
		return
	}
	m := apihttp.Mail{To: o.User, Template: "data-export", Key: "data-export:" + o.ID, Vars: map[string]string{"until": o.Expires.UTC().Format("2 January 2006, 15:04 UTC")}}
	if err := g.s.mail.Send(ctx, m); err != nil && ctx.Err() == nil {
		g.s.Log.WarnContext(ctx, "letter not queued", "template", m.Template, "error", err)
	}
}
