// Package audittest keeps an audit chain in memory, for the tests of whatever writes
// to one. It can be made to fail and to lie, as a store under attack would.
package audittest

import (
	"context"
	"slices"
	"sync"

	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
)

// Store is an [audit.Store] in memory. The zero value is empty and ready.
type Store struct {
	// Insert, when set, is asked before an entry is stored. It may return an error, which
	// ends the call there, with the entries before it stored.
	Insert func(audit.Entry) error
	// After, when set, is asked once the entries of a call are stored; its error is the
	// call's: an answer that was lost.
	After func() error
	// Last, when set, is asked before the end of the chain is read.
	Last func() error

	mu      sync.Mutex
	entries []audit.Entry
	inserts int
}

var _ audit.Store = (*Store)(nil)

// LastEntry implements [audit.Store].
func (s *Store) LastEntry(ctx context.Context) (audit.Entry, bool, error) {
	if err := ctx.Err(); err != nil {
		return audit.Entry{}, false, err
	}
	if s.Last != nil {
		if err := s.Last(); err != nil {
			return audit.Entry{}, false, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.entries) == 0 {
		return audit.Entry{}, false, nil
	}
	return s.entries[len(s.entries)-1], true, nil
}

// InsertEntries implements [audit.Store].
func (s *Store) InsertEntries(ctx context.Context, entries []audit.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	s.inserts++
	s.mu.Unlock()
	for _, e := range entries {
		if s.Insert != nil {
			if err := s.Insert(e); err != nil {
				return err
			}
		}
		if err := s.insert(e); err != nil {
			return err
		}
	}
	if s.After != nil {
		return s.After()
	}
	return nil
}

func (s *Store) insert(e audit.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := slices.BinarySearchFunc(s.entries, e.Seq, bySeq)
	if found {
		return fault.New(fault.Conflict, "audit entry %d exists", e.Seq)
	}
	s.entries = slices.Insert(s.entries, i, e)
	return nil
}

func bySeq(e audit.Entry, seq int64) int { return int(e.Seq - seq) }

// Entries implements [audit.Store].
func (s *Store) Entries(ctx context.Context, fromSeq int64, limit int) ([]audit.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := 0
	for i < len(s.entries) && s.entries[i].Seq < fromSeq {
		i++
	}
	return slices.Clone(s.entries[i:min(i+limit, len(s.entries))]), nil
}

// DeleteEntriesBefore implements [audit.Store].
func (s *Store) DeleteEntriesBefore(ctx context.Context, seq int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = slices.DeleteFunc(s.entries, func(e audit.Entry) bool { return e.Seq < seq })
	return nil
}

// Kept gives a copy of all that is stored.
func (s *Store) Kept() []audit.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.entries)
}

// Tamper replaces all that is stored, as somebody with the database in hand could.
func (s *Store) Tamper(change func([]audit.Entry) []audit.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = change(slices.Clone(s.entries))
}

// Inserts counts the calls of InsertEntries.
func (s *Store) Inserts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inserts
}
