package access

import (
	"context"
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

// PasswordParams are the costs of argon2id.
type PasswordParams struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

// DefaultConfig gives the values for production.
func DefaultConfig() Config {
	return Config{
		Password:     PasswordParams{MemoryKiB: 19 * 1024, Passes: 2, Lanes: 1},
		SessionIdle:  30 * time.Minute,
		SessionTotal: 12 * time.Hour,
		SetupLife:    24 * time.Hour,
		LinkLife:     24 * time.Hour,
	}
}

// Service is the whole of access. Safe for many goroutines.
type Service struct {
	store Store
	keys  *seal.Keys
	log   *audit.Log
	clock func() time.Time
	conf  Config
}

// New makes a service.
func New(store Store, keys *seal.Keys, log *audit.Log, clock func() time.Time, conf Config) *Service {
	return &Service{store: store, keys: keys, log: log, clock: clock, conf: conf}
}

// Actor is who does something to an account: a user, or the person at the command line.
type Actor struct {
	ID    string
	Roles []Role
}

// Actor gives the user as one who acts.
func (u User) Actor() Actor { return Actor{ID: u.ID, Roles: u.Roles} }

// Operator is the person at the command line of the service itself, who may manage users and keys.
func Operator() Actor { return Actor{ID: "operator", Roles: []Role{Administrator}} }

// NewUser is what is asked of a new member of staff.
type NewUser struct {
	Email    string
	Name     string
	Roles    []Role
	Force    string
	Password string // empty: the user sets it by the link that AddUser returns
}

// Edit is what can be changed of a user; nil leaves it.
type Edit struct {
	Name  *string
	Roles []Role
	Force *string
}

// NewAPIKey is what is asked of a new API key.
type NewAPIKey struct {
	Label     string
	Scopes    []Scope
	Force     string
	ExpiresAt time.Time // zero: never
}

// Profile is a user's sealed part, opened.
type Profile struct {
	Email string
	Name  string
}

var errSoon = fault.New(fault.Internal, "not built yet")

// NeedsSetup reports whether there is no administrator who could sign in.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) { return false, errSoon }

// NewSetupLink makes the token of a one-time link by which the first administrator is
// made. It is fault.Conflict when there is one already.
func (s *Service) NewSetupLink(ctx context.Context) (token string, err error) { return "", errSoon }

// CheckLink says of which kind a link is, without spending it. Unknown, spent and expired
// links are all the same fault.NotFound.
func (s *Service) CheckLink(ctx context.Context, token string) (LinkKind, error) { return "", errSoon }

// Setup spends a set-up link and makes the first administrator.
func (s *Service) Setup(ctx context.Context, token string, u NewUser) (User, error) {
	return User{}, errSoon
}

// AddUser makes an account. Without a password it returns the token of a link by which the user sets one.
func (s *Service) AddUser(ctx context.Context, by Actor, u NewUser) (User, string, error) {
	return User{}, "", errSoon
}

// EditUser changes name, roles or force.
func (s *Service) EditUser(ctx context.Context, by Actor, id string, e Edit) (User, error) {
	return User{}, errSoon
}

// Disable ends a user's access and sessions at once.
func (s *Service) Disable(ctx context.Context, by Actor, id string) error { return errSoon }

// Enable lets a disabled user in again.
func (s *Service) Enable(ctx context.Context, by Actor, id string) error { return errSoon }

// ResetPassword takes away a user's password and returns the token of a link by which they set another.
func (s *Service) ResetPassword(ctx context.Context, by Actor, id string) (token string, err error) {
	return "", errSoon
}

// RedeemPassword spends an invitation or reset link and sets the password.
func (s *Service) RedeemPassword(ctx context.Context, token, password string) (User, error) {
	return User{}, errSoon
}

// SetPassword changes one's own password; every session ends and a new one is returned.
func (s *Service) SetPassword(ctx context.Context, userID, current, next, source string) (token string, err error) {
	return "", errSoon
}

// SignIn checks email and password and begins a session. source is whatever tells callers
// apart (the client address); it is kept as a pseudonym only.
func (s *Service) SignIn(ctx context.Context, email, password, source string) (token string, u User, err error) {
	return "", User{}, errSoon
}

// Authenticate gives the user of a session; fault.Unauthorized when there is none.
func (s *Service) Authenticate(ctx context.Context, token string) (User, error) {
	return User{}, errSoon
}

// SignOut ends a session.
func (s *Service) SignOut(ctx context.Context, token string) error { return errSoon }

// ListUsers gives everybody.
func (s *Service) ListUsers(ctx context.Context, by Actor) ([]User, error) { return nil, errSoon }

// User gives one user.
func (s *Service) User(ctx context.Context, id string) (User, error) { return User{}, errSoon }

// UserByEmail finds a user by address.
func (s *Service) UserByEmail(ctx context.Context, email string) (User, error) {
	return User{}, errSoon
}

// Profile opens a user's sealed fields.
func (s *Service) Profile(u User) (Profile, error) { return Profile{}, errSoon }

// NewAPIKey makes a key and returns it raw, once.
func (s *Service) NewAPIKey(ctx context.Context, by Actor, k NewAPIKey) (raw string, key APIKey, err error) {
	return "", APIKey{}, errSoon
}

// AuthenticateKey gives the API key of a raw key; fault.Unauthorized when it is none, revoked or expired.
func (s *Service) AuthenticateKey(ctx context.Context, raw string) (APIKey, error) {
	return APIKey{}, errSoon
}

// RevokeAPIKey ends a key at once.
func (s *Service) RevokeAPIKey(ctx context.Context, by Actor, id string) error { return errSoon }

// ListAPIKeys gives all keys.
func (s *Service) ListAPIKeys(ctx context.Context, by Actor) ([]APIKey, error) { return nil, errSoon }

// Purge removes what has expired: sessions, links, throttles.
func (s *Service) Purge(ctx context.Context) (int, error) { return 0, errSoon }

// Allows reports whether the key has the scope.
func (k APIKey) Allows(scope Scope) bool {
	for _, s := range k.Scopes {
		if s == scope {
			return true
		}
	}
	return false
}

// MayTouch reports whether the key may write or read this force's cases.
func (k APIKey) MayTouch(force string) bool { return k.Force == "" || k.Force == force }
