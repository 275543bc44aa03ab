package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"runtime"

	"victimvoice/internal/fault"
)

// maxBatch is how many callers' writes are committed together at most.
const maxBatch = 256

// writer is the one connection that writes. Callers hand it jobs; it takes
// whatever waits, runs it in one transaction, commits once and only then answers
// everybody. While it waits for the disk the next batch gathers, so that hundreds
// of callers share each wait and a lone one is never kept waiting for company.
type writer struct {
	db     *sql.DB
	conn   *sql.Conn
	placed func() error // whether the file is still the one under its path
	stmts  map[string]*sql.Stmt
	jobs   chan *job
	stop   chan struct{}
	done   chan struct{}
}

// job is one caller's write: a single statement, or several that may as well
// each stand alone. Its error undoes that statement only.
type job struct {
	run    func(*writer) error
	err    error
	answer chan error
}

func newWriter(ctx context.Context, db *sql.DB, placed func() error) (*writer, error) {
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fail(ctx, err, "open the writing connection")
	}
	w := &writer{
		db: db, conn: conn, placed: placed, stmts: map[string]*sql.Stmt{},
		// Not buffered: a job is either in the writer's hands or still its caller's.
		jobs: make(chan *job), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go w.loop()
	return w, nil
}

// do runs a write and returns once it is committed. When ctx ends first, do
// returns its error, and whether the write was made is not known.
func (w *writer) do(ctx context.Context, run func(*writer) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{run: run, answer: make(chan error, 1)}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stop:
		return errClosed()
	}
	select {
	case err := <-j.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) loop() {
	defer close(w.done)
	batch := make([]*job, 0, maxBatch)
	for {
		select {
		case j := <-w.jobs:
			batch = append(batch[:0], j)
		case <-w.stop:
			return
		}
		// Those whom the last commit has just answered get to hand in their next write.
		runtime.Gosched()
	gather:
		for len(batch) < maxBatch {
			select {
			case j := <-w.jobs:
				batch = append(batch, j)
			default:
				break gather
			}
		}
		err := w.commit(batch)
		for _, j := range batch {
			if err != nil {
				j.err = err
			}
			j.answer <- j.err
		}
		clear(batch)
	}
}

// commit runs a batch in one transaction. An error means that none of it is stored.
func (w *writer) commit(batch []*job) error {
	ctx := context.Background() // one caller's end must not end its neighbours' writes
	if _, err := w.exec("BEGIN IMMEDIATE"); err != nil {
		_, _ = w.exec("ROLLBACK") // should a failed batch have left its transaction open
		return fail(ctx, err, "begin")
	}
	for _, j := range batch {
		j.err = j.run(w)
		if broke(j.err) {
			_, _ = w.exec("ROLLBACK") // fails when SQLite has rolled back by itself
			return fail(ctx, j.err, "write")
		}
	}
	if err := w.placed(); err != nil {
		_, _ = w.exec("ROLLBACK")
		return err
	}
	if _, err := w.exec("COMMIT"); err != nil {
		_, _ = w.exec("ROLLBACK")
		return fail(ctx, err, "commit")
	}
	return nil
}

// stmt gives the statement, prepared once. Only for the writer's own goroutine.
func (w *writer) stmt(query string) (*sql.Stmt, error) {
	if st, ok := w.stmts[query]; ok {
		return st, nil
	}
	st, err := w.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	w.stmts[query] = st
	return st, nil
}

// exec runs one statement and says how many rows it changed. Only inside a job.
func (w *writer) exec(query string, args ...any) (int64, error) {
	st, err := w.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := st.Exec(args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// query runs one statement that gives bodies. Only inside a job.
func (w *writer) query(query string, args ...any) (bodies [][]byte, err error) {
	st, err := w.stmt(query)
	if err != nil {
		return nil, err
	}
	rows, err := st.Query(args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
	}
	return bodies, rows.Err()
}

// close finishes the batch under way and closes the connection.
func (w *writer) close() error {
	close(w.stop)
	<-w.done
	// Folds the log into the file; a reader elsewhere may prevent it, which does no harm.
	_, _ = w.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	if err := errors.Join(w.conn.Close(), w.db.Close()); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the store did not close well")
	}
	return nil
}
