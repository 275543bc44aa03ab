package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// Task is one background step. Run does a batch and gives how much it did; more
// than nothing means that it is asked again at once. Every task is safe to run
// twice at the same time, since each step within it is; the lease only keeps
// replicas from doing the same work for nothing.
type Task struct {
	Name  string
	Every time.Duration
	Local bool // each process runs it for itself, without a lease
	// Elsewhere says that other processes run it: this one only watches, for readiness, that one does.
	Elsewhere bool
	Run       func(context.Context) (int, error)
}

// Runner runs tasks until it is told to stop.
type Runner struct {
	leases Leases
	owner  string
	tasks  []Task
	now    func() time.Time
	log    *slog.Logger

	mu   sync.Mutex
	last map[string]time.Time // when each task last ended well, in this process

	// Observe, if set, is told of each run: the task, how much it did, how long it took and what went wrong.
	Observe func(task string, n int, took time.Duration, err error)
}

// leaseFor bounds how long a dead process holds a task up.
const leaseFor = 2 * time.Minute

// NewRunner makes a runner; owner names this process in leases.
func NewRunner(leases Leases, owner string, now func() time.Time, log *slog.Logger, tasks ...Task) *Runner {
	return &Runner{leases: leases, owner: owner, tasks: tasks, now: now, log: log, last: map[string]time.Time{}}
}

// Run runs every task on its interval until ctx ends, then waits for the runs
// under way. A run is given grace after ctx ends to come to its own end.
func (r *Runner) Run(ctx context.Context, grace time.Duration) {
	hard, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	for _, t := range r.tasks {
		if t.Elsewhere {
			continue
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			tick := time.NewTicker(t.Every)
			defer tick.Stop()
			for {
				r.drain(ctx, hard, t)
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		}()
	}
	<-ctx.Done()
	timer := time.AfterFunc(grace, stop)
	defer timer.Stop()
	wg.Wait()
}

// drain runs a task until it has nothing left to do or ctx ends.
func (r *Runner) drain(ctx, hard context.Context, t Task) {
	for ctx.Err() == nil {
		n, err := r.once(hard, t)
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				r.log.Error("task failed", "task", t.Name, "kind", fault.KindOf(err).String(), "error", err)
			}
			return
		}
		if n == 0 {
			return
		}
	}
}

// errNotOurs says that another process holds the lease.
var errNotOurs = errors.New("another process runs this task")

func (r *Runner) once(ctx context.Context, t Task) (int, error) {
	if !t.Local {
		if err := r.take(ctx, t.Name); errors.Is(err, errNotOurs) {
			return 0, nil
		} else if err != nil {
			return 0, err
		}
	}
	start := r.now()
	n, err := t.Run(ctx)
	if r.Observe != nil {
		r.Observe(t.Name, n, r.now().Sub(start), err)
	}
	if err == nil {
		r.mu.Lock()
		r.last[t.Name] = r.now()
		r.mu.Unlock()
	}
	if !t.Local {
		if e := r.give(context.WithoutCancel(ctx), t.Name, err == nil); e != nil {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return n, fmt.Errorf("task %s: %w", t.Name, err)
	}
	return n, nil
}

func (r *Runner) take(ctx context.Context, name string) error {
	now := r.now()
	_, err := r.leases.UpdateLease(ctx, name, func(l *Lease) error {
		if l.Owner != "" && l.Owner != r.owner && l.Until.After(now) {
			return errNotOurs
		}
		l.Owner, l.Until = r.owner, now.Add(leaseFor)
		l.Fence++
		return nil
	})
	if err != nil {
		return fmt.Errorf("take the lease of %s: %w", name, err)
	}
	return nil
}

func (r *Runner) give(ctx context.Context, name string, well bool) error {
	now := r.now()
	_, err := r.leases.UpdateLease(ctx, name, func(l *Lease) error {
		if l.Owner != r.owner {
			return survey.ErrUnchanged
		}
		l.Owner, l.Until = "", time.Time{}
		if well {
			l.LastRun = now
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("give the lease of %s back: %w", name, err)
	}
	return nil
}

// Once runs every task in turn until none has anything left to do: for tests
// and for commands that want the work done now. rounds bounds it.
func (r *Runner) Once(ctx context.Context, rounds int) error {
	for range rounds {
		total := 0
		for _, t := range r.tasks {
			if t.Elsewhere {
				continue
			}
			n, err := r.once(ctx, t)
			if err != nil {
				return err
			}
			if !t.Local {
				total += n
			}
		}
		if total == 0 {
			return nil
		}
	}
	return nil
}

// Stalled names the tasks that have not ended well for longer than ten of their
// intervals and at least two minutes, here or in any process: what readiness asks.
func (r *Runner) Stalled(ctx context.Context, since time.Time) ([]string, error) {
	leases, err := r.leases.Leases(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the leases: %w", err)
	}
	last := map[string]time.Time{}
	for _, l := range leases {
		last[l.ID] = l.LastRun
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, t := range r.tasks {
		at := since
		if l := last[t.Name]; l.After(at) {
			at = l
		}
		if l := r.last[t.Name]; l.After(at) {
			at = l
		}
		if r.now().Sub(at) > max(10*t.Every, 2*time.Minute) {
			out = append(out, t.Name)
		}
	}
	return out, nil
}
