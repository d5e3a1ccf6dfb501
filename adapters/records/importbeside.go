package records

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Keep notes documents of a collection by what they name. They stand in a temporary table of the
// connection, so that neither memory nor what others read grows with a source.
func (l *ImportLock) Keep(ctx context.Context, collection string, naming []string, docs [][]byte) error {
	if _, err := l.conn.Exec(ctx, `CREATE TEMP TABLE IF NOT EXISTS beside (n bigint GENERATED ALWAYS AS IDENTITY, collection text NOT NULL, named text COLLATE "C" NOT NULL, doc bytea NOT NULL)`); err != nil {
		return failed("make room for documents", err)
	}
	_, err := l.conn.CopyFrom(ctx, pgx.Identifier{"beside"}, []string{"collection", "named", "doc"}, pgx.CopyFromSlice(len(docs), func(i int) ([]any, error) {
		return []any{collection, naming[i], docs[i]}, nil
	}))
	return failed("keep documents by what they name", err)
}

// Kept gives the documents that name one of these, in the order in which they were kept.
func (l *ImportLock) Kept(ctx context.Context, collection string, objectIDs []string) (map[string][][]byte, error) {
	if _, err := l.conn.Exec(ctx, `CREATE INDEX IF NOT EXISTS beside_named ON beside (named)`); err != nil {
		return nil, failed("order documents by what they name", err)
	}
	rows, err := l.conn.Query(ctx, `SELECT named, doc FROM beside WHERE collection = $1 AND named = ANY ($2::text[]) ORDER BY n`, collection, objectIDs)
	if err != nil {
		return nil, failed("look up documents by what they name", err)
	}
	all := map[string][][]byte{}
	var named string
	var doc []byte
	_, err = pgx.ForEachRow(rows, []any{&named, &doc}, func() error {
		all[named] = append(all[named], append([]byte(nil), doc...))
		return nil
	})
	return all, failed("look up documents by what they name", err)
}
