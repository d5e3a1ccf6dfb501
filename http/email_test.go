package http_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	apihttp "holdfast/http"
)

func TestAddressesThatLookTheSameAreTheSame(t *testing.T) {
	t.Parallel()
	const one = "ann.smith@example.org"
	for _, same := range []string{
		"Ann.Smith@Example.ORG", "annsmith@example.org", "a.n.n.smith@example.org", " ann.smith@example.org ", "ann.smith@example.org.",
		"\u0430nn.smith@example.org", "ann.sm\u0456th@example.org", "\uff41nn.smith@example.org", "\u03b1nn.smith@example.org",
		"\u00e4nn.smith@example.org", "an\u200bn.smith@example.org", "ann.smith@ex\u0430mple.org",
	} {
		assert.Equal(t, apihttp.CanonicalEmail(one), apihttp.CanonicalEmail(same), "%q", same)
	}
	for _, other := range []string{"ann.smyth@example.org", "ann.smith@example.com", "annsmith@exampleorg", "ann+smith@example.org", "bob@example.org"} {
		assert.NotEqual(t, apihttp.CanonicalEmail(one), apihttp.CanonicalEmail(other), other)
	}
	assert.Equal(t, apihttp.CanonicalEmail("ann.smith+shop@gmail.com"), apihttp.CanonicalEmail("annsmith@googlemail.com"))
}
