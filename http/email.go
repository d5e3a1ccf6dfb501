package http

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// EmailKey names an address for its claim: the keyed hash of its canonical form.
func EmailKey(h KeyedHashes, email string) string { return h.Of("email", CanonicalEmail(email)) }

// CanonicalEmail is the form in which two addresses count as the same: whatever case, dots,
// accents, width or look-alike letters they are written with. It is never sent to anybody.
func CanonicalEmail(email string) string {
	local, host, _ := cutLast(lookalike(strings.TrimSpace(email)), "@")
	local = strings.ReplaceAll(local, ".", "")
	if host == "googlemail.com" {
		host = "gmail.com"
	}
	if host == "gmail.com" {
		local, _, _ = strings.Cut(local, "+") // Google delivers all of these to one person
	}
	return local + "@" + strings.TrimSuffix(host, ".")
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// lookalike folds text to the letters that it looks like: compatibility forms, no marks, lower
// case, and the Cyrillic and Greek letters that cannot be told from Latin ones.
func lookalike(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		r = unicode.ToLower(r)
		if latin, ok := twins[r]; ok {
			return latin
		}
		return r
	}, norm.NFKD.String(s))
}

// twins are the letters of other scripts that are drawn like a Latin one, after lower-casing:
// the single-letter part of Unicode's confusables that passes in mail addresses.
var twins = pairs(
	"\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u043a\u043c\u0442\u0432\u043d\u04cf\u04af\u0475\u0261\u0131\u0251", "aeopcyxijshdqwkmtbhlyvgia",
	"\u03b1\u03b2\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03b3\u03b7\u03c9\u03f3\u03f2", "abeikvoptuxynwjc",
	"\u0570\u0578\u057d\u0585\u0566\u0581\u0561\u0575\u056c", "hnuoqgwjl", // Armenian
	"\u0142\u00f8\u0111\u0127\u0180\u0253\u0257\u0260\u0268\u0269\u0282\u0288\u029f\u1d04\u1d0f\u1d20\u1d21\u1d22", "lodhbbdgiistlcovwz",
)

func pairs(fromTo ...string) map[rune]rune {
	m := map[rune]rune{}
	for i := 0; i < len(fromTo); i += 2 {
		to := []rune(fromTo[i+1])
		for n, from := range []rune(fromTo[i]) {
			m[from] = to[n]
		}
	}
	return m
}
