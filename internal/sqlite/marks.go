package sqlite

import (
	"context"

	"victimvoice/analysis"
)

var _ analysis.Marks = (*Store)(nil)

// Mark implements [analysis.Marks].
func (s *Store) Mark(ctx context.Context, id string) (analysis.Mark, error) {
	return s.marks.get(ctx, id)
}

// UpdateMark implements [analysis.Marks].
func (s *Store) UpdateMark(ctx context.Context, id string, fn func(*analysis.Mark) error) (analysis.Mark, error) {
	return s.marks.update(ctx, id, fn)
}

// Marks implements [analysis.Marks].
func (s *Store) Marks(ctx context.Context) ([]analysis.Mark, error) {
	return s.marks.list(ctx, "ORDER BY on_day, id")
}
