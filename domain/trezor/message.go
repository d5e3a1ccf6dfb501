package trezor

import (
	"fmt"
	"regexp"
	"time"

	"holdfast/domain"
)

// Challenge is what a device signs to prove that it holds an account's key.
type Challenge struct {
	User    domain.UserID
	Nonce   string // 64 hex digits: drawn by the server, and authenticated by it
	Expires time.Time
}

const challengeForm = `Holdfast: register this hardware wallet.

By signing you show that you hold the key of the account that you send. No money moves.

User: %s
Nonce: %s
Expires: %s`

// Message is the challenge as people read it on the device and as it is signed (EIP-191).
func (c Challenge) Message() string {
	return fmt.Sprintf(challengeForm, c.User, c.Nonce, c.Expires.UTC().Format(time.RFC3339))
}

var challengeEnd = regexp.MustCompile(`\nNonce: ([0-9a-f]{64})\nExpires: (\S{20})$`)

// ReadChallenge reads a message of a user back; ok is false when a single byte is another than
// Message writes.
func ReadChallenge(user domain.UserID, message string) (c Challenge, ok bool) {
	m := challengeEnd.FindStringSubmatch(message)
	if m == nil {
		return c, false
	}
	expires, err := time.Parse(time.RFC3339, m[2])
	c = Challenge{User: user, Nonce: m[1], Expires: expires}
	return c, err == nil && c.Message() == message
}
