// Package access owns who may come in and what they may do: staff accounts and their
// roles, password sign-in and sessions, API keys for machines, one-time links for
// set-up and reset, and the throttling of guesses. It knows no HTTP: cookies,
// headers and pages belong to the rooms that call it.
package access

import (
	"time"

	"victimvoice/internal/seal"
)

// User is a member of staff. Email and Name are sealed; [Service.Profile] opens them.
type User struct {
	ID           string    `json:"id"`
	Version      int64     `json:"version"`
	Email        []byte    `json:"email"`     // sealed, as it was typed
	EmailKey     string    `json:"email_key"` // pseudonym of the normalised address; unique
	Name         []byte    `json:"name"`      // sealed
	Roles        []Role    `json:"roles"`
	Force        string    `json:"force"`         // whose cases and figures; empty: every force
	AdvocateKey  string    `json:"advocate_key"`  // which cases are this advocate's; see [seal.Keys.AdvocateKey]
	PasswordHash string    `json:"password_hash"` // PHC string; empty until the first password is set
	PasswordAt   time.Time `json:"password_at"`
	Epoch        int64     `json:"epoch"` // raised to end every session at once
	Disabled     bool      `json:"disabled"`
	CreatedAt    time.Time `json:"created_at"`
	SignedInAt   time.Time `json:"signed_in_at"` // last success; zero: never
	Digest       Digest    `json:"digest,omitempty"`
	DigestSince  time.Time `json:"digest_since,omitzero"` // when they chose it
	DigestSent   string    `json:"digest_sent,omitempty"` // the last issue that was mailed; see [Service.DigestSent]
}

// Session is one signed-in browser.
type Session struct {
	ID        string    `json:"id"` // keyed hash of the token; the token itself is kept nowhere
	Version   int64     `json:"version"`
	UserID    string    `json:"user_id"`
	Epoch     int64     `json:"epoch"`   // the user's when it began; another one ends it
	Methods   []string  `json:"methods"` // how the user proved who they are: "password"
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"`    // coarse
	ExpiresAt time.Time `json:"expires_at"` // absolute
}

// Scope is one thing an API key may do.
type Scope string

// The scopes.
const (
	EventsWrite  Scope = "events:write"
	BouncesWrite Scope = "bounces:write"
	FiguresGet   Scope = "figures:read"
	RowsExport   Scope = "export:rows"
)

// APIKey is a machine's key. The raw key is vv_ID_SECRET and is shown once.
type APIKey struct {
	ID         string    `json:"id"`
	Version    int64     `json:"version"`
	Label      string    `json:"label"`  // what it is for, in the administrator's words
	Hash       string    `json:"hash"`   // keyed hash of the secret
	Scopes     []Scope   `json:"scopes"` // at least one
	Force      string    `json:"force"`  // it writes and reads this force only; empty: every force, never with events:write
	CreatedBy  string    `json:"created_by"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at"` // zero: never
	RevokedAt  time.Time `json:"revoked_at"` // zero: in force
	LastUsedAt time.Time `json:"last_used_at"`
}

// LinkKind says what a one-time link does.
type LinkKind string

// The kinds of link.
const (
	SetupLink    LinkKind = "setup"    // makes the first administrator
	PasswordLink LinkKind = "password" // sets a user's password: invitation and reset
)

// Link is a one-time link. The token is in the link alone.
type Link struct {
	ID        string    `json:"id"` // keyed hash of the token
	Kind      LinkKind  `json:"kind"`
	UserID    string    `json:"user_id"` // empty for a set-up link
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Throttle counts failures of one account, source or pair of both.
type Throttle struct {
	ID       string    `json:"id"` // pseudonym
	Version  int64     `json:"version"`
	Failures int64     `json:"failures"`
	LastAt   time.Time `json:"last_at"`
	Until    time.Time `json:"until"` // no attempt is looked at before
}

// NormaliseEmail is [seal.NormaliseEmail].
func NormaliseEmail(email string) string { return seal.NormaliseEmail(email) }
