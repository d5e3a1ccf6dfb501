// Package migrations holds the schema as numbered SQL files: 0001–0009 the log, 0010–0019
// the plain rows, 0020–0049 the views. A file that has been released never changes.
package migrations

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	_ "github.com/jackc/pgx/v5/stdlib" // goose speaks database/sql
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *.sql
var files embed.FS

// Up brings the database at url to the newest schema. Several processes may start at once:
// one migrates under a session lock, the others wait for it (up to five minutes).
func Up(ctx context.Context, url string) (err error) {
	return with(ctx, url, func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
}

// Version gives the number of the newest migration applied, 0 for an empty database, and
// that of the newest one this build knows.
func Version(ctx context.Context, url string) (applied, known int64, err error) {
	err = with(ctx, url, func(p *goose.Provider) error {
		applied, known, err = p.GetVersions(ctx)
		return err
	})
	return applied, known, err
}

func with(ctx context.Context, url string, run func(*goose.Provider) error) (err error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	// The default lock polls every 5 s; a start that waits for a migration should not.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker),
		// Each room numbers its files in a range of its own, so a low number may come late.
		goose.WithAllowOutofOrder(true),
		goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	return run(p)
}

// Digest names this set of migrations; test templates are kept by it.
func Digest() (string, error) {
	h := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := files.ReadFile(path)
		_, _ = fmt.Fprintf(h, "%s %d\n%s", path, len(content), content) // a hash takes everything
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:8]), err
}
