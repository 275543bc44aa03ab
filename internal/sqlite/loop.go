package sqlite

import (
	"context"
	"iter"
	"slices"
	"strings"

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
	var where []string
	var args []any
	if !all {
		where, args = append(where, "advocate = ?"), append(args, advocate)
	}
	if len(states) > 0 && !slices.Contains(states, "") {
		where = append(where, "state IN (?"+strings.Repeat(", ?", len(states)-1)+")")
		for _, st := range states {
			args = append(args, st)
		}
	}
	rest := "ORDER BY due_at, id LIMIT ?"
	if where != nil {
		rest = "WHERE " + strings.Join(where, " AND ") + " " + rest
	}
	return s.alerts.list(ctx, rest, append(args, max(limit, 0))...)
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
	return s.actions.list(ctx, "ORDER BY due_on, id")
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
	return s.subscribers.byID(ctx, "true")
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
	return s.publications.list(ctx, "ORDER BY at DESC, id")
}
