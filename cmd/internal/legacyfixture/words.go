package legacyfixture

import (
	"math/rand/v2"
	"strings"
)

var (
	firstNames = []string{"Ada", "Babak", "Carla", "Dmitri", "Elif", "Farid", "Greta", "Hamid", "Ines", "Jonas", "Kaveh", "Leila", "Marta", "Nadia", "Omar", "Petra", "Reza", "Sara", "Tomas", "Yasmin"}
	lastNames  = []string{"Ahmadi", "Bauer", "Castro", "Demir", "Eriksen", "Farahani", "Garcia", "Haddad", "Ivanov", "Jafari", "Karimi", "Lang", "Moradi", "Novak", "Peters", "Rossi", "Sadeghi", "Tehrani", "Weber", "Zamani"}
	things     = []string{"a used camera", "a mechanical keyboard", "a winter coat", "a road bike", "a graphics card", "a sewing machine", "headphones", "a logo", "a translation", "a phone", "a watch", "a tent", "spare parts", "a subscription"}
	adjectives = []string{"as good as new", "in its box", "with the bill", "for a present", "second hand is fine", "quickly please", "black or grey", "with warranty"}
	brands     = []string{"Acme", "Nordlicht", "Pars", "Kestrel", "Ostara"}
	streets    = []string{"Elm Street", "Valiasr Avenue", "Hauptstrasse", "Via Roma", "Istiklal"}
	says       = []string{"Hello, is it still there?", "Yes, it is.", "Can you ship on Monday?", "Sent, here is the number.", "Thank you, it has arrived.", "سلام، موجود است؟", "I will pay this evening.", "All right."}
)

// letters that nobody takes for one another: accounts whose addresses look the same are one to us.
const letters = "bcdfghkmpqtvwxz"

// spelled writes a number in such letters.
func spelled(n int) string {
	var b strings.Builder
	for {
		b.WriteByte(letters[n%len(letters)])
		if n /= len(letters); n == 0 {
			return b.String()
		}
	}
}

func sentence(r *rand.Rand) string {
	return "I am looking for " + pick(r, things...) + ", " + pick(r, adjectives...) + "."
}
