package survey

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func policy(t testing.TB) *Policy {
	p, err := DefaultPolicy()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// day gives a Monday-based instant: day 0 is Monday 2 March 2026, 10:00 UTC.
func day(n float64) time.Time {
	return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC).Add(time.Duration(n * 24 * float64(time.Hour)))
}

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

func safeContact() *ContactFacts {
	return &ContactFacts{Address: "a1", Safe: yes(), ConfirmedAt: day(0), From: "00:00", To: "23:59"}
}

func reported(at float64) CaseEvent {
	return CaseEvent{ID: "r", Type: Reported, At: day(at), Adult: yes(), Contact: safeContact()}
}

func caseOf(events ...CaseEvent) *Case {
	for i := range events {
		if events[i].ID == "" {
			events[i].ID = fmt.Sprint("e", i)
		}
	}
	return &Case{ID: "c", Events: events, Facts: Fold(events)}
}

// show writes a plan as one line an invitation: what a table test compares.
func show(invites []Invitation) string {
	var b strings.Builder
	at := func(t time.Time) string { return fmt.Sprintf("%.1f", t.Sub(day(0)).Hours()/24) }
	for _, v := range invites {
		fmt.Fprintf(&b, "%s/%d %s", v.Stage, v.Round, v.First.State)
		if v.First.Reason != "" {
			fmt.Fprintf(&b, " %s", v.First.Reason)
		}
		if v.First.State == MailPlanned {
			fmt.Fprintf(&b, " at %s", at(v.First.DueAt))
		}
		if v.Reminder.State != MailNone {
			fmt.Fprintf(&b, "; reminder %s", v.Reminder.State)
			if v.Reminder.Reason != "" {
				fmt.Fprintf(&b, " %s", v.Reminder.Reason)
			}
			if v.Reminder.State == MailPlanned {
				fmt.Fprintf(&b, " at %s", at(v.Reminder.DueAt))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func sent(c *Case, stage Stage, round int, at float64, p *Policy) *Case {
	v := c.invitation(stage, round)
	if v == nil {
		c.Invites = append(c.Invites, Invitation{Stage: stage, Round: round})
		v = &c.Invites[len(c.Invites)-1]
	}
	v.First = Mailing{State: MailSent, DueAt: day(at), SentAt: day(at)}
	v.ClosesAt = day(at).Add(hours(p.Stages[stage].OpenHours))
	return c
}

func TestPlan(t *testing.T) {
	p := policy(t)
	with := func(e CaseEvent, change func(*CaseEvent)) CaseEvent { change(&e); return e }
	refusedAll := func(r Reason) string {
		return fmt.Sprintf("report/1 refused %[1]s\ninvestigation/1 refused %[1]s\ninvestigation/2 refused %[1]s\ninvestigation/3 refused %[1]s\ninvestigation/4 refused %[1]s\n", r)
	}
	investigations := "investigation/1 planned at 28.0\ninvestigation/2 planned at 84.0\ninvestigation/3 planned at 140.0\ninvestigation/4 planned at 196.0\n"
	superseded := "investigation/1 refused superseded\ninvestigation/2 refused superseded\ninvestigation/3 refused superseded\ninvestigation/4 refused superseded\n"
	for _, c := range []struct {
		name string
		c    *Case
		now  float64
		want string
	}{
		{"a report is asked after a day, then investigation four times", caseOf(reported(0)), 0, "report/1 planned at 1.0\n" + investigations},
		{"a late report event still invites until day 14", caseOf(reported(0)), 13.9, "report/1 planned at 13.9\n" + investigations},
		{"and not after", caseOf(reported(0)), 14.1, "report/1 refused too-late\n" + investigations},
		{"under 18: through an advocate only", caseOf(with(reported(0), func(e *CaseEvent) { e.Adult = no() })), 0, refusedAll(NotAdult)},
		{"age not known: as if under 18", caseOf(with(reported(0), func(e *CaseEvent) { e.Adult = nil })), 0, refusedAll(NotAdult)},
		{"no contact at all", caseOf(with(reported(0), func(e *CaseEvent) { e.Contact = nil })), 0, refusedAll(NoContact)},
		{"an address not known to be safe", caseOf(with(reported(0), func(e *CaseEvent) { e.Contact.Safe = nil })), 0, refusedAll(NotSafe)},
		{"an address known not to be safe", caseOf(with(reported(0), func(e *CaseEvent) { e.Contact.Safe = no() })), 0, refusedAll(NotSafe)},
		{"safe but never confirmed", caseOf(with(reported(0), func(e *CaseEvent) { e.Contact.ConfirmedAt = time.Time{} })), 0, refusedAll(NotSafe)},
		{"a hold", caseOf(reported(0), CaseEvent{Type: HoldPlaced, At: day(0.5)}), 1, refusedAll(OnHold)},
		{"a hold lifted", caseOf(reported(0), CaseEvent{Type: HoldPlaced, At: day(0.5)}, CaseEvent{Type: HoldLifted, At: day(2)}), 3, "report/1 planned at 3.0\n" + investigations},
		{"opted out", caseOf(reported(0), CaseEvent{Type: OptedOut, At: day(0.5)}), 1, refusedAll(ReasonOptedOut)},
		{"merged into another case", caseOf(reported(0), CaseEvent{Type: CasesMerged, At: day(0.5)}), 1, refusedAll(CaseMerged)},
		{"another address is not safe until it is confirmed", caseOf(reported(0), CaseEvent{Type: ContactChanged, At: day(0.5), Contact: &ContactFacts{Address: "a2", Safe: yes()}}), 1, refusedAll(NotSafe)},
		{
			"withdrawal takes the place of everything pending, after three days",
			caseOf(reported(0), CaseEvent{Type: Withdrew, At: day(0.2)}), 0.3,
			"report/1 refused superseded\nwithdrawn/1 planned at 3.2\n" + superseded,
		},
		{"seven days after at the latest", caseOf(reported(0), CaseEvent{Type: Withdrew, At: day(0.2)}), 7.3, "report/1 refused superseded\nwithdrawn/1 refused too-late\n" + superseded},
		{
			"withdrawn stands in place of closure",
			caseOf(reported(0), CaseEvent{Type: Withdrew, At: day(2)}, CaseEvent{Type: Closed, At: day(4), Outcome: "nfa-other"}, CaseEvent{Type: ClosureNotified, At: day(5)}), 4.5,
			"report/1 refused superseded\nwithdrawn/1 planned at 5.0\nclosure/1 refused superseded\n" + superseded,
		},
		{
			"closure is never asked before the person was told",
			caseOf(reported(0), CaseEvent{Type: Closed, At: day(20), Outcome: "nfa-evidential"}), 40,
			"report/1 refused too-late\nclosure/1 refused closure-not-notified\n" + superseded,
		},
		{
			"seven days after closure once told",
			caseOf(reported(0), CaseEvent{Type: Closed, At: day(20), Outcome: "nfa-evidential"}, CaseEvent{Type: ClosureNotified, At: day(21)}), 22,
			"report/1 refused too-late\nclosure/1 planned at 27.0\n" + superseded,
		},
		{
			"told late: asked when told, not before",
			caseOf(reported(0), CaseEvent{Type: Closed, At: day(20), Outcome: "nfa-evidential"}, CaseEvent{Type: ClosureNotified, At: day(60)}), 61,
			"report/1 refused too-late\n" + strings.Replace(superseded, "investigation/2", "closure/1 planned at 61.0\ninvestigation/2", 1),
		},
		{
			"a reopened case goes on with investigation",
			caseOf(reported(0), CaseEvent{Type: Closed, At: day(20), Outcome: "nfa-other"}, CaseEvent{Type: ClosureNotified, At: day(21)}, CaseEvent{Type: Reopened, At: day(40)}), 41,
			"report/1 refused too-late\nclosure/1 refused superseded\ninvestigation/1 refused superseded\n" + strings.Join(strings.SplitAfter(investigations, "\n")[1:], ""),
		},
		{
			"spacing counts mail that was sent: the later waits",
			sent(caseOf(reported(0)), StageReport, 1, 24, p), 25,
			"report/1 sent; reminder planned at 29.0\ninvestigation/1 planned spacing at 34.0\ninvestigation/2 planned at 84.0\ninvestigation/3 planned at 140.0\ninvestigation/4 planned at 196.0\n",
		},
		{
			"before a withdrawn one three days are enough",
			sent(caseOf(reported(0), CaseEvent{Type: Withdrew, At: day(1)}), StageReport, 1, 3, p), 3.5,
			"report/1 sent; reminder refused superseded\nwithdrawn/1 planned spacing at 6.0\n" + superseded,
		},
		{
			"and where the wait outlasts the window, the reason is spacing",
			sent(caseOf(reported(0), CaseEvent{Type: Withdrew, At: day(1)}), StageReport, 1, 5.5, p), 6,
			"report/1 sent; reminder refused superseded\nwithdrawn/1 refused spacing\n" + superseded,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, show(Plan(c.c, p, day(c.now)))); diff != "" {
				t.Errorf("the plan is not as it should be (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlanReminder(t *testing.T) {
	p := policy(t)
	first := func(c *Case, now float64) string {
		line, _, _ := strings.Cut(show(Plan(c, p, day(now))), "\n")
		return line
	}
	c := sent(caseOf(reported(0)), StageReport, 1, 1, p)
	if got := first(c, 2); got != "report/1 sent; reminder planned at 6.0" {
		t.Error(got)
	}
	for _, mode := range []Mode{ModeSelf, ModeRelayed, ModeObserved} {
		c.Invites[0].Answered = []Answered{{Mode: mode, Complete: true, At: day(3)}}
		if got := first(c, 4); got != "report/1 sent; reminder refused answered" {
			t.Errorf("answered by %s: %s", mode, got)
		}
	}
	c.Invites[0].Answered = nil
	c.Flags.Bounced = "a1"
	if got := first(c, 4); got != "report/1 sent; reminder refused undelivered" {
		t.Error(got)
	}
}

func TestAdvocatesOwnViewDoesNotTakeTheVictimsPlace(t *testing.T) {
	p := policy(t)
	c := caseOf(reported(0))
	for mode, want := range map[Mode]string{ModeObserved: "report/1 planned at 1.0", ModeRelayed: "report/1 refused answered"} {
		c.Invites = []Invitation{{Stage: StageReport, Round: 1, Answered: []Answered{{Mode: mode, Complete: true, At: day(0.5)}}}}
		if got := show(Plan(c, p, day(0.6))); !strings.HasPrefix(got, want+"\n") {
			t.Errorf("%s: %s", mode, got)
		}
	}
}

func TestOptingInAgain(t *testing.T) {
	p := policy(t)
	c := caseOf(reported(0), CaseEvent{Type: OptedOut, At: day(0.2)})
	c.Flags.OptedInAt = day(0.4)
	if got := show(Plan(c, p, day(0.5))); !strings.HasPrefix(got, "report/1 planned") {
		t.Error(got)
	}
	c.Flags.OptedOutAt = day(0.6)
	if got := show(Plan(c, p, day(0.7))); !strings.HasPrefix(got, "report/1 refused opted-out") {
		t.Error(got)
	}
}

// TestArrivalOrderDoesNotMatter shuffles a case's events: the case and its
// invitations end the same.
func TestArrivalOrderDoesNotMatter(t *testing.T) {
	p := policy(t)
	types := []EventType{Progressed, Withdrew, Disengaged, Closed, ClosureNotified, Reopened, ContactChanged, OptedOut, HoldPlaced, HoldLifted, AdvocateChanged, CasesMerged, Corrected}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 10).Draw(t, "events")
		events := []CaseEvent{reported(0)}
		for i := range n {
			e := CaseEvent{
				ID: fmt.Sprintf("e%d", i), Type: rapid.SampledFrom(types).Draw(t, "type"), At: day(float64(rapid.IntRange(-1, 60).Draw(t, "day"))),
				Outcome: rapid.SampledFrom([]string{"charged", "nfa-other"}).Draw(t, "outcome"), Advocate: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "advocate"),
			}
			if e.Type == Corrected {
				e.Corrects = rapid.SampledFrom(events).Draw(t, "corrects").ID
			}
			if rapid.Bool().Draw(t, "has contact") {
				e.Contact = &ContactFacts{Address: rapid.SampledFrom([]string{"", "a1", "a2"}).Draw(t, "address"), Safe: yes(), ConfirmedAt: e.At}
			}
			events = append(events, e)
		}
		now := day(float64(rapid.IntRange(0, 250).Draw(t, "now")))
		end := func(in []CaseEvent) (Facts, []Invitation) {
			var c Case
			for _, e := range in { // one at a time, as they arrive
				c.Events = append(c.Events, e)
				c.Facts = Fold(c.Events)
				c.Invites = Plan(&c, p, now)
			}
			return c.Facts, c.Invites
		}
		wantFacts, wantPlan := end(events)
		gotFacts, gotPlan := end(rapid.Permutation(events).Draw(t, "arrival"))
		if d := cmp.Diff(wantFacts, gotFacts); d != "" {
			t.Fatalf("facts differ:\n%s", d)
		}
		if d := cmp.Diff(wantPlan, gotPlan); d != "" {
			t.Fatalf("plans differ:\n%s", d)
		}
	})
}

// TestPlanKeepsCards: whatever becomes known of a case, in whatever order, a card
// that was made of an invitation stays on it, and no mail comes of it.
func TestPlanKeepsCards(t *testing.T) {
	p := policy(t)
	types := []EventType{Withdrew, Closed, ClosureNotified, Reopened, ContactChanged, OptedOut, HoldPlaced, HoldLifted, CasesMerged, Corrected}
	rapid.Check(t, func(t *rapid.T) {
		r := reported(0)
		r.Contact = nil
		c := caseOf(r)
		made := map[string]time.Time{}
		for i := range rapid.IntRange(1, 8).Draw(t, "steps") {
			now := day(float64(30 * i))
			c.Invites = Plan(c, p, now)
			if v := &c.Invites[rapid.IntRange(0, len(c.Invites)-1).Draw(t, "invitation")]; rapid.Bool().Draw(t, "card") {
				v.CardAt, v.ClosesAt = now, now.Add(hours(p.Stages[v.Stage].OpenHours))
				made[fmt.Sprint(v.Stage, v.Round)] = now
			}
			e := CaseEvent{ID: fmt.Sprint("e", i), Type: rapid.SampledFrom(types).Draw(t, "type"), At: day(float64(rapid.IntRange(-1, 200).Draw(t, "day"))), Outcome: "nfa-other"}
			if e.Type == Corrected {
				e.Corrects = rapid.SampledFrom(c.Events).Draw(t, "corrects").ID
			}
			c.Events = append(c.Events, e)
			c.Facts = Fold(c.Events)
			c.Invites = Plan(c, p, now.Add(time.Hour))
			for key, at := range made {
				i := slices.IndexFunc(c.Invites, func(v Invitation) bool { return fmt.Sprint(v.Stage, v.Round) == key })
				if i < 0 || !c.Invites[i].CardAt.Equal(at) || c.Invites[i].ClosesAt.IsZero() {
					t.Fatalf("the card of %s was lost: %s", key, show(c.Invites))
				}
			}
			for _, v := range c.Invites {
				if v.Reminder.State != MailNone || v.First.State == MailPlanned {
					t.Fatalf("mail without an address: %s", show(c.Invites))
				}
			}
		}
	})
}

// FuzzIsCardCode: what the limits call a code and what is looked up as one are the
// same, and a mailed token is never taken for another.
func FuzzIsCardCode(f *testing.F) {
	for _, s := range []string{"", "7KQ2-M0XD-94TR", "7kq2m0xd94tr", "0000-0000-0000", "0000-0000-0000------------------", strings.Repeat("a", TokenLength), strings.Repeat("0", TokenLength)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		kept := asKept(token)
		switch {
		case len(token) == TokenLength && (kept != token || IsCardCode(token)):
			t.Errorf("a token was read as %q", kept)
		case IsCardCode(token) && (len(kept) != cardCodeLength || asKept(kept) != kept):
			t.Errorf("a code was read as %q", kept)
		case !IsCardCode(token) && kept != token:
			t.Errorf("%q is looked up, and was not taken for a code", kept)
		}
	})
}

// TestNothingIsPlannedAgainstItsRules checks, for random cases, what must hold of every plan.
func TestPlanHoldsItsRules(t *testing.T) {
	p := policy(t)
	rapid.Check(t, func(t *rapid.T) {
		r := reported(0)
		r.Contact.Days = rapid.SampledFrom([][]string{nil, {"mon"}, {"sat", "sun"}}).Draw(t, "days")
		r.Contact.From = rapid.SampledFrom([]string{"", "09:00", "22:00"}).Draw(t, "from")
		r.Contact.To = rapid.SampledFrom([]string{"", "17:30", "02:00"}).Draw(t, "to")
		c := caseOf(r)
		now := day(rapid.Float64Range(0, 220).Draw(t, "now"))
		for _, v := range Plan(c, p, now) {
			if v.First.State != MailPlanned {
				continue
			}
			if v.First.DueAt.Before(now) {
				t.Fatalf("%s/%d is planned in the past", v.Stage, v.Round)
			}
			if v.First.DueAt.After(v.LatestAt) {
				t.Fatalf("%s/%d is planned after its latest", v.Stage, v.Round)
			}
			if again := p.NextSafe(v.First.DueAt, c.Facts.Contact); !again.Equal(v.First.DueAt) {
				t.Fatalf("%s/%d is planned outside the safe hours: %s, safe at %s", v.Stage, v.Round, v.First.DueAt, again)
			}
		}
	})
}

func TestNextSafe(t *testing.T) {
	p := policy(t)
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, p.Location())
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct{ name, days, from, to, now, want string }{
		{"inside the policy's hours", "", "", "", "2026-03-02 10:00", "2026-03-02 10:00"},
		{"before them", "", "", "", "2026-03-02 03:00", "2026-03-02 09:00"},
		{"after them: the next day", "", "", "", "2026-03-02 20:00", "2026-03-03 09:00"},
		{"the end is not safe any more", "", "09:00", "17:00", "2026-03-02 17:00", "2026-03-03 09:00"},
		{"another day of the week", "thu", "09:00", "17:00", "2026-03-02 10:00", "2026-03-05 09:00"},
		{"the same day next week", "mon", "09:00", "17:00", "2026-03-02 18:00", "2026-03-09 09:00"},
		{"over midnight, in the evening", "mon", "22:00", "02:00", "2026-03-02 12:00", "2026-03-02 22:00"},
		{"over midnight, after it: still Monday's window", "mon", "22:00", "02:00", "2026-03-03 01:00", "2026-03-03 01:00"},
		{"over midnight, past it", "mon", "22:00", "02:00", "2026-03-03 03:00", "2026-03-09 22:00"},
		{"only a late start: until midnight, not into the morning", "", "21:00", "", "2026-03-03 03:00", "2026-03-03 21:00"},
		{"only an early end: from midnight", "", "", "08:00", "2026-03-02 12:00", "2026-03-03 00:00"},
		{"the spring clock change: 09:00 is 09:00 on the wall", "sun", "09:00", "17:00", "2026-03-28 12:00", "2026-03-29 09:00"},
		{"the autumn clock change", "sun", "09:00", "17:00", "2026-10-24 12:00", "2026-10-25 09:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			contact := &ContactFacts{From: c.from, To: c.to}
			if c.days != "" {
				contact.Days = strings.Split(c.days, ",")
			}
			if got := p.NextSafe(at(c.now), contact); !got.Equal(at(c.want)) {
				t.Errorf("after %s: %s, want %s", c.now, got.In(p.Location()), c.want)
			}
		})
	}
	// 01:30 does not exist on 29 March 2026: the window begins when the clock goes on.
	got := p.NextSafe(at("2026-03-28 23:00"), &ContactFacts{Days: []string{"sun"}, From: "01:30", To: "03:00"})
	if want := at("2026-03-29 02:30"); !got.Equal(want) {
		t.Errorf("a skipped start: %s, want %s", got, want)
	}
}

