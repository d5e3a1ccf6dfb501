package machinetest

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"holdfast/domain"
)

// Case is one Given/When/Then: after the events of Given, the command When leads to the
// events Then, or is refused with Err.
type Case[E domain.Event] struct {
	Name  string
	Given []E
	When  domain.Command
	Then  []E
	Err   error
}

// Run runs each case as a subtest against a decider.
func Run[S any, E domain.Event](t *testing.T, d domain.Decider[S, E], cases []Case[E]) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			got, err := d.Decide(Fold(d, c.Given...), c.When)
			switch {
			case c.Err != nil && !errors.Is(err, c.Err):
				t.Fatalf("want the refusal %v, got %v, %v", c.Err, got, err)
			case c.Err != nil:
				return
			case err != nil:
				t.Fatalf("refused: %v", err)
			}
			if len(got) == 0 && len(c.Then) == 0 {
				return
			}
			if want, have := encode(t, c.Then), encode(t, got); want != have {
				t.Fatalf("want %s\n got %s", want, have)
			}
		})
	}
}

// Fold gives the state after the events.
func Fold[S any, E domain.Event](d domain.Decider[S, E], events ...E) S {
	s := d.Initial
	for _, e := range events {
		s = d.Evolve(s, e)
	}
	return s
}

func encode[E domain.Event](t *testing.T, events []E) string {
	t.Helper()
	type typed struct {
		Type  string
		Event any
	}
	var all []typed
	for _, e := range events {
		all = append(all, typed{e.EventType(), e})
	}
	raw, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// CheckGolden compares the JSON of one sample of every event type of the aggregate with
// testdata/<type>.json, and reads it back: the stored form never changes by accident. With
// HOLDFAST_UPDATE_GOLDEN=1 the files are written instead.
func CheckGolden(t *testing.T, a domain.Aggregate, samples ...domain.Event) {
	t.Helper()
	byType := map[string]domain.Event{}
	for _, e := range samples {
		byType[e.EventType()] = e
	}
	for _, zero := range a.Events {
		name := zero.EventType()
		e, ok := byType[name]
		if !ok {
			t.Errorf("no sample of %s", name)
			continue
		}
		got, err := json.MarshalIndent(e, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		path := filepath.Join("testdata", name+".json")
		if os.Getenv("HOLDFAST_UPDATE_GOLDEN") == "1" {
			if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, got, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if string(want) != string(got) {
			t.Errorf("%s: the stored form changed\nwant %s\n got %s", name, want, got)
		}
		back := reflect.New(reflect.TypeOf(e))
		if err := json.Unmarshal(want, back.Interface()); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(back.Elem().Interface(), any(e)) {
			t.Errorf("%s: reads back as %+v, was %+v", name, back.Elem().Interface(), e)
		}
	}
}

// CheckSnapshot checks that a state survives encoding/json, since snapshots are made of it.
func CheckSnapshot[S any](t *testing.T, s S) {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back S
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s, back) {
		t.Errorf("a snapshot changes the state\n was %+v\n now %+v", s, back)
	}
}
