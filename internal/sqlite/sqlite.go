// Package sqlite keeps the service's documents in one SQLite file: the storage
// ports of survey, analysis, loop, notifications, internal/access,
// internal/audit and internal/work on modernc.org/sqlite, without cgo.
//
// Each collection is a table of its own: the document as JSON, beside it the
// few columns the store has to find, order or stream by. Writes go through one
// connection that commits many callers' writes together; reads go through a pool
// that never blocks them. No rule of any room lives here.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the "sqlite" driver of database/sql

	"victimvoice/analysis"
	"victimvoice/internal/access"
	"victimvoice/internal/fault"
	"victimvoice/internal/work"
	"victimvoice/loop"
	"victimvoice/notifications"
	"victimvoice/survey"
)

// Limits of the store.
const (
	defaultWait = 5 * time.Second // how long to wait for another process's write
	defaultPage = 1000            // rows read at once by a stream: no read lasts longer than one page
	purgeRows   = 5000            // rows deleted at once, so that a purge does not hold up other writes
	maxTries    = 1000            // lost compare-and-swaps before Update gives up
	filePerm    = 0o600
)

// Options are the settings of a store. The zero value is that of production.
type Options struct {
	// Volatile gives up surviving a loss of power for speed, for tests and
	// measurements: a commit is not forced to the disk.
	Volatile bool
	// PageRows is how many rows a stream reads at once; 1000 when it is 0.
	PageRows int
	// LockWait is how long a write waits while another process writes, before it
	// is fault.Unavailable; 5 s when it is 0.
	LockWait time.Duration
}

// Store implements every storage port but one on one SQLite file; [Store.Access]
// gives the port of internal/access, whose links share their method names with
// the survey's. Safe for many goroutines, and for several processes on one machine.
type Store struct {
	temp   string // folder to remove on Close; empty: none
	page   int    // rows a stream reads at once
	write  *writer
	read   *sql.DB
	stmts  sync.Map // SQL text → *sql.Stmt on read
	closed atomic.Bool

	events          *collection[survey.EventRecord]
	cases           *collection[survey.Case]
	contacts        *collection[survey.ContactCard]
	refusals        *collection[survey.Refusal]
	links           *collection[survey.Link]
	sittings        *collection[survey.Sitting]
	responses       *collection[survey.Response]
	abouts          *collection[survey.About]
	codings         *collection[analysis.Coding]
	quotations      *collection[analysis.Quotation]
	draftCodes      *collection[analysis.DraftCode]
	coderModels     *collection[analysis.CoderModel]
	coderLogs       *collection[analysis.CoderLog]
	adviceRevisions *collection[analysis.AdviceRevision]
	openTables      *collection[analysis.OpenTable]
	marks           *collection[analysis.Mark]
	alerts          *collection[loop.Alert]
	actions         *collection[loop.Action]
	subscribers     *collection[loop.Subscriber]
	publications    *collection[loop.Publication]
	messages        *collection[notifications.Message]
	leases          *collection[work.Lease]
	users           *collection[access.User]
	sessions        *collection[access.Session]
	apiKeys         *collection[access.APIKey]
	staffLinks      *collection[access.Link]
	throttles       *collection[access.Throttle]
}

// Open opens or makes the database file and brings its schema up to this
// program's. It is fault.Unavailable when the file cannot be opened or written
// and fault.Conflict when it was written by a newer program.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	// Made here first, so that nobody else on the machine can read it; SQLite
	// gives its side files the same permissions.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, filePerm) //nolint:gosec // G304: the path is the operator's setting
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the database file cannot be opened")
	}
	opened, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the database file cannot be opened")
	}
	// A file that was moved or removed goes on taking writes that nobody will find again.
	placed := func() error {
		if now, err := os.Stat(path); err != nil || !os.SameFile(now, opened) {
			return fault.New(fault.Unavailable, "the database file is not where it was opened")
		}
		return nil
	}

	if opts.PageRows <= 0 {
		opts.PageRows = defaultPage
	}
	if opts.LockWait <= 0 {
		opts.LockWait = defaultWait
	}
	synchronous := "full"
	if opts.Volatile {
		synchronous = "off"
	}
	writeDB, err := sql.Open("sqlite", dsn(path, opts.LockWait,
		"synchronous("+synchronous+")", "cache_size(-32000)", "secure_delete(on)", "journal_size_limit(67108864)"))
	if err != nil {
		return nil, fail(ctx, err, "open the database")
	}
	if err := prepareFile(ctx, writeDB); err != nil {
		return nil, errors.Join(err, writeDB.Close())
	}
	write, err := newWriter(ctx, writeDB, placed)
	if err != nil {
		return nil, errors.Join(err, writeDB.Close())
	}
	readDB, err := sql.Open("sqlite", dsn(path, opts.LockWait, "query_only(on)", "cache_size(-8000)"))
	if err != nil {
		_ = write.close()
		return nil, fail(ctx, err, "open the database")
	}
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	readDB.SetMaxOpenConns(readers)
	readDB.SetMaxIdleConns(readers)

	s := &Store{write: write, read: readDB, page: opts.PageRows}
	s.collections()
	return s, nil
}

// OpenTemp opens an empty store in a temporary folder that Close removes: what
// tests use in place of a database in memory, which readers could not share.
func OpenTemp(ctx context.Context) (*Store, error) {
	dir, err := os.MkdirTemp("", "victimvoice-store-")
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "no temporary folder for the database")
	}
	s, err := Open(ctx, filepath.Join(dir, "store.db"), Options{Volatile: true})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.temp = dir
	return s, nil
}

// Close waits for the writes under way and closes the file. Calls after it are
// fault.Unavailable.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	err := errors.Join(s.read.Close(), s.write.close())
	if s.temp != "" {
		err = errors.Join(err, os.RemoveAll(s.temp))
	}
	return err
}

// Ping reports whether the store can be read and its schema is this program's.
func (s *Store) Ping(ctx context.Context) error {
	if s.closed.Load() {
		return errClosed()
	}
	if err := s.write.placed(); err != nil {
		return err
	}
	return checkVersion(ctx, s.read)
}

// dsn names the file with its settings. busy_timeout stands first, since the
// settings after it may themselves have to wait for a lock.
func dsn(path string, wait time.Duration, pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{
		fmt.Sprintf("busy_timeout(%d)", wait.Milliseconds()),
		"temp_store(memory)",
	}, pragmas...)}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}
