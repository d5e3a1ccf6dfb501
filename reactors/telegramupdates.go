package reactors

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// BotUpdate is an update that waits to be dealt with, as the bot's adapter reads it.
type BotUpdate struct {
	ID       int64
	Attempts int
	From     int64  // who acts; 0 when nobody does
	Name     string // as they call themselves: shown back as plain text, and kept with the link
	Chat     int64
	Private  bool   // their own chat with the bot
	Command  string // "start", without the slash; empty for what is no command
	Argument string
	Member   string // how the bot stands in the chat now: "kicked", "member"
}

// BotUpdates hands them out under a lease, in their order.
type BotUpdates interface {
	TakeUpdates(ctx context.Context, limit int, lease time.Duration) ([]BotUpdate, error)
	FinishUpdate(ctx context.Context, id int64, reason string) error
	PostponeUpdate(ctx context.Context, id int64, after time.Duration, reason string) error
}

// BotPeople are the rows that the bot's commands read and write.
type BotPeople interface {
	// PersonOf finds who is linked to a Telegram number; ok is false for nobody.
	PersonOf(ctx context.Context, telegram int64) (u domain.UserID, ok bool, err error)
	// Linked reports the number that a person has linked; 0 for none.
	Linked(ctx context.Context, u domain.UserID) (telegram int64, err error)
	// Link gives the rows that go with the event.
	Link(u domain.UserID, telegram int64, name string) []eventstore.Row
	// Start takes a code that the site gave to a person; ok is false when it does not count.
	Start(ctx context.Context, code string) (u domain.UserID, ok bool, err error)
	// Offer keeps a code that a Telegram user may bring to the site.
	Offer(ctx context.Context, code string, person json.RawMessage, lives time.Duration) error
	Queue(ctx context.Context, id string, u domain.UserID, chat int64, text string) error
	Reached(ctx context.Context, chat int64) error
	Unreached(ctx context.Context, chat int64) error
	// Waits keeps a link that a Telegram user must still agree to; Agreed takes it, ok is false when
	// there is none of this number and code.
	Waits(ctx context.Context, telegram int64, code string, u domain.UserID, lives time.Duration) error
	Agreed(ctx context.Context, telegram int64, code string) (u domain.UserID, ok bool, err error)
	// Account says how a person knows their account: address and name, either may be empty.
	Account(ctx context.Context, u domain.UserID) (email, name string, err error)
	// Notified reports whether a person wants the bot's messages.
	Notified(ctx context.Context, u domain.UserID) (bool, error)
	// Told writes to a person, once for an id, that Telegram signs in to their account now.
	Told(ctx context.Context, u domain.UserID, id string) error
}

// BotOptions join a BotCommands.
type BotOptions struct {
	Updates  BotUpdates
	People   BotPeople
	Executor *eventstore.Executor
	// Key names a Telegram number for its claim.
	Key   func(telegram int64) string
	Site  string // where people sign in, for the bot's words
	Every time.Duration
	Log   *slog.Logger
}

// BotCommands deals with what people write to the bot. An update has one effect: its commands and
// messages have ids that follow from its number. Commands count in a person's own chat with the bot
// only: in a group everybody would read the code.
type BotCommands struct {
	*loop
	o BotOptions
}

const (
	updateBatch    = 50
	updateLease    = time.Minute
	updateAttempts = 10
	linkPrefix     = "link_"
	confirmPrefix  = "confirm_"
	botCodeLives   = 10 * time.Minute
)

// NewBotCommands makes the loop.
func NewBotCommands(o BotOptions) *BotCommands {
	if o.Every == 0 {
		o.Every = time.Second
	}
	b := &BotCommands{o: o}
	b.loop = newLoop("telegram-bot", o.Every, o.Log, b.work)
	return b
}