func TestCorrections(t *testing.T) {
	closed := CaseEvent{ID: "x", Type: Closed, At: day(5), Outcome: "charged"}
	fix := CaseEvent{ID: "y", Type: Corrected, Corrects: "x", At: day(6), Outcome: "nfa-other"}
	fixAgain := CaseEvent{ID: "z", Type: Corrected, Corrects: "y", At: day(4), Outcome: "cautioned"}
	if f := Fold([]CaseEvent{fix}); f.Outcome != "" || len(f.Spells) != 0 {
		t.Errorf("a correction without its event says nothing yet, have %+v", f)
	}
	if f := Fold([]CaseEvent{fix, closed}); f.Outcome != "nfa-other" || !f.Now().ClosedAt.Equal(day(6)) || f.Charged {
		t.Errorf("a correction takes the place of its event, have %+v", f)
	}
	if f := Fold([]CaseEvent{fixAgain, fix, closed}); f.Outcome != "cautioned" || !f.Now().ClosedAt.Equal(day(4)) {
		t.Errorf("a correction of a correction takes its place, have %+v", f)
	}
	circle := []CaseEvent{{ID: "x", Type: Closed, At: day(1), Outcome: "charged"}, {ID: "y", Type: Corrected, Corrects: "x", At: day(2)}, {ID: "x2", Type: Corrected, Corrects: "y", At: day(2)}, {ID: "y", Type: Corrected, Corrects: "x2", At: day(3)}}
	_ = Fold(circle) // ends
}

