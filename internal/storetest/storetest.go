// Package storetest is the one conformance suite of the storage ports: what every
// adapter must do, concurrency included. An adapter's own test opens a store and
// calls Run.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"victimvoice/analysis"
	"victimvoice/internal/access"
	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/work"
	"victimvoice/loop"
	"victimvoice/notifications"
	"victimvoice/survey"
)

// Store is every storage port. Access gives that of internal/access, whose links
// share their method names with the survey's.
type Store interface {
	survey.Store
	analysis.Codings
	analysis.Drafts
	analysis.OpenTables
	analysis.CoderLogs
	analysis.CoderModels
	analysis.AdviceTables
	analysis.Marks
	loop.Store
	notifications.Outbox
	work.Leases
	audit.Store
	access.Users
	access.Sessions
	access.APIKeys
	access.Throttles
	Access() access.Store

	Ping(ctx context.Context) error
	Close() error
}

// PageRows is the size of a stream's page that open should ask for, so that the
// suite's few documents fill several pages.
const PageRows = 7

// t0 is the suite's fixed now: half an hour before the clocks change in London.
var t0 = time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC)

// Run puts the stores that open gives through the suite. Each call of open gives
// an empty store of its own, closed by the test's Cleanup; stores are used in parallel.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for name, test := range map[string]func(*testing.T, Store){
		"documents keep every field":            documents,
		"reads of what is not there":            notThere,
		"inserts of what is there":              duplicates,
		"updates that lose begin again":         contention,
		"events":                                events,
		"cases":                                 cases,
		"responses":                             responses,
		"streams keep their order":              streamOrder,
		"streams stop when told":                streamStops,
		"streams miss nothing under way":        streamUnderWrites,
		"a cursor with overlap misses nothing":  cursor,
		"outbox":                                outbox,
		"fifty claim a hundred messages":        claimRace,
		"a lease that ran out is claimed once":  leaseRace,
		"loop":                                  loopLists,
		"codings and leases":                    codingsAndLeases,
		"a model and its texts are kept whole":  largeModel,
		"purges":                                purges,
		"staff":                                 staff,
		"one of many gets a one-time link":      takeRace,
		"the audit chain has one of each place": auditRace,
		"audit":                                 auditEntries,
		"a cancelled context":                   cancelled,
		"a closed store":                        closed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// must fails the test on an error and passes the value on.
func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, kind fault.Kind, doing string) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: error %v (%v), want %v", doing, err, fault.KindOf(err), kind)
	}
}

// same compares two short lists.
func same[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// idsOf maps documents to one field of each.
func idsOf[T any, K any](docs []T, id func(T) K) []K {
	out := make([]K, len(docs))
	for i, d := range docs {
		out[i] = id(d)
	}
	return out
}

// collect reads a stream to its end.
func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// together runs fn in n goroutines that begin at one moment and waits for all.
func together(n int, fn func(i int)) {
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-begin
			fn(i)
		})
	}
	close(begin)
	wg.Wait()
}

// gather runs fn in n goroutines and collects the results; any error fails the test.
func gather[T any](t *testing.T, n int, fn func(i int) ([]T, error)) []T {
	t.Helper()
	var mu sync.Mutex
	var all []T
	var errs []error
	together(n, func(i int) {
		out, err := fn(i)
		mu.Lock()
		defer mu.Unlock()
		all, errs = append(all, out...), append(errs, err)
	})
	ok(t, errors.Join(errs...))
	return all
}
