package mongodb

import (
	"context"
	"time"

	"victimvoice/internal/access"
)

var (
	_ access.Users     = (*Store)(nil)
	_ access.Sessions  = (*Store)(nil)
	_ access.APIKeys   = (*Store)(nil)
	_ access.Throttles = (*Store)(nil)
	_ access.Store     = Access{}
)

// User implements [access.Users].
func (s *Store) User(ctx context.Context, id string) (access.User, error) {
	return s.users.get(ctx, id)
}

// UserByEmailKey implements [access.Users].
func (s *Store) UserByEmailKey(ctx context.Context, key string) (access.User, error) {
	return s.users.first(ctx, where("email_key", key), ascending("_id"))
}

// UpdateUser implements [access.Users].
func (s *Store) UpdateUser(ctx context.Context, id string, fn func(*access.User) error) (access.User, error) {
	return s.users.update(ctx, id, fn)
}

// Users implements [access.Users].
func (s *Store) Users(ctx context.Context) ([]access.User, error) {
	return s.users.list(ctx, where(), ascending("_id"), 0)
}

// InsertSession implements [access.Sessions].
func (s *Store) InsertSession(ctx context.Context, ses access.Session) error {
	return s.sessions.insert(ctx, ses)
}

// Session implements [access.Sessions].
func (s *Store) Session(ctx context.Context, id string) (access.Session, error) {
	return s.sessions.get(ctx, id)
}

// UpdateSession implements [access.Sessions].
func (s *Store) UpdateSession(ctx context.Context, id string, fn func(*access.Session) error) (access.Session, error) {
	return s.sessions.swap(ctx, id, false, fn)
}

// DeleteSession implements [access.Sessions].
func (s *Store) DeleteSession(ctx context.Context, id string) error {
	return s.sessions.delete(ctx, id)
}

// DeleteSessionsOf implements [access.Sessions].
func (s *Store) DeleteSessionsOf(ctx context.Context, userID string) error {
	_, err := s.sessions.purge(ctx, where("user_id", userID))
	return err
}

// PurgeSessions implements [access.Sessions].
func (s *Store) PurgeSessions(ctx context.Context, before time.Time) (int, error) {
	return s.sessions.purge(ctx, where("expires_at", op("$lt", before)))
}

// APIKey implements [access.APIKeys].
func (s *Store) APIKey(ctx context.Context, id string) (access.APIKey, error) {
	return s.apiKeys.get(ctx, id)
}

// UpdateAPIKey implements [access.APIKeys].
func (s *Store) UpdateAPIKey(ctx context.Context, id string, fn func(*access.APIKey) error) (access.APIKey, error) {
	return s.apiKeys.update(ctx, id, fn)
}

// APIKeys implements [access.APIKeys].
func (s *Store) APIKeys(ctx context.Context) ([]access.APIKey, error) {
	return s.apiKeys.list(ctx, where(), ascending("_id"), 0)
}

// UpdateThrottle implements [access.Throttles].
func (s *Store) UpdateThrottle(ctx context.Context, id string, fn func(*access.Throttle) error) (access.Throttle, error) {
	return s.throttles.update(ctx, id, fn)
}

// PurgeThrottles implements [access.Throttles].
func (s *Store) PurgeThrottles(ctx context.Context, before time.Time) (int, error) {
	return s.throttles.purge(ctx, where("last_at", op("$lt", before)))
}

// Access is the store as internal/access sees it: its links are one-time links
// of staff, in a table of their own.
type Access struct{ *Store }

// Access gives the port of internal/access.
func (s *Store) Access() access.Store { return Access{s} }

// InsertLink implements [access.Links].
func (a Access) InsertLink(ctx context.Context, l access.Link) error {
	return a.staffLinks.insert(ctx, l)
}

// Link implements [access.Links].
func (a Access) Link(ctx context.Context, id string) (access.Link, error) {
	return a.staffLinks.get(ctx, id)
}

// TakeLink implements [access.Links].
func (a Access) TakeLink(ctx context.Context, id string) (access.Link, error) {
	return a.staffLinks.take(ctx, id)
}

// DeleteLinksOf implements [access.Links].
func (a Access) DeleteLinksOf(ctx context.Context, userID string) error {
	_, err := a.staffLinks.purge(ctx, where("user_id", userID))
	return err
}

// PurgeLinks implements [access.Links].
func (a Access) PurgeLinks(ctx context.Context, before time.Time) (int, error) {
	return a.staffLinks.purge(ctx, where("expires_at", op("$lt", before)))
}
