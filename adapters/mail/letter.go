package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"holdfast/domain/fault"
)

// ErrAddress: what was given is not exactly one e-mail address.
var ErrAddress = fault.New(fault.Malformed, "VALIDATION_FAILED", "not one e-mail address")

// Letter is a mail as it is handed to the server.
type Letter struct {
	To        string // one address
	Name      string // of the recipient; may be empty
	Subject   string
	Text      string
	HTML      string
	MessageID string // without angle brackets; the same for every attempt
	Date      time.Time
	// Unsubscribe, when set, is the address of the one-click unsubscription (RFC 8058).
	Unsubscribe string
}

// CheckAddress refuses what is not exactly one plain address: lists, display names, comments
// and control characters.
func CheckAddress(address string) error {
	parsed, err := netmail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > 254 || strings.ContainsFunc(address, unicode.IsControl) {
		return ErrAddress
	}
	return nil
}

// message makes go-mail's form of the letter. Boundary and date follow from the letter, so
// that writing it twice gives the same bytes.
func (l Letter) message(from, fromName string) (*gomail.Msg, error) {
	if err := CheckAddress(l.To); err != nil {
		return nil, err
	}
	for _, line := range []string{l.Name, l.Subject, l.MessageID, l.Unsubscribe} {
		if strings.ContainsFunc(line, unicode.IsControl) {
			return nil, fault.ErrValidation.Because("a header of the mail holds a control character")
		}
	}
	sum := sha256.Sum256([]byte(l.MessageID))
	m := gomail.NewMsg(gomail.WithBoundary(hex.EncodeToString(sum[:16])))
	if err := m.FromFormat(fromName, from); err != nil {
		return nil, fmt.Errorf("the sender's address: %w", err)
	}
	if err := m.AddToFormat(l.Name, l.To); err != nil {
		return nil, ErrAddress
	}
	m.Subject(l.Subject)
	m.SetMessageIDWithValue(l.MessageID)
	m.SetDateWithValue(l.Date)
	m.SetUserAgent("Holdfast")
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	if l.Unsubscribe != "" {
		m.SetGenHeaderPreformatted("List-Unsubscribe", "<"+l.Unsubscribe+">")
		m.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	return m, nil
}

func written(m *gomail.Msg) ([]byte, error) {
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("write the mail: %w", err)
	}
	return b.Bytes(), nil
}
