package notifications

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for attempt, most := range map[int]time.Duration{
		-1: time.Minute, 0: time.Minute, 1: time.Minute, 2: 2 * time.Minute, 3: 4 * time.Minute, 5: 16 * time.Minute,
		8: 128 * time.Minute, 9: 4 * time.Hour, 1000: 4 * time.Hour,
	} {
		wait := Backoff(attempt, now, "a").Sub(now)
		if wait > most || wait < most*3/4 {
			t.Errorf("attempt %d: %v, want %v to %v", attempt, wait, most*3/4, most)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		attempt := rapid.IntRange(1, 60).Draw(t, "attempt")
		seed := rapid.String().Draw(t, "seed")
		at := Backoff(attempt, now, seed)
		if at != Backoff(attempt, now.In(time.FixedZone("", 3600)), seed) {
			t.Fatal("the same failure gave two times")
		}
		if wait := at.Sub(now); wait < 45*time.Second || wait > 4*time.Hour || at.Location() != time.UTC {
			t.Fatalf("%v", at)
		}
	})
}

// Letters that failed together come back spread over the jitter, not in a lump.
func TestBackoffSpreads(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	const letters, bins = 4000, 8
	var count [bins]int
	for i := range letters {
		early := now.Add(4 * time.Hour).Sub(Backoff(20, now, string(rune('a'+i%26))+time.Duration(i).String()))
		count[min(int(early*bins/time.Hour), bins-1)]++
	}
	for bin, n := range count {
		if n < letters/bins*3/4 || n > letters/bins*5/4 {
			t.Errorf("bin %d has %d of %d", bin, n, letters)
		}
	}
}

// The tries before giving up are enough to meet an outage's end, and few enough
// not to be a nuisance.
func TestTriesBeforeGivingUp(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	tries := 0
	for now := first; now.Sub(first) < GiveUpAfter; tries++ {
		now = Backoff(tries+1, now, "m1")
	}
	if tries < 15 || tries > 30 {
		t.Errorf("%d tries", tries)
	}
}
