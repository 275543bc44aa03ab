package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
)

var _ audit.Store = (*Store)(nil)

// purgeEntries is how many audit entries are removed at once.
const purgeEntries = 5000

// LastEntry implements [audit.Store].
func (s *Store) LastEntry(ctx context.Context) (audit.Entry, bool, error) {
	last, err := s.audit.list(ctx, where(), where("_id", -1), 1)
	if err != nil || len(last) == 0 {
		return audit.Entry{}, false, err
	}
	return last[0], true, nil
}

// InsertEntries implements [audit.Store]: an ordered insert ends at the first entry that fails.
func (s *Store) InsertEntries(ctx context.Context, entries []audit.Entry) error {
	if len(entries) == 0 {
		return ctx.Err()
	}
	docs := make([]any, len(entries))
	for i := range entries {
		raw, err := s.audit.encode(&entries[i], 0)
		if err != nil {
			return err
		}
		docs[i] = raw
	}
	_, err := s.audit.c.InsertMany(ctx, docs, options.InsertMany().SetOrdered(true))
	if mongo.IsDuplicateKeyError(err) {
		return fault.Wrap(fault.Conflict, err, "the audit record has one of these entries already")
	}
	return fail(ctx, err, "append to the audit record")
}

// Entries implements [audit.Store].
func (s *Store) Entries(ctx context.Context, fromSeq int64, limit int) ([]audit.Entry, error) {
	return s.audit.upTo(ctx, limit, where("_id", op("$gte", fromSeq)), ascending("_id"))
}

// DeleteEntriesBefore implements [audit.Store], lowest Seq first.
func (s *Store) DeleteEntriesBefore(ctx context.Context, seq int64) error {
	for {
		page, err := s.audit.list(ctx, where("_id", op("$lt", seq)), ascending("_id"), purgeEntries, "_id")
		if err != nil || len(page) == 0 {
			return err
		}
		if _, err := s.audit.purge(ctx, where("_id", op("$lte", page[len(page)-1].Seq))); err != nil {
			return err
		}
	}
}
