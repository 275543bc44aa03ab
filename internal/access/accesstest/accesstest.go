// Package accesstest keeps staff accounts in memory, for the tests of whatever needs
// somebody signed in. Documents pass through JSON as they do in a real store, and
// updates are compare-and-swap, so that what works here works there.
package accesstest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"victimvoice/internal/access"
	"victimvoice/internal/fault"
)

// Store is an [access.Store] in memory. The zero value is empty and ready.
type Store struct {
	// Fail, when set, is asked before each act, by the method's name; its error is the
	// method's.
	Fail func(method string) error

	mu    sync.Mutex
	docs  map[string]map[string][]byte // kind, id
	calls []string
}

var _ access.Store = (*Store)(nil)

const (
	users     = "users"
	sessions  = "sessions"
	apiKeys   = "api keys"
	links     = "links"
	throttles = "throttles"
)

// Calls gives the names of the methods called since the last time, in order.
func (s *Store) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// Dump gives every document as stored, for tests that look for what must not be there.
func (s *Store) Dump() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(s.docs)) {
		for _, id := range slices.Sorted(maps.Keys(s.docs[kind])) {
			fmt.Fprintf(&out, "%s %s %s\n", kind, id, s.docs[kind][id])
		}
	}
	return out.String()
}

// Count gives how many documents of a kind there are: "users", "sessions", "api keys",
// "links", "throttles".
func (s *Store) Count(kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.docs[kind])
}

// must is for what cannot fail: our own documents to JSON and back.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (s *Store) begin(ctx context.Context, method string) error {
	s.mu.Lock()
	s.calls = append(s.calls, method)
	s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.Fail != nil {
		return s.Fail(method)
	}
	return nil
}

func (s *Store) read(kind, id string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	doc, ok := s.docs[kind][id]
	return doc, ok
}

// write stores doc if what is stored is still old (nil: nothing), and no clash is found
// among the rest.
func (s *Store) write(kind, id string, old, doc []byte, clash func([]byte) bool) (swapped bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, ok := s.docs[kind][id]
	if ok != (old != nil) || string(stored) != string(old) {
		return false, nil
	}
	for other, doc := range s.docs[kind] {
		if other != id && clash != nil && clash(doc) {
			return false, fault.New(fault.Conflict, "a unique key is taken")
		}
	}
	if s.docs == nil {
		s.docs = map[string]map[string][]byte{}
	}
	if s.docs[kind] == nil {
		s.docs[kind] = map[string][]byte{}
	}
	s.docs[kind][id] = doc
	return true, nil
}

func (s *Store) remove(kind string, gone func([]byte) bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.docs[kind])
	maps.DeleteFunc(s.docs[kind], func(_ string, doc []byte) bool { return gone(doc) })
	return before - len(s.docs[kind])
}

func decode[T any](doc []byte) (v T) {
	must(json.Unmarshal(doc, &v))
	return v
}

func encode(v any) []byte {
	doc, err := json.Marshal(v)
	must(err)
	return doc
}

func get[T any](ctx context.Context, s *Store, method, kind, id string) (v T, err error) {
	if err := s.begin(ctx, method); err != nil {
		return v, err
	}
	doc, ok := s.read(kind, id)
	if !ok {
		return v, fault.New(fault.NotFound, "no %s %q", kind, id)
	}
	return decode[T](doc), nil
}

func list[T any](ctx context.Context, s *Store, method, kind string) ([]T, error) {
	if err := s.begin(ctx, method); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []T
	for _, id := range slices.Sorted(maps.Keys(s.docs[kind])) {
		all = append(all, decode[T](s.docs[kind][id]))
	}
	return all, nil
}

func update[T any](ctx context.Context, s *Store, method, kind, id string, insert bool, version func(*T) *int64, clash func(T, T) bool, fn func(*T) error) (T, error) {
	var zero T
	if err := s.begin(ctx, method); err != nil {
		return zero, err
	}
	for {
		var v T
		old, ok := s.read(kind, id)
		if !ok && !insert {
			return zero, fault.New(fault.NotFound, "no %s %q", kind, id)
		}
		if ok {
			v = decode[T](old)
		}
		before := *version(&v)
		if err := fn(&v); err != nil {
			return zero, err
		}
		*version(&v) = before + 1
		swapped, err := s.write(kind, id, old, encode(v), func(other []byte) bool { return clash != nil && clash(v, decode[T](other)) })
		if err != nil {
			return zero, err
		}
		if swapped {
			return decode[T](encode(v)), nil
		}
	}
}

func insert(ctx context.Context, s *Store, method, kind, id string, v any) error {
	if err := s.begin(ctx, method); err != nil {
		return err
	}
	swapped, err := s.write(kind, id, nil, encode(v), nil)
	if err == nil && !swapped {
		return fault.New(fault.Conflict, "%s %q exists", kind, id)
	}
	return err
}

// User implements [access.Users].
func (s *Store) User(ctx context.Context, id string) (access.User, error) {
	return get[access.User](ctx, s, "User", users, id)
}

// UserByEmailKey implements [access.Users].
func (s *Store) UserByEmailKey(ctx context.Context, key string) (access.User, error) {
	all, err := list[access.User](ctx, s, "UserByEmailKey", users)
	if err != nil {
		return access.User{}, err
	}
	if i := slices.IndexFunc(all, func(u access.User) bool { return u.EmailKey == key }); i >= 0 {
		return all[i], nil
	}
	return access.User{}, fault.New(fault.NotFound, "no such user")
}

