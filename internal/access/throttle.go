package access

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"victimvoice/internal/fault"
)

// How many failures are free, and how the wait grows after them. One source guessing at
// one account is stopped soon; a whole account or a whole source much later, since a
// stranger must not be able to lock a colleague out, and an office shares one address.
const (
	freePerPair    = 5
	freePerAccount = 30
	freePerSource  = 60
	firstWait      = 30 * time.Second
	longestWait    = 15 * time.Minute
	forgetAfter    = 24 * time.Hour // without a further failure
)

// Throttled is the cause in a fault.TooMany: no attempt is looked at before Until.
type Throttled struct {
	Until time.Time
}

func (t *Throttled) Error() string { return "throttled until " + t.Until.Format(time.RFC3339) }

// RetryAfter gives how long to wait when err is because of too many attempts, in whole
// seconds, at least one; for a Retry-After header.
func RetryAfter(err error, now time.Time) (time.Duration, bool) {
	var t *Throttled
	if !errors.As(err, &t) {
		return 0, false
	}
	return max(time.Second, t.Until.Sub(now).Round(time.Second)), true
}

// counter is one of the three counts of an attempt.
type counter struct {
	id   string
	free int64
}

func (s *Service) counters(account, source string) (bySource, byPair, byAccount counter) {
	source = network(source)
	return counter{s.keys.Pseudonym("throttle", "source", source), freePerSource},
		counter{s.keys.Pseudonym("throttle", "pair", account, source), freePerPair},
		counter{s.keys.Pseudonym("throttle", "account", account), freePerAccount}
}

// network is who stands behind a source address: an IPv4 address, or the /64 of an IPv6
// one, since a single household has 2⁶⁴ of those. Anything else is taken as it is.
func network(source string) string {
	addr, err := netip.ParseAddr(source)
	if err != nil {
		return source
	}
	if addr = addr.Unmap().WithZone(""); addr.Is6() {
		if prefix, err := addr.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return addr.String()
}

// attempt counts an attempt before it is looked at, so that fifty guesses at the same
// moment are fifty. It knows no accounts: an address that has none is counted as any
// other, so that being refused says nothing of whether there is one.
func (s *Service) attempt(ctx context.Context, account, source string) error {
	now := s.now()
	bySource, byPair, byAccount := s.counters(account, source)
	for _, c := range []counter{bySource, byPair, byAccount} {
		_, err := s.store.UpdateThrottle(ctx, c.id, func(t *Throttle) error {
			if now.Before(t.Until) {
				wait := t.Until.Sub(now).Round(time.Second)
				return fault.Wrap(fault.TooMany, &Throttled{Until: t.Until}, "too many attempts; please try again in %s", spoken(wait))
			}
			if now.Sub(t.LastAt) > forgetAfter {
				t.Failures = 0
			}
			t.ID, t.LastAt = c.id, now
			t.Failures++
			t.Until = time.Time{}
			if over := t.Failures - c.free; over >= 0 {
				t.Until = now.Add(waitAfter(over))
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("count a sign-in attempt: %w", err)
		}
	}
	return nil
}

// succeeded forgets the failures of this source with this account. From the other two
// counts it only takes back its own attempt: somebody with an account of their own must
// not be able to wipe the slate between guesses at another's.
func (s *Service) succeeded(ctx context.Context, account, source string) error {
	bySource, byPair, byAccount := s.counters(account, source)
	for _, c := range []counter{bySource, byPair, byAccount} {
		_, err := s.store.UpdateThrottle(ctx, c.id, func(t *Throttle) error {
			t.ID = c.id
			t.Failures = max(0, t.Failures-1)
			if c == byPair {
				t.Failures = 0
			}
			if t.Failures < c.free {
				t.Until = time.Time{}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget failed sign-ins: %w", err)
		}
	}
	return nil
}

// waitAfter is how long to wait after this many failures beyond the free ones.
func waitAfter(over int64) time.Duration {
	wait := firstWait
	for ; over > 0 && wait < longestWait; over-- {
		wait *= 2
	}
	return min(wait, longestWait)
}

func spoken(d time.Duration) string {
	if d <= time.Minute {
		return "a minute"
	}
	return fmt.Sprintf("%d minutes", int((d+time.Minute-1)/time.Minute))
}
