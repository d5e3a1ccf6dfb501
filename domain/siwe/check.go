package siwe

import (
	"net/url"
	"strings"
	"time"

	"holdfast/domain/fault"
)

// Refusals of a message that can be read.
var (
	ErrProof   = fault.New(fault.Rule, "PROOF_INVALID", "the message is not one that was asked for here")
	ErrExpired = fault.New(fault.Rule, "PROOF_INVALID", "the message has expired; ask for another nonce")
)

// Wanted is what a message must say to count here.
type Wanted struct {
	// Origin of the page that asks, such as https://shop.example: the message's domain and the
	// beginning of its URI.
	Origin string
	// Statement that people have read, exactly: who signs in has not agreed to link a wallet.
	Statement string
	Nonce     string
	// Chains reports whether a chain is one of ours; nil: all are.
	Chains func(id uint64) bool
	// MaxAge is how long after "Issued At" a message counts, whatever it says of its end.
	MaxAge time.Duration
}

// skew is how far a client's clock may be ahead of ours.
const skew = time.Minute

// Check says whether a message is the one that was asked for: PROOF_INVALID otherwise, with the
// reason in words.
func (m Message) Check(w Wanted, now time.Time) error {
	origin, err := url.Parse(w.Origin)
	if err != nil {
		return err
	}
	uri, err := url.Parse(m.URI)
	switch {
	case err != nil || !strings.EqualFold(m.Domain, origin.Host):
		return ErrProof.Because("the message was made for another site")
	case m.Scheme != "" && m.Scheme != origin.Scheme:
		return ErrProof.Because("the message was made for another scheme")
	case uri.Scheme != origin.Scheme || !strings.EqualFold(uri.Host, origin.Host) || uri.User != nil:
		return ErrProof.Because("the message's URI is another site's")
	case m.Nonce != w.Nonce:
		return ErrProof.Because("the message has another nonce")
	case m.Statement != w.Statement:
		return ErrProof.Because("the message says something else than what was asked: use the statement that came with the nonce")
	case w.Chains != nil && !w.Chains(m.ChainID):
		return ErrProof.Because("chain %d is none of ours", m.ChainID)
	case m.IssuedAt.At.After(now.Add(skew)):
		return ErrProof.Because("the message was issued in the future")
	case !m.IssuedAt.At.Add(w.MaxAge).After(now):
		return ErrExpired
	case !m.Expires.IsZero() && !m.Expires.At.After(now):
		return ErrExpired
	case !m.NotBefore.IsZero() && m.NotBefore.At.After(now):
		return ErrProof.Because("the message does not count yet")
	}
	return nil
}
