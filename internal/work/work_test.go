package work_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/internal/roomtest"
	"victimvoice/internal/work"
)

var quiet = slog.New(slog.DiscardHandler)

// lease reads one lease.
func lease(t *testing.T, w *roomtest.World, name string) work.Lease {
	t.Helper()
	ls, err := w.Store.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ls {
		if l.ID == name {
			return l
		}
	}
	return work.Lease{}
}

func TestOnceDrains(t *testing.T) {
	w := roomtest.New(t)
	left := 5
	var local, observed int
	r := work.NewRunner(w.Store, "a", w.Clock.Now, quiet,
		work.Task{Name: "drain", Every: time.Minute, Run: func(context.Context) (int, error) {
			n := min(left, 2)
			left -= n
			return n, nil
		}},
		work.Task{Name: "here", Every: time.Minute, Local: true, Run: func(context.Context) (int, error) { local++; return 1, nil }})
	r.Observe = func(task string, _ int, _ time.Duration, err error) {
		if err != nil {
			t.Error(err)
		}
		observed++
	}
	if err := r.Once(t.Context(), 50); err != nil || left != 0 {
		t.Errorf("%d left, %v", left, err)
	}
	if local != 4 || observed != 8 {
		t.Errorf("the local task ran %d times, %d runs were observed", local, observed)
	}
	if l := lease(t, w, "drain"); l.Owner != "" || !l.LastRun.Equal(w.Clock.Now()) || l.Fence != 4 {
		t.Errorf("the lease after it: %+v", l)
	}
	if l := lease(t, w, "here"); l.ID != "" {
		t.Errorf("a local task has a lease: %+v", l)
	}
}

