package http

import (
	"regexp"
	"unicode/utf8"

	"github.com/google/uuid"
)

// names are the forms of path parameters that are not ids.
var names = map[string]*regexp.Regexp{
	"a view's name":         regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`),
	"an account path":       regexp.MustCompile(`^[a-z][a-z_]*(:[A-Za-z0-9_-]{1,64}){1,3}$`),
	"an asset":              regexp.MustCompile(`^[A-Za-z0-9:%@._-]{1,200}$`),
	"a stream's type":       regexp.MustCompile(`^[a-z][a-z_]{0,62}$`),
	"a stream's id":         regexp.MustCompile(`^[A-Za-z0-9:%@._-]{1,300}$`),
	"a settlement's number": regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`),
	"an evidence key":       regexp.MustCompile(`^[0-9]{1,20}:0x[0-9a-f]{1,64}:[0-9]{1,10}$`),
	"an address":            regexp.MustCompile(`^0x[0-9a-fA-F]{40}$`),
	"a transaction hash":    regexp.MustCompile(`^.{1,200}$`), // every spelling; network.ParseTx says what it is
	"a template's name":     regexp.MustCompile(`^[a-z][a-z-]{0,59}$`),
	"a number":              regexp.MustCompile(`^[0-9]{1,18}$`),
}

// objectIDLength is that of a legacy ObjectId in hex.
const objectIDLength = 24

// wellFormedID accepts a UUID in its usual spelling and a legacy ObjectId. The second kind
// names nothing until the bridge has imported or written what it names.
func wellFormedID(s string) bool {
	if len(s) == objectIDLength {
		for i := range len(s) {
			if !hexDigit(s[i]) {
				return false
			}
		}
		return true
	}
	return len(s) == 36 && uuid.Validate(s) == nil
}

func hexDigit(b byte) bool {
	return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'f') || (b >= 'A' && b <= 'F')
}

func validText(s string) bool { return utf8.ValidString(s) }
