package analysis

import (
	"testing"
	"time"

	"victimvoice/analysis/figures"
	"victimvoice/survey"
)

// TestDispositions says for each reason, and each thing that can become of an
// invitation, how response rates count it.
func TestDispositions(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	refused := func(r survey.Reason) survey.Invitation {
		return survey.Invitation{First: survey.Mailing{State: survey.MailRefused, Reason: r}}
	}
	sent := func(change func(*survey.Invitation)) survey.Invitation {
		v := survey.Invitation{First: survey.Mailing{State: survey.MailSent, SentAt: at}, ClosesAt: at}
		change(&v)
		return v
	}
	card := func(r survey.Reason, change func(*survey.Invitation)) survey.Invitation {
		v := refused(r)
		v.CardAt, v.ClosesAt = at, at
		change(&v)
		return v
	}
	answered := func(mode survey.Mode, complete bool) func(*survey.Invitation) {
		return func(v *survey.Invitation) {
			v.Answered = append(v.Answered, survey.Answered{Mode: mode, Complete: complete, At: at})
		}
	}
	with := func(v survey.Invitation, change func(*survey.Invitation)) survey.Invitation { change(&v); return v }
	for name, c := range map[string]struct {
		invite survey.Invitation
		want   figures.Disposition
		reason survey.Reason
	}{
		"nothing yet":       {survey.Invitation{}, figures.Pending, ""},
		"planned":           {survey.Invitation{First: survey.Mailing{State: survey.MailPlanned}}, figures.Pending, ""},
		"waits for spacing": {survey.Invitation{First: survey.Mailing{State: survey.MailPlanned, Reason: survey.Spacing}}, figures.Pending, survey.Spacing},
		"in the outbox":     {survey.Invitation{First: survey.Mailing{State: survey.MailQueued}}, figures.Pending, ""},

		string(survey.NotSafe):            {refused(survey.NotSafe), figures.NotSafe, survey.NotSafe},
		string(survey.OnHold):             {refused(survey.OnHold), figures.NotSafe, survey.OnHold},
		string(survey.NotAdult):           {refused(survey.NotAdult), figures.Ineligible, survey.NotAdult},
		string(survey.CaseMerged):         {refused(survey.CaseMerged), figures.Ineligible, survey.CaseMerged},
		string(survey.Superseded):         {refused(survey.Superseded), figures.Superseded, survey.Superseded},
		string(survey.AlreadyAnswered):    {refused(survey.AlreadyAnswered), figures.Superseded, survey.AlreadyAnswered},
		string(survey.ReasonOptedOut):     {refused(survey.ReasonOptedOut), figures.Refused, survey.ReasonOptedOut},
		string(survey.TooLate):            {refused(survey.TooLate), figures.TooLate, survey.TooLate},
		string(survey.Undelivered):        {refused(survey.Undelivered), figures.Undelivered, survey.Undelivered},
		string(survey.ClosureNotNotified): {refused(survey.ClosureNotNotified), figures.Pending, survey.ClosureNotNotified},
		string(survey.NoContact):          {refused(survey.NoContact), figures.OtherReason, survey.NoContact},
		string(survey.Spacing):            {refused(survey.Spacing), figures.OtherReason, survey.Spacing},

		"asked, and still open":              {sent(func(*survey.Invitation) {}), figures.Pending, ""},
		"asked, and never heard":             {sent(func(v *survey.Invitation) { v.Ended = true }), figures.NoResponse, ""},
		"begun, and still open":              {sent(func(v *survey.Invitation) { v.StartedAt = at }), figures.Pending, ""},
		"begun, and left":                    {sent(func(v *survey.Invitation) { v.StartedAt, v.Ended = at, true }), figures.Started, ""},
		"said no":                            {sent(func(v *survey.Invitation) { v.RefusedAt = at }), figures.Refused, ""},
		"came back":                          {survey.Invitation{First: survey.Mailing{State: survey.MailFailed, Reason: survey.Undelivered}}, figures.Undelivered, ""},
		"answered in full":                   {sent(answered(survey.ModeSelf, true)), figures.Completed, ""},
		"answered in part":                   {sent(answered(survey.ModeSelf, false)), figures.StartedPartial, ""},
		"answered, and came back":            {with(sent(answered(survey.ModeSelf, true)), func(v *survey.Invitation) { v.First.State = survey.MailFailed }), figures.Completed, ""},
		"taken back":                         {sent(func(v *survey.Invitation) { v.TakenBack = at }), figures.ConsentWithdrawn, ""},
		"an advocate's own view":             {with(sent(answered(survey.ModeObserved, true)), func(v *survey.Invitation) { v.Ended = true }), figures.NoResponse, ""},
		"a card, and still open":             {card(survey.NotSafe, func(*survey.Invitation) {}), figures.Pending, ""},
		"a card, and never heard":            {card(survey.NotSafe, func(v *survey.Invitation) { v.Ended = true }), figures.NoResponse, ""},
		"a card, begun, and left":            {card(survey.NoContact, func(v *survey.Invitation) { v.StartedAt, v.Ended = at, true }), figures.Started, ""},
		"a card, answered in full":           {card(survey.NotSafe, answered(survey.ModeSelf, true)), figures.Completed, ""},
		"a card, taken back":                 {card(survey.NotSafe, func(v *survey.Invitation) { v.TakenBack = at }), figures.ConsentWithdrawn, ""},
		"a card, overtaken, and never heard": {card(survey.Superseded, func(v *survey.Invitation) { v.Ended = true }), figures.NoResponse, ""},
		"a card after mail that came back": {card("", func(v *survey.Invitation) {
			v.First.State, v.First.Reason, v.Ended = survey.MailFailed, survey.Undelivered, true
		}), figures.NoResponse, ""},
		"a card before mail that waits": {card("", func(v *survey.Invitation) { v.First.State = survey.MailPlanned }), figures.Pending, ""},

		"relayed before it was sent": {with(refused(survey.AlreadyAnswered), answered(survey.ModeRelayed, true)), figures.Superseded, survey.AlreadyAnswered},
	} {
		got, reason := disposition(&c.invite)
		if got != c.want || reason != c.reason {
			t.Errorf("%s: %s (%s), want %s (%s)", name, got, reason, c.want, c.reason)
		}
	}
}

// TestACardCountsAsAsked: who was given a card and has not answered yet is among
// those who were asked, as who was sent a mail is.
func TestACardCountsAsAsked(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	refused := survey.Mailing{State: survey.MailRefused, Reason: survey.NotSafe}
	c := survey.Case{Invites: []survey.Invitation{{Stage: survey.StageReport, Round: 1, First: refused}, {Stage: survey.StageReport, Round: 2, First: refused, CardAt: at}}}
	asks := askRows(&c)
	if !asks[0].SentAt.IsZero() || asks[0].Disposition != figures.NotSafe {
		t.Errorf("nothing was given: %+v", asks[0])
	}
	if !asks[1].SentAt.Equal(at) || asks[1].Disposition != figures.Pending {
		t.Errorf("a card was given: %+v", asks[1])
	}
}
