package mongodb

import (
	"context"
	"iter"
	"slices"

	"victimvoice/loop"
)

var _ loop.Store = (*Store)(nil)

// Alert implements [loop.Store].
func (s *Store) Alert(ctx context.Context, id string) (loop.Alert, error) {
	return s.alerts.get(ctx, id)
}

// UpdateAlert implements [loop.Store].
func (s *Store) UpdateAlert(ctx context.Context, id string, fn func(*loop.Alert) error) (loop.Alert, error) {
	return s.alerts.update(ctx, id, fn)
}

// Alerts implements [loop.Store]. No states, or the empty one among them, means any.
func (s *Store) Alerts(ctx context.Context, advocate string, all bool, states []loop.AlertState, limit int) ([]loop.Alert, error) {
	filter := where()
	if !all {
		filter = append(filter, where("advocate", advocate)...)
	}
	if len(states) > 0 && !slices.Contains(states, "") {
		filter = append(filter, where("state", op("$in", states))...)
	}
	return s.alerts.upTo(ctx, limit, filter, ascending("due_at", "_id"))
}

// Action implements [loop.Store].
func (s *Store) Action(ctx context.Context, id string) (loop.Action, error) {
	return s.actions.get(ctx, id)
}

// UpdateAction implements [loop.Store].
func (s *Store) UpdateAction(ctx context.Context, id string, fn func(*loop.Action) error) (loop.Action, error) {
	return s.actions.update(ctx, id, fn)
}

// Actions implements [loop.Store].
func (s *Store) Actions(ctx context.Context) ([]loop.Action, error) {
	return s.actions.list(ctx, where(), ascending("due_on", "_id"), 0)
}

// UpdateSubscriber implements [loop.Store].
func (s *Store) UpdateSubscriber(ctx context.Context, id string, fn func(*loop.Subscriber) error) (loop.Subscriber, error) {
	return s.subscribers.update(ctx, id, fn)
}

// Subscriber implements [loop.Store].
func (s *Store) Subscriber(ctx context.Context, id string) (loop.Subscriber, error) {
	return s.subscribers.get(ctx, id)
}

// Subscribers implements [loop.Store].
func (s *Store) Subscribers(ctx context.Context) iter.Seq2[loop.Subscriber, error] {
	return s.subscribers.byID(ctx, where())
}

// DeleteSubscriber implements [loop.Store]; it succeeds also when there is none.
func (s *Store) DeleteSubscriber(ctx context.Context, id string) error {
	return s.subscribers.delete(ctx, id)
}

// UpdatePublication implements [loop.Store].
func (s *Store) UpdatePublication(ctx context.Context, id string, fn func(*loop.Publication) error) (loop.Publication, error) {
	return s.publications.update(ctx, id, fn)
}

// Publications implements [loop.Store].
func (s *Store) Publications(ctx context.Context) ([]loop.Publication, error) {
	return s.publications.list(ctx, where(), where("at", -1, "_id", 1), 0)
}
