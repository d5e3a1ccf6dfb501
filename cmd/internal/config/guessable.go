package config

import (
	"strings"
	"unicode"
)

// placeholders are what tutorials, examples and generators of projects put where a secret
// belongs. No random secret of 32 bytes holds one of them.
var placeholders = []string{
	"changeme", "changethis", "changeit", "replaceme", "placeholder", "yoursecret", "yourjwt", "your256bit", "yoursuper", "mysecret", "myjwt", "jwtsecret",
	"secretkey", "supersecret", "verysecret", "topsecret", "password", "example", "insecure", "donotuse", "default", "holdfastsecret", "marketplacesecret", "developmentonly",
	"abcdefghijklmnop", "0123456789abcdef0123456789abcdef", "12345678901234567890",
}

// guessable reports whether a secret is too short, a known default, or the same few
// characters over and over: a service that starts with one is open.
func guessable(secret string) bool {
	if len(secret) < 32 {
		return true
	}
	plain := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, secret)
	for _, p := range placeholders {
		if strings.Contains(plain, p) {
			return true
		}
	}
	different := map[rune]bool{}
	for _, r := range secret {
		different[r] = true
	}
	return len(different) < 8
}
