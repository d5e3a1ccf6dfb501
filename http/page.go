package http

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// Page asks for a part of a list.
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"Rows to give"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"next_cursor of the page before"`
	// Page is what legacy clients send; lists go on by cursor.
	Page int `query:"page" minimum:"1" maximum:"1" default:"1" doc:"Only 1: lists go on by cursor"`
}

// positionCursor is an opaque cursor that stands for a number in one kind of list.
func positionCursor(kind string, n int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(kind + ":" + strconv.FormatInt(n, 10)))
}

// readPositionCursor refuses a cursor of another list.
func readPositionCursor(kind, cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return 0, errInvalidCursor
	}
	digits, ok := strings.CutPrefix(string(raw), kind+":")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 0 || digits != strconv.FormatInt(n, 10) {
		return 0, errInvalidCursor
	}
	return n, nil
}

// checkIDCursor refuses the cursor of a list that goes on after the id of its last row.
func checkIDCursor(cursor string) error {
	if cursor != "" && !wellFormedID(cursor) {
		return errInvalidCursor
	}
	return nil
}
