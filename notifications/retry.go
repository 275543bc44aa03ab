package notifications

import (
	"encoding/binary"
	"hash/fnv"
	"time"
)

// GiveUpAfter is how long after its first try a letter that meets only
// temporary failures is given up. A mail server that takes a letter keeps its
// own queue for days (RFC 5321, 4.5.4.1, suggests four to five); this bounds
// only how long we knock at that server's door. Two days outlast a weekend's
// outage noticed on Monday, and leave most of an invitation's window.
const GiveUpAfter = 48 * time.Hour

const (
	backoffFirst = time.Minute
	backoffCap   = 4 * time.Hour
)

// Backoff is when a letter may be tried again after its attempt-th failure
// (from 1). The wait doubles from a minute to at most four hours; up to a
// quarter of it is taken off by a jitter that depends on the seed and the
// attempt alone, so that letters that failed together come back apart, and the
// same failure always gives the same time.
func Backoff(attempt int, now time.Time, seed string) time.Time {
	wait := backoffFirst
	for i := 1; i < attempt && wait < backoffCap; i++ {
		wait *= 2
	}
	wait = min(wait, backoffCap)

	h := fnv.New64a()
	_, _ = h.Write([]byte(seed)) // a hash never fails to write
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(max(attempt, 1)))
	_, _ = h.Write(n[:])
	const steps = 1 << 16
	step := time.Duration(h.Sum64() >> 48) // the top 16 bits
	return now.UTC().Add(wait - wait/4*step/steps)
}
