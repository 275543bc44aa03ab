package survey

import (
	"context"
	"fmt"
	"slices"
	"time"

	"victimvoice/internal/audit"
	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

// CaseView is a case as its advocate sees it: the police reference in clear,
// never the address.
type CaseView struct {
	ID         string
	Ref        string
	Force      string
	Facts      Facts
	Flags      Flags
	Invites    []Invitation
	NoCard     []Reason // why no card can be made of each of Invites now; empty: one can
	OptedOut   bool
	HasWord    bool // a word is asked for before the first question
	WordEnded  bool // and too many were wrong: it has to be agreed anew
	ChangedAt  time.Time
	Respondent string
}

// Actor is the member of staff who does something, for the audit record.
type Actor struct{ ID, Role string }

// Entry begins an audit entry by this actor.
func (a Actor) Entry(action, subject string) audit.Entry {
	return audit.Entry{Actor: a.ID, Role: a.Role, Action: action, Subject: subject}
}

// Caseload lists an advocate's cases, those with something to do first, and
// leaves a trace that they were read.
func (s *Service) Caseload(ctx context.Context, by Actor, advocate string) ([]CaseView, error) {
	if advocate == "" {
		return nil, nil
	}
	var out []CaseView
	for c, err := range s.store.CasesOfAdvocate(ctx, advocate) {
		if err != nil {
			return nil, fmt.Errorf("list an advocate's cases: %w", err)
		}
		v, err := s.view(&c)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b CaseView) int { return b.ChangedAt.Compare(a.ChangedAt) })
	if err := s.audit.Append(ctx, by.Entry("caseload.read", "advocate:"+advocate)); err != nil {
		return nil, fmt.Errorf("audit a read: %w", err)
	}
	return out, nil
}

// CaseFor opens one case for its advocate and leaves a trace of it. A case
// that is not theirs is not found.
func (s *Service) CaseFor(ctx context.Context, by Actor, advocate, id string) (CaseView, error) {
	c, err := s.theirs(ctx, advocate, id)
	if err != nil {
		return CaseView{}, err
	}
	if err := s.audit.Append(ctx, by.Entry("case.read", "case:"+id)); err != nil {
		return CaseView{}, fmt.Errorf("audit a read: %w", err)
	}
	return s.view(&c)
}

func (s *Service) theirs(ctx context.Context, advocate, id string) (Case, error) {
	c, err := s.store.Case(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Case{}, fmt.Errorf("read a case: %w", err)
	}
	if err != nil || advocate == "" || c.Facts.Advocate != advocate {
		return Case{}, fault.New(fault.NotFound, "there is no such case among yours")
	}
	return c, nil
}

func (s *Service) view(c *Case) (CaseView, error) {
	ref, err := s.keys.OpenString(seal.Purpose("case-ref", c.ID), c.Ref)
	if err != nil {
		return CaseView{}, fmt.Errorf("open a case reference: %w", err)
	}
	now := s.now()
	v := CaseView{ID: c.ID, Ref: ref, Force: c.Force, Facts: c.Facts, Flags: c.Flags, Invites: Plan(c, s.policy, now), OptedOut: c.optedOut(), HasWord: c.Word.Set(), WordEnded: c.Word.ended(), ChangedAt: c.ChangedAt, Respondent: c.Respondent}
	for i := range v.Invites {
		v.NoCard = append(v.NoCard, againstCard(c, s.policy, v.Invites[i].Stage, v.Invites[i].Round, now))
	}
	return v, nil
}

// CanAnswerFor reports whether an advocate may answer this invitation on the
// victim's behalf now: its time has come, it is not overtaken, and no answer in
// this mode (and none of the victim's own) is kept. That the victim may not be
// written to is no bar: that is what an advocate is for.
func CanAnswerFor(f *Facts, v *Invitation, mode Mode, now time.Time) bool {
	if f.Merged || v.AnchorAt.After(now) || answeredBy(v, mode, ModeSelf) {
		return false
	}
	overtaken := v.First.State == MailRefused && (v.First.Reason == Superseded || v.First.Reason == ClosureNotNotified)
	return !overtaken
}

// consentWays are the recorded ways in which a victim may have agreed.
var consentWays = []string{"in-person", "phone", "video", "writing"}