// UpdateUser implements [access.Users].
func (s *Store) UpdateUser(ctx context.Context, id string, fn func(*access.User) error) (access.User, error) {
	return update(ctx, s, "UpdateUser", users, id, true, func(u *access.User) *int64 { return &u.Version },
		func(a, b access.User) bool { return a.EmailKey == b.EmailKey }, fn)
}

// Users implements [access.Users].
func (s *Store) Users(ctx context.Context) ([]access.User, error) {
	return list[access.User](ctx, s, "Users", users)
}

// InsertSession implements [access.Sessions].
func (s *Store) InsertSession(ctx context.Context, v access.Session) error {
	return insert(ctx, s, "InsertSession", sessions, v.ID, v)
}

// Session implements [access.Sessions].
func (s *Store) Session(ctx context.Context, id string) (access.Session, error) {
	return get[access.Session](ctx, s, "Session", sessions, id)
}

// UpdateSession implements [access.Sessions].
func (s *Store) UpdateSession(ctx context.Context, id string, fn func(*access.Session) error) (access.Session, error) {
	return update(ctx, s, "UpdateSession", sessions, id, false, func(v *access.Session) *int64 { return &v.Version }, nil, fn)
}

// DeleteSession implements [access.Sessions].
func (s *Store) DeleteSession(ctx context.Context, id string) error {
	if err := s.begin(ctx, "DeleteSession"); err != nil {
		return err
	}
	s.remove(sessions, func(doc []byte) bool { return decode[access.Session](doc).ID == id })
	return nil
}

// DeleteSessionsOf implements [access.Sessions].
func (s *Store) DeleteSessionsOf(ctx context.Context, userID string) error {
	if err := s.begin(ctx, "DeleteSessionsOf"); err != nil {
		return err
	}
	s.remove(sessions, func(doc []byte) bool { return decode[access.Session](doc).UserID == userID })
	return nil
}

// PurgeSessions implements [access.Sessions].
func (s *Store) PurgeSessions(ctx context.Context, before time.Time) (int, error) {
	if err := s.begin(ctx, "PurgeSessions"); err != nil {
		return 0, err
	}
	return s.remove(sessions, func(doc []byte) bool { return decode[access.Session](doc).ExpiresAt.Before(before) }), nil
}

// APIKey implements [access.APIKeys].
func (s *Store) APIKey(ctx context.Context, id string) (access.APIKey, error) {
	return get[access.APIKey](ctx, s, "APIKey", apiKeys, id)
}

// UpdateAPIKey implements [access.APIKeys].
func (s *Store) UpdateAPIKey(ctx context.Context, id string, fn func(*access.APIKey) error) (access.APIKey, error) {
	return update(ctx, s, "UpdateAPIKey", apiKeys, id, true, func(k *access.APIKey) *int64 { return &k.Version }, nil, fn)
}

// APIKeys implements [access.APIKeys].
func (s *Store) APIKeys(ctx context.Context) ([]access.APIKey, error) {
	return list[access.APIKey](ctx, s, "APIKeys", apiKeys)
}

// InsertLink implements [access.Links].
func (s *Store) InsertLink(ctx context.Context, l access.Link) error {
	return insert(ctx, s, "InsertLink", links, l.ID, l)
}

// Link implements [access.Links].
func (s *Store) Link(ctx context.Context, id string) (access.Link, error) {
	return get[access.Link](ctx, s, "Link", links, id)
}

// TakeLink implements [access.Links].
func (s *Store) TakeLink(ctx context.Context, id string) (access.Link, error) {
	if err := s.begin(ctx, "TakeLink"); err != nil {
		return access.Link{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	doc, ok := s.docs[links][id]
	if !ok {
		return access.Link{}, fault.New(fault.NotFound, "no link %q", id)
	}
	delete(s.docs[links], id)
	return decode[access.Link](doc), nil
}

// DeleteLinksOf implements [access.Links].
func (s *Store) DeleteLinksOf(ctx context.Context, userID string) error {
	if err := s.begin(ctx, "DeleteLinksOf"); err != nil {
		return err
	}
	s.remove(links, func(doc []byte) bool { return decode[access.Link](doc).UserID == userID })
	return nil
}

// PurgeLinks implements [access.Links].
func (s *Store) PurgeLinks(ctx context.Context, before time.Time) (int, error) {
	if err := s.begin(ctx, "PurgeLinks"); err != nil {
		return 0, err
	}
	return s.remove(links, func(doc []byte) bool { return decode[access.Link](doc).ExpiresAt.Before(before) }), nil
}

// UpdateThrottle implements [access.Throttles].
func (s *Store) UpdateThrottle(ctx context.Context, id string, fn func(*access.Throttle) error) (access.Throttle, error) {
	return update(ctx, s, "UpdateThrottle", throttles, id, true, func(t *access.Throttle) *int64 { return &t.Version }, nil, fn)
}

// PurgeThrottles implements [access.Throttles].
func (s *Store) PurgeThrottles(ctx context.Context, before time.Time) (int, error) {
	if err := s.begin(ctx, "PurgeThrottles"); err != nil {
		return 0, err
	}
	return s.remove(throttles, func(doc []byte) bool { return decode[access.Throttle](doc).LastAt.Before(before) }), nil
}
