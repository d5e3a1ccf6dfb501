package projections

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
)

// cursor is where a page ended: the sort key and the position of its last row.
type cursor struct {
	Kind string `json:"k"` // list and order it belongs to
	Key  string `json:"v"` // sort key, a decimal number
	Pos  int64  `json:"p"`
}

// String is opaque to clients: base64url of its JSON.
func (c cursor) String() string {
	raw, _ := json.Marshal(c) // strings and a number always encode
	return base64.RawURLEncoding.EncodeToString(raw)
}

var cursorKey = regexp.MustCompile(`^-?\d{1,78}(\.\d{1,40})?$`)

// readCursor accepts only what String has written for the same list: ErrInvalidCursor otherwise.
func readCursor(kind, text string) (c cursor, err error) {
	if len(text) > 1024 {
		return c, ErrInvalidCursor
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return c, ErrInvalidCursor
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil || c.Kind != kind || !cursorKey.MatchString(c.Key) || c.Pos < 1 || c.String() != text {
		return c, ErrInvalidCursor
	}
	return c, nil
}
