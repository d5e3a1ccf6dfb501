package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Letter is one that waits to be sent.
type Letter struct {
	ID       string
	Template string
	Attempts int // this one included
	// Send hands it over and gives its bytes. An error that reports Permanent() ends the
	// letter; one that reports Unreachable() says that none will pass now.
	Send func(ctx context.Context) (raw []byte, err error)
}

// MailQueue is where letters wait.
type MailQueue interface {
	// Take hands out the letter that has waited longest, to nobody else for the lease.
	Take(ctx context.Context, lease time.Duration) (l Letter, ok bool, err error)
	Sent(ctx context.Context, id string, raw []byte) error
	Postpone(ctx context.Context, id string, after time.Duration, reason string) error
	Dead(ctx context.Context, id, reason string) error
	// Expire forgets what has been done for so long.
	Expire(ctx context.Context, keep time.Duration) (int64, error)
}

// Postman sends the mail that waits. A letter that the server has taken and whose row could not
// be marked is sent again, under the same Message-ID: SMTP can promise no more.
type Postman struct {
	*loop
	queue   MailQueue
	keep    time.Duration
	pauses  []time.Duration
	expired time.Time // when old letters were last forgotten
}

// mailLease is longer than any conversation with a server may take.
const mailLease = 3 * time.Minute

// mailPauses are between the attempts of a letter: two days of them, as mail servers do.
var mailPauses = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// NewPostman makes the worker. keep is how long the record of sent mail is kept; pauses are
// those between attempts, nil for the usual ones.
func NewPostman(queue MailQueue, keep time.Duration, pauses []time.Duration, log *slog.Logger) *Postman {
	if pauses == nil {
		pauses = mailPauses
	}
	p := &Postman{queue: queue, keep: keep, pauses: pauses}
	p.loop = newLoop("mail", 5*time.Second, log, p.round)
	return p
}

// round sends until nothing waits, the pass has lasted long enough, or the server is gone.
func (p *Postman) round(ctx context.Context) (more bool, err error) {
	if time.Since(p.expired) > time.Hour {
		if _, err := p.queue.Expire(ctx, p.keep); err != nil {
			return false, err
		}
		p.expired = time.Now()
	}
	for began := time.Now(); time.Since(began) < passDeadline/2; {
		l, ok, err := p.queue.Take(ctx, mailLease)
		if err != nil || !ok {
			return false, err
		}
		if err := p.deliver(ctx, l); err != nil {
			return false, err
		}
	}
	return true, nil
}

// deliver sends one letter and notes what became of it. Its error is about the queue, or a
// server that cannot be reached.
func (p *Postman) deliver(ctx context.Context, l Letter) error {
	attrs := []any{"mail", l.ID, "template", l.Template, "attempts", l.Attempts}
	raw, err := l.Send(ctx)
	if err == nil {
		p.log.InfoContext(ctx, "mail sent", attrs...)
		return p.queue.Sent(context.WithoutCancel(ctx), l.ID, raw)
	}
	if ctx.Err() != nil {
		return ctx.Err() // the lease ends by itself
	}
	lasting, gone := says(err)
	switch {
	case lasting || l.Attempts > len(p.pauses):
		p.log.WarnContext(ctx, "mail given up", append(attrs, "error", err)...)
		return p.queue.Dead(ctx, l.ID, err.Error())
	case gone:
		if err := p.queue.Postpone(ctx, l.ID, p.pauses[l.Attempts-1], err.Error()); err != nil {
			return err
		}
		return fmt.Errorf("the mail server cannot be reached: %w", err)
	}
	p.log.InfoContext(ctx, "mail postponed", append(attrs, "error", err)...)
	return p.queue.Postpone(ctx, l.ID, p.pauses[l.Attempts-1], err.Error())
}

// says asks an error what it means for the letter and for others.
func says(err error) (lasting, gone bool) {
	var l interface{ Permanent() bool }
	var g interface{ Unreachable() bool }
	lasting = errors.As(err, &l) && l.Permanent()
	gone = errors.As(err, &g) && g.Unreachable()
	return lasting, gone
}
