package records

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// cost of an argon2id hash; memory in KiB.
type cost struct {
	memory, time uint32
	threads      uint8
}

// present is what new hashes cost: OWASP's minimum, about 30 ms and 19 MiB on one core.
var present = cost{memory: 19456, time: 2, threads: 1}

const keyBytes = 32

// phc is an argon2id string: $argon2id$v=19$m=…,t=…,p=…$salt$key.
type phc struct {
	cost
	salt, key []byte
}

func (p phc) String() string {
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads, enc(p.salt), enc(p.key))
}

var errNotPHC = errors.New("the stored password is not an argon2id string of a reasonable cost")

// parsePHC takes hashes of other costs too, up to about half a second's work: they are replaced
// at the next login.
func parsePHC(stored string) (p phc, err error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, errNotPHC
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); n != 3 || err != nil {
		return phc{}, errNotPHC
	}
	if p.memory < 1024 || p.memory > 128<<10 || p.time < 1 || p.time > 10 || p.threads < 1 || p.threads > 16 {
		return phc{}, errNotPHC
	}
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(p.salt) < 8 {
		return phc{}, errNotPHC
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(p.key) < 16 || len(p.key) > 64 {
		return phc{}, errNotPHC
	}
	return p, nil
}
