package access

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

const (
	keyPrefix   = "vv_" // lets secret scanners know one
	keyIDLength = 12    // 60 random bits: a name, no secret
)

// NewAPIKey is what is asked of a new API key.
type NewAPIKey struct {
	Label     string
	Scopes    []Scope
	Force     string    // required with events:write
	ExpiresAt time.Time // zero: never
}

// Scopes lists every scope, in the order of a form.
func Scopes() []Scope { return []Scope{EventsWrite, BouncesWrite, FiguresGet, RowsExport} }

// Allows reports whether the key has the scope.
func (k APIKey) Allows(scope Scope) bool { return slices.Contains(k.Scopes, scope) }

// MayTouch reports whether the key may write or read this force's cases.
func (k APIKey) MayTouch(force string) bool { return k.Force == "" || k.Force == force }

// Live reports whether the key is in force at a time: neither revoked nor expired.
func (k APIKey) Live(now time.Time) bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt))
}

// Actor gives the key as one who acts, for the audit record. It has no roles: what it may
// do is its scopes.
func (k APIKey) Actor() Actor { return Actor{ID: subjectKey(k.ID)} }

func subjectKey(id string) string { return "apikey:" + id }

// NewAPIKey makes a key and returns it raw; it cannot be shown again. Denied without the
// permission APIKeysManage; Invalid with fields.
func (s *Service) NewAPIKey(ctx context.Context, by Actor, n NewAPIKey) (raw string, key APIKey, err error) {
	if err := require(by, APIKeysManage); err != nil {
		return "", APIKey{}, err
	}
	now := s.now()
	fields := slices.Concat(checkText("label", n.Label, "what the key is for", true), checkText("force", n.Force, "", false))
	if len(n.Scopes) == 0 || slices.ContainsFunc(n.Scopes, func(c Scope) bool { return !slices.Contains(Scopes(), c) }) {
		fields = append(fields, fault.Field{Field: "scopes", Message: "choose one or more of " + joinScopes(Scopes(), ", ")})
	}
	if slices.Contains(n.Scopes, EventsWrite) && strings.TrimSpace(n.Force) == "" {
		fields = append(fields, fault.Field{Field: "force", Message: "name the force whose cases the key writes"})
	}
	if !n.ExpiresAt.IsZero() && !now.Before(n.ExpiresAt) {
		fields = append(fields, fault.Field{Field: "expires_at", Message: "choose a time to come, or none"})
	}
	if err := fault.Fields("the API key cannot be made", fields...); err != nil {
		return "", APIKey{}, err
	}
	id, secret := seal.NewToken()[:keyIDLength], seal.NewToken()
	key = APIKey{
		ID: id, Label: strings.TrimSpace(n.Label), Hash: s.keyHash(id, secret), Force: strings.TrimSpace(n.Force),
		Scopes:    slices.DeleteFunc(Scopes(), func(c Scope) bool { return !slices.Contains(n.Scopes, c) }),
		CreatedBy: by.ID, CreatedAt: now, ExpiresAt: n.ExpiresAt.UTC().Truncate(time.Millisecond),
	}
	if err := s.record(ctx, by, "apikey.added", subjectKey(id), "", map[string]string{"scopes": joinScopes(key.Scopes, ",")}); err != nil {
		return "", APIKey{}, err
	}
	key, err = s.store.UpdateAPIKey(ctx, id, func(k *APIKey) error {
		if k.Version != 0 {
			return fault.New(fault.Conflict, "that API key exists")
		}
		*k = key
		return nil
	})
	if err != nil {
		return "", APIKey{}, fmt.Errorf("store the API key: %w", err)
	}
	return keyPrefix + id + "_" + secret, key, nil
}

func joinScopes(scopes []Scope, sep string) string {
	names := make([]string, len(scopes))
	for i, c := range scopes {
		names[i] = string(c)
	}
	return strings.Join(names, sep)
}

func (s *Service) keyHash(id, secret string) string {
	return s.keys.TokenHash(apiKeyDomain, id+"_"+secret)
}

// AuthenticateKey gives the API key of a raw one. Unauthorized, with one message, when it
// is none, revoked or expired. What it may do is for the caller to ask: [APIKey.Allows],
// [APIKey.MayTouch].
func (s *Service) AuthenticateKey(ctx context.Context, raw string) (APIKey, error) {
	refused := fault.New(fault.Unauthorized, "this needs a valid API key, as Authorization: Bearer vv_…")
	rest, ok := strings.CutPrefix(raw, keyPrefix)
	id, secret, found := strings.Cut(rest, "_")
	if !ok || !found || len(id) != keyIDLength || len(secret) != seal.TokenLength {
		return APIKey{}, refused
	}
	k, err := s.store.APIKey(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return APIKey{}, fmt.Errorf("find the API key: %w", err)
	}
	now := s.now()
	if subtle.ConstantTimeCompare([]byte(s.keyHash(id, secret)), []byte(k.Hash)) != 1 || !k.Live(now) {
		return APIKey{}, refused
	}
	if now.Sub(k.LastUsedAt) < usedEvery {
		return k, nil
	}
	k, err = s.store.UpdateAPIKey(ctx, id, func(k *APIKey) error {
		if k.Version == 0 || !k.Live(now) {
			return refused
		}
		if now.After(k.LastUsedAt) {
			k.LastUsedAt = now
		}
		return nil
	})
	if err != nil {
		return APIKey{}, fmt.Errorf("note the API key's use: %w", err)
	}
	return k, nil
}

// RevokeAPIKey ends a key at once and for good. Denied, NotFound. Repeatable: the first
// time stands.
func (s *Service) RevokeAPIKey(ctx context.Context, by Actor, id string) error {
	if err := require(by, APIKeysManage); err != nil {
		return err
	}
	if _, err := s.store.APIKey(ctx, id); err != nil {
		if fault.Is(err, fault.NotFound) {
			return errNoKey()
		}
		return fmt.Errorf("find the API key: %w", err)
	}
	if err := s.record(ctx, by, "apikey.revoked", subjectKey(id), "", nil); err != nil {
		return err
	}
	_, err := s.store.UpdateAPIKey(ctx, id, func(k *APIKey) error {
		if k.Version == 0 {
			return errNoKey()
		}
		if k.RevokedAt.IsZero() {
			k.RevokedAt = s.now()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("revoke the API key: %w", err)
	}
	return nil
}

func errNoKey() error { return fault.New(fault.NotFound, "there is no such API key") }

// ListAPIKeys gives every key, the revoked too, ordered by id. Denied without the
// permission APIKeysManage.
func (s *Service) ListAPIKeys(ctx context.Context, by Actor) ([]APIKey, error) {
	if err := require(by, APIKeysManage); err != nil {
		return nil, err
	}
	keys, err := s.store.APIKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the API keys: %w", err)
	}
	return keys, nil
}
