package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// spec says how a type is kept.
type spec[T any] struct {
	table string
	noun  string // for messages: "there is no such case"
	id    func(*T) *string
	vers  func(*T) *int64 // nil for a document that is never updated
	cols  []string        // the columns between version and body …
	vals  func(*T) []any  // … and their values
}

// collection is one table of documents: the generic core under every port.
type collection[T any] struct {
	spec[T]
	s     *Store
	times func(reflect.Value) // sets every time in a T to UTC and whole milliseconds; nil: there is none
	plain bool                // own can take the place of decoding what was just encoded, see copyOf
	own   func(reflect.Value) // nil: an assignment copies all there is

	selectBody, insertRow, replaceRow, deleteRow, takeRow string
}

func newCollection[T any](s *Store, sp spec[T]) *collection[T] {
	c := &collection[T]{spec: sp, s: s, times: timesOf(reflect.TypeFor[T]())}
	c.own, c.plain = copyOf(reflect.TypeFor[T]())
	if c.vals == nil {
		c.vals = func(*T) []any { return nil }
	}
	names := append(append([]string{"id", "version"}, sp.cols...), "body")
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", ")
	c.selectBody = "SELECT body FROM " + sp.table + " "
	c.insertRow = "INSERT INTO " + sp.table + " (" + strings.Join(names, ", ") + ") VALUES (" + marks + ") ON CONFLICT (id) DO NOTHING"
	c.replaceRow = "UPDATE " + sp.table + " SET " + strings.Join(names[1:], " = ?, ") + " = ? WHERE id = ? AND version = ?"
	c.deleteRow = "DELETE FROM " + sp.table + " WHERE id = ?"
	c.takeRow = "DELETE FROM " + sp.table + " WHERE id = ? RETURNING body"
	return c
}

// ms is a time as the columns hold it.
func ms(t time.Time) int64 { return t.UnixMilli() }

// decode reads a body. What comes out is what any later read gives.
func (c *collection[T]) decode(body []byte) (T, error) {
	var doc T
	if err := json.Unmarshal(body, &doc); err != nil {
		return doc, fmt.Errorf("sqlite: stored %s cannot be read: %w", c.noun, err)
	}
	if c.times != nil {
		c.times(reflect.ValueOf(&doc).Elem())
	}
	return doc, nil
}

// row gives a document under a version as it is stored, and every column's value
// with the body as the last. What it gives is what any later read gives and shares
// nothing with what it was given, of which somebody may hold on to a part.
func (c *collection[T]) row(doc T, version int64) (kept T, args []any, err error) {
	if c.plain && c.own != nil {
		c.own(reflect.ValueOf(&doc).Elem())
	}
	if c.vers != nil {
		*c.vers(&doc) = version
	}
	body, err := json.Marshal(&doc)
	if err != nil {
		return kept, nil, fmt.Errorf("sqlite: %s cannot be stored: %w", c.noun, err)
	}
	args = append([]any{*c.id(&doc), version}, c.vals(&doc)...)
	args = append(args, string(body))
	// JSON replaces what is not UTF-8, and writes the replacement in this way.
	if !c.plain || bytes.Contains(body, []byte(`\ufffd`)) {
		doc, err = c.decode(body)
	}
	return doc, args, err
}

// body reads one document's body by id; nil when there is none.
func (c *collection[T]) body(ctx context.Context, id string) ([]byte, error) {
	st, err := c.s.stmt(ctx, c.selectBody+"WHERE id = ?")
	if err != nil {
		return nil, err
	}
	// One row by its key is there at once, so that nobody need stand by to cut
	// it short: with the caller's own ctx two goroutines would, at each read.
	var body []byte
	switch err := st.QueryRowContext(context.WithoutCancel(ctx), id).Scan(&body); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, c.s.failRead(ctx, err, "read %s", c.noun)
	}
	return body, nil
}

