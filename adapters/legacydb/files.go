package legacydb

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"go.mongodb.org/mongo-driver/bson"
)

// bsonDocuments reads documents that stand one behind the other, as mongodump writes them.
func bsonDocuments(r io.Reader) iter.Seq2[bson.Raw, error] {
	return func(yield func(bson.Raw, error) bool) {
		in, offset, buffer := bufio.NewReaderSize(r, 1<<16), int64(0), []byte(nil)
		broken := func(err error) { yield(nil, fmt.Errorf("bad BSON at byte %d: %w", offset, err)) }
		for {
			head, err := in.Peek(4)
			if len(head) == 0 && errors.Is(err, io.EOF) {
				return
			}
			if len(head) < 4 {
				broken(errors.Join(errCut, notEOF(err)))
				return
			}
			size := int(binary.LittleEndian.Uint32(head))
			if size < 5 || size > largest {
				broken(fmt.Errorf("a document of %d bytes", size))
				return
			}
			if cap(buffer) < size {
				buffer = make([]byte, size)
			}
			raw := bson.Raw(buffer[:size])
			if _, err := io.ReadFull(in, raw); err != nil {
				broken(errors.Join(errCut, notEOF(err)))
				return
			}
			if err := validate(raw); err != nil {
				broken(err)
				return
			}
			if !yield(raw, nil) {
				return
			}
			offset += int64(size)
		}
	}
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// jsonDocuments reads extended JSON as mongoexport writes it: one document after the other, or one
// array of them.
func jsonDocuments(r io.Reader) iter.Seq2[bson.Raw, error] {
	return func(yield func(bson.Raw, error) bool) {
		in := bufio.NewReaderSize(r, 1<<16)
		array, err := beginsArray(in)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				yield(nil, err)
			}
			return
		}
		d := json.NewDecoder(in)
		if array {
			_, _ = d.Token() // the bracket that was seen
		}
		for n := 1; ; n++ {
			if array && !d.More() {
				if _, err := d.Token(); err != nil {
					yield(nil, fmt.Errorf("the list is not closed after document %d: %w", n-1, err))
				}
				return
			}
			var text json.RawMessage
			at := d.InputOffset()
			err := d.Decode(&text)
			if errors.Is(err, io.EOF) && !array {
				return
			}
			var raw bson.Raw
			if err == nil {
				raw, err = fromJSON(text)
			}
			if err != nil {
				yield(nil, fmt.Errorf("bad JSON at byte %d, document %d: %w", at, n, err))
				return
			}
			if !yield(raw, nil) {
				return
			}
		}
	}
}

// beginsArray looks at the first byte that is no space; io.EOF where there is none.
func beginsArray(in *bufio.Reader) (bool, error) {
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3)
	}
	for {
		b, err := in.ReadByte()
		if err != nil {
			return false, err
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b == '[', in.UnreadByte()
		}
	}
}

// fromJSON reads one document of extended JSON, canonical or relaxed.
func fromJSON(text []byte) (bson.Raw, error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, errors.New("not a document")
	}
	var d bson.D
	if err := bson.UnmarshalExtJSON(text, false, &d); err != nil {
		return nil, err
	}
	return bson.Marshal(d)
}
