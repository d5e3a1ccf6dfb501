package legacyfixture

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.mongodb.org/mongo-driver/bson"
)

// Files writes a folder as mongodump lays it out (<database>/<collection>.bson and
// .metadata.json), gzipped or not, or as mongoexport does (<collection>.json, one document a line).
type Files struct {
	Folder string // of the database
	Format string // "bson", "bson.gz" or "json"

	file *os.File
	buf  *bufio.Writer
	gz   *gzip.Writer
	out  io.Writer
}

// Collection begins a file.
func (f *Files) Collection(ctx context.Context, name string) error {
	if err := f.Close(ctx); err != nil {
		return err
	}
	switch f.Format {
	case "bson", "bson.gz", "json":
	default:
		return fmt.Errorf("a format %q is not known: bson, bson.gz or json", f.Format)
	}
	if err := os.MkdirAll(f.Folder, 0o750); err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(f.Folder, name+"."+f.Format)) //nolint:gosec // where it is told to
	if err != nil {
		return err
	}
	f.file, f.buf = file, bufio.NewWriterSize(file, 1<<20)
	f.out = f.buf
	if f.Format == "bson.gz" {
		f.gz = gzip.NewWriter(f.buf)
		f.out = f.gz
	}
	if f.Format == "json" {
		return nil
	}
	return f.metadata(name)
}

// metadata is what mongodump keeps beside: the indexes.
func (f *Files) metadata(name string) error {
	text, err := json.Marshal(map[string]any{
		"options": map[string]any{}, "collectionName": name, "type": "collection",
		"indexes": []any{map[string]any{"v": map[string]any{"$numberInt": "2"}, "key": map[string]any{"_id": map[string]any{"$numberInt": "1"}}, "name": "_id_"}},
	})
	if err != nil {
		return err
	}
	at := filepath.Join(f.Folder, name+".metadata.json")
	if f.Format == "bson" {
		return os.WriteFile(at, text, 0o600)
	}
	file, err := os.Create(at + ".gz") //nolint:gosec // where it is told to
	if err != nil {
		return err
	}
	gz := gzip.NewWriter(file)
	_, err = gz.Write(text)
	return errors.Join(err, gz.Close(), file.Close())
}

// Write appends a document.
func (f *Files) Write(_ context.Context, doc bson.D) error {
	if f.Format == "json" {
		line, err := bson.MarshalExtJSON(doc, false, false)
		if err != nil {
			return err
		}
		_, err = f.out.Write(append(line, '\n'))
		return err
	}
	raw, err := bson.Marshal(doc)
	if err != nil {
		return err
	}
	_, err = f.out.Write(raw)
	return err
}

// Close ends the file.
func (f *Files) Close(context.Context) (err error) {
	if f.file == nil {
		return nil
	}
	if f.gz != nil {
		err = f.gz.Close()
	}
	err = errors.Join(err, f.buf.Flush(), f.file.Close())
	f.file, f.gz = nil, nil
	return err
}
