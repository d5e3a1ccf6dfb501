package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// indexEvery is how soon a new collection gets its index.
const indexEvery = 250 * time.Millisecond

// missingSQL lists the tables of collections that have no index of ours.
const missingSQL = `
SELECT t.name FROM sqlite_master t
WHERE t.type = 'table' AND t.name NOT LIKE '\_ferretdb%' ESCAPE '\' AND t.sql LIKE '%\_ferretdb\_sjson%' ESCAPE '\'
  AND NOT EXISTS (SELECT 1 FROM sqlite_master i WHERE i.type = 'index' AND i.name = t.name || '__holdfast')`

// indexes gives every collection the index that its lookups by _id use, until ctx ends. FerretDB
// 1.24 makes one on the expression _ferretdb_sjson->"_id" and then asks for
// _ferretdb_sjson->'$._id', which SQLite takes for another thing: without this each lookup and each
// update by _id reads the whole collection.
func indexes(ctx context.Context, folder string, log io.Writer) {
	seen := map[string]time.Time{}
	tick := time.NewTicker(indexEvery)
	defer tick.Stop()
	for {
		files, _ := filepath.Glob(filepath.Join(folder, "*.sqlite")) // the pattern is good
		for _, file := range files {
			changed := lastChange(file)
			if !changed.After(seen[file]) {
				continue
			}
			if err := index(ctx, file); err != nil {
				if ctx.Err() == nil && !errors.Is(err, os.ErrNotExist) {
					fmt.Fprintln(log, "devmongo: index", filepath.Base(file)+":", err)
				}
				continue // it is tried again
			}
			seen[file] = changed
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// lastChange is when a database was last written: its file, or its write-ahead log.
func lastChange(file string) (last time.Time) {
	for _, name := range []string{file, file + "-wal"} {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// index makes what is missing in one database. A database that has been dropped meanwhile is not
// made again.
func index(ctx context.Context, file string) error {
	if _, err := os.Stat(file); err != nil {
		return err
	}
	at := url.URL{Scheme: "file", Opaque: file, RawQuery: "mode=rw&_pragma=busy_timeout(5000)&" + pragmas}
	db, err := sql.Open("sqlite", at.String())
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	tables, err := missing(ctx, db)
	if err != nil {
		return err
	}
	for _, table := range tables {
		quoted := strings.ReplaceAll(table, `"`, `""`)
		statement := fmt.Sprintf(`CREATE INDEX IF NOT EXISTS "%s__holdfast" ON "%s" (_ferretdb_sjson->'$._id')`, quoted, quoted)
		if _, err := db.ExecContext(ctx, statement); err != nil && !strings.Contains(err.Error(), "no such table") {
			return err
		}
	}
	return nil
}

func missing(ctx context.Context, db *sql.DB) (tables []string, err error) {
	rows, err := db.QueryContext(ctx, missingSQL)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			return nil, err
		}
		tables = append(tables, table)
	}
	return tables, rows.Err()
}
