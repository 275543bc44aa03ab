// Package audit owns the append-only record of reads and changes: who looked at or
// altered what, when and why. Each entry carries a keyed hash of itself and of the
// one before, so that a changed, removed, inserted or reordered entry shows when
// the chain is verified, even to somebody who held the database.
//
// Entries hold no personal data: actors are staff ids, subjects are pseudonyms, and
// details are counts, names of fields and codes.
package audit

import (
	"context"
	"time"
)

// Entry is one act. Who appends fills Actor to Detail; the log gives it a place in
// the chain.
type Entry struct {
	Seq     int64             `json:"seq"`     // 1, 2, 3 … without a gap
	ID      string            `json:"id"`      // random; names the entry where Seq is not known yet
	At      time.Time         `json:"at"`      // UTC, whole milliseconds
	Actor   string            `json:"actor"`   // staff id, API key id, "operator" or "system"; never a name
	Role    string            `json:"role"`    // in which the actor acted; several are joined by commas
	Action  string            `json:"action"`  // dotted: "response.read", "user.disabled"
	Subject string            `json:"subject"` // what it was done to: a kind and a pseudonym or id, "case:k4x…"
	Reason  string            `json:"reason"`  // as the actor gave it or the rule names it; may be empty
	Detail  map[string]string `json:"detail"`  // never personal data; may be nil
	Prev    string            `json:"prev"`    // the Hash before, empty at the very first
	Hash    string            `json:"hash"`    // over all of the above
}

// Store is where the chain is kept.
type Store interface {
	// LastEntry gives the entry with the highest Seq; false when there is none.
	LastEntry(ctx context.Context) (Entry, bool, error)
	// InsertEntries stores entries, whose Seq are consecutive, in their order and stops
	// at the first that fails. Each entry is an act of its own: any prefix may be stored
	// when the call returns an error or the process dies, and none may be stored without
	// the one before it in the call. It is fault.Conflict when an entry's Seq is taken;
	// nothing that is stored is ever replaced.
	InsertEntries(ctx context.Context, entries []Entry) error
	// Entries gives up to limit entries with Seq ≥ fromSeq in order of Seq.
	Entries(ctx context.Context, fromSeq int64, limit int) ([]Entry, error)
	// DeleteEntriesBefore removes what the retention period has passed: every entry with
	// a Seq below. Repeatable; entries go in order of Seq where the store can choose.
	DeleteEntriesBefore(ctx context.Context, seq int64) error
}
