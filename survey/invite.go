package survey

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"victimvoice/internal/seal"
)

// MailKind says which mail of an invitation is meant.
type MailKind string

// The two mails of an invitation.
const (
	FirstMail    MailKind = "invitation"
	ReminderMail MailKind = "reminder"
)

// Errand names one mail that fell due. ID is the same however often the errand
// is given, so that an outbox takes it once.
type Errand struct {
	ID    string
	Kind  MailKind
	Case  string
	Stage Stage
	Round int
	DueAt time.Time
}

// NotDue says that a mail is not to be sent after all. That is a result, not a
// failure: Reason names why, or Until says when to ask again.
type NotDue struct {
	Reason Reason
	Until  time.Time
}

func (e *NotDue) Error() string {
	if e.Reason == "" {
		return "the mail is not due yet"
	}
	return "the mail is no longer due: " + string(e.Reason)
}

// Mail is what is needed to write one mail. It is made at the moment of sending
// and never stored.
type Mail struct {
	Address  string
	Language string
	Token    string // of the survey link
	Days     int    // until the link closes
}

func (i *Invitation) mailing(k MailKind) *Mailing {
	if k == ReminderMail {
		return &i.Reminder
	}
	return &i.First
}

func (c *Case) invitation(stage Stage, round int) *Invitation {
	for i := range c.Invites {
		if c.Invites[i].Stage == stage && c.Invites[i].Round == round {
			return &c.Invites[i]
		}
	}
	return nil
}

func (s *Service) errand(c *Case, v *Invitation, k MailKind) Errand {
	m := v.mailing(k)
	return Errand{
		ID:   s.keys.Pseudonym("errand", c.ID, string(v.Stage), strconv.Itoa(v.Round), string(k), strconv.Itoa(m.Try)),
		Kind: k, Case: c.ID, Stage: v.Stage, Round: v.Round, DueAt: m.DueAt,
	}
}

// Due finds the mails that have fallen due and hands each to put, then marks it
// queued in its case: step 3 of the story. put must be idempotent by errand
// id, since a crash after it means that the same errand comes again. The plan
// is made afresh first, so that an errand is only given where it is safe to
// write now, and the mark is one compare-and-swap of the case. It gives how
// many errands were queued; a case at fault does not hold up the others.
func (s *Service) Due(ctx context.Context, limit int, put func(context.Context, Errand) error) (int, error) {
	ids, err := s.store.DueCases(ctx, s.now(), limit)
	if err != nil {
		return 0, fmt.Errorf("list due cases: %w", err)
	}
	n := 0
	var errs []error
	for _, id := range ids { // one case that fails does not hold the others up
		ok, err := s.DueCase(ctx, id, put)
		if err != nil {
			errs = append(errs, err)
		}
		if ok {
			n++
		}
	}
	return n, errors.Join(errs...)
}

