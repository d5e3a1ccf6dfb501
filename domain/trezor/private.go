package trezor

import (
	"regexp"
	"strings"

	"holdfast/domain/fault"
)

// ErrPrivateKey: somebody sent what must never leave a device. The text is not repeated.
var ErrPrivateKey = fault.New(fault.Rule, "PRIVATE_KEY_REJECTED", "this looks like a private key or seed words; never send one anywhere, and move what it guards")

var (
	extendedPrivate = regexp.MustCompile(`(?i)\b[tuvxyz]prv[1-9a-z]{20,}`)
	hexPrivate      = regexp.MustCompile(`^(0x|0X)?[0-9a-fA-F]{64}$`)
	wifPrivate      = regexp.MustCompile(`^[5KLc9][1-9A-HJ-NP-Za-km-z]{50,51}$`)
	seedWord        = regexp.MustCompile(`^[a-z]{3,8}$`)
)

// RefusePrivate refuses a text that holds an extended private key, that is a raw private key, or
// that is 12 to 24 seed words. ErrPrivateKey names the field, never the text.
func RefusePrivate(field, text string) error {
	text = strings.TrimSpace(text)
	if extendedPrivate.MatchString(text) || hexPrivate.MatchString(text) || wifPrivate.MatchString(text) || seedWords(text) {
		return ErrPrivateKey.At(field, "looks like a private key")
	}
	return nil
}

// seedWords: every word of BIP-39's lists in Latin letters has three to eight of them.
func seedWords(text string) bool {
	words := strings.Fields(strings.ToLower(text))
	switch len(words) {
	case 12, 15, 18, 21, 24:
	default:
		return false
	}
	for _, w := range words {
		if !seedWord.MatchString(w) {
			return false
		}
	}
	return true
}