func (c *collection[T]) get(ctx context.Context, id string) (T, error) {
	body, err := c.body(ctx, id)
	if err == nil && body == nil {
		err = errNotFound(c.noun)
	}
	if err != nil {
		var none T
		return none, err
	}
	return c.decode(body)
}

func (c *collection[T]) insert(ctx context.Context, doc T) error {
	_, args, err := c.row(doc, 1)
	if err != nil {
		return err
	}
	stored, err := c.change(ctx, c.insertRow, args...)
	if err == nil && stored == 0 {
		err = errTaken(c.noun)
	}
	return err
}

// update is the compare-and-swap under every Update method; see [survey.Store].
func (c *collection[T]) update(ctx context.Context, id string, fn func(*T) error) (T, error) {
	return c.swap(ctx, id, true, fn)
}

// swap reads, applies fn and writes where the version is still the one read, and
// begins again where it is not.
func (c *collection[T]) swap(ctx context.Context, id string, mayInsert bool, fn func(*T) error) (T, error) {
	var none T
	for range maxTries {
		old, err := c.body(ctx, id)
		if err != nil {
			return none, err
		}
		read := func() (doc T, err error) {
			if old == nil {
				*c.id(&doc) = id
				return doc, nil
			}
			return c.decode(old)
		}
		if old == nil && !mayInsert {
			return none, errNotFound(c.noun)
		}
		doc, err := read()
		if err != nil {
			return none, err
		}
		version := *c.vers(&doc)
		if err := fn(&doc); err != nil {
			if errors.Is(err, survey.ErrUnchanged) {
				return read() // fn may have touched its copy all the same
			}
			return none, err
		}
		*c.id(&doc) = id
		kept, args, err := c.row(doc, version+1)
		if err != nil {
			return none, err
		}
		query := c.insertRow
		if version > 0 {
			query, args = c.replaceRow, append(args[1:], id, version)
		}
		written, err := c.change(ctx, query, args...)
		if err != nil {
			return none, err
		}
		if written == 1 {
			return kept, nil
		}
	}
	return none, fault.New(fault.Unavailable, "too many are changing this %s at once", c.noun)
}

// change makes one write and says how many rows it changed.
func (c *collection[T]) change(ctx context.Context, query string, args ...any) (int64, error) {
	var n int64
	err := c.s.write.do(ctx, func(w *writer) (err error) {
		n, err = w.exec(query, args...)
		return err
	})
	if err != nil {
		return 0, fail(ctx, err, "write %s", c.noun)
	}
	return n, nil
}

// delete removes one document; none is no error.
func (c *collection[T]) delete(ctx context.Context, id string) error {
	_, err := c.change(ctx, c.deleteRow, id)
	return err
}

// take removes one document and gives it to the one caller who removed it.
func (c *collection[T]) take(ctx context.Context, id string) (T, error) {
	var none T
	var bodies [][]byte
	err := c.s.write.do(ctx, func(w *writer) (err error) {
		bodies, err = w.query(c.takeRow, id)
		return err
	})
	switch {
	case err != nil:
		return none, fail(ctx, err, "take %s", c.noun)
	case len(bodies) == 0:
		return none, errNotFound(c.noun)
	}
	return c.decode(bodies[0])
}

// purge removes every document that meets the condition, some thousands at a time.
func (c *collection[T]) purge(ctx context.Context, where string, args ...any) (int, error) {
	query := "DELETE FROM " + c.table + " WHERE rowid IN (SELECT rowid FROM " + c.table + " WHERE " + where + " LIMIT ?)"
	args = append(args, purgeRows)
	total := 0
	for {
		n, err := c.change(ctx, query, args...)
		total += int(n)
		if err != nil || n < purgeRows {
			return total, err
		}
	}
}

