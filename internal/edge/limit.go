package edge

import (
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/fault"
)

// Rate is how fast a caller may go: Burst at once, PerSecond in the long run.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Limiter is a token bucket for each of many callers, in bounded memory: when it
// knows as many callers as it may, it forgets the one not seen for longest, whose
// bucket is the likeliest to be full again.
type Limiter struct {
	rate Rate
	most int
	now  func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket
	ring    bucket // ends of the list of buckets: next is the latest seen, prev the one not seen for longest
}

type bucket struct {
	key        string
	tokens     float64
	at         time.Time
	prev, next *bucket
}

func (b *bucket) remove() { b.prev.next, b.next.prev = b.next, b.prev }

func (b *bucket) insertAfter(a *bucket) {
	b.prev, b.next = a, a.next
	a.next, b.next.prev = b, b
}

// NewLimiter makes a limiter that remembers up to most callers.
func NewLimiter(rate Rate, most int, now func() time.Time) *Limiter {
	l := &Limiter{rate: rate, most: max(most, 1), now: now, buckets: map[string]*bucket{}}
	l.ring.prev, l.ring.next = &l.ring, &l.ring
	return l
}

// Take takes one token of a caller's bucket. ok is false when it is empty; wait
// is then how long until it holds one again.
func (l *Limiter) Take(key string) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b, known := l.buckets[key]
	if known {
		b.remove()
		if passed := now.Sub(b.at); passed > 0 { // a clock that is set back gives nothing and takes nothing
			b.tokens = math.Min(float64(l.rate.Burst), b.tokens+passed.Seconds()*l.rate.PerSecond)
		}
		b.at = now
	} else {
		if len(l.buckets) == l.most {
			oldest := l.ring.prev
			oldest.remove()
			delete(l.buckets, oldest.key)
		}
		b = &bucket{key: key, tokens: float64(l.rate.Burst), at: now}
		l.buckets[key] = b
	}
	b.insertAfter(&l.ring)
	if b.tokens < 1 {
		return time.Duration(math.Ceil((1 - b.tokens) / l.rate.PerSecond * float64(time.Second))), false
	}
	b.tokens--
	return 0, true
}

// Allow takes a token for the request, or gives fault.TooMany and sets Retry-After.
func (l *Limiter) Allow(c *gin.Context, key string) error {
	wait, ok := l.Take(key)
	if ok {
		return nil
	}
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	c.Header("Retry-After", strconv.Itoa(seconds))
	return fault.New(fault.TooMany, "Too many requests. Wait %d s and try again.", seconds)
}

// Limit refuses with 429 requests of a caller that goes too fast. key names the caller.
func Limit(l *Limiter, key func(*gin.Context) string) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := l.Allow(c, key(c)); err != nil {
			Fail(c, err)
			return
		}
		c.Next()
	}
}
