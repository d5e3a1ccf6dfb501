package apikey

import "strings"

// mark is how every key begins, so that scanners of leaked secrets find it.
const mark = "hfk_"

// secretLength is that of 32 bytes in base64.
const secretLength = 43

// TokenOf writes a key as its holder keeps it: whose it is, and the secret.
func TokenOf(id, secret string) string { return mark + bare(id) + "_" + secret }

// PrefixOf is the part of a key that may be shown.
func PrefixOf(id string) string { return mark + bare(id)[:min(8, len(bare(id)))] }

func bare(id string) string { return strings.ReplaceAll(id, "-", "") }

// IsToken reports whether a text claims to be a key.
func IsToken(text string) bool { return strings.HasPrefix(text, mark) }

// ParseToken takes a key apart; ok is false for what cannot be one.
func ParseToken(text string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(text, mark)
	if !ok || len(rest) != 32+1+secretLength || rest[32] != '_' {
		return "", "", false
	}
	hex := rest[:32]
	if strings.Trim(hex, "0123456789abcdef") != "" {
		return "", "", false
	}
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:], rest[33:], true
}
