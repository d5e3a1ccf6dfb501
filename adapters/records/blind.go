package records

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
)

// Blind makes keyed hashes by which a row is found whose text is sealed. Without the key a hash
// cannot be tried against guesses.
type Blind struct{ key []byte }

// NewBlind derives the key of the hashes from the master key of personal data.
func NewBlind(master []byte) Blind {
	m := hmac.New(sha256.New, master)
	m.Write([]byte("holdfast: hashes to find sealed rows by, 1"))
	return Blind{m.Sum(nil)}
}

// Hash of a text of a kind ("email"); case and outer spaces do not matter.
func (b Blind) Hash(kind, text string) []byte {
	m := hmac.New(sha256.New, b.key)
	m.Write([]byte(kind + "\x00" + strings.ToLower(strings.TrimSpace(text))))
	return m.Sum(nil)
}
