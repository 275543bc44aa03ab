package mongodb

import (
	"context"

	"victimvoice/analysis"
)

var _ analysis.OpenTables = (*Store)(nil)

// OpenTable implements [analysis.OpenTables].
func (s *Store) OpenTable(ctx context.Context, id string) (analysis.OpenTable, error) {
	return s.openTables.get(ctx, id)
}

// UpdateOpenTable implements [analysis.OpenTables].
func (s *Store) UpdateOpenTable(ctx context.Context, id string, fn func(*analysis.OpenTable) error) (analysis.OpenTable, error) {
	return s.openTables.update(ctx, id, fn)
}

// OpenTables implements [analysis.OpenTables].
func (s *Store) OpenTables(ctx context.Context) ([]analysis.OpenTable, error) {
	return s.openTables.list(ctx, where(), where("_id", -1), 0)
}
