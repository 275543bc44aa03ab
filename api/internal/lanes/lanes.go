// Package lanes spreads jobs over workers in such a way that the jobs of one key
// keep their order: what is said of one case is written in the order in which it
// was said, while other cases are written beside it.
package lanes

import (
	"context"
	"hash/maphash"
	"sync"
)

// depth is how many jobs may wait in a lane: enough that one slow job does not
// hold up the reader at once, few enough to bound memory.
const depth = 16

// Lanes are workers that each take their own keys' jobs in order.
type Lanes[J any] struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	seed   maphash.Seed
	lanes  []chan J
	done   sync.WaitGroup
}

// New starts n workers on do. The first error of do ends the rest: the context
// that do gets is cancelled, and jobs not yet begun are dropped. Wait must be
// called whatever happens.
func New[J any](ctx context.Context, n int, do func(context.Context, J) error) *Lanes[J] {
	l := &Lanes[J]{seed: maphash.MakeSeed(), lanes: make([]chan J, n)}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	for i := range l.lanes {
		lane := make(chan J, depth)
		l.lanes[i] = lane
		l.done.Go(func() {
			for j := range lane {
				if l.ctx.Err() != nil {
					continue // drain, so that Put never blocks for good
				}
				if err := do(l.ctx, j); err != nil {
					l.cancel(err)
				}
			}
		})
	}
	return l
}

// Put gives a job to the lane of its key, waiting for room in it. It reports
// false when the work has ended early and no more jobs are wanted.
func (l *Lanes[J]) Put(key string, j J) bool {
	if l.ctx.Err() != nil {
		return false
	}
	lane := l.lanes[maphash.String(l.seed, key)%uint64(len(l.lanes))]
	select {
	case lane <- j:
		return true
	case <-l.ctx.Done():
		return false
	}
}

// Wait ends the lanes once their jobs are done and gives the first error of a
// job, or the reason for which the outer context ended. No Put may follow.
func (l *Lanes[J]) Wait() error {
	for _, lane := range l.lanes {
		close(lane)
	}
	l.done.Wait()
	err := context.Cause(l.ctx)
	l.cancel(nil)
	return err
}
