package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"victimvoice/internal/fault"
)

// The schema, as numbered steps; the number of steps done is the file's
// user_version. A step, once released, is never edited: a change is a new step.
//
//go:embed migrations/*.sql
var migrations embed.FS

// steps gives the migrations in their order.
func steps() ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted by name
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(names))
	for i, name := range names {
		var n int
		if _, err := fmt.Sscanf(name, "migrations/%04d_", &n); err != nil || n != i+1 {
			return nil, fmt.Errorf("sqlite: %s is not migration %d", name, i+1)
		}
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out = append(out, string(text))
	}
	return out, nil
}

// prepareFile puts the file in WAL mode and brings its schema up to date, in one
// transaction a step: what a crash cuts short is as if it had not begun.
func prepareFile(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fail(ctx, err, "open the database")
	}
	defer conn.Close()

	if err := checkVersion(ctx, conn); err != nil {
		return err // before anything is written to a newer program's file
	}
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = wal").Scan(&mode); err != nil {
		return fail(ctx, err, "set the journal mode")
	}
	if mode != "wal" {
		return fault.New(fault.Unavailable, "the database's folder does not allow a write-ahead log")
	}
	all, err := steps()
	if err != nil {
		return err
	}
	for {
		done, err := step(ctx, conn, all)
		if err != nil || done {
			return err
		}
	}
}

// step does the next migration, if there is one. The version is read inside the
// transaction, since another process may be opening the same new file.
func step(ctx context.Context, conn *sql.Conn, all []string) (done bool, err error) {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return false, fail(ctx, err, "begin a migration")
	}
	defer func() {
		if err != nil || done {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	version, err := schemaVersion(ctx, conn)
	if err != nil {
		return false, err
	}
	if version >= len(all) {
		return true, newer(version, len(all))
	}
	if _, err := conn.ExecContext(ctx, all[version]); err != nil {
		return false, fail(ctx, err, "migrate the schema to %d", version+1)
	}
	// PRAGMA takes no parameters; this is a number of ours.
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1)); err != nil {
		return false, fail(ctx, err, "migrate the schema to %d", version+1)
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		return false, fail(ctx, err, "migrate the schema to %d", version+1)
	}
	return false, nil
}

// queryer is what *sql.DB and *sql.Conn share.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func schemaVersion(ctx context.Context, q queryer) (int, error) {
	var version int
	if err := q.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, fail(ctx, err, "read the schema version")
	}
	return version, nil
}

// checkVersion refuses a schema newer than this program knows.
func checkVersion(ctx context.Context, q queryer) error {
	version, err := schemaVersion(ctx, q)
	if err != nil {
		return err
	}
	all, err := steps()
	if err != nil {
		return err
	}
	return newer(version, len(all))
}

func newer(version, known int) error {
	if version <= known {
		return nil
	}
	return fault.New(fault.Conflict,
		"the database has schema %d and this program knows %d: run the newer release that wrote it", version, known)
}