// list reads the documents of a short query: its WHERE, ORDER BY and LIMIT.
func (c *collection[T]) list(ctx context.Context, rest string, args ...any) ([]T, error) {
	bodies, err := scan(ctx, c.s, c.selectBody+rest, func(rows *sql.Rows) (body []byte, err error) {
		return body, rows.Scan(&body)
	}, args...)
	if err != nil {
		return nil, err
	}
	docs := make([]T, len(bodies))
	for i, body := range bodies {
		if docs[i], err = c.decode(body); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

// first is the first document of a query; fault.NotFound when there is none.
func (c *collection[T]) first(ctx context.Context, rest string, args ...any) (T, error) {
	docs, err := c.list(ctx, rest+" LIMIT 1", args...)
	if err == nil && len(docs) == 0 {
		err = errNotFound(c.noun)
	}
	if err != nil {
		var none T
		return none, err
	}
	return docs[0], nil
}

// changedSince streams the documents with changed_at at or after since, in
// order of (changed_at, id).
func (c *collection[T]) changedSince(ctx context.Context, since time.Time, changedAt func(*T) time.Time) iter.Seq2[T, error] {
	return stream(ctx, c.s.page, since, func(at int64, id string) ([]T, error) {
		return c.list(ctx, "WHERE (changed_at, id) > (?, ?) ORDER BY changed_at, id LIMIT ?", at, id, c.s.page)
	}, func(doc *T) (int64, string) { return ms(changedAt(doc)), *c.id(doc) })
}

// byID streams the documents that meet a condition in order of id.
func (c *collection[T]) byID(ctx context.Context, where string, args ...any) iter.Seq2[T, error] {
	return stream(ctx, c.s.page, time.Time{}, func(_ int64, id string) ([]T, error) {
		return c.list(ctx, "WHERE "+where+" AND id > ? ORDER BY id LIMIT ?", append(args[:len(args):len(args)], id, c.s.page)...)
	}, func(doc *T) (int64, string) { return 0, *c.id(doc) })
}

// stream walks pages from a place to the next. No read is open between two
// pages, however long the caller takes: the writer's log can be folded into the
// file meanwhile. A document that is changed during the walk moves ahead of it
// and is met again; none that stays is missed.
func stream[R any](ctx context.Context, size int, since time.Time, page func(at int64, id string) ([]R, error), place func(*R) (int64, string)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var none R
		at, id := ms(since), ""
		for {
			rows, err := page(at, id)
			if err != nil {
				yield(none, err)
				return
			}
			for i := range rows {
				if err := ctx.Err(); err != nil {
					yield(none, err)
					return
				}
				if !yield(rows[i], nil) {
					return
				}
			}
			if len(rows) < size {
				return
			}
			at, id = place(&rows[len(rows)-1])
		}
	}
}

// scan runs a query on a reading connection and reads all its rows.
func scan[R any](ctx context.Context, s *Store, query string, row func(*sql.Rows) (R, error), args ...any) (out []R, err error) {
	st, err := s.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return nil, s.failRead(ctx, err, "query")
	}
	defer func() {
		if closeErr := rows.Close(); err == nil && closeErr != nil {
			out, err = nil, s.failRead(ctx, closeErr, "query")
		}
	}()
	for rows.Next() {
		r, err := row(rows)
		if err != nil {
			return nil, s.failRead(ctx, err, "query")
		}
		out = append(out, r)
	}
	return out, s.failRead(ctx, rows.Err(), "query")
}

// stmt gives a statement for the reading connections, prepared once on each.
func (s *Store) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.closed.Load() {
		return nil, errClosed()
	}
	if st, ok := s.stmts.Load(query); ok {
		return st.(*sql.Stmt), nil
	}
	st, err := s.read.PrepareContext(ctx, query)
	if err != nil {
		return nil, s.failRead(ctx, err, "prepare")
	}
	if earlier, taken := s.stmts.LoadOrStore(query, st); taken {
		_ = st.Close()
		return earlier.(*sql.Stmt), nil
	}
	return st, nil
}

// failRead is fail for a read, which Close may have cut short.
func (s *Store) failRead(ctx context.Context, err error, doing string, args ...any) error {
	if err != nil && s.closed.Load() {
		return errClosed()
	}
	return fail(ctx, err, doing, args...)
}
