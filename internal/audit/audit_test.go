package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"victimvoice/internal/audit"
	"victimvoice/internal/audit/audittest"
	"victimvoice/internal/fault"
)

var (
	key   = []byte("0123456789abcdef0123456789abcdef")
	start = time.Date(2026, 3, 2, 9, 30, 0, 123_456_789, time.UTC)
)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func read(i int) audit.Entry {
	return audit.Entry{
		Actor: "u1", Role: "advocate", Action: "response.read", Subject: fmt.Sprintf("case:%d", i), Reason: "alert",
		Detail: map[string]string{"fields": "2", "stage": "report"},
	}
}

func filled(t testing.TB, n int) (*audittest.Store, *audit.Log) {
	t.Helper()
	store := &audittest.Store{}
	log := audit.New(store, at(start), key)
	for i := range n {
		if err := log.Append(t.Context(), read(i)); err != nil {
			t.Fatal(err)
		}
	}
	return store, log
}

func TestAppendChains(t *testing.T) {
	store, log := filled(t, 3)
	kept := store.Kept()
	for i, e := range kept {
		if e.Seq != int64(i+1) || e.ID == "" || e.Hash == "" || !e.At.Equal(start.Truncate(time.Millisecond)) {
			t.Errorf("entry %d: %+v", i, e)
		}
		if i > 0 && e.Prev != kept[i-1].Hash {
			t.Errorf("entry %d does not follow", i)
		}
	}
	if n, err := log.Verify(t.Context()); n != 3 || err != nil {
		t.Errorf("Verify = %d, %v", n, err)
	}
}

