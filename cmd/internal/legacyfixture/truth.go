package legacyfixture

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// Dirty is what was done to one document.
type Dirty struct {
	Collection string `json:"collection"`
	ID         string `json:"_id"` // 24 hex digits
	Kind       string `json:"kind"`
	Field      string `json:"field,omitempty"`
	Refuse     bool   `json:"refuse"` // import must; else it takes it, with a note
}

// Count of a collection.
type Count struct {
	Documents int `json:"documents"`
	Refused   int `json:"refused"` // that import must refuse
	Noted     int `json:"noted"`   // dirty, and taken all the same
}

// Truth is what there is to say about a database that was made.
type Truth struct {
	Collections map[string]Count `json:"collections"`
	Dirty       []Dirty          `json:"dirty"`
}

// truthWriter writes the truth as it comes: the list of dirty documents first, the counts last.
type truthWriter struct {
	out    *bufio.Writer
	counts map[string]Count
	some   bool
	err    error
}

func newTruth(out io.Writer) *truthWriter {
	t := &truthWriter{out: bufio.NewWriter(out), counts: map[string]Count{}}
	t.write(`{"dirty":[`)
	return t
}

func (t *truthWriter) write(s string) {
	if t.err == nil {
		_, t.err = t.out.WriteString(s)
	}
}

func (t *truthWriter) document(collection string, d *Dirty) {
	c := t.counts[collection]
	c.Documents++
	if d != nil {
		if d.Refuse {
			c.Refused++
		} else {
			c.Noted++
		}
		line, err := json.Marshal(d)
		if err != nil && t.err == nil {
			t.err = err
		}
		if t.some {
			t.write(",")
		}
		t.some = true
		t.write("\n" + string(line))
	}
	t.counts[collection] = c
}

func (t *truthWriter) close() error {
	counts, err := json.Marshal(t.counts)
	if err != nil {
		return err
	}
	t.write("],\n\"collections\":" + string(counts) + "}\n")
	if t.err != nil {
		return fmt.Errorf("write the truth: %w", t.err)
	}
	return t.out.Flush()
}
