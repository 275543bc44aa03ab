// Package intaketest stands in for the survey room in tests of what feeds it:
// events are checked by the survey room's own rules and kept in memory, and the
// store can be broken on demand.
package intaketest

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// Now is the time that events are checked against.
func Now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// Room is a survey room in memory.
type Room struct {
	rules *survey.Service

	mu     sync.Mutex
	bodies map[string]string
	order  []survey.Event
	fails  func(survey.Event) error
}

// New makes an empty room.
func New(tb testing.TB) *Room {
	tb.Helper()
	geo, err := survey.DefaultGeography()
	if err != nil {
		tb.Fatal(err)
	}
	return &Room{rules: survey.NewService(survey.Parts{Geography: geo, Now: Now}), bodies: map[string]string{}}
}

// Fail makes Foresee and Receive give fn's error for an event, if it gives one.
func (r *Room) Fail(fn func(survey.Event) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails = fn
}

// Events lists what was accepted, in order.
func (r *Room) Events() []survey.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]survey.Event(nil), r.order...)
}

// Check is the survey room's.
func (r *Room) Check(e *survey.Event) []fault.Field { return r.rules.Check(e) }

// Foresee says what Receive would do.
func (r *Room) Foresee(ctx context.Context, e survey.Event) (survey.Status, error) {
	return r.take(ctx, e, false)
}

// Receive takes an event in.
func (r *Room) Receive(ctx context.Context, e survey.Event) (survey.Receipt, error) {
	status, err := r.take(ctx, e, true)
	if err != nil {
		return survey.Receipt{}, err
	}
	return survey.Receipt{EventID: e.EventID, Status: status}, nil
}

func (r *Room) take(ctx context.Context, e survey.Event, keep bool) (survey.Status, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if faults := r.Check(&e); len(faults) > 0 {
		return "", fault.Fields("the event has faults", faults...)
	}
	body, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fails != nil {
		if err := r.fails(e); err != nil {
			return "", err
		}
	}
	key := e.Force + "\x00" + e.EventID
	switch known, ok := r.bodies[key]; {
	case ok && known == string(body):
		return survey.Duplicate, nil
	case ok:
		return "", &fault.Error{Kind: fault.Conflict, Message: "known with other content", Fields: []fault.Field{{Field: "event_id", Message: "was received before with other content"}}}
	}
	if keep {
		r.bodies[key] = string(body)
		r.order = append(r.order, e)
	}
	return survey.Accepted, nil
}