func TestAppendRefuses(t *testing.T) {
	store, log := filled(t, 0)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range map[string]error{
		"no actor":       log.Append(t.Context(), audit.Entry{Action: "x"}),
		"no action":      log.Append(t.Context(), audit.Entry{Actor: "u1"}),
		"cancelled call": log.Append(gone, read(0)),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if len(store.Kept()) != 0 {
		t.Error("something was stored")
	}
}

// What a store may change on the way through must not break the chain.
func TestHashSurvivesStorage(t *testing.T) {
	store := &audittest.Store{}
	log := audit.New(store, at(start.In(time.FixedZone("X", 3600))), key)
	detail := map[string]string{"bad": "a\xffb"}
	if err := log.Append(t.Context(), audit.Entry{Actor: "u1", Action: "a", Reason: "\xc3", Detail: detail}); err != nil {
		t.Fatal(err)
	}
	detail["bad"] = "changed by the caller afterwards"
	if err := log.Append(t.Context(), audit.Entry{Actor: "u1", Action: "a"}); err != nil {
		t.Fatal(err)
	}
	store.Tamper(func(entries []audit.Entry) []audit.Entry {
		for i := range entries {
			entries[i].At = entries[i].At.In(time.FixedZone("Y", -7200))
			entries[i].Reason = strings.ToValidUTF8(entries[i].Reason, "?")
			if entries[i].Detail == nil {
				entries[i].Detail = map[string]string{}
			}
		}
		return entries
	})
	if _, err := log.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTampering(t *testing.T) {
	tests := map[string]struct {
		change func([]audit.Entry) []audit.Entry
		seq    int64
	}{
		"actor":       {func(e []audit.Entry) []audit.Entry { e[4].Actor = "u2"; return e }, 5},
		"role":        {func(e []audit.Entry) []audit.Entry { e[4].Role = "x"; return e }, 5},
		"action":      {func(e []audit.Entry) []audit.Entry { e[4].Action = "x"; return e }, 5},
		"subject":     {func(e []audit.Entry) []audit.Entry { e[4].Subject = "x"; return e }, 5},
		"reason":      {func(e []audit.Entry) []audit.Entry { e[4].Reason = ""; return e }, 5},
		"id":          {func(e []audit.Entry) []audit.Entry { e[4].ID = "x"; return e }, 5},
		"time":        {func(e []audit.Entry) []audit.Entry { e[4].At = e[4].At.Add(time.Millisecond); return e }, 5},
		"detail":      {func(e []audit.Entry) []audit.Entry { e[4].Detail = map[string]string{"fields": "3"}; return e }, 5},
		"no detail":   {func(e []audit.Entry) []audit.Entry { e[4].Detail = nil; return e }, 5},
		"hash":        {func(e []audit.Entry) []audit.Entry { e[4].Hash = strings.Repeat("0", 64); return e }, 5},
		"removed":     {func(e []audit.Entry) []audit.Entry { return slices.Delete(e, 4, 5) }, 5},
		"swapped":     {func(e []audit.Entry) []audit.Entry { e[4], e[5] = e[5], e[4]; return e }, 5},
		"copied":      {func(e []audit.Entry) []audit.Entry { return slices.Insert(e, 4, e[3]) }, 5},
		"renumbered":  {func(e []audit.Entry) []audit.Entry { e = slices.Delete(e, 4, 5); return renumber(e) }, 5},
		"head gone":   {func(e []audit.Entry) []audit.Entry { return e[4:] }, 1},
		"head forged": {func(e []audit.Entry) []audit.Entry { return renumber(e[4:]) }, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, log := filled(t, 9)
			store.Tamper(tt.change)
			n, err := log.Verify(t.Context())
			var broken *audit.Broken
			if !errors.As(err, &broken) || broken.Seq != tt.seq || broken.Why == "" {
				t.Errorf("Verify = %d, %v; want broken at %d", n, err, tt.seq)
			}
		})
	}
}

func renumber(entries []audit.Entry) []audit.Entry {
	for i := range entries {
		entries[i].Seq = int64(i + 1)
	}
	return entries
}

func TestAnotherKeyDoesNotVerify(t *testing.T) {
	store, _ := filled(t, 2)
	other := audit.New(store, at(start), []byte("another key of thirty-two bytes."))
	var broken *audit.Broken
	if _, err := other.Verify(t.Context()); !errors.As(err, &broken) || broken.Seq != 1 {
		t.Errorf("err = %v", err)
	}
}

func TestCheckpointShowsRemovedTail(t *testing.T) {
	store, log := filled(t, 4)
	point, err := log.Checkpoint(t.Context())
	if err != nil || point.Seq != 4 {
		t.Fatalf("Checkpoint = %v, %v", point, err)
	}
	if again, err := audit.ParseCheckpoint(" " + point.String() + "\n"); err != nil || again != point {
		t.Fatalf("ParseCheckpoint = %v, %v", again, err)
	}
	if n, err := log.Verify(t.Context(), point); n != 4 || err != nil {
		t.Fatalf("Verify = %d, %v", n, err)
	}
	store.Tamper(func(e []audit.Entry) []audit.Entry { return e[:2] })
	if _, err := log.Verify(t.Context()); err != nil {
		t.Errorf("the chain alone cannot know, yet: %v", err)
	}
	var broken *audit.Broken
	if _, err := log.Verify(t.Context(), point); !errors.As(err, &broken) || broken.Seq != 3 {
		t.Errorf("tail removed: %v", err)
	}
	// Replaced by other entries, properly chained (somebody who holds the key).
	if err := audit.New(store, at(start), key).Append(t.Context(), read(90)); err != nil {
		t.Fatal(err)
	}
	if err := audit.New(store, at(start), key).Append(t.Context(), read(91)); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Verify(t.Context(), point); !errors.As(err, &broken) || broken.Seq != 4 {
		t.Errorf("tail replaced: %v", err)
	}
	store.Tamper(func([]audit.Entry) []audit.Entry { return nil })
	if _, err := log.Verify(t.Context(), point); !errors.As(err, &broken) || broken.Seq != 1 {
		t.Errorf("all removed: %v", err)
	}
}

func TestParseCheckpointRefuses(t *testing.T) {
	for _, s := range []string{"", "4", ":", "0:" + strings.Repeat("a", 64), "4:" + strings.Repeat("g", 64), "4:abcd", "x:" + strings.Repeat("a", 64)} {
		if _, err := audit.ParseCheckpoint(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// However the chain is cut, the first entry at fault is found.
func TestTamperingProperty(t *testing.T) {
	store, log := filled(t, 30)
	original := store.Kept()
	point, err := log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(0, 29).Draw(t, "from")
		to := rapid.IntRange(from+1, 30).Draw(t, "to")
		store.Tamper(func([]audit.Entry) []audit.Entry { return slices.Delete(slices.Clone(original), from, to) })
		_, err := log.Verify(context.Background(), point)
		var broken *audit.Broken
		if !errors.As(err, &broken) || broken.Seq != int64(from+1) {
			t.Fatalf("removed %d to %d: %v", from+1, to, err)
		}
	})
}

// Entries that arrive while a batch is written go together in the next.
func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		var once sync.Once
		store := &audittest.Store{Insert: func(audit.Entry) error {
			once.Do(func() { <-hold })
			return nil
		}}
		log := audit.New(store, at(start), key)
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				if err := log.Append(t.Context(), read(i)); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait() // one is held inside the store, the others wait
		if len(store.Kept()) != 0 {
			t.Error("acknowledged before it was stored")
		}
		close(hold)
		wg.Wait()
		if n, err := log.Verify(t.Context()); n != 100 || err != nil {
			t.Errorf("Verify = %d, %v", n, err)
		}
		if got := store.Inserts(); got > 3 {
			t.Errorf("%d calls of the store for 100 entries", got)
		}
	})
}

