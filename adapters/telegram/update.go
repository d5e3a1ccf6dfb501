package telegram

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"regexp"
	"strings"

	"holdfast/domain/fault"
)

// ErrUpdate: the body is not an update of the bot API.
var ErrUpdate = fault.New(fault.Malformed, "INVALID_PAYLOAD", "the body is not an update of the bot API")

// secretGrammar is what Telegram takes as a webhook's secret.
var secretGrammar = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// Secret is the word that Telegram sends with each update.
type Secret string

// Valid reports whether Telegram would take it.
func (s Secret) Valid() bool { return secretGrammar.MatchString(string(s)) }

// Is compares in a time that depends neither on where the two differ nor on their lengths.
func (s Secret) Is(header string) bool {
	a, b := sha256.Sum256([]byte(s)), sha256.Sum256([]byte(header))
	return s != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// Update is what is read of one. Ids are larger than 32 bits; those of groups are negative.
type Update struct {
	ID      int64
	From    User
	Chat    int64
	Private bool   // the chat is the person's own with the bot
	Text    string // of a message; empty otherwise
	// Member is how the bot stands in the chat after a change ("member", "kicked"); empty otherwise.
	Member string
}

type chat struct {
	ID   int64  `json:"id"`
	Type string `json:"type"`
}

type updateJSON struct {
	ID      *int64 `json:"update_id"`
	Message *struct {
		From User   `json:"from"`
		Chat chat   `json:"chat"`
		Text string `json:"text"`
	} `json:"message"`
	MyChatMember *struct {
		From User `json:"from"`
		Chat chat `json:"chat"`
		New  struct {
			Status string `json:"status"`
		} `json:"new_chat_member"`
	} `json:"my_chat_member"`
}

// ParseUpdate reads an update. A kind that we do not know, as Telegram adds them, has its number
// and nothing else; INVALID_PAYLOAD for what has no number.
func ParseUpdate(body []byte) (u Update, err error) {
	var raw updateJSON
	if json.Unmarshal(body, &raw) != nil || raw.ID == nil || *raw.ID < 0 {
		return u, ErrUpdate
	}
	u.ID = *raw.ID
	switch {
	case raw.Message != nil:
		u.From, u.Chat, u.Private, u.Text = raw.Message.From, raw.Message.Chat.ID, raw.Message.Chat.Type == "private", raw.Message.Text
	case raw.MyChatMember != nil:
		u.From, u.Chat, u.Private, u.Member = raw.MyChatMember.From, raw.MyChatMember.Chat.ID, raw.MyChatMember.Chat.Type == "private", raw.MyChatMember.New.Status
	}
	return u, nil
}

// Command reads "/link abc", in a group also "/link@our_bot abc". ok is false for what is no
// command, and for a command to another bot.
func (u Update) Command(bot string) (name, argument string, ok bool) {
	text, ok := strings.CutPrefix(u.Text, "/")
	if !ok {
		return "", "", false
	}
	word, rest, _ := strings.Cut(text, " ")
	name, to, named := strings.Cut(word, "@")
	if named && !strings.EqualFold(to, bot) {
		return "", "", false
	}
	return strings.ToLower(name), strings.TrimSpace(rest), name != ""
}
