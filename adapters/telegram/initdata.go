package telegram

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/domain/fault"
)

// Refusals of what a client brings.
var (
	ErrSignature = fault.New(fault.Unauthenticated, "TELEGRAM_SIGNATURE_INVALID", "the data was not signed by Telegram for this bot")
	ErrStale     = fault.New(fault.Unauthenticated, "TELEGRAM_STALE", "the data is too old; open the app again")
)

// Telegram's own keys, for initData without the bot's token.
const (
	ProductionKey = "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d"
	TestKey       = "40055058a4ee38156a06562e52eece92a771bcd8346a8c4615cb7376eddf72ec"
)

const (
	maxInitData = 8 << 10
	maxFields   = 32
	// skew is how far Telegram's clock may be ahead of ours.
	skew = time.Minute
)

// User is a person at Telegram. Nothing of it but the number stays the same.
type User struct {
	ID           int64  `json:"id"`
	IsBot        bool   `json:"is_bot"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name"`
	Username     string `json:"username"`
	LanguageCode string `json:"language_code"`
}

// Proof is what a client has shown.
type Proof struct {
	User       User
	AuthDate   time.Time
	StartParam string
	// Key names this very proof: take it once.
	Key [sha256.Size]byte
}

// Verifier checks what clients bring for one bot: with its token where there is one, else by
// Telegram's own key and the bot's number.
type Verifier struct {
	token  string
	bot    int64
	public ed25519.PublicKey
}

// NewVerifier makes one. With a token the bot's number is read from it; publicKey (32 bytes in hex)
// is Telegram's production key when empty.
func NewVerifier(token string, bot int64, publicKey string) (*Verifier, error) {
	if publicKey == "" {
		publicKey = ProductionKey
	}
	key, err := hex.DecodeString(publicKey)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fault.ErrValidation.Because("Telegram's public key is 32 bytes in hex")
	}
	return &Verifier{token: token, bot: bot, public: key}, nil
}

var dateGrammar = regexp.MustCompile(`^[1-9][0-9]{0,10}$`)

// InitData checks the data of a Mini App: TELEGRAM_SIGNATURE_INVALID when Telegram did not sign it
// for this bot, or a field occurs twice; TELEGRAM_STALE when it is older than maxAge or from the future.
func (v *Verifier) InitData(text string, maxAge time.Duration, now time.Time) (Proof, error) {
	fields, err := pairs(text)
	if err != nil {
		return Proof{}, err
	}
	if v.token != "" {
		secret := mac([]byte("WebAppData"), v.token)
		if !sameHex(fields["hash"], mac(secret, checkString(fields, "hash"))) {
			return Proof{}, ErrSignature
		}
	} else {
		sig, err := base64.RawURLEncoding.Strict().DecodeString(fields["signature"])
		message := strconv.FormatInt(v.bot, 10) + ":WebAppData\n" + checkString(fields, "hash", "signature")
		if err != nil || v.bot <= 0 || len(sig) != ed25519.SignatureSize || !ed25519.Verify(v.public, []byte(message), sig) {
			return Proof{}, ErrSignature
		}
	}
	p := Proof{StartParam: fields["start_param"], Key: sha256.Sum256([]byte(checkString(fields, "hash", "signature")))}
	if json.Unmarshal([]byte(fields["user"]), &p.User) != nil {
		return Proof{}, ErrSignature.Because("the data names no user")
	}
	return p.at(fields["auth_date"], maxAge, now)
}

// at judges who is meant and when it was signed.
func (p Proof) at(date string, maxAge time.Duration, now time.Time) (Proof, error) {
	if p.User.ID <= 0 || p.User.IsBot {
		return Proof{}, ErrSignature.Because("the data names no person")
	}
	seconds, err := strconv.ParseInt(date, 10, 64)
	if err != nil || !dateGrammar.MatchString(date) {
		return Proof{}, ErrSignature.Because("the data does not say when it was signed")
	}
	p.AuthDate = time.Unix(seconds, 0).UTC()
	switch {
	case p.AuthDate.After(now.Add(skew)):
		return Proof{}, ErrStale.Because("the data is from the future")
	case now.Sub(p.AuthDate) > maxAge:
		return Proof{}, ErrStale
	}
	return p, nil
}

// pairs reads a query string strictly: each field once, as libraries differ in which of two they take.
func pairs(text string) (map[string]string, error) {
	if text == "" || len(text) > maxInitData {
		return nil, ErrSignature.Because("this is no initData")
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(text, "&") {
		name, value, ok := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if !ok || err != nil || err2 != nil || name == "" || strings.ContainsAny(part, ";") || strings.Contains(name, "=") {
			return nil, ErrSignature.Because("this is no initData")
		}
		if _, twice := fields[name]; twice {
			return nil, ErrSignature.Because("a field occurs twice")
		}
		if len(fields) == maxFields {
			return nil, ErrSignature.Because("this is no initData")
		}
		fields[name] = value
	}
	return fields, nil
}

// checkString is what is signed: the fields by name, one a line.
func checkString(fields map[string]string, without ...string) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(without, name) {
			lines = append(lines, name+"="+fields[name])
		}
	}
	return strings.Join(lines, "\n")
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// sameHex compares in constant time. Telegram writes lower case; another spelling is another text.
func sameHex(text string, want []byte) bool {
	return hmac.Equal([]byte(text), []byte(hex.EncodeToString(want)))
}
