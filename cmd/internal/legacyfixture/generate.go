package legacyfixture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"

	"go.mongodb.org/mongo-driver/bson"
)

// Sink takes the documents, one collection after the other.
type Sink interface {
	// Collection ends the one before and begins another.
	Collection(ctx context.Context, name string) error
	Write(ctx context.Context, doc bson.D) error
	// Close ends the last one.
	Close(ctx context.Context) error
}

// Collections that are made, in the order in which they are written.
func Collections() []string {
	return []string{
		"users", "categories", "purchaserequests", "selleroffers", "payments", "fundsledgerentries",
		"releaseholds", "disputes", "chats", "trezoraccounts", "deriveddestinations", "confirmationthresholds",
	}
}

// Generate writes a database into a sink, and the truth about it as JSON (a Truth). It keeps no
// document.
func Generate(ctx context.Context, o Options, into Sink, truth io.Writer) (map[string]Count, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	m := &maker{Options: o}
	if m.spread(); m.blocks[len(m.blocks)-1].payments != o.Payments {
		return nil, errors.New("too few offers for so many payments")
	}
	if err := m.openWallet(); err != nil {
		return nil, err
	}
	g := &generation{maker: m, ctx: ctx, into: into, truth: newTruth(truth)}
	for _, name := range Collections() {
		if err := g.collection(name); err != nil {
			return nil, fmt.Errorf("make %s: %w", name, err)
		}
	}
	if err := into.Close(ctx); err != nil {
		return nil, err
	}
	return maps.Clone(g.truth.counts), g.truth.close()
}

type generation struct {
	*maker
	ctx   context.Context //nolint:containedctx // lives as long as one call
	into  Sink
	truth *truthWriter
	name  string
}

func (g *generation) write(doc bson.D, dirty *Dirty) error {
	g.truth.document(g.name, dirty)
	return g.into.Write(g.ctx, doc)
}

func (g *generation) writeIf(doc bson.D, dirty *Dirty, err error) error {
	if err != nil {
		return err
	}
	return g.write(doc, dirty)
}

func (g *generation) collection(name string) error {
	g.name = name
	if err := g.into.Collection(g.ctx, name); err != nil {
		return err
	}
	switch name {
	case "users":
		return g.each(g.Users, func(n int) error { return g.write(g.user(n)) })
	case "categories":
		n := categoryCount()
		if g.Dirt > 0 {
			n++
		}
		return g.each(n, func(n int) error { return g.write(g.category(n)) })
	case "trezoraccounts":
		return g.each(g.Users, func(n int) error {
			if !g.hasTrezor(n) {
				return nil
			}
			return g.writeIf(g.trezor(n))
		})
	case "confirmationthresholds":
		return g.each(len(thresholds), func(n int) error { return g.write(g.threshold(n)) })
	}
	if err := g.each(g.Requests, func(n int) error { return g.ofOrder(g.order(n)) }); err != nil || name != "deriveddestinations" {
		return err
	}
	return g.each(spare, func(n int) error { return g.writeIf(g.spareDestination(n)) })
}

// ofOrder writes an order's documents of the collection.
func (g *generation) ofOrder(o order) error {
	paid := o.payment >= 0
	switch {
	case g.name == "purchaserequests":
		return g.write(g.request(o))
	case g.name == "selleroffers":
		for k := range o.sellers {
			if err := g.write(g.offer(o, k)); err != nil {
				return err
			}
		}
	case g.name == "payments" && paid:
		return g.writeIf(g.payment(o))
	case g.name == "fundsledgerentries" && paid:
		return g.entries(o, g.write)
	case g.name == "releaseholds" && o.isStopped():
		return g.write(g.releaseHold(o))
	case g.name == "disputes" && o.isDisputed():
		return g.write(g.dispute(o))
	case g.name == "chats" && g.hasChat(o):
		return g.write(g.chat(o))
	case g.name == "deriveddestinations" && g.hasDestination(o):
		return g.writeIf(g.destination(o))
	}
	return nil
}

func (g *generation) each(n int, do func(int) error) error {
	for i := range n {
		if i%1000 == 0 && g.ctx.Err() != nil {
			return g.ctx.Err()
		}
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}
