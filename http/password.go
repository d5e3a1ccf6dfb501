package http

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"holdfast/domain/fault"
)

var errWeakPassword = fault.New(fault.Malformed, "WEAK_PASSWORD", "the password is too easy to guess, or cannot be one")

// Lengths of a password: characters at least, bytes at most. Hashing takes as long for all.
const (
	minPassword = 8
	maxPassword = 1024
)

//go:embed passwords/common.txt
var commonText string

var common = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(commonText) {
		all[strings.TrimSuffix(line, "\n")] = true
	}
	return all
})

// checkPassword refuses what the first guesses would find: what is short, empty to the eye, one
// of the commonest (also with digits or signs behind it), or the person's own address. email may
// be empty.
func checkPassword(path, password, email string) error {
	weak := func(why string) error { return errWeakPassword.At(path, why) }
	switch {
	case len(password) > maxPassword:
		return weak("longer than 1024 bytes")
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return weak("holds a character that cannot be typed")
	case utf8.RuneCountInString(password) < minPassword:
		return weak("shorter than 8 characters")
	case strings.TrimSpace(password) == "":
		return weak("only spaces")
	}
	plain := strings.ToLower(password)
	bare := strings.TrimRight(plain, "0123456789!@#$%^&*?.,-_+= ")
	local, _, _ := strings.Cut(strings.ToLower(email), "@")
	switch {
	case common()[plain] || common()[bare]:
		return weak("one of the commonest, which are tried first")
	case distinct(plain) < 4:
		return weak("made of too few different characters")
	case email != "" && (plain == strings.ToLower(email) || plain == local || bare == local):
		return weak("your own e-mail address")
	}
	return nil
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}
