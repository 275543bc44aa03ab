package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Exec runs a statement on the writing connection, outside any batch.
func (s *Store) Exec(ctx context.Context, query string) error {
	_, err := s.write.conn.ExecContext(ctx, query)
	return err
}

// Checkpoint folds the log into the file and reports whether a reader was in the way.
func (s *Store) Checkpoint(ctx context.Context) (busy bool, err error) {
	var log, moved int
	err = s.write.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &moved)
	return busy, err
}

// Hold gives the writer a job that lasts until release is closed, and returns
// once the writer has it in hand.
func (s *Store) Hold(release <-chan struct{}) {
	begun := make(chan struct{})
	go func() {
		_ = s.write.do(context.Background(), func(*writer) error {
			close(begun)
			<-release
			return nil
		})
	}()
	<-begun
}

// Plans explains every read that the store has made so far: query → plan.
func (s *Store) Plans(ctx context.Context) (map[string]string, error) {
	plans := make(map[string]string)
	var err error
	s.stmts.Range(func(key, _ any) bool {
		query := key.(string)
		args := make([]any, strings.Count(query, "?"))
		for i := range args {
			args[i] = 1
		}
		var steps []string
		steps, err = explain(ctx, s.read, query, args)
		plans[query] = strings.Join(steps, "; ")
		return err == nil
	})
	return plans, err
}

func explain(ctx context.Context, db *sql.DB, query string, args []any) (steps []string, err error) {
	rows, err := db.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, rows.Err()
}

// Claimable is the query that finds messages to claim, on the writing connection.
const Claimable = claimable

// Explain explains one query.
func (s *Store) Explain(ctx context.Context, query string) (string, error) {
	args := make([]any, strings.Count(query, "?"))
	for i := range args {
		args[i] = 1
	}
	steps, err := explain(ctx, s.read, query, args)
	return strings.Join(steps, "; "), err
}