func (b *BotCommands) work(ctx context.Context) (more bool, err error) {
	all, err := b.o.Updates.TakeUpdates(ctx, updateBatch, updateLease)
	if err != nil {
		return false, err
	}
	for _, u := range all {
		reason := ""
		if err := b.handle(ctx, u); err != nil {
			b.log.WarnContext(ctx, "an update could not be dealt with", "update", u.ID, "attempts", u.Attempts, "error", err)
			if u.Attempts < updateAttempts {
				if err := b.o.Updates.PostponeUpdate(ctx, u.ID, backoff(u.Attempts+3), err.Error()); err != nil {
					return false, err
				}
				continue
			}
			reason = err.Error()
		}
		if err := b.o.Updates.FinishUpdate(ctx, u.ID, reason); err != nil {
			return false, err
		}
	}
	return len(all) == updateBatch, nil
}

func (b *BotCommands) handle(ctx context.Context, u BotUpdate) error {
	switch {
	case !u.Private || u.From == 0:
		return nil
	case u.Member == "kicked":
		return b.o.People.Unreached(ctx, u.Chat)
	case u.Member != "":
		return b.o.People.Reached(ctx, u.Chat)
	}
	if err := b.o.People.Reached(ctx, u.Chat); err != nil {
		return err
	}
	argument := strings.TrimPrefix(u.Argument, linkPrefix)
	if code, ok := strings.CutPrefix(u.Command, confirmPrefix); ok {
		return b.confirm(ctx, u, code)
	}
	switch u.Command {
	case "start":
		if argument != u.Argument {
			return b.propose(ctx, u, argument)
		}
		return b.greet(ctx, u)
	case "link":
		if argument != "" {
			return b.propose(ctx, u, argument)
		}
		return b.offer(ctx, u)
	case "status":
		return b.status(ctx, u)
	case "":
		return nil
	}
	return b.say(ctx, u, "", "I know /link, /status and /start.")
}

// say answers an update once.
func (b *BotCommands) say(ctx context.Context, u BotUpdate, to domain.UserID, text string) error {
	return b.o.People.Queue(ctx, domain.DeriveID("telegram-update:"+strconv.FormatInt(u.ID, 10), "answer"), to, u.Chat, text)
}

func (b *BotCommands) greet(ctx context.Context, u BotUpdate) error {
	person, linked, err := b.o.People.PersonOf(ctx, u.From)
	if err != nil {
		return err
	}
	if linked {
		return b.say(ctx, u, person, "Hello "+short(u.Name)+". You are linked. /status tells more.")
	}
	return b.say(ctx, u, "", "Hello "+short(u.Name)+". Write /link to get a code for your account at "+b.o.Site+".")
}

// offer gives a code that the person types at the site: forty bits, ten minutes, once.
func (b *BotCommands) offer(ctx context.Context, u BotUpdate) error {
	person, linked, err := b.o.People.PersonOf(ctx, u.From)
	if err != nil {
		return err
	}
	if linked {
		return b.say(ctx, u, person, "You are linked already.")
	}
	code := rand.Text()[:8]
	who, err := json.Marshal(map[string]any{"id": u.From, "name": short(u.Name)})
	if err != nil {
		return err
	}
	if err := b.o.People.Offer(ctx, code, who, botCodeLives); err != nil {
		return err
	}
	return b.say(ctx, u, "", "Your code is "+code+". Type it at "+b.o.Site+" within ten minutes. Give it to nobody.")
}

// notWaiting is the answer to a code that does not count.
func (b *BotCommands) notWaiting(ctx context.Context, u BotUpdate) error {
	return b.say(ctx, u, "", "This code is not one that waits. Ask for another at "+b.o.Site+".")
}

// propose takes a code of the site: it says whose account this Telegram number is to sign in to. A link
// that somebody else has sent leads to somebody else's account, so the person sees which one it is and
// agrees before anything is linked.
func (b *BotCommands) propose(ctx context.Context, u BotUpdate, code string) error {
	person, ok, err := b.o.People.Start(ctx, code)
	if err != nil {
		return err
	}
	if !ok {
		return b.notWaiting(ctx, u)
	}
	email, name, err := b.o.People.Account(ctx, person)
	if err != nil {
		return err
	}
	agree := strings.ToLower(rand.Text()[:16])
	if err := b.o.People.Waits(ctx, u.From, agree, person, botCodeLives); err != nil {
		return err
	}
	return b.say(ctx, u, "", "This Telegram account would sign in to the account "+accountWords(email, name)+" at "+b.o.Site+". If that is yours, tap /"+confirmPrefix+agree+
		" within ten minutes. If it is not, or you did not ask for this, do nothing.")
}

