package survey

import (
	"slices"
	"time"
)

// slot is one thing a case gives rise to: a stage and round, and its dates.
type slot struct {
	stage  Stage
	round  int
	anchor time.Time
	due    time.Time // earliest, before safe hours and spacing
	latest time.Time
	reason Reason // why it is not to be asked, whatever the contact; empty: nothing against it
}

// Plan says what a person is owed and why they are not asked where they are
// not: a pure function of the case, the policy and now. It gives the whole list
// of invitations, in the order they fall due: what was already queued, sent or
// answered stays as it is; each other one is planned with the earliest safe
// instant, or refused with its reason. The numbers are policy data, see
// reference/policy.yaml.
func Plan(c *Case, p *Policy, now time.Time) []Invitation {
	slots := owed(&c.Facts, p)
	out := make([]Invitation, 0, len(slots))
	for _, s := range slots {
		inv := Invitation{Stage: s.stage, Round: s.round}
		if i := slices.IndexFunc(c.Invites, func(v Invitation) bool { return v.Stage == s.stage && v.Round == s.round }); i >= 0 {
			inv = c.Invites[i]
			inv.Answered = slices.Clone(inv.Answered)
		}
		inv.AnchorAt, inv.LatestAt = s.anchor, s.latest
		out = append(out, inv)
	}
	// What was asked already is kept even where a correction means that it was never owed.
	for _, v := range c.Invites {
		// So is what was taken out of the outbox, or it would come back under the errand that was dropped.
		if (v.First.State == MailSent || v.First.State == MailQueued || v.First.State == MailFailed || len(v.Answered) > 0 || v.First.Try > 0 || !v.CardAt.IsZero()) &&
			!slices.ContainsFunc(out, func(o Invitation) bool { return o.Stage == v.Stage && o.Round == v.Round }) {
			slots = append(slots, slot{stage: v.Stage, round: v.Round, anchor: v.AnchorAt, due: v.First.DueAt, latest: v.LatestAt, reason: Superseded})
			out = append(out, v)
		}
	}
	for i := range out {
		inv, s := &out[i], slots[i]
		inv.Ended = !inv.ClosesAt.IsZero() && !now.Before(inv.ClosesAt)
		switch inv.First.State {
		case MailNone, MailPlanned, MailRefused:
			planFirst(c, p, now, s, inv, out)
		case MailSent:
			planReminder(c, p, now, s, inv)
		case MailFailed:
			if r := &inv.Reminder; r.State == MailPlanned || r.State == MailRefused {
				r.State, r.Reason, r.DueAt = MailRefused, Undelivered, time.Time{} // there is nothing to be reminded of
			}
		}
	}
	return out
}

func planFirst(c *Case, p *Policy, now time.Time, s slot, inv *Invitation, all []Invitation) {
	refuse := func(r Reason) {
		inv.First.State, inv.First.Reason, inv.First.DueAt = MailRefused, r, time.Time{}
	}
	if r := against(c, inv, s, answeredBy(inv, ModeSelf, ModeRelayed)); r != "" {
		refuse(r)
		return
	}
	due := p.NextSafe(later(s.due, now), c.Facts.Contact)
	if due.After(s.latest) {
		refuse(TooLate)
		return
	}
	inv.First.Reason = ""
	if free := spaced(p, s, all); free.After(due) {
		due = p.NextSafe(free, c.Facts.Contact)
		inv.First.Reason = Spacing
		if due.After(s.latest) {
			refuse(Spacing)
			return
		}
	}
	inv.First.State, inv.First.DueAt = MailPlanned, due
}

func planReminder(c *Case, p *Policy, now time.Time, s slot, inv *Invitation) {
	r := &inv.Reminder
	if r.State == MailQueued || r.State == MailSent || r.State == MailFailed {
		return
	}
	reason := against(c, inv, s, answeredBy(inv, ModeSelf, ModeRelayed, ModeObserved))
	due := time.Time{}
	if reason == "" {
		due = p.NextSafe(later(inv.First.SentAt.Add(hours(p.Reminder.AfterHours)), now), c.Facts.Contact)
		if !due.Before(inv.ClosesAt) {
			reason = TooLate
		}
	}
	if reason != "" {
		r.State, r.Reason, r.DueAt = MailRefused, reason, time.Time{}
		return
	}
	r.State, r.Reason, r.DueAt = MailPlanned, "", due
}

// against gives the first reason not to write to this person about this slot,
// leaving time aside. What ends an invitation for good comes before what may
// yet change, so that the stored reason is the one that matters. answered says
// whether what was answered already stands in the way: an advocate's own view
// ends reminders, but does not take the victim's place in being asked.
func against(c *Case, inv *Invitation, s slot, answered bool) Reason {
	if r := againstAsking(c, inv, s, answered); r != "" {
		return r
	}
	contact := c.Facts.Contact
	switch {
	case contact == nil || contact.Address == "":
		return NoContact
	case contact.Address == c.Flags.Bounced:
		return Undelivered
	case contact.Safe == nil || !*contact.Safe || contact.ConfirmedAt.IsZero() || contact.Address == c.Flags.NotMe:
		return NotSafe
	}
	return s.reason
}

