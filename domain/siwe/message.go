// Package siwe reads and writes the text by which a wallet signs in (EIP-4361), and says whether
// such a text is one that was asked for. Who signed it is for others to find out: nothing here
// knows a key.
//
// A message that is read has one spelling only: writing it again gives the same bytes. So two texts
// never mean the same thing, and no byte of a text goes unread.
package siwe

import (
	"strconv"
	"strings"
	"time"
)

// Instant is a time as it stands in a message: its text is signed, so it is kept.
type Instant struct {
	Text string
	At   time.Time
}

// InstantOf writes a time as we do: UTC, whole seconds.
func InstantOf(t time.Time) Instant {
	t = t.UTC().Truncate(time.Second)
	return Instant{Text: t.Format(time.RFC3339), At: t}
}

// IsZero reports whether the message does not name this time.
func (i Instant) IsZero() bool { return i.Text == "" }

// Message is what a wallet signs.
type Message struct {
	Scheme    string // of the page, such as "https"; empty when the message does not say
	Domain    string // who asks: host, and port where there is one
	Address   string // who signs: 0x and 40 hex digits
	Statement string // what people read; empty when there is none
	URI       string
	ChainID   uint64
	Nonce     string
	IssuedAt  Instant
	Expires   Instant
	NotBefore Instant
	RequestID string
	Resources []string
}

const asks = " wants you to sign in with your Ethereum account:"

// String is the message as it is signed.
func (m Message) String() string {
	var b strings.Builder
	if m.Scheme != "" {
		b.WriteString(m.Scheme + "://")
	}
	b.WriteString(m.Domain + asks + "\n" + m.Address + "\n\n")
	if m.Statement != "" {
		b.WriteString(m.Statement + "\n")
	}
	b.WriteString("\nURI: " + m.URI + "\nVersion: 1\nChain ID: " + strconv.FormatUint(m.ChainID, 10) + "\nNonce: " + m.Nonce + "\nIssued At: " + m.IssuedAt.Text)
	for _, o := range []struct{ name, value string }{{"Expiration Time", m.Expires.Text}, {"Not Before", m.NotBefore.Text}, {"Request ID", m.RequestID}} {
		if o.value != "" {
			b.WriteString("\n" + o.name + ": " + o.value)
		}
	}
	if len(m.Resources) > 0 {
		b.WriteString("\nResources:")
	}
	for _, r := range m.Resources {
		b.WriteString("\n- " + r)
	}
	return b.String()
}
