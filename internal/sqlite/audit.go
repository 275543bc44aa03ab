package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
)

var _ audit.Store = (*Store)(nil)

// LastEntry implements [audit.Store].
func (s *Store) LastEntry(ctx context.Context) (audit.Entry, bool, error) {
	last, err := s.auditEntries(ctx, "SELECT body FROM audit ORDER BY seq DESC LIMIT 1")
	if err != nil || len(last) == 0 {
		return audit.Entry{}, false, err
	}
	return last[0], true, nil
}

// InsertEntries implements [audit.Store]; all are committed together, or those before the one that clashed.
func (s *Store) InsertEntries(ctx context.Context, entries []audit.Entry) error {
	bodies := make([]string, len(entries))
	for i, e := range entries {
		body, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("sqlite: an audit entry cannot be stored: %w", err)
		}
		bodies[i] = string(body)
	}
	err := s.write.do(ctx, func(w *writer) error {
		for i, e := range entries {
			n, err := w.exec("INSERT INTO audit (seq, body) VALUES (?, ?) ON CONFLICT (seq) DO NOTHING", e.Seq, bodies[i])
			if err != nil {
				return err
			}
			if n == 0 {
				return fault.New(fault.Conflict, "the audit record has an entry %d already", e.Seq)
			}
		}
		return nil
	})
	return fail(ctx, err, "append to the audit record")
}

// Entries implements [audit.Store].
func (s *Store) Entries(ctx context.Context, fromSeq int64, limit int) ([]audit.Entry, error) {
	return s.auditEntries(ctx, "SELECT body FROM audit WHERE seq >= ? ORDER BY seq LIMIT ?", fromSeq, max(limit, 0))
}

// DeleteEntriesBefore implements [audit.Store], lowest Seq first.
func (s *Store) DeleteEntriesBefore(ctx context.Context, seq int64) error {
	for {
		var n int64
		err := s.write.do(ctx, func(w *writer) (err error) {
			n, err = w.exec("DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE seq < ? ORDER BY seq LIMIT ?)", seq, purgeRows)
			return err
		})
		if err != nil || n < purgeRows {
			return fail(ctx, err, "shorten the audit record")
		}
	}
}

func (s *Store) auditEntries(ctx context.Context, query string, args ...any) ([]audit.Entry, error) {
	return scan(ctx, s, query, func(rows *sql.Rows) (e audit.Entry, err error) {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return e, err
		}
		if err := json.Unmarshal(body, &e); err != nil {
			return e, fmt.Errorf("a stored audit entry cannot be read: %w", err)
		}
		e.At = settle(e.At)
		return e, nil
	}, args...)
}
