package requestnetwork

import (
	"encoding/hex"
	"regexp"
	"strings"

	"golang.org/x/crypto/sha3"
)

// Reference is the payment reference that the provider computes of a request: the last
// eight bytes of keccak256 over the lower-case text of request id, salt and payee.
func Reference(requestID, salt, payee string) string {
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte(strings.ToLower(requestID + salt + payee)))
	return "0x" + hex.EncodeToString(h.Sum(nil)[24:])
}

var (
	referenceGrammar = regexp.MustCompile(`^0x[0-9a-f]{16}$`)
	requestGrammar   = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)
)
