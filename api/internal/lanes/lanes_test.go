package lanes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestJobsOfOneKeyKeepTheirOrder(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	got := map[string][]int{}
	type job struct {
		key string
		n   int
	}
	l := New(t.Context(), 8, func(_ context.Context, j job) error {
		mu.Lock()
		defer mu.Unlock()
		got[j.key] = append(got[j.key], j.n)
		return nil
	})
	for n := range 5000 {
		key := fmt.Sprint("case", n%37)
		if !l.Put(key, job{key, n}) {
			t.Fatal("a job was refused")
		}
	}
	if err := l.Wait(); err != nil {
		t.Fatal(err)
	}
	total := 0
	for key, ns := range got {
		total += len(ns)
		for i := 1; i < len(ns); i++ {
			if ns[i] <= ns[i-1] {
				t.Fatalf("%s: %d after %d", key, ns[i], ns[i-1])
			}
		}
	}
	if total != 5000 {
		t.Errorf("%d jobs were done, want 5000", total)
	}
}

func TestWorkersRunBesideEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l := New(t.Context(), 4, func(context.Context, int) error { time.Sleep(time.Second); return nil })
		for i := range 40 {
			l.Put(fmt.Sprint(i), i)
		}
		if err := l.Wait(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took >= 40*time.Second {
			t.Errorf("40 jobs of a second took %v: one after the other", took)
		}
	})
}

func TestFirstErrorEndsTheRest(t *testing.T) {
	t.Parallel()
	broken := errors.New("the store is away")
	var done int
	l := New(t.Context(), 1, func(_ context.Context, n int) error {
		done++
		if n == 3 {
			return broken
		}
		return nil
	})
	refused := false
	for n := range 1000 {
		refused = refused || !l.Put("one", n)
	}
	if err := l.Wait(); !errors.Is(err, broken) {
		t.Errorf("Wait gave %v", err)
	}
	if !refused || done != 4 {
		t.Errorf("%d jobs done, refused %v", done, refused)
	}
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := New(ctx, 2, func(context.Context, int) error { t.Error("a job was begun"); return nil })
	if l.Put("a", 1) {
		t.Error("a job was taken")
	}
	if err := l.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait gave %v", err)
	}
}