// TestTwoRunnersRespectTheLease: while one is at it the other leaves it alone,
// and takes it over only when the lease of a dead owner has run out.
func TestTwoRunnersRespectTheLease(t *testing.T) {
	w := roomtest.New(t)
	var ran []string
	var inside func()
	runner := func(owner string) *work.Runner {
		return work.NewRunner(w.Store, owner, w.Clock.Now, quiet, work.Task{Name: "task", Every: time.Minute, Run: func(context.Context) (int, error) {
			ran = append(ran, owner)
			if f := inside; f != nil {
				inside = nil
				f()
			}
			return 0, nil
		}})
	}
	a, b := runner("a"), runner("b")
	once := func(r *work.Runner) {
		t.Helper()
		if err := r.Once(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	inside = func() { once(b) }
	once(a)
	if !slices.Equal(ran, []string{"a"}) {
		t.Errorf("ran: %v", ran)
	}
	once(b)
	once(a)
	if !slices.Equal(ran, []string{"a", "b", "a"}) {
		t.Errorf("in turn: %v", ran)
	}

	// a dies within its run: the lease stays.
	ran = nil
	inside = func() {
		w.Store.Fail(func(string) error { return fault.New(fault.Unavailable, "dead") })
	}
	if err := a.Once(t.Context(), 1); err == nil {
		t.Error("a lease that cannot be given back goes unsaid")
	}
	w.Store.Fail(nil)
	if l := lease(t, w, "task"); l.Owner != "a" {
		t.Fatalf("%+v", l)
	}
	fence := lease(t, w, "task").Fence
	once(b)
	w.Clock.Pass(2*time.Minute - time.Second)
	once(b)
	if !slices.Equal(ran, []string{"a"}) {
		t.Errorf("taken over before its time: %v", ran)
	}
	w.Clock.Pass(time.Second)
	once(b)
	if !slices.Equal(ran, []string{"a", "b"}) {
		t.Errorf("not taken over: %v", ran)
	}
	if l := lease(t, w, "task"); l.Owner != "" || l.Fence <= fence {
		t.Errorf("%+v", l)
	}
	// One that restarts under its own name need not wait for itself.
	if _, err := w.Store.UpdateLease(t.Context(), "task", func(l *work.Lease) error {
		l.Owner, l.Until = "a", w.Clock.Now().Add(time.Hour)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	once(a)
	if ran[len(ran)-1] != "a" {
		t.Errorf("its own lease: %v", ran)
	}
}

// TestLateOwnerDoesNotGiveAwayAnothersLease.
func TestLateOwnerDoesNotGiveAwayAnothersLease(t *testing.T) {
	w := roomtest.New(t)
	a := work.NewRunner(w.Store, "a", w.Clock.Now, quiet, work.Task{Name: "task", Every: time.Minute, Run: func(ctx context.Context) (int, error) {
		w.Clock.Pass(3 * time.Minute)
		_, err := w.Store.UpdateLease(ctx, "task", func(l *work.Lease) error {
			l.Owner, l.Until = "b", w.Clock.Now().Add(time.Minute)
			return nil
		})
		return 0, err
	}})
	if err := a.Once(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if l := lease(t, w, "task"); l.Owner != "b" || !l.LastRun.IsZero() {
		t.Errorf("%+v", l)
	}
}

func TestRunTicksAndDrainsOnCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := roomtest.New(t)
		start := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		left := 3
		slow := make(chan struct{})
		var finished, cut atomic.Bool
		r := work.NewRunner(w.Store, "a", time.Now, quiet,
			work.Task{Name: "ticks", Every: time.Minute, Run: func(context.Context) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				at = append(at, time.Since(start))
				n := min(left, 1)
				left -= n
				return n, nil
			}},
			work.Task{Name: "slow", Every: time.Hour, Run: func(ctx context.Context) (int, error) {
				close(slow)
				select {
				case <-time.After(150*time.Second + 10*time.Second): // ten seconds after the end, within the grace
					finished.Store(true)
				case <-ctx.Done():
				}
				return 1, nil
			}},
			work.Task{Name: "stuck", Every: time.Hour, Local: true, Run: func(ctx context.Context) (int, error) {
				<-ctx.Done()
				cut.Store(true)
				return 0, ctx.Err()
			}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { r.Run(ctx, 20*time.Second); close(done) }()
		<-slow
		time.Sleep(150 * time.Second) // of the bubble's clock: no real time goes by
		cancel()
		<-done
		if took := time.Since(start); took != 170*time.Second {
			t.Errorf("stopped after %s, want the end at 150 s and the grace of 20 s", took)
		}
		if !finished.Load() {
			t.Error("a run under way was not given its grace")
		}
		if !cut.Load() {
			t.Error("a run that does not end was not cut off")
		}
		want := []time.Duration{0, 0, 0, 0, time.Minute, 2 * time.Minute}
		if !slices.Equal(at, want) {
			t.Errorf("ran at %v, want %v: all that waits at once, then by the minute", at, want)
		}
		for _, name := range []string{"ticks", "slow"} {
			if l := lease(t, w, name); l.Owner != "" || l.LastRun.IsZero() {
				t.Errorf("%s: the lease is not given back: %+v", name, l)
			}
		}
	})
}

func TestFaultsAreLoggedAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := roomtest.New(t)
		var log bytes.Buffer
		var runs, observed atomic.Int32
		r := work.NewRunner(w.Store, "a", time.Now, slog.New(slog.NewTextHandler(&log, nil)), work.Task{Name: "task", Every: time.Minute, Run: func(context.Context) (int, error) {
			if runs.Add(1) < 3 {
				return 7, fault.New(fault.Unavailable, "away") // some was done; the rest waits for the next tick
			}
			return 0, nil
		}})
		r.Observe = func(_ string, _ int, _ time.Duration, err error) {
			if err != nil {
				observed.Add(1)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { r.Run(ctx, time.Second); close(done) }()
		time.Sleep(150 * time.Second) // of the bubble's clock
		if stalled, err := r.Stalled(t.Context(), time.Now().Add(-time.Hour)); err != nil || len(stalled) != 0 {
			t.Errorf("stalled: %v %v", stalled, err)
		}
		cancel()
		<-done
		if runs.Load() != 3 || observed.Load() != 2 {
			t.Errorf("%d runs, %d faults observed", runs.Load(), observed.Load())
		}
		if n := strings.Count(log.String(), "task failed"); n != 2 || !strings.Contains(log.String(), "kind=unavailable") {
			t.Errorf("%d faults in the log: %s", n, log.String())
		}
	})
}

func TestStalled(t *testing.T) {
	w := roomtest.New(t)
	var fail error
	task := func(name string, every time.Duration, local bool) work.Task {
		return work.Task{Name: name, Every: every, Local: local, Run: func(context.Context) (int, error) { return 0, fail }}
	}
	tasks := []work.Task{task("often", time.Second, false), task("seldom", time.Hour, false), task("here", time.Minute, true)}
	a := work.NewRunner(w.Store, "a", w.Clock.Now, quiet, tasks...)
	b := work.NewRunner(w.Store, "b", w.Clock.Now, quiet, tasks...)
	since := w.Clock.Now()
	want := func(r *work.Runner, names ...string) {
		t.Helper()
		got, err := r.Stalled(t.Context(), since)
		if err != nil || !slices.Equal(got, names) {
			t.Errorf("stalled: %v %v, want %v", got, err, names)
		}
	}
	want(a)
	w.Clock.Pass(2 * time.Minute)
	want(a)
	w.Clock.Pass(time.Second)
	want(a, "often")
	w.Clock.Pass(10 * time.Minute)
	want(a, "often", "here")
	if err := b.Once(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	want(a, "here") // another process has done what is shared, not what is each one's own
	want(b)
	// A run that fails is no sign of life.
	fail = errors.New("broken")
	w.Clock.Pass(3 * time.Minute)
	if err := b.Once(t.Context(), 1); err == nil {
		t.Error("a fault goes unsaid")
	}
	want(b, "often")
	w.Clock.Pass(10 * time.Hour)
	want(b, "often", "seldom", "here")
}
