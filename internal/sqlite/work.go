package sqlite

import (
	"context"

	"victimvoice/internal/work"
)

var _ work.Leases = (*Store)(nil)

// UpdateLease implements [work.Leases].
func (s *Store) UpdateLease(ctx context.Context, id string, fn func(*work.Lease) error) (work.Lease, error) {
	return s.leases.update(ctx, id, fn)
}

// Leases implements [work.Leases], in order of id.
func (s *Store) Leases(ctx context.Context) ([]work.Lease, error) {
	return s.leases.list(ctx, "ORDER BY id")
}
