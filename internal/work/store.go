// Package work runs the background loops: each a task with a lease, a tick and
// a drain, safe to run in any number of replicas on one database.
package work

import (
	"context"
	"time"
)

// Lease is who runs a task now.
type Lease struct {
	ID      string    `json:"id"` // the task's name
	Version int64     `json:"version"`
	Owner   string    `json:"owner"`
	Until   time.Time `json:"until"`
	Fence   int64     `json:"fence"`
	LastRun time.Time `json:"last_run"` // the last run that ended well
}

// Leases is the storage port of leases. See survey.Store for the meaning of
// Update methods and errors.
type Leases interface {
	UpdateLease(ctx context.Context, id string, fn func(*Lease) error) (Lease, error)
	Leases(ctx context.Context) ([]Lease, error)
}
