package legacydb

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/migration"
)

// Refusals writes the documents that were refused: refused-<collection>.jsonl in a directory, a
// line a document of extended JSON with its reasons. They hold what the documents hold: personal
// text, hashes of passwords; the files are readable for their owner alone.
type Refusals struct {
	dir  string // empty: nothing is written
	file *os.File
	out  *bufio.Writer
	at   int64
	kept int64 // what is surely on the disk
}

// NewRefusals makes them; the directory is made when there is something to write.
func NewRefusals(dir string) *Refusals { return &Refusals{dir: dir} }

// Begin goes on with a collection's file at a length. A file that is shorter is simply gone on
// with: somebody has taken away what was there.
func (r *Refusals) Begin(collection string, at int64) error {
	if err := r.Close(); err != nil {
		return err
	}
	r.at, r.kept = 0, 0
	if r.dir == "" {
		return nil
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of refused documents: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(r.dir, "refused-"+collection+".jsonl"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the file of refused documents: %w", err)
	}
	info, err := file.Stat()
	if err == nil {
		r.at, r.kept = min(at, info.Size()), min(at, info.Size())
		err = file.Truncate(r.at)
	}
	if err == nil {
		_, err = file.Seek(r.at, io.SeekStart)
	}
	if err != nil {
		_ = file.Close()
		return fmt.Errorf("go on in the file of refused documents: %w", err)
	}
	r.file, r.out = file, bufio.NewWriterSize(file, 1<<16)
	return nil
}

type refusedLine struct {
	Reasons  []migration.Problem `json:"reasons"`
	Document json.RawMessage     `json:"document"`
}

// Put writes a document with its reasons.
func (r *Refusals) Put(raw []byte, reasons []migration.Problem) error {
	if r.out == nil {
		return nil
	}
	document, err := bson.MarshalExtJSON(bson.Raw(raw), true, false)
	if err != nil { // it is no BSON at all: its bytes, then
		if document, err = json.Marshal(map[string][]byte{"bytes": raw}); err != nil {
			return fmt.Errorf("encode a refused document: %w", err)
		}
	}
	line, err := json.Marshal(refusedLine{reasons, document})
	if err != nil {
		return fmt.Errorf("encode a refused document: %w", err)
	}
	n, err := r.out.Write(append(line, '\n'))
	r.at += int64(n)
	if err != nil {
		return fmt.Errorf("write a refused document: %w", err)
	}
	return nil
}

// Keep makes sure that everything is on the disk.
func (r *Refusals) Keep() (at int64, err error) {
	if r.out == nil || r.kept == r.at {
		return r.at, nil
	}
	if err = r.out.Flush(); err == nil {
		err = r.file.Sync()
	}
	if err != nil {
		return 0, fmt.Errorf("keep the refused documents: %w", err)
	}
	r.kept = r.at
	return r.at, nil
}

// Close ends the file; one without a line is taken away.
func (r *Refusals) Close() error {
	if r.file == nil {
		return nil
	}
	_, err := r.Keep()
	name := r.file.Name()
	if cerr := r.file.Close(); err == nil {
		err = cerr
	}
	if err == nil && r.at == 0 {
		err = os.Remove(name)
	}
	r.file, r.out = nil, nil
	return err
}