// Several processes, many goroutines each, one chain, every entry once.
func TestReplicasShareOneChain(t *testing.T) {
	store := &audittest.Store{}
	const replicas, writers, each = 4, 8, 10
	var wg sync.WaitGroup
	for r := range replicas {
		log := audit.New(store, at(start), key)
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					if err := log.Append(t.Context(), read(r*1000+w*100+i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	if n, err := audit.New(store, at(start), key).Verify(t.Context()); n != replicas*writers*each || err != nil {
		t.Errorf("Verify = %d, %v", n, err)
	}
	seen := map[string]bool{}
	for _, e := range store.Kept() {
		if seen[e.Subject] {
			t.Errorf("%s is there twice", e.Subject)
		}
		seen[e.Subject] = true
	}
}

// The store kept the entries but its answer was lost: they are neither lost nor repeated.
func TestLostAnswer(t *testing.T) {
	var calls atomic.Int32
	store := &audittest.Store{After: func() error {
		if calls.Add(1) == 1 {
			return fault.New(fault.Unavailable, "connection lost")
		}
		return nil
	}}
	log := audit.New(store, at(start), key)
	for i := range 2 {
		if err := log.Append(t.Context(), read(i)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := log.Verify(t.Context()); n != 2 || err != nil {
		t.Errorf("Verify = %d, %v", n, err)
	}
}

// A batch of which only a part is stored: those callers are told so, the others get the error.
func TestPartOfBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		store := &audittest.Store{}
		var stored atomic.Int32
		store.Insert = func(audit.Entry) error {
			switch n := stored.Add(1); {
			case n == 1:
				<-hold
			case n > 4:
				return errors.New("disk full")
			}
			return nil
		}
		log := audit.New(store, at(start), key)
		var wg sync.WaitGroup
		var good, bad atomic.Int32
		for i := range 10 {
			wg.Go(func() {
				switch err := log.Append(t.Context(), read(i)); {
				case err == nil:
					good.Add(1)
				case fault.Is(err, fault.Unavailable):
					bad.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(hold)
		wg.Wait()
		if good.Load() != 4 || bad.Load() != 6 || len(store.Kept()) != 4 {
			t.Errorf("%d acknowledged, %d refused, %d stored", good.Load(), bad.Load(), len(store.Kept()))
		}
		store.Insert = nil
		if err := log.Append(t.Context(), read(11)); err != nil {
			t.Error(err)
		}
		if n, err := log.Verify(t.Context()); n != 5 || err != nil {
			t.Errorf("Verify = %d, %v", n, err)
		}
	})
}

func TestStoreAway(t *testing.T) {
	away := fault.New(fault.Unavailable, "away")
	for name, store := range map[string]*audittest.Store{
		"reading the end": {Last: func() error { return away }},
		"inserting":       {Insert: func(audit.Entry) error { return away }},
		// A store that calls everything a conflict must not hold the caller for ever.
		"always a conflict": {Insert: func(audit.Entry) error { return fault.New(fault.Conflict, "taken") }},
	} {
		log := audit.New(store, at(start), key)
		if err := log.Append(t.Context(), read(0)); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
		store.Last, store.Insert = nil, nil
		if err := log.Append(t.Context(), read(0)); err != nil {
			t.Errorf("%s, after it came back: %v", name, err)
		}
	}
}

// A caller who leaves does not take the others' entries along, and hears of it at once.
func TestCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		store := &audittest.Store{Insert: func(audit.Entry) error { <-hold; return nil }}
		log := audit.New(store, at(start), key)
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { left <- log.Append(ctx, read(0)) }()
		synctest.Wait()
		stayed := make(chan error, 1)
		go func() { stayed <- log.Append(t.Context(), read(1)) }()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("left: %v", err)
		}
		close(hold)
		if err := <-stayed; err != nil {
			t.Errorf("stayed: %v", err)
		}
	})
}

func TestPurge(t *testing.T) {
	store := &audittest.Store{}
	for i, day := range []int{1, 2, 3, 8, 9} {
		log := audit.New(store, at(start.AddDate(0, 0, day)), key)
		if err := log.Append(t.Context(), read(i)); err != nil {
			t.Fatal(err)
		}
	}
	log := audit.New(store, at(start.AddDate(0, 0, 20)), key)
	old, err := log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := store.Kept()
	if n, err := log.Purge(t.Context(), start.AddDate(0, 0, 5)); n != 3 || err != nil {
		t.Fatalf("Purge = %d, %v", n, err)
	}
	if n, err := log.Verify(t.Context(), old, audit.Checkpoint{Seq: 2, Hash: before[1].Hash}); n != 3 || err != nil {
		t.Errorf("after a purge: %d, %v", n, err)
	}
	if n, err := log.Purge(t.Context(), start.AddDate(0, 0, 5)); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	if kept := len(store.Kept()); kept != 3 {
		t.Errorf("%d kept", kept)
	}
	// Cut short after one entry of three: still sound, since the anchor reaches further.
	full := append(slices.Clone(before), store.Kept()[2])
	store.Tamper(func([]audit.Entry) []audit.Entry { return full[1:] })
	if n, err := log.Verify(t.Context()); n != 5 || err != nil {
		t.Errorf("purge cut short: %d, %v", n, err)
	}
	// One entry more than the anchor tells of.
	store.Tamper(func([]audit.Entry) []audit.Entry { return full[4:] })
	var broken *audit.Broken
	if _, err := log.Verify(t.Context()); !errors.As(err, &broken) {
		t.Errorf("removed beyond the anchor: %v", err)
	}
}

func TestAllStopsEarlyAndPages(t *testing.T) {
	_, log := filled(t, 1203)
	n := 0
	for e, err := range log.All(t.Context(), 101) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Seq != int64(101+n) {
			t.Fatalf("entry %d at place %d", e.Seq, n)
		}
		if n++; n == 1100 {
			break
		}
	}
	if n != 1100 {
		t.Errorf("%d entries", n)
	}
	if n, err := log.Verify(t.Context()); n != 1203 || err != nil {
		t.Errorf("Verify = %d, %v", n, err)
	}
}

func BenchmarkAppend(b *testing.B) {
	log := audit.New(&audittest.Store{}, at(start), key)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := log.Append(b.Context(), read(0)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	_, log := filled(b, 500)
	for b.Loop() {
		if _, err := log.Verify(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(500, "entries/op")
}
