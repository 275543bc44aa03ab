package access

import (
	"context"
	"fmt"
	"slices"

	"victimvoice/internal/fault"
)

// Digest is how often somebody asked to be told by mail that there are new
// figures to read. Nobody is told who did not ask.
type Digest string

// How often.
const (
	DigestOff       Digest = ""
	DigestMonthly   Digest = "monthly"
	DigestQuarterly Digest = "quarterly"
)

// Digests lists them, in the order of a form.
func Digests() []Digest { return []Digest{DigestOff, DigestMonthly, DigestQuarterly} }

// ChooseDigest sets how often a user hears of new figures. Invalid when it is none
// of [Digests]; Denied, but for switching it off, when the user may not read figures.
func (s *Service) ChooseDigest(ctx context.Context, id string, d Digest) error {
	if !slices.Contains(Digests(), d) {
		return fault.Fields("the choice cannot be kept", fault.Field{Field: "digest", Message: "choose one of the three"})
	}
	u, err := s.User(ctx, id)
	if err != nil {
		return err
	}
	if d != DigestOff {
		if err := require(u.Actor(), FiguresRead); err != nil {
			return err
		}
	}
	if u.Digest == d {
		return nil
	}
	return s.setDigest(ctx, u.Actor(), id, d, "")
}

// StopDigest ends a user's digest because their address refused one. It stays ended
// until they choose again. NotFound.
func (s *Service) StopDigest(ctx context.Context, id string) error {
	u, err := s.User(ctx, id)
	if err != nil || u.Digest == DigestOff {
		return err
	}
	return s.setDigest(ctx, Actor{ID: "service"}, id, DigestOff, "the address refused mail")
}

func (s *Service) setDigest(ctx context.Context, by Actor, id string, d Digest, reason string) error {
	often := string(d)
	if d == DigestOff {
		often = "off"
	}
	if err := s.record(ctx, by, "user.digest", subjectUser(id), reason, map[string]string{"often": often}); err != nil {
		return err
	}
	_, err := s.put(ctx, id, existing(func(u *User) error {
		u.Digest, u.DigestSince = d, s.now()
		return nil
	}))
	return err
}

// DigestReaders lists who is to hear of new figures: who asked for it and may
// read figures now.
func (s *Service) DigestReaders(ctx context.Context) ([]User, error) {
	users, err := s.store.Users(ctx)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return slices.DeleteFunc(users, func(u User) bool { return !u.wantsDigest() }), nil
}

func (u User) wantsDigest() bool { return u.Digest != DigestOff && u.Can(FiguresRead) }

// DigestReader gives one of [Service.DigestReaders] with the address to write to;
// NotFound when the user is none of them.
func (s *Service) DigestReader(ctx context.Context, id string) (User, string, error) {
	u, err := s.User(ctx, id)
	if err != nil {
		return User{}, "", err
	}
	if !u.wantsDigest() {
		return User{}, "", fault.New(fault.NotFound, "this account asks for no digest")
	}
	p, err := s.Profile(u)
	return u, p.Email, err
}

// DigestSent keeps which issue was mailed to a user last, so that a mail whose
// sending a crash left open is not sent again. NotFound.
func (s *Service) DigestSent(ctx context.Context, id, issue string) error {
	_, err := s.put(ctx, id, existing(func(u *User) error {
		u.DigestSent = issue
		return nil
	}))
	return err
}