// ConsentWays lists how a victim may have agreed that their words are relayed.
func ConsentWays() []string { return slices.Clone(consentWays) }

// BeginFor opens a survey session in which an advocate answers on a victim's
// behalf. Relayed answers need the victim's recorded consent. Errors:
// fault.Invalid with field faults, fault.NotFound for a case of another advocate,
// fault.Conflict when this invitation cannot be answered in this mode.
func (s *Service) BeginFor(ctx context.Context, by Actor, advocate, caseID string, stage Stage, round int, mode Mode, consent *Consent) (string, Sitting, error) {
	now := s.now()
	c, err := s.theirs(ctx, advocate, caseID)
	if err != nil {
		return "", Sitting{}, err
	}
	var faults []fault.Field
	switch mode {
	case ModeRelayed:
		switch {
		case consent == nil || !slices.Contains(consentWays, consent.How):
			faults = append(faults, fault.Field{Field: "consent_how", Message: "choose how the person agreed"})
		case consent.At.IsZero() || consent.At.After(now.Add(clockSkew)):
			faults = append(faults, fault.Field{Field: "consent_at", Message: "give the day on which the person agreed, today or before"})
		}
	case ModeObserved:
		consent = nil
	default:
		faults = append(faults, fault.Field{Field: "mode", Message: "choose whether these are the person's words or your own view"})
	}
	if err := fault.Fields("the form has faults", faults...); err != nil {
		return "", Sitting{}, err
	}
	invites := Plan(&c, s.policy, now)
	i := slices.IndexFunc(invites, func(v Invitation) bool { return v.Stage == stage && v.Round == round })
	if i < 0 || !CanAnswerFor(&c.Facts, &invites[i], mode, now) {
		return "", Sitting{}, fault.New(fault.Conflict, "this survey cannot be answered now: it was answered already, is overtaken, or its time has not come")
	}
	if err := s.audit.Append(ctx, by.Entry("response.begun-for-victim", "case:"+caseID)); err != nil {
		return "", Sitting{}, fmt.Errorf("audit an answer for a victim: %w", err)
	}
	language := "en"
	return s.sit(ctx, Sitting{
		Case: c.ID, Response: s.responseID(c.Respondent, stage, round, mode), Stage: stage, Round: round, Mode: mode,
		Language: language, Author: by.ID, Consent: consent, ClosesAt: now.Add(hours(s.policy.Stages[stage].OpenHours)),
	})
}

// WriteAgain records, on an advocate's word, that the person wants mail again
// after having asked for none.
func (s *Service) WriteAgain(ctx context.Context, by Actor, advocate, caseID string) error {
	now := s.now()
	c, err := s.theirs(ctx, advocate, caseID)
	if err != nil {
		return err
	}
	if err := s.audit.Append(ctx, by.Entry("contact.opted-in", "case:"+caseID)); err != nil {
		return fmt.Errorf("audit an opt-in: %w", err)
	}
	if c.Facts.Contact != nil && c.Facts.Contact.Address != "" {
		if _, err := s.store.UpdateRefusal(ctx, c.Facts.Contact.Address, func(r *Refusal) error {
			if r.Version == 0 {
				return ErrUnchanged
			}
			r.Lifted = now
			return nil
		}); err != nil {
			return fmt.Errorf("lift a refusal: %w", err)
		}
	}
	return s.flag(ctx, caseID, func(f *Flags) { f.OptedInAt, f.NotMe = now, "" })
}

// StopWriting records, on an advocate's word, that it is not safe to write for
// now, or (on false) that it is safe again.
func (s *Service) StopWriting(ctx context.Context, by Actor, advocate, caseID string, stop bool) error {
	if _, err := s.theirs(ctx, advocate, caseID); err != nil {
		return err
	}
	action := "contact.risk-lifted"
	if stop {
		action = "contact.risk-placed"
	}
	if err := s.audit.Append(ctx, by.Entry(action, "case:"+caseID)); err != nil {
		return fmt.Errorf("audit a risk flag: %w", err)
	}
	now := s.now()
	return s.flag(ctx, caseID, func(f *Flags) {
		f.RiskAt = time.Time{}
		if stop {
			f.RiskAt = now
		}
	})
}

