package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

// Config holds the numbers of the service. [DefaultConfig] gives those of production.
type Config struct {
	Password     PasswordParams
	SessionIdle  time.Duration // a session unseen for this long has ended
	SessionTotal time.Duration // no session lives longer
	SetupLife    time.Duration // of a set-up link
	LinkLife     time.Duration // of an invitation or reset link
}

// DefaultConfig gives the values for production. The password costs are those of the
// OWASP Password Storage Cheat Sheet for argon2id.
func DefaultConfig() Config {
	return Config{
		Password:     PasswordParams{MemoryKiB: 19 * 1024, Passes: 2, Lanes: 1},
		SessionIdle:  30 * time.Minute,
		SessionTotal: 12 * time.Hour,
		SetupLife:    24 * time.Hour,
		LinkLife:     24 * time.Hour,
	}
}

// How exactly use is remembered, so that not every request writes.
const (
	seenEvery = time.Minute // sessions
	usedEvery = time.Hour   // API keys
)

// Service is the whole of access. Safe for many goroutines.
//
// What it changes it records first: when the audit log cannot take the entry, the change
// is not made. The record may so tell of a change that then failed, never the reverse.
type Service struct {
	store  Store
	keys   *seal.Keys
	log    *audit.Log
	clock  func() time.Time
	conf   Config
	hasher *hasher
}

// New makes a service.
func New(store Store, keys *seal.Keys, log *audit.Log, clock func() time.Time, conf Config) *Service {
	return &Service{store: store, keys: keys, log: log, clock: clock, conf: conf, hasher: newHasher(conf.Password)}
}

// now is the clock to the millisecond, which is what a store keeps.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Millisecond) }

// Actor is who does something to an account: a user, or the person at the command line.
type Actor struct {
	ID    string
	Roles []Role
}

// Can reports whether the actor's roles have the permission.
func (a Actor) Can(p Permission) bool { return can(a.Roles, p) }

// RoleNames joins the roles by commas, as the audit record keeps them.
func (a Actor) RoleNames() string { return roleNames(a.Roles) }

// Actor gives the user as one who acts; a disabled user has no roles.
func (u User) Actor() Actor {
	if u.Disabled {
		return Actor{ID: u.ID}
	}
	return Actor{ID: u.ID, Roles: u.Roles}
}

// Operator is the person at the command line of the service itself, who may do what an
// administrator may.
func Operator() Actor { return Actor{ID: "operator", Roles: []Role{Administrator}} }

// anonymous is who acts before anybody is known.
const anonymous = "anonymous"

const (
	tokenDomain  = "session"
	linkDomain   = "staff-link"
	apiKeyDomain = "api-key"
	emailDomain  = "staff"
)

func (s *Service) record(ctx context.Context, by Actor, action, subject, reason string, detail map[string]string) error {
	err := s.log.Append(ctx, audit.Entry{
		Actor: by.ID, Role: by.RoleNames(), Action: action, Subject: subject, Reason: reason, Detail: detail,
	})
	if err != nil {
		return fmt.Errorf("record %s: %w", action, err)
	}
	return nil
}

func require(by Actor, p Permission) error {
	if !by.Can(p) {
		return fault.New(fault.Denied, "your role does not allow this")
	}
	return nil
}

func roleNames(roles []Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ",")
}

// Purge removes what has expired (sessions, links, forgotten failures) and says how many.
// Repeatable.
func (s *Service) Purge(ctx context.Context) (int, error) {
	now := s.now()
	sessions, err1 := s.store.PurgeSessions(ctx, now)
	links, err2 := s.store.PurgeLinks(ctx, now)
	throttles, err3 := s.store.PurgeThrottles(ctx, now.Add(-forgetAfter))
	if err := errors.Join(err1, err2, err3); err != nil {
		return sessions + links + throttles, fmt.Errorf("purge sessions, links and throttles: %w", err)
	}
	return sessions + links + throttles, nil
}