func TestPolicyFaultsAllAtOnce(t *testing.T) {
	_, err := ParsePolicy([]byte("version: 1\nzone: Nowhere/Land\nsafe_from: \"9\"\nsafe_to: \"20:00\"\nstages: {}\n"))
	for _, want := range []string{"zone", "safe_from", "report is missing", "withdrawn is missing", "investigation"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want a fault about %s, have %v", want, err)
		}
	}
}

func TestGeography(t *testing.T) {
	g, err := DefaultGeography()
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{"hammersmith & fulham": "Hammersmith and Fulham", " kingston-upon-thames": "Kingston upon Thames", "London Borough of Ealing": "Ealing"} {
		if a, ok := g.Borough("metropolitan police", in); !ok || a.Borough != want {
			t.Errorf("%q: %v", in, a)
		}
	}
	if got := g.Nearest("Metropolitan Police", "Eeling"); len(got) == 0 || got[0] != "Ealing" {
		t.Errorf("nearest to Eeling: %v", got)
	}
	if len(g.Areas("Metropolitan Police")) != 32 || !slices.Contains(g.Forces(), "City of London Police") {
		t.Error("London has 32 boroughs, and the City its own force")
	}
}

func BenchmarkPlan(b *testing.B) {
	p := policy(b)
	c := caseOf(reported(0), CaseEvent{Type: Closed, At: day(20), Outcome: "nfa-other"}, CaseEvent{Type: ClosureNotified, At: day(21)})
	b.ReportAllocs()
	for b.Loop() {
		c.Facts = Fold(c.Events)
		Plan(c, p, day(22))
	}
}
