package legacydb

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/migration"
)

// directory is what mongodump or mongoexport wrote: a file a collection.
type directory struct {
	path  string
	files map[string]string // by collection
}

// endings are the kinds of files that are understood; those of mongodump first.
var endings = []string{".bson", ".bson.gz", ".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz"}

func openDirectory(path string) (Source, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d := &directory{path: path}
	if err := d.list(path); err != nil {
		return nil, err
	}
	if d.has(migration.Users, migration.PurchaseRequests, migration.Categories, migration.SellerOffers) {
		return d, nil
	}
	return d.onlyDatabase()
}

// has reports that one of the collections stands here: other files may lie about.
func (d *directory) has(collections ...string) bool {
	return slices.ContainsFunc(collections, func(c string) bool { return d.files[c] != "" })
}

// onlyDatabase finds the one database below a directory of mongodump; the directory itself where it
// holds anything at all.
func (d *directory) onlyDatabase() (Source, error) {
	var found []*directory
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.path, err)
	}
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "admin" || e.Name() == "config" || e.Name() == "local" {
			continue
		}
		below := &directory{path: filepath.Join(d.path, e.Name())}
		if err := below.list(below.path); err != nil {
			return nil, err
		}
		if len(below.files) > 0 {
			found = append(found, below)
		}
	}
	switch len(found) {
	case 0:
		if len(d.files) > 0 {
			return d, nil
		}
		return nil, fmt.Errorf("%s holds no collections: no file ends with %s", d.path, strings.Join(endings, ", "))
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%s holds several databases: name the folder of one of them", d.path)
}

func (d *directory) list(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	d.files = map[string]string{}
	for _, ending := range endings {
		for _, e := range entries {
			collection, is := strings.CutSuffix(e.Name(), ending)
			if !is || e.IsDir() || collection == "" || strings.HasSuffix(collection, ".metadata") || strings.HasPrefix(collection, "refused-") {
				continue
			}
			if other, twice := d.files[collection]; twice {
				return fmt.Errorf("%s: %s and %s both hold %s; leave one of them", path, filepath.Base(other), e.Name(), collection)
			}
			d.files[collection] = filepath.Join(path, e.Name())
		}
	}
	return nil
}

func (d *directory) Name() string                { return "dir:" + d.path }
func (d *directory) Close(context.Context) error { return nil }

// Count implements Source.
func (d *directory) Count(ctx context.Context, collection string) (n int64, err error) {
	for _, err := range d.documents(ctx, collection) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// IDs implements Source.
func (d *directory) IDs(ctx context.Context, collection string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for raw, err := range d.documents(ctx, collection) {
			if err != nil {
				yield("", err)
				return
			}
			if id := idOf(raw); id != "" && !yield(id, nil) {
				return
			}
		}
	}
}

// Read implements Source. The cursor counts the documents of the file as it is: of another one, such as
// that of a later dump, nothing says what was read of it.
func (d *directory) Read(ctx context.Context, collection, after string) iter.Seq2[migration.Document, error] {
	return func(yield func(migration.Document, error) bool) {
		file, err := d.stands(collection)
		if err != nil {
			yield(migration.Document{}, err)
			return
		}
		skip := int64(0)
		if after != "" {
			count, of, _ := strings.Cut(after, "@")
			if skip, err = strconv.ParseInt(count, 10, 64); err != nil || skip < 0 {
				yield(migration.Document{}, fmt.Errorf("%q is no place to go on from in %s", after, collection))
				return
			}
			if of != file {
				yield(migration.Document{}, fmt.Errorf("%s has changed since it was read up to document %d: import it from its beginning (--restart)", d.files[collection], skip))
				return
			}
		}
		n := int64(0)
		for raw, err := range d.documents(ctx, collection) {
			if err != nil {
				yield(migration.Document{}, err)
				return
			}
			if n++; n <= skip {
				continue
			}
			if !yield(migration.Document{Raw: append([]byte(nil), raw...), Cursor: strconv.FormatInt(n, 10) + "@" + file}, nil) {
				return
			}
		}
	}
}

// stands tells a collection's file from an earlier or later one of the same name: its length and when
// it was written.
func (d *directory) stands(collection string) (string, error) {
	path, there := d.files[collection]
	if !there {
		return "", nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Sprintf("%d.%d", info.Size(), info.ModTime().UnixNano()), nil
}

// documents streams a file's documents. Each is good until the next is asked for.
func (d *directory) documents(ctx context.Context, collection string) iter.Seq2[bson.Raw, error] {
	return func(yield func(bson.Raw, error) bool) {
		path, there := d.files[collection]
		if !there {
			return
		}
		file, err := os.Open(path) //nolint:gosec // the operator names it
		if err != nil {
			yield(nil, fmt.Errorf("%s: %w", path, err))
			return
		}
		defer file.Close() //nolint:errcheck // it is only read
		var r io.Reader = file
		if strings.HasSuffix(path, ".gz") {
			if r, err = gzip.NewReader(bufio.NewReaderSize(file, 1<<16)); err != nil {
				yield(nil, fmt.Errorf("%s is not compressed by gzip: %w", path, err))
				return
			}
		}
		read := bsonDocuments
		if !strings.Contains(filepath.Base(path), ".bson") {
			read = jsonDocuments
		}
		for raw, err := range read(r) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, fmt.Errorf("%s: %w", path, err))
				return
			}
			if !yield(raw, nil) {
				return
			}
		}
	}
}

// largest is Mongo's own limit of a document, with some room for what wraps it.
const largest = 16<<20 + 16<<10

var errCut = errors.New("the file ends within a document")
