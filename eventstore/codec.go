package eventstore

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"holdfast/domain"
)

// Codec turns events into the bytes of the log and back: it knows every event type, seals
// personal text, and lifts old schema versions to the current one.
type Codec struct {
	keys       KeyRing
	aggregates map[string]domain.Aggregate
	types      map[string]eventType
}

type eventType struct {
	goType   reflect.Type
	category string
	schema   int
	upcast   map[int]func([]byte) ([]byte, error)
	personal bool // the Go type holds a domain.Personal somewhere
}

// UnknownEventError is what a reader gets for a type or schema version it does not know.
// A projector halts on it; nothing skips it.
type UnknownEventError struct {
	Type   string
	Schema int
}

func (e *UnknownEventError) Error() string {
	return fmt.Sprintf("event type %q schema %d is not known to this build", e.Type, e.Schema)
}

// NewCodec registers the aggregates. It fails on a type name used twice and on a missing
// step of an upcast chain, so that a build that cannot read its own log does not start.
func NewCodec(keys KeyRing, aggregates ...domain.Aggregate) (*Codec, error) {
	c := &Codec{keys: keys, aggregates: map[string]domain.Aggregate{}, types: map[string]eventType{}}
	for _, a := range aggregates {
		if _, twice := c.aggregates[a.Category]; twice {
			return nil, fmt.Errorf("aggregate %q is registered twice", a.Category)
		}
		c.aggregates[a.Category] = a
		for _, e := range a.Events {
			if err := c.register(a, e); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

func (c *Codec) register(a domain.Aggregate, e domain.Event) error {
	name := e.EventType()
	if _, twice := c.types[name]; twice {
		return fmt.Errorf("event type %q is registered twice", name)
	}
	t := eventType{goType: reflect.TypeOf(e), category: a.Category, schema: max(1, a.Schema[name]), upcast: a.Upcast[name]}
	if t.goType.Kind() != reflect.Struct {
		return fmt.Errorf("event type %q must be a struct value, is %s", name, t.goType)
	}
	for v := 1; v < t.schema; v++ {
		if t.upcast[v] == nil {
			return fmt.Errorf("event type %q has no upcaster from schema %d to %d", name, v, v+1)
		}
	}
	t.personal = holdsPersonal(t.goType, map[reflect.Type]bool{})
	c.types[name] = t
	return nil
}

// Aggregate gives what was registered for a category.
func (c *Codec) Aggregate(category string) (domain.Aggregate, bool) {
	a, ok := c.aggregates[category]
	return a, ok
}

// Knows reports whether the build can read this type at this schema version.
func (c *Codec) Knows(name string, schema int) bool {
	t, ok := c.types[name]
	return ok && schema >= 1 && schema <= t.schema
}

// Encode gives the type's name, its current schema version and the JSON to store.
func (c *Codec) Encode(ctx context.Context, category string, e domain.Event) (name string, schema int, data []byte, err error) {
	name = e.EventType()
	t, ok := c.types[name]
	if !ok || t.category != category {
		return "", 0, nil, fmt.Errorf("event type %q is not registered for %q", name, category)
	}
	if t.personal {
		if e, err = c.seal(ctx, e); err != nil {
			return "", 0, nil, fmt.Errorf("seal %s: %w", name, err)
		}
	}
	data, err = json.Marshal(e)
	return name, t.schema, data, err
}

// Decode gives the event in its current shape, its personal text opened.
func (c *Codec) Decode(ctx context.Context, name string, schema int, data []byte) (domain.Event, error) {
	p, err := c.decode(name, schema, data)
	if err != nil {
		return nil, err
	}
	if c.types[name].personal {
		if err := c.open(ctx, p); err != nil {
			return nil, fmt.Errorf("open %s: %w", name, err)
		}
	}
	return p.Interface().(domain.Event), nil
}

// DecodeSealed is Decode that leaves personal text sealed: what read models keep, so that
// an erased person is gone from them too.
func (c *Codec) DecodeSealed(name string, schema int, data []byte) (domain.Event, error) {
	p, err := c.decode(name, schema, data)
	if err != nil {
		return nil, err
	}
	return p.Interface().(domain.Event), nil
}

// Keys is the ring of keys that opens personal text.
func (c *Codec) Keys() KeyRing { return c.keys }

// WithKeys gives the same codec with another ring of keys.
func (c *Codec) WithKeys(keys KeyRing) *Codec {
	other := *c
	other.keys = keys
	return &other
}

// Open fills in the personal text anywhere below p, a pointer to what was decoded sealed.
// That of an erased subject stays empty, with Erased set.
func (c *Codec) Open(ctx context.Context, p any) error { return c.open(ctx, reflect.ValueOf(p).Elem()) }

func (c *Codec) decode(name string, schema int, data []byte) (reflect.Value, error) {
	t, ok := c.types[name]
	if !ok || schema < 1 || schema > t.schema {
		return reflect.Value{}, &UnknownEventError{Type: name, Schema: schema}
	}
	for v := schema; v < t.schema; v++ {
		var err error
		if data, err = t.upcast[v](data); err != nil {
			return reflect.Value{}, fmt.Errorf("upcast %s from schema %d: %w", name, v, err)
		}
	}
	p := reflect.New(t.goType)
	if err := json.Unmarshal(data, p.Interface()); err != nil {
		return reflect.Value{}, fmt.Errorf("decode %s: %w", name, err)
	}
	return p.Elem(), nil
}
