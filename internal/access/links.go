package access

import (
	"context"
	"fmt"
	"slices"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

// newLink makes a one-time link and gives its token, which is kept nowhere.
func (s *Service) newLink(ctx context.Context, kind LinkKind, userID string) (token string, err error) {
	token = seal.NewToken()
	life := s.conf.LinkLife
	if kind == SetupLink {
		life = s.conf.SetupLife
	}
	now := s.now()
	err = s.store.InsertLink(ctx, Link{
		ID: s.keys.TokenHash(linkDomain, token), Kind: kind, UserID: userID, CreatedAt: now, ExpiresAt: now.Add(life),
	})
	if err != nil {
		return "", fmt.Errorf("store a one-time link: %w", err)
	}
	return token, nil
}

// errLink is the one answer to every link that does not work, whatever the reason.
func errLink() error {
	return fault.New(fault.NotFound, "this link does not work, or no longer does; please ask for a new one")
}

// link finds a link that could be spent now.
func (s *Service) link(ctx context.Context, token string) (Link, error) {
	l, err := s.store.Link(ctx, s.keys.TokenHash(linkDomain, token))
	if fault.Is(err, fault.NotFound) {
		return Link{}, errLink()
	}
	if err != nil {
		return Link{}, fmt.Errorf("find a one-time link: %w", err)
	}
	if !s.now().Before(l.ExpiresAt) {
		return Link{}, errLink()
	}
	return l, nil
}

// spend takes a link for one caller alone.
func (s *Service) spend(ctx context.Context, l Link) error {
	_, err := s.store.TakeLink(ctx, l.ID)
	if fault.Is(err, fault.NotFound) {
		return errLink()
	}
	if err != nil {
		return fmt.Errorf("spend a one-time link: %w", err)
	}
	return nil
}

// CheckLink says of which kind a link is, without spending it: for the page that asks for
// the password. Unknown, spent and expired links are the same NotFound.
func (s *Service) CheckLink(ctx context.Context, token string) (LinkKind, error) {
	l, err := s.link(ctx, token)
	return l.Kind, err
}

// NeedsSetup reports whether there is no administrator who could sign in.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) {
	users, err := s.store.Users(ctx)
	if err != nil {
		return false, fmt.Errorf("look for an administrator: %w", err)
	}
	return !slices.ContainsFunc(users, administers), nil
}

// NewSetupLink gives the token of a one-time link by which the first administrator is
// made. Conflict when there is an administrator. Several may be out at once, one from each
// replica that started; all are dead once one has been used.
func (s *Service) NewSetupLink(ctx context.Context) (token string, err error) {
	if err := s.setupOpen(ctx); err != nil {
		return "", err
	}
	if err := s.record(ctx, Operator(), "setup.link_made", "setup", "", nil); err != nil {
		return "", err
	}
	return s.newLink(ctx, SetupLink, "")
}

func (s *Service) setupOpen(ctx context.Context) error {
	needed, err := s.NeedsSetup(ctx)
	if err != nil {
		return err
	}
	if !needed {
		return fault.New(fault.Conflict, "there is an administrator already")
	}
	return nil
}

// Setup spends a set-up link and makes the first administrator; n.Roles is not looked at.
// NotFound for a link that does not work, also once there is an administrator; Invalid
// with fields, Conflict when the address has an account, and the link may be used again.
func (s *Service) Setup(ctx context.Context, token string, n NewUser) (User, error) {
	l, err := s.link(ctx, token)
	if err != nil {
		return User{}, err
	}
	if l.Kind != SetupLink {
		return User{}, errLink()
	}
	if err := s.setupOpen(ctx); err != nil {
		if fault.Is(err, fault.Conflict) {
			return User{}, errLink()
		}
		return User{}, err
	}
	n.Roles = []Role{Administrator}
	if err := checkUser(n, true); err != nil {
		return User{}, err
	}
	if err := s.emailFree(ctx, s.keys.EmailKey(emailDomain, n.Email)); err != nil {
		return User{}, err
	}
	if err := s.spend(ctx, l); err != nil {
		return User{}, err
	}
	return s.create(ctx, Actor{ID: anonymous}, n, "setup.administrator_added", true)
}

// ResetPassword takes away a user's password, ends their sessions and older links, and
// gives the token of a link by which they set another. Denied, NotFound; Conflict for a
// disabled user.
func (s *Service) ResetPassword(ctx context.Context, by Actor, id string) (token string, err error) {
	if err := require(by, UsersManage); err != nil {
		return "", err
	}
	u, err := s.User(ctx, id)
	if err != nil {
		return "", err
	}
	if u.Disabled {
		return "", fault.New(fault.Conflict, "this account is disabled; enable it first")
	}
	if err := s.record(ctx, by, "user.password_reset", subjectUser(id), "", nil); err != nil {
		return "", err
	}
	if _, err := s.put(ctx, id, existing(func(u *User) error {
		u.PasswordHash = ""
		u.Epoch++
		return nil
	})); err != nil {
		return "", err
	}
	if err := s.forget(ctx, id); err != nil {
		return "", err
	}
	return s.newLink(ctx, PasswordLink, id)
}

// RedeemPassword spends an invitation or reset link and sets the user's password; every
// session and other link of theirs ends. NotFound for a link that does not work. A
// password that cannot be used (Invalid) does not spend the link.
func (s *Service) RedeemPassword(ctx context.Context, token, password string) (User, error) {
	l, err := s.link(ctx, token)
	if err != nil {
		return User{}, err
	}
	if l.Kind != PasswordLink {
		return User{}, errLink()
	}
	u, err := s.User(ctx, l.UserID)
	if fault.Is(err, fault.NotFound) || err == nil && u.Disabled {
		return User{}, errLink()
	}
	if err != nil {
		return User{}, err
	}
	hash, err := s.checkAndHash(ctx, u, password)
	if err != nil {
		return User{}, err
	}
	if err := s.spend(ctx, l); err != nil {
		return User{}, err
	}
	if err := s.record(ctx, Actor{ID: u.ID}, "user.password_set", subjectUser(u.ID), "link", nil); err != nil {
		return User{}, err
	}
	u, err = s.put(ctx, u.ID, existing(func(u *User) error {
		if u.Disabled {
			return errLink()
		}
		s.setHash(u, hash)
		return nil
	}))
	if err != nil {
		return User{}, err
	}
	return u, s.forget(ctx, u.ID)
}

// checkAndHash judges a password against the rules and the user's own words.
func (s *Service) checkAndHash(ctx context.Context, u User, password string) (string, error) {
	p, err := s.Profile(u)
	if err != nil {
		return "", err
	}
	if err := CheckPassword(password, p.Email, p.Name); err != nil {
		return "", err
	}
	return s.newHash(ctx, password)
}

// setHash gives a user another password, and ends every session.
func (s *Service) setHash(u *User, hash string) {
	u.PasswordHash, u.PasswordAt = hash, s.now()
	u.Epoch++
}
