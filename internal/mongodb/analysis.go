package mongodb

import (
	"context"
	"iter"
	"time"

	"victimvoice/analysis"
)

var _ analysis.Codings = (*Store)(nil)

// Coding implements [analysis.Codings].
func (s *Store) Coding(ctx context.Context, id string) (analysis.Coding, error) {
	return s.codings.get(ctx, id)
}

// UpdateCoding implements [analysis.Codings].
func (s *Store) UpdateCoding(ctx context.Context, id string, fn func(*analysis.Coding) error) (analysis.Coding, error) {
	return s.codings.update(ctx, id, fn)
}

// CodingsOf implements [analysis.Codings], in order of id.
func (s *Store) CodingsOf(ctx context.Context, response string) ([]analysis.Coding, error) {
	return s.codings.list(ctx, where("response", response), ascending("_id"), 0)
}

// CodingsQueued implements [analysis.Codings].
func (s *Store) CodingsQueued(ctx context.Context, queue string, limit int) ([]analysis.Coding, error) {
	return s.codings.upTo(ctx, limit, where("queue", queue), ascending("order", "_id"))
}

// CodingsLatest implements [analysis.Codings].
func (s *Store) CodingsLatest(ctx context.Context, queue string, limit int) ([]analysis.Coding, error) {
	return s.codings.upTo(ctx, limit, where("queue", queue), where("changed_at", -1, "_id", -1))
}

// CodingsHeld implements [analysis.Codings]; nobody holds nothing.
func (s *Store) CodingsHeld(ctx context.Context, by string, limit int) ([]analysis.Coding, error) {
	if by == "" {
		return nil, ctx.Err()
	}
	return s.codings.upTo(ctx, limit, where("draw.by", by), ascending("order", "_id"))
}

// CodingsChanged implements [analysis.Codings].
func (s *Store) CodingsChanged(ctx context.Context, since time.Time) iter.Seq2[analysis.Coding, error] {
	return s.codings.changedSince(ctx, since, where(), func(c *analysis.Coding) time.Time { return c.ChangedAt })
}

var _ analysis.Drafts = (*Store)(nil)

// Draft implements [analysis.Drafts].
func (s *Store) Draft(ctx context.Context, id string) (analysis.DraftCode, error) {
	return s.draftCodes.get(ctx, id)
}

// UpdateDraft implements [analysis.Drafts].
func (s *Store) UpdateDraft(ctx context.Context, id string, fn func(*analysis.DraftCode) error) (analysis.DraftCode, error) {
	return s.draftCodes.update(ctx, id, fn)
}

// DraftCodes implements [analysis.Drafts].
func (s *Store) DraftCodes(ctx context.Context) ([]analysis.DraftCode, error) {
	return s.draftCodes.list(ctx, where(), where("created_at", -1, "_id", 1), 0)
}

var _ analysis.AdviceTables = (*Store)(nil)

// AdviceRevision implements [analysis.AdviceTables].
func (s *Store) AdviceRevision(ctx context.Context, id string) (analysis.AdviceRevision, error) {
	return s.adviceRevisions.get(ctx, id)
}

// UpdateAdviceRevision implements [analysis.AdviceTables].
func (s *Store) UpdateAdviceRevision(ctx context.Context, id string, fn func(*analysis.AdviceRevision) error) (analysis.AdviceRevision, error) {
	return s.adviceRevisions.update(ctx, id, fn)
}

// AdviceRevisions implements [analysis.AdviceTables].
func (s *Store) AdviceRevisions(ctx context.Context) ([]analysis.AdviceRevision, error) {
	return s.adviceRevisions.list(ctx, where(), where("_id", 1), 0)
}

var _ analysis.CoderModels = (*Store)(nil)

// CoderModel implements [analysis.CoderModels].
func (s *Store) CoderModel(ctx context.Context, id string) (analysis.CoderModel, error) {
	return s.coderModels.get(ctx, id)
}

// UpdateCoderModel implements [analysis.CoderModels].
func (s *Store) UpdateCoderModel(ctx context.Context, id string, fn func(*analysis.CoderModel) error) (analysis.CoderModel, error) {
	return s.coderModels.update(ctx, id, fn)
}

var _ analysis.CoderLogs = (*Store)(nil)

// CoderLog implements [analysis.CoderLogs].
func (s *Store) CoderLog(ctx context.Context, id string) (analysis.CoderLog, error) {
	return s.coderLogs.get(ctx, id)
}

// UpdateCoderLog implements [analysis.CoderLogs].
func (s *Store) UpdateCoderLog(ctx context.Context, id string, fn func(*analysis.CoderLog) error) (analysis.CoderLog, error) {
	return s.coderLogs.update(ctx, id, fn)
}