// againstAsking gives the first reason not to ask this person about this slot,
// by mail or by a card.
func againstAsking(c *Case, inv *Invitation, s slot, answered bool) Reason {
	f := &c.Facts
	switch {
	case f.Merged:
		return CaseMerged
	case answered || !inv.TakenBack.IsZero():
		return AlreadyAnswered
	case s.reason == Superseded:
		return Superseded
	case c.optedOut() || !inv.RefusedAt.IsZero():
		return ReasonOptedOut
	case f.Adult == nil || !*f.Adult:
		return NotAdult
	case f.Held || !c.Flags.RiskAt.IsZero():
		return OnHold
	}
	return ""
}

func answeredBy(inv *Invitation, modes ...Mode) bool {
	return slices.ContainsFunc(inv.Answered, func(a Answered) bool { return slices.Contains(modes, a.Mode) })
}

func (c *Case) optedOut() bool {
	last := later(c.Facts.OptedOutAt, c.Flags.OptedOutAt)
	return !last.IsZero() && !c.Flags.OptedInAt.After(last)
}

// spaced is the first instant at which another mail may follow those already
// sent (or on their way) for other stages and rounds of this case.
func spaced(p *Policy, s slot, all []Invitation) time.Time {
	gap := hours(p.Spacing.BetweenHours)
	if s.stage == StageWithdrawn {
		gap = hours(p.Spacing.BeforeWithdrawnHours)
	}
	var last time.Time
	for _, v := range all {
		if v.Stage == s.stage && v.Round == s.round {
			continue
		}
		for _, m := range []Mailing{v.First, v.Reminder} {
			switch m.State {
			case MailQueued:
				last = later(last, m.QueuedAt)
			case MailSent, MailFailed:
				last = later(last, m.SentAt)
			}
		}
	}
	if last.IsZero() {
		return last
	}
	return last.Add(gap)
}

// owed lists the slots that a case's facts give rise to, in the order they fall due.
func owed(f *Facts, p *Policy) []slot {
	var out []slot
	add := func(stage Stage, round int, anchor, due time.Time, latest time.Duration, reason Reason) {
		out = append(out, slot{stage: stage, round: round, anchor: anchor, due: due, latest: anchor.Add(latest), reason: reason})
	}
	if !f.ReportedAt.IsZero() {
		sp := p.Stages[StageReport]
		reason := Reason("")
		if withdrawnEver(f) {
			reason = Superseded
		}
		add(StageReport, 1, f.ReportedAt, f.ReportedAt.Add(hours(sp.AfterHours)), hours(sp.LatestHours), reason)

		sp = p.Stages[StageInvestigation]
		for round := 1; round <= sp.Rounds; round++ {
			due := f.ReportedAt.Add(hours(sp.AfterHours + (round-1)*sp.EveryHours))
			reason := Reason("")
			if !openAt(f, due) {
				reason = Superseded
			}
			add(StageInvestigation, round, due, due, hours(sp.LatestHours), reason)
		}
	}
	rounds := map[Stage]int{}
	for _, s := range f.Spells {
		switch {
		case !s.WithdrewAt.IsZero():
			sp := p.Stages[StageWithdrawn]
			rounds[StageWithdrawn]++
			reason := Reason("")
			if !s.To.IsZero() {
				reason = Superseded // the case goes on
			}
			add(StageWithdrawn, rounds[StageWithdrawn], s.WithdrewAt, s.WithdrewAt.Add(hours(sp.AfterHours)), hours(sp.LatestHours), reason)
			if !s.ClosedAt.IsZero() {
				rounds[StageClosure]++ // withdrawn stands in its place
				add(StageClosure, rounds[StageClosure], s.ClosedAt, s.ClosedAt.Add(hours(p.Stages[StageClosure].AfterHours)), hours(p.Stages[StageClosure].LatestHours), Superseded)
			}
		case !s.ClosedAt.IsZero():
			sp := p.Stages[StageClosure]
			rounds[StageClosure]++
			reason := Reason("")
			due := s.ClosedAt.Add(hours(sp.AfterHours))
			anchor := s.ClosedAt
			switch {
			case !s.To.IsZero():
				reason = Superseded
			case s.NotifiedAt.IsZero():
				reason = ClosureNotNotified
			default:
				due, anchor = later(due, s.NotifiedAt), later(anchor, s.NotifiedAt)
			}
			add(StageClosure, rounds[StageClosure], anchor, due, hours(sp.LatestHours), reason)
		}
	}
	slices.SortStableFunc(out, func(a, b slot) int { return a.due.Compare(b.due) })
	return out
}

// withdrawnEver reports whether the current spell was ended by the person.
func withdrawnEver(f *Facts) bool { return !f.Now().WithdrewAt.IsZero() }

// openAt reports whether an investigation round that falls due at this instant
// belongs to a spell that is open now: one that fell due in a spell that ended,
// or after the end of the current one, is superseded.
func openAt(f *Facts, due time.Time) bool {
	s := f.Now()
	return s.EndedAt().IsZero() && !due.Before(s.From)
}

// NextStep is when the plan next has something to do for this case: the
// earliest planned mail, or the end of an invitation that is open. Zero: nothing.
func NextStep(invites []Invitation) time.Time {
	var next time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, v := range invites {
		for _, m := range []Mailing{v.First, v.Reminder} {
			if m.State == MailPlanned {
				sooner(m.DueAt)
			}
		}
		if !v.Ended {
			sooner(v.ClosesAt)
		}
	}
	return next
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
