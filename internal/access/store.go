package access

import (
	"context"
	"time"
)

// The ports. Each method is one act on one document. An Update method reads the
// document, gives a copy to fn, and stores what fn made of it only if nobody has
// stored another version meanwhile; otherwise it begins again, so fn may run more
// than once and must have no effect but on its argument. When there is no document
// fn sees the zero value (Version 0) and what it leaves is inserted under id.
// The store raises Version by one at each update and returns the document as stored. An
// error from fn is returned as it is and nothing is written. Reading what is not there is
// fault.NotFound; a store that cannot be reached is fault.Unavailable. Insert methods store
// what they are given, Version and all.

// Users keeps staff accounts.
type Users interface {
	User(ctx context.Context, id string) (User, error)
	// UserByEmailKey finds the one user whose EmailKey this is.
	UserByEmailKey(ctx context.Context, key string) (User, error)
	// UpdateUser is fault.Conflict when another user has the same EmailKey.
	UpdateUser(ctx context.Context, id string, fn func(*User) error) (User, error)
	// Users lists everybody, ordered by ID.
	Users(ctx context.Context) ([]User, error)
}

// Sessions keeps signed-in sessions.
type Sessions interface {
	// InsertSession is fault.Conflict when the ID is taken.
	InsertSession(ctx context.Context, s Session) error
	Session(ctx context.Context, id string) (Session, error)
	// UpdateSession never inserts: an absent session is fault.NotFound, and fn is not called.
	UpdateSession(ctx context.Context, id string, fn func(*Session) error) (Session, error)
	// DeleteSession succeeds also when there is none.
	DeleteSession(ctx context.Context, id string) error
	DeleteSessionsOf(ctx context.Context, userID string) error
	// PurgeSessions removes sessions with ExpiresAt before the time and says how many.
	PurgeSessions(ctx context.Context, before time.Time) (int, error)
}

// APIKeys keeps the keys of machines. Keys are revoked, not deleted.
type APIKeys interface {
	APIKey(ctx context.Context, id string) (APIKey, error)
	UpdateAPIKey(ctx context.Context, id string, fn func(*APIKey) error) (APIKey, error)
	// APIKeys lists all, ordered by ID.
	APIKeys(ctx context.Context) ([]APIKey, error)
}

// Links keeps one-time links: first set-up, invitation, password reset.
type Links interface {
	// InsertLink is fault.Conflict when the ID is taken.
	InsertLink(ctx context.Context, l Link) error
	Link(ctx context.Context, id string) (Link, error)
	// TakeLink removes the link and returns it. Of any number of callers exactly one gets
	// it; the others get fault.NotFound.
	TakeLink(ctx context.Context, id string) (Link, error)
	// DeleteLinksOf with the empty userID deletes the set-up links, which have none.
	DeleteLinksOf(ctx context.Context, userID string) error
	// PurgeLinks removes links with ExpiresAt before the time and says how many.
	PurgeLinks(ctx context.Context, before time.Time) (int, error)
}

// Throttles keeps how often something has failed lately, by a pseudonym of what.
type Throttles interface {
	UpdateThrottle(ctx context.Context, id string, fn func(*Throttle) error) (Throttle, error)
	// PurgeThrottles removes those with LastAt before the time and says how many.
	PurgeThrottles(ctx context.Context, before time.Time) (int, error)
}

// Store is all that the service keeps.
type Store interface {
	Users
	Sessions
	APIKeys
	Links
	Throttles
}
