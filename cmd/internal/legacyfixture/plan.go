package legacyfixture

import (
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/bson/primitive"
)

// perBlock requests share the offers and payments that fall to them.
const perBlock = 10

// block is where the offers and payments of its requests begin.
type block struct{ offers, payments int }

// spread shares offers and payments out over the blocks, so that each payment has a request and
// an offer.
func (m *maker) spread() {
	n := (m.Requests + perBlock - 1) / perBlock
	m.blocks = make([]block, n+1)
	for i := range n {
		ahead := min((i+1)*perBlock, m.Requests)
		offers := m.Offers * ahead / max(m.Requests, 1)
		payments := m.Payments * ahead / max(m.Requests, 1)
		here := min(payments-m.blocks[i].payments, offers-m.blocks[i].offers, ahead-i*perBlock)
		m.blocks[i+1] = block{offers, m.blocks[i].payments + here}
	}
}

// What became of an order.
const (
	idle       = iota // no offers
	offered           // offers, none chosen
	unpaid            // one chosen, its payment waits, failed or lapsed
	partial           // some of the money came
	processing        // funded, from here on
	shipped
	delivered
	confirming
	disputed
	releasable
	releasing
	released
	paidOut
	refunded
)

// order is one request and all that hangs on it.
type order struct {
	n        int
	story    int
	id       primitive.ObjectID
	at       time.Time
	buyer    int
	sellers  []int // of its offers
	offer    int   // number of its first offer
	payment  int   // its payment's number; -1 for none
	selected int   // which of its offers
	price    amount
	token    token
	dirt     string
}

// order tells a request's story.
func (m *maker) order(n int) order {
	r := m.random("order", n)
	b, at := n/perBlock, n%perBlock
	offers, payments := m.blocks[b+1].offers-m.blocks[b].offers, m.blocks[b+1].payments-m.blocks[b].payments
	here := min(perBlock, m.Requests-b*perBlock)
	// The block's dice say which of its requests are paid for and where the other offers go.
	dice := m.random("block", b)
	paid := dice.Perm(here)[:payments]
	counts := make([]int, here)
	for _, i := range paid {
		counts[i]++
	}
	for range offers - payments {
		i := dice.IntN(here)
		if counts[i] == 0 && len(paid) > 0 && chance(dice, 0.8) {
			i = paid[dice.IntN(len(paid))] // who buys has had the choice; others wait without an offer
		}
		counts[i]++
	}
	o := order{n: n, at: m.within(n, m.Requests), payment: -1, offer: m.blocks[b].offers, token: pickToken(r)}
	o.id = m.object("purchaserequests", o.at, n)
	for i := range at {
		o.offer += counts[i]
	}
	for i, which := range paid {
		if which == at {
			o.payment = m.blocks[b].payments + i
		}
	}
	known := m.Users * n / max(m.Requests, 1)
	o.buyer = m.person(r, buyers, known, nil)
	for range counts[at] {
		o.sellers = append(o.sellers, m.person(r, sellers, known, o.sellers))
	}
	o.price = amount(pick[int64](r, 5_000, 10_000, 10_000, 25_000) * (1 + r.Int64N(800)))
	if len(o.sellers) > 0 {
		o.selected = r.IntN(len(o.sellers))
	}
	o.story = m.storyOf(r, o)
	if chance(r, m.Dirt) {
		o.dirt = m.orderDirt(r, o)
	}
	return o
}

// paidStories with their weights.
var paidStories = []struct{ story, weight int }{
	{paidOut, 30},
	{released, 24},
	{releasing, 2},
	{releasable, 4},
	{refunded, 6},
	{processing, 10},
	{shipped, 8},
	{delivered, 4},
	{confirming, 3},
	{disputed, 3},
	{unpaid, 5},
	{partial, 1},
}

func (m *maker) storyOf(r *rand.Rand, o order) int {
	switch {
	case len(o.sellers) == 0:
		return idle
	case o.payment < 0:
		return offered
	}
	left := r.IntN(100)
	for _, s := range paidStories {
		if left -= s.weight; left < 0 {
			return s.story
		}
	}
	return paidOut
}

// chosen reports an order whose offer was taken: its money came, or is waited for.
func (o order) chosen() bool { return o.story >= partial || o.story == unpaid && o.n%3 > 0 }

// funded reports an order whose money has all come.
func (o order) funded() bool { return o.story >= processing }

// isDisputed reports an order with a dispute: an open one, or one that has ended.
func (o order) isDisputed() bool {
	return o.story == disputed || (o.story == released || o.story == refunded) && o.n%7 == 0
}
