package edge

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/fault"
)

// Check is one thing that must be right for us to be ready.
type Check struct {
	Name string
	Run  func(context.Context) error
}

// Result is what a check found.
type Result struct {
	Name    string `json:"name"`
	OK      bool   `json:"ok"`
	Message string `json:"message,omitempty"`
}

// checkTimeout bounds a check, so that a store that hangs reads as away.
const checkTimeout = 2 * time.Second

// Health adds /healthz, which says that the process answers, and /readyz, which
// runs the checks side by side and is 503 unless all of them pass. They say no
// more of an error than its own message for callers.
func Health(e *gin.Engine, checks ...Check) {
	e.GET("/healthz", Handle(func(c *gin.Context) error {
		c.JSON(http.StatusOK, gin.H{"status": "alive"})
		return nil
	}))
	e.GET("/readyz", Handle(func(c *gin.Context) error {
		results, ready := Ready(c.Request.Context(), checks)
		status, word := http.StatusOK, "ready"
		if !ready {
			status, word = http.StatusServiceUnavailable, "not ready"
		}
		c.JSON(status, gin.H{"status": word, "checks": results})
		return nil
	}))
}

// Ready runs the checks side by side, each with a deadline of its own.
func Ready(ctx context.Context, checks []Check) (results []Result, ready bool) {
	results = make([]Result, len(checks))
	var running sync.WaitGroup
	for i, check := range checks {
		running.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			found := make(chan error, 1)
			go func() { found <- check.Run(ctx) }()
			var err error
			select { // also a check that does not look at its context
			case err = <-found:
			case <-ctx.Done():
				err = fault.New(fault.Unavailable, "no answer in time")
			}
			results[i] = Result{Name: check.Name, OK: err == nil, Message: fault.MessageOf(err)}
			if err != nil && results[i].Message == "" {
				results[i].Message = "failed"
			}
		})
	}
	running.Wait()
	ready = true
	for _, r := range results {
		ready = ready && r.OK
	}
	return results, ready
}