func (s *Service) flag(ctx context.Context, caseID string, set func(*Flags)) error {
	_, err := s.store.UpdateCase(ctx, caseID, func(c *Case) error {
		set(&c.Flags)
		s.replan(c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("flag a case: %w", err)
	}
	return nil
}

// ToldContact is what the loop keeps, sealed and apart, of someone who asked to
// be told what changes.
type ToldContact struct {
	ID       string       `json:"id"` // a pseudonym of its own: it joins to no case and no answer
	Address  string       `json:"address"`
	Language string       `json:"language"`
	Window   ContactFacts `json:"window"`
}

// ToldContact gives the safe address of a case, for someone who ticked that
// they want to be told. fault.NotFound where none is recorded as safe.
func (s *Service) ToldContact(ctx context.Context, c *Case) (ToldContact, error) {
	f := c.Facts.Contact
	if f == nil || f.Address == "" || f.Safe == nil || !*f.Safe || f.ConfirmedAt.IsZero() || c.optedOut() {
		return ToldContact{}, fault.New(fault.NotFound, "no address is recorded as safe")
	}
	email, err := s.address(ctx, c)
	if err != nil {
		return ToldContact{}, err
	}
	return ToldContact{ID: s.toldID(f.Address), Address: email, Language: f.Language, Window: *f}, nil
}

// ToldIDs are the ids under which the loop may keep an address of a case: one for
// each address that the case has had.
func (s *Service) ToldIDs(c *Case) []string {
	var ids []string
	for i := range c.Events {
		if f := c.Events[i].Contact; f != nil && f.Address != "" {
			if id := s.toldID(f.Address); !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func (s *Service) toldID(address string) string { return s.keys.Pseudonym("told", address) }

// MayWrite reports whether the owner of an address has not asked for no more
// mail since, and the first instant at or after now that is in their safe hours.
func (s *Service) MayWrite(ctx context.Context, t *ToldContact) (bool, time.Time, error) {
	r, err := found(s.store.Refusal(ctx, t.Window.Address))
	if err != nil {
		return false, time.Time{}, fmt.Errorf("look a refusal up: %w", err)
	}
	if r.stands() {
		return false, time.Time{}, nil
	}
	return true, s.policy.NextSafe(s.now(), &t.Window), nil
}

// UnsharedFor lists the victim's kept responses that their advocate may not
// read: that they are there and when they came, and nothing of what they say. An
// advocate who learns that somebody else gave them can have them voided unread.
func (s *Service) UnsharedFor(ctx context.Context, advocate, caseID string) ([]Response, error) {
	c, err := s.theirs(ctx, advocate, caseID)
	if err != nil {
		return nil, err
	}
	rs, err := s.store.ResponsesOf(ctx, c.Respondent)
	if err != nil {
		return nil, fmt.Errorf("list responses: %w", err)
	}
	var out []Response
	for _, r := range rs {
		if (r.State == Complete || r.State == Partial) && r.Mode == ModeSelf && !r.Ticks.Share {
			out = append(out, Response{ID: r.ID, Stage: r.Stage, Round: r.Round, Mode: r.Mode, State: r.State, SubmittedAt: r.SubmittedAt})
		}
	}
	return out, nil
}

// ResponsesFor lists what a case's victim and advocate answered, without words
// unless the victim ticked that the advocate may read them, or the advocate
// wrote them. The reading is audited by the caller's opening of the case.
func (s *Service) ResponsesFor(ctx context.Context, by Actor, advocate, caseID string) ([]Response, error) {
	c, err := s.theirs(ctx, advocate, caseID)
	if err != nil {
		return nil, err
	}
	rs, err := s.store.ResponsesOf(ctx, c.Respondent)
	if err != nil {
		return nil, fmt.Errorf("list responses: %w", err)
	}
	rs = slices.DeleteFunc(rs, func(r Response) bool {
		kept := r.State == Complete || r.State == Partial
		return !kept || r.Mode == ModeSelf && !r.Ticks.Share
	})
	if len(rs) > 0 {
		if err := s.audit.Append(ctx, by.Entry("responses.read", "case:"+caseID)); err != nil {
			return nil, fmt.Errorf("audit a read: %w", err)
		}
	}
	return rs, nil
}
