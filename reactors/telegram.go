package reactors

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// BotMessage is one that the bot is to send.
type BotMessage struct {
	ID       string
	Chat     int64
	Text     string
	Attempts int // this one included
}

// BotOutcome is what became of a try to send.
type BotOutcome struct {
	Sent        int64         // Telegram's number of the message
	MovedTo     int64         // the chat has another number now
	Wait        time.Duration // the whole bot must wait so long
	Unreachable bool          // the person has blocked the bot or never started it
	Refused     bool          // it will never be taken
	Err         error         // in words; nil when it was sent
}

// Messenger sends by the bot.
type Messenger interface {
	Send(ctx context.Context, chat int64, text string) BotOutcome
}

// BotOutbox hands out messages under a lease, one a chat, and notes how each ended.
type BotOutbox interface {
	TakeMessages(ctx context.Context, limit int, lease time.Duration) ([]BotMessage, error)
	Sent(ctx context.Context, id string, message int64) error
	Undeliverable(ctx context.Context, id, reason string) error
	Dead(ctx context.Context, id, reason string) error
	PostponeMessage(ctx context.Context, id string, after time.Duration, reason string) error
	// Reached and Unreached note whether a chat gets the bot's messages, Move its new number.
	Reached(ctx context.Context, chat int64) error
	Unreached(ctx context.Context, chat int64) error
	Move(ctx context.Context, from, to int64) error
}

// BotSender works the bot's outbox off: what Telegram does not take now is tried again, later each
// time; what a person does not want is not tried again.
type BotSender struct {
	*loop
	messages BotOutbox
	bot      Messenger
}

const (
	sendBatch = 20
	sendLease = time.Minute
	// sendAttempts is after how many tries a message is dead: some four hours.
	sendAttempts = 16
)

// NewBotSender makes the loop; every is the pause between two looks, one second when 0.
func NewBotSender(messages BotOutbox, bot Messenger, every time.Duration, log *slog.Logger) *BotSender {
	if every == 0 {
		every = time.Second
	}
	s := &BotSender{messages: messages, bot: bot}
	s.loop = newLoop("telegram-sender", every, log, s.send)
	return s
}

// send makes one round: at most one message a chat, because a chat takes about one a second.
func (s *BotSender) send(ctx context.Context) (more bool, err error) {
	all, err := s.messages.TakeMessages(ctx, sendBatch, sendLease)
	if err != nil {
		return false, err
	}
	for i, m := range all {
		o := s.bot.Send(ctx, m.Chat, m.Text)
		if err := s.note(ctx, m, o); err != nil {
			return false, err
		}
		if o.Wait > 0 {
			// The rest of the round has not been tried: it waits as long, and loses no try for it.
			for _, rest := range all[i+1:] {
				if err := s.messages.PostponeMessage(ctx, rest.ID, o.Wait, "the bot waits"); err != nil {
					return false, err
				}
			}
			return false, nil
		}
	}
	return false, nil
}

func (s *BotSender) note(ctx context.Context, m BotMessage, o BotOutcome) error {
	if o.MovedTo != 0 {
		if err := s.messages.Move(ctx, m.Chat, o.MovedTo); err != nil {
			return err
		}
		m.Chat = o.MovedTo
	}
	switch {
	case o.Err == nil:
		if err := s.messages.Sent(ctx, m.ID, o.Sent); err != nil {
			return err
		}
		return s.messages.Reached(ctx, m.Chat)
	case o.Unreachable:
		if err := s.messages.Undeliverable(ctx, m.ID, o.Err.Error()); err != nil {
			return err
		}
		return s.messages.Unreached(ctx, m.Chat)
	case o.Refused:
		s.log.WarnContext(ctx, "a message was refused for good", "message", m.ID, "error", o.Err)
		return s.messages.Dead(ctx, m.ID, o.Err.Error())
	case o.Wait > 0:
		return s.messages.PostponeMessage(ctx, m.ID, o.Wait, o.Err.Error())
	case m.Attempts >= sendAttempts:
		s.log.ErrorContext(ctx, "a message was tried too often", "message", m.ID, "error", o.Err)
		return s.messages.Dead(ctx, m.ID, fmt.Sprintf("tried %d times: %v", m.Attempts, o.Err))
	}
	// From two seconds to half an hour.
	return s.messages.PostponeMessage(ctx, m.ID, min(2*time.Second<<min(m.Attempts-1, 10), 30*time.Minute), o.Err.Error())
}