// DueCase is Due for one case: it queues at most one mail and reports whether it did.
func (s *Service) DueCase(ctx context.Context, id string, put func(context.Context, Errand) error) (bool, error) {
	now := s.now()
	c, err := s.store.Case(ctx, id)
	if err != nil {
		return false, fmt.Errorf("read a due case: %w", err)
	}
	c.Invites = Plan(&c, s.policy, now)
	var e Errand
	found := false
	for i := range c.Invites {
		v := &c.Invites[i]
		for _, k := range []MailKind{FirstMail, ReminderMail} {
			if m := v.mailing(k); m.State == MailPlanned && !m.DueAt.After(now) && (!found || m.DueAt.Before(e.DueAt)) {
				e, found = s.errand(&c, v, k), true
			}
		}
	}
	if found {
		if err := put(ctx, e); err != nil {
			return false, fmt.Errorf("queue a mail: %w", err)
		}
	}
	_, err = s.store.UpdateCase(ctx, id, func(c *Case) error {
		c.Invites = Plan(c, s.policy, now)
		if found {
			if v := c.invitation(e.Stage, e.Round); v != nil {
				if m := v.mailing(e.Kind); m.State == MailPlanned && !m.DueAt.After(now) && s.errand(c, v, e.Kind).ID == e.ID {
					m.State, m.QueuedAt, m.Reason = MailQueued, now, ""
				}
			}
		}
		s.replan(c)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("mark a mail queued: %w", err)
	}
	return found, nil
}

// Claim asks once more, at the moment of sending and in the very
// compare-and-swap that claims, whether an errand is still due, and gives what
// is needed to write the mail: step 5. A *NotDue error says that it is not.
func (s *Service) Claim(ctx context.Context, e Errand) (Mail, error) {
	now := s.now()
	c, err := s.store.Case(ctx, e.Case)
	if err != nil {
		return Mail{}, fmt.Errorf("read a case: %w", err)
	}
	refused, err := s.refusalOf(ctx, &c)
	if err != nil {
		return Mail{}, err
	}
	if err := s.markKept(ctx, &c, e); err != nil {
		return Mail{}, err
	}
	var notDue *NotDue
	c, err = s.store.UpdateCase(ctx, e.Case, func(c *Case) error {
		notDue = nil
		c.heed(&refused, now)
		v := c.invitation(e.Stage, e.Round)
		if v == nil { // a correction took it away before it was even marked as queued
			c.Invites = append(c.Invites, Invitation{Stage: e.Stage, Round: e.Round})
			v = &c.Invites[len(c.Invites)-1]
		}
		m := v.mailing(e.Kind)
		if s.errand(c, v, e.Kind).ID != e.ID || m.State == MailFailed {
			notDue = &NotDue{Reason: Superseded}
			return ErrUnchanged
		}
		if m.State == MailSent { // a crash came between the mail and its settling in the outbox
			notDue = &NotDue{Reason: AlreadySent}
			return ErrUnchanged
		}
		// Ask the plan as if this mail had never been queued.
		was := *v
		m.State = MailNone
		c.Invites = Plan(c, s.policy, now)
		if v = c.invitation(e.Stage, e.Round); v == nil { // a correction took it away
			c.Invites = append(c.Invites, was)
			v = &c.Invites[len(c.Invites)-1]
			v.mailing(e.Kind).State, v.mailing(e.Kind).Reason = MailRefused, Superseded
		}
		m = v.mailing(e.Kind)
		switch {
		case m.State == MailPlanned && !m.DueAt.After(now):
			m.State, m.QueuedAt, m.Reason, m.To = MailQueued, now, "", c.Facts.Contact.Address
			if e.Kind == FirstMail || v.ClosesAt.IsZero() { // the time to answer runs from the mail that leaves
				v.ClosesAt = later(v.ClosesAt, now.Add(hours(s.policy.Stages[v.Stage].OpenHours)))
			}
		case m.State == MailPlanned: // safe again later: the same errand waits for it
			m.State = MailQueued
			notDue = &NotDue{Until: m.DueAt}
		default:
			if m.State == MailNone { // a reminder of a mail that came back
				m.State, m.Reason = MailRefused, Undelivered
			}
			notDue = &NotDue{Reason: m.Reason}
			m.Try++
			if e.Kind == FirstMail && v.CardAt.IsZero() {
				v.ClosesAt = time.Time{}
			}
		}
		s.replan(c)
		return nil
	})
	if err != nil {
		return Mail{}, fmt.Errorf("claim a mail: %w", err)
	}
	if notDue != nil {
		return Mail{}, notDue
	}
	address, err := s.address(ctx, &c)
	if err != nil {
		return Mail{}, err
	}
	v := c.invitation(e.Stage, e.Round)
	token := seal.NewToken()
	link := Link{ID: s.linkID(token), Case: c.ID, Stage: e.Stage, Round: e.Round, Address: c.Facts.Contact.Address, MintedAt: now, ExpiresAt: v.ClosesAt}
	if err := s.store.InsertLink(ctx, link); err != nil {
		return Mail{}, fmt.Errorf("keep a link: %w", err)
	}
	language := "en"
	if c.Facts.Contact.Language != "" {
		language = c.Facts.Contact.Language
	}
	return Mail{Address: address, Language: language, Token: token, Days: int(v.ClosesAt.Sub(now).Hours() / 24)}, nil
}

// refusalOf gives what the reader of the current address said of mail, perhaps
// through another case; the zero Refusal where they said nothing.
func (s *Service) refusalOf(ctx context.Context, c *Case) (Refusal, error) {
	if c.Facts.Contact == nil || c.Facts.Contact.Address == "" {
		return Refusal{}, nil
	}
	r, err := found(s.store.Refusal(ctx, c.Facts.Contact.Address))
	if err != nil {
		return Refusal{}, fmt.Errorf("look a refusal up: %w", err)
	}
	return r, nil
}

// markKept puts on the case what was answered to an errand's invitation and a
// crash left out of it, so that nobody is asked for what they have just sent.
func (s *Service) markKept(ctx context.Context, c *Case, e Errand) error {
	rs, err := s.store.ResponsesOf(ctx, c.Respondent)
	if err != nil {
		return fmt.Errorf("list responses: %w", err)
	}
	v := c.invitation(e.Stage, e.Round)
	for i := range rs {
		r := &rs[i]
		if r.Stage != e.Stage || r.Round != e.Round || r.State != Complete && r.State != Partial || v == nil || answeredBy(v, r.Mode) {
			continue
		}
		if _, err := s.MarkAnswered(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Delivery is what became of an errand at the mail system.
type Delivery uint8

// The deliveries.
const (
	Delivered Delivery = iota // taken
	Rejected                  // the address was refused for good
	GivenUp                   // the mail system could not be reached for too long
)

// Settled records on the invitation what became of an errand.
func (s *Service) Settled(ctx context.Context, e Errand, d Delivery) error {
	now := s.now()
	_, err := s.store.UpdateCase(ctx, e.Case, func(c *Case) error {
		v := c.invitation(e.Stage, e.Round)
		if v == nil {
			return ErrUnchanged
		}
		m := v.mailing(e.Kind)
		if m.State != MailQueued {
			return ErrUnchanged
		}
		m.SentAt = now
		if d == Delivered {
			m.State = MailSent
		} else {
			m.State, m.Reason = MailFailed, Undelivered
			if d == Rejected {
				c.bounced(m)
			}
		}
		s.replan(c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle a mail: %w", err)
	}
	return nil
}

// Bounced records that a mail which was sent came back for good: nothing more
// is written to that address.
func (s *Service) Bounced(ctx context.Context, e Errand) error {
	_, err := s.store.UpdateCase(ctx, e.Case, func(c *Case) error {
		v := c.invitation(e.Stage, e.Round)
		if v == nil || v.mailing(e.Kind).State == MailFailed {
			return ErrUnchanged
		}
		m := v.mailing(e.Kind)
		m.State, m.Reason = MailFailed, Undelivered
		c.bounced(m)
		s.replan(c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("record a bounce: %w", err)
	}
	return nil
}

// bounced marks the address that a mail was written to, which need not be the
// current one any more.
func (c *Case) bounced(m *Mailing) {
	switch {
	case m.To != "":
		c.Flags.Bounced = m.To
	case c.Facts.Contact != nil:
		c.Flags.Bounced = c.Facts.Contact.Address
	}
}

func (s *Service) linkID(token string) string { return s.keys.TokenHash("link", asKept(token)) }

// TokenLength is the length of every survey token.
const TokenLength = seal.TokenLength
