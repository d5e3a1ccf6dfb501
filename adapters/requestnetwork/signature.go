package requestnetwork

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// The headers of a delivery.
const (
	HeaderSignature = "X-Request-Network-Signature"
	HeaderDelivery  = "X-Request-Network-Delivery"
	HeaderRetry     = "X-Request-Network-Retry-Count"
	HeaderTest      = "X-Request-Network-Test"
)

// Verifier checks signatures against every secret that is valid now: during a rotation the
// old one and the new one.
type Verifier struct {
	secrets []string
	old     string
	until   time.Time
	now     func() time.Time
}

// NewVerifier makes a verifier; empty secrets are left out, and without any nothing passes.
func NewVerifier(secrets ...string) *Verifier {
	v := &Verifier{now: time.Now}
	for _, s := range secrets {
		if s != "" {
			v.secrets = append(v.secrets, s)
		}
	}
	return v
}

// Until gives a verifier that takes another secret too, until a time: the old one of a
// rotation. Nobody has to think of removing it.
func (v *Verifier) Until(old string, until time.Time) *Verifier {
	also := *v
	also.old, also.until = old, until
	return &also
}

// at sets the clock, for tests.
func (v *Verifier) at(now func() time.Time) *Verifier { v.now = now; return v }

// Verify compares the signature header with the raw body in constant time. The header is
// lower-case hex and nothing else; the secret is used as text, although it looks like hex.
func (v *Verifier) Verify(signature string, body []byte) bool {
	ok, secrets := false, v.secrets
	if v.old != "" && v.now().Before(v.until) {
		secrets = append(secrets[:len(secrets):len(secrets)], v.old)
	}
	for _, s := range secrets {
		if hmac.Equal([]byte(Sign(s, body)), []byte(signature)) {
			ok = true // go on, so that the time does not tell which secret it was
		}
	}
	return ok
}

// Sign is the signature of a body.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