// accountWords names an account to somebody who may be a stranger: an address is masked.
func accountWords(email, name string) string {
	words := short(name)
	if words != "" {
		words = "of " + words
	}
	local, host, ok := strings.Cut(email, "@")
	if !ok {
		return words
	}
	first, _ := utf8.DecodeRuneInString(local)
	masked := string(first) + "…@" + short(host)
	if words == "" {
		return masked
	}
	return masked + " " + words
}

// confirm links what the person has agreed to.
func (b *BotCommands) confirm(ctx context.Context, u BotUpdate, code string) error {
	person, ok, err := b.o.People.Agreed(ctx, u.From, code)
	if err != nil {
		return err
	}
	if !ok {
		return b.notWaiting(ctx, u)
	}
	has, err := b.o.People.Linked(ctx, person)
	if err != nil {
		return err
	}
	if has != 0 && has != u.From {
		return b.say(ctx, u, "", "Another Telegram account is linked there. Unlink it first.")
	}
	linked, err := b.decide(ctx, u, person)
	if f, refused := fault.From(err); refused && f.Kind != fault.Internal && f.Kind != fault.Unavailable {
		b.log.InfoContext(ctx, "a link was refused", "update", u.ID, "code", f.Code)
		return b.say(ctx, u, "", "This cannot be linked: "+f.Message+".")
	}
	if err != nil {
		return err
	}
	if linked {
		if err := b.o.People.Told(ctx, person, domain.DeriveID("telegram-update:"+strconv.FormatInt(u.ID, 10), "mail")); err != nil {
			b.log.ErrorContext(ctx, "the owner was not told of a link", "update", u.ID, "user", person, "error", err)
		}
	}
	return b.say(ctx, u, person, "Linked: this Telegram account now signs in to your account at "+b.o.Site+". If you did not ask for that, unlink it there.")
}

// decide links; linked is false when it was before.
func (b *BotCommands) decide(ctx context.Context, u BotUpdate, person domain.UserID) (linked bool, err error) {
	by := domain.Machine(domain.Process, "telegram")
	command := domain.DeriveID("telegram-update:"+strconv.FormatInt(u.ID, 10), "link")
	cmd := account.LinkSignIn{
		Issue:  domain.Issue{By: by, At: time.Now().UTC().Truncate(time.Microsecond)},
		SignIn: account.SignIn{Method: account.Telegram, Key: b.o.Key(u.From)},
	}
	meta := eventstore.Metadata{Actor: by, CommandID: command, CorrelationID: command, Source: "webhook:telegram"}
	done, err := b.o.Executor.ExecuteWith(ctx, meta, nil, func() []eventstore.Row { return b.o.People.Link(person, u.From, short(u.Name)) }, func(unit *domain.Unit) (any, error) {
		_, err := domain.Do(unit, account.Decider, string(person), cmd)
		return struct{}{}, err
	})
	if err != nil {
		return false, fmt.Errorf("link: %w", err)
	}
	return done.Position > 0, nil
}

func (b *BotCommands) status(ctx context.Context, u BotUpdate) error {
	person, linked, err := b.o.People.PersonOf(ctx, u.From)
	if err != nil {
		return err
	}
	if !linked {
		return b.say(ctx, u, "", "Not linked. Write /link to get a code.")
	}
	on, err := b.o.People.Notified(ctx, person)
	if err != nil {
		return err
	}
	word := "off"
	if on {
		word = "on"
	}
	return b.say(ctx, u, person, "Linked. Notifications are "+word+".")
}

// short cuts what people call themselves: no lines, no controls, forty characters.
func short(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	if r := []rune(clean); len(r) > 40 {
		clean = string(r[:40])
	}
	return strings.TrimSpace(clean)
}
