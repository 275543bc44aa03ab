package access

import (
	"context"
	"fmt"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

// MethodPassword is how a user proved who they are, in [Session.Methods].
const MethodPassword = "password"

// errSignIn is the one answer to every sign-in that fails: unknown address, wrong
// password, disabled account, no password set.
func errSignIn() error {
	return fault.New(fault.Unauthorized, "that email address and password do not go together")
}

func errSession() error { return fault.New(fault.Unauthorized, "please sign in") }

// SignIn checks email and password and begins a session, whose token it returns. source
// tells callers apart (the client's address) and is kept as a pseudonym only. An address
// without an account takes the same work, the same calls of the store and the same answer:
// Unauthorized. TooMany when there were too many failures; see [RetryAfter].
func (s *Service) SignIn(ctx context.Context, email, password, source string) (token string, u User, err error) {
	key := s.keys.EmailKey(emailDomain, email)
	if err := s.attempt(ctx, key, source); err != nil {
		return "", User{}, err
	}
	u, err = s.store.UserByEmailKey(ctx, key)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", User{}, fmt.Errorf("find the account: %w", err)
	}
	if u.Disabled {
		u.PasswordHash = "" // costs the same as any other, and never matches
	}
	rehash, err := s.prove(ctx, u, password)
	if fault.Is(err, fault.Unauthorized) {
		if recordErr := s.record(ctx, Actor{ID: anonymous}, "session.refused", "account:"+key, "", nil); recordErr != nil {
			return "", User{}, recordErr
		}
	}
	if err != nil {
		return "", User{}, err
	}
	if err := s.succeeded(ctx, key, source); err != nil {
		return "", User{}, err
	}
	if err := s.record(ctx, u.Actor(), "session.began", subjectUser(u.ID), MethodPassword, nil); err != nil {
		return "", User{}, err
	}
	proved := u.PasswordHash
	u, err = s.put(ctx, u.ID, existing(func(u *User) error {
		if u.Disabled || u.PasswordHash != proved {
			return errSignIn() // disabled, or another password, since we looked
		}
		u.SignedInAt = s.now()
		if rehash != "" {
			u.PasswordHash = rehash
		}
		return nil
	}))
	if err != nil {
		return "", User{}, err
	}
	token, err = s.begin(ctx, u, MethodPassword)
	return token, u, err
}

// prove checks a password against the user's hash; a user without one costs the same. It
// is Unauthorized when they do not match, and gives a hash with today's costs when the
// stored one has others.
func (s *Service) prove(ctx context.Context, u User, password string) (rehash string, err error) {
	normal, normalErr := normalPassword(password)
	if normalErr != nil {
		normal = password // never the right one, but it has to take as long
	}
	match, stale, err := s.hasher.verify(ctx, u.PasswordHash, normal)
	if err != nil {
		return "", fmt.Errorf("check the password of %q: %w", u.ID, err)
	}
	if !match || normalErr != nil {
		return "", errSignIn()
	}
	if stale {
		return s.hasher.hash(ctx, normal)
	}
	return "", nil
}

// begin stores a session and gives its token.
func (s *Service) begin(ctx context.Context, u User, methods ...string) (token string, err error) {
	token = seal.NewToken()
	now := s.now()
	err = s.store.InsertSession(ctx, Session{
		ID: s.keys.TokenHash(tokenDomain, token), Version: 1, UserID: u.ID, Epoch: u.Epoch, Methods: methods,
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(s.conf.SessionTotal),
	})
	if err != nil {
		return "", fmt.Errorf("store the session: %w", err)
	}
	return token, nil
}

// Authenticate gives the user of a session as they are now, so that a change of roles
// counts at once. Unauthorized when the token is none, or the session has ended: signed out,
// idle or old, password changed, account disabled.
func (s *Service) Authenticate(ctx context.Context, token string) (User, error) {
	if len(token) != seal.TokenLength {
		return User{}, errSession()
	}
	session, err := s.store.Session(ctx, s.keys.TokenHash(tokenDomain, token))
	if fault.Is(err, fault.NotFound) {
		return User{}, errSession()
	}
	if err != nil {
		return User{}, fmt.Errorf("find the session: %w", err)
	}
	u, err := s.store.User(ctx, session.UserID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return User{}, fmt.Errorf("find the session's user: %w", err)
	}
	now := s.now()
	if err != nil || u.Disabled || u.Epoch != session.Epoch ||
		!now.Before(session.ExpiresAt) || now.Sub(session.SeenAt) >= s.conf.SessionIdle {
		if err := s.store.DeleteSession(ctx, session.ID); err != nil {
			return User{}, fmt.Errorf("delete an ended session: %w", err)
		}
		return User{}, errSession()
	}
	if now.Sub(session.SeenAt) < seenEvery {
		return u, nil
	}
	_, err = s.store.UpdateSession(ctx, session.ID, func(session *Session) error {
		if now.After(session.SeenAt) {
			session.SeenAt = now
		}
		return nil
	})
	if fault.Is(err, fault.NotFound) {
		return User{}, errSession() // signed out meanwhile
	}
	if err != nil {
		return User{}, fmt.Errorf("keep the session: %w", err)
	}
	return u, nil
}

// SignOut ends a session. A token of none is no error.
func (s *Service) SignOut(ctx context.Context, token string) error {
	if err := s.store.DeleteSession(ctx, s.keys.TokenHash(tokenDomain, token)); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}

// SetPassword changes one's own password. Every session ends; the token is that of a new
// one. Invalid on the field "current" when that is wrong, and on "password" when next cannot
// be used; TooMany after too many wrong ones.
func (s *Service) SetPassword(ctx context.Context, userID, current, next, source string) (token string, err error) {
	u, err := s.User(ctx, userID)
	if err != nil {
		return "", err
	}
	if u.Disabled {
		return "", errSession()
	}
	if err := s.attempt(ctx, u.EmailKey, source); err != nil {
		return "", err
	}
	if _, err := s.prove(ctx, u, current); err != nil {
		if fault.Is(err, fault.Unauthorized) {
			return "", fault.Fields("the password cannot be changed", fault.Field{Field: "current", Message: "that is not your present password"})
		}
		return "", err
	}
	if err := s.succeeded(ctx, u.EmailKey, source); err != nil {
		return "", err
	}
	hash, err := s.checkAndHash(ctx, u, next)
	if err != nil {
		return "", err
	}
	if err := s.record(ctx, u.Actor(), "user.password_set", subjectUser(u.ID), "own", nil); err != nil {
		return "", err
	}
	proved := u.PasswordHash
	u, err = s.put(ctx, u.ID, existing(func(u *User) error {
		if u.Disabled || u.PasswordHash != proved {
			return errSession()
		}
		s.setHash(u, hash)
		return nil
	}))
	if err != nil {
		return "", err
	}
	if err := s.forget(ctx, u.ID); err != nil {
		return "", err
	}
	return s.begin(ctx, u, MethodPassword)
}
