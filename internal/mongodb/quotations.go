package mongodb

import (
	"context"

	"victimvoice/analysis"
)

var _ analysis.Quotations = (*Store)(nil)

// Quotation implements [analysis.Quotations].
func (s *Store) Quotation(ctx context.Context, id string) (analysis.Quotation, error) {
	return s.quotations.get(ctx, id)
}

// UpdateQuotation implements [analysis.Quotations].
func (s *Store) UpdateQuotation(ctx context.Context, id string, fn func(*analysis.Quotation) error) (analysis.Quotation, error) {
	return s.quotations.update(ctx, id, fn)
}

// QuotationsIn implements [analysis.Quotations].
func (s *Store) QuotationsIn(ctx context.Context, state analysis.QuotationState) ([]analysis.Quotation, error) {
	return s.quotations.list(ctx, where("state", state), ascending("changed_at", "_id"), 0)
}
