package workspace

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/fault"
	"victimvoice/loop"
	"victimvoice/survey"
	"victimvoice/web/page"
)

// The filters of the desk, as they stand in its address.
const (
	showAll    = ""
	showDue    = "due"
	showAlerts = "alerts"
	showUnsafe = "not-safe"
)

// deskLines is how many cases one page lists: more than twice an advocate's caseload.
const deskLines = 100

// deskData is the data of an advocate's desk.
type deskData struct {
	page.Work
	Alerts  []alertLine
	Filters []filter
	Lines   []caseLine
	Total   int
	From    int    // number of the first line
	Before  string // addresses of the pages of lines before and after; empty: none
	After   string
	Empty   string // why there is no line
}

// filter is one choice of a list's filter: a link, with how many it would show.
type filter struct {
	Href, Label string
	Count       int
	Here        bool
}

// caseLine is one case on the desk.
type caseLine struct {
	Href, Ref, About string
	Stage            string // css class of its stage
	Survey, State    string // what is due or was last, and how it stands
	Blocked          string // why nothing can be written to them, where State does not say so already
	When             string // by when what is due is to be answered
	Soon             bool   // that is within three days
	Step, StepHref   string

	due, alert, blocked bool
	lapses              time.Time // when what is due can no longer be answered
	changed             time.Time
}

func (s *Pages) desk(c *gin.Context, v visitor) error {
	ctx := c.Request.Context()
	f, err := s.frame(c, v, "My desk")
	if err != nil {
		return err
	}
	cases, err := s.Survey.Caseload(ctx, v.actor(), v.AdvocateKey)
	if err != nil {
		return err
	}
	waiting, err := v.waiting()
	if err != nil {
		return err
	}
	refs := map[string]string{}
	for i := range cases {
		refs[cases[i].ID] = cases[i].Ref
	}
	data := deskData{Work: f, Total: len(cases)}
	alerted := map[string]string{}
	for i := range waiting {
		a := &waiting[i]
		if a.Advocate != v.AdvocateKey {
			continue // the victim-care team's other alerts are on their own page
		}
		data.Alerts = append(data.Alerts, s.alertLine(a, v, refs[a.Case]))
		if alerted[a.Case] == "" {
			alerted[a.Case] = "/work/alerts/" + a.ID
		}
	}
	var lines []caseLine
	for i := range cases {
		l := s.caseLine(&cases[i])
		if href, ok := alerted[cases[i].ID]; ok {
			l.alert, l.Step, l.StepHref = true, "Open alert", href
		}
		lines = append(lines, l)
	}
	sortLines(lines)
	show := c.Query("show")
	for _, k := range []struct{ value, label string }{{showAll, "All"}, {showDue, "Due now"}, {showAlerts, "With an alert"}, {showUnsafe, "Not safe to write"}} {
		n := 0
		for _, l := range lines {
			if l.shown(k.value) {
				n++
			}
		}
		data.Filters = append(data.Filters, filter{Href: address("/work", "show", k.value), Label: k.label, Count: n, Here: k.value == show})
	}
	if !slices.ContainsFunc(data.Filters, func(f filter) bool { return f.Here }) {
		return fault.New(fault.NotFound, "There is no such list. The lists are: all, due, alerts, not-safe.")
	}
	lines = slices.DeleteFunc(lines, func(l caseLine) bool { return !l.shown(show) })
	at, err := lineNumber(c.Query("from"), len(lines))
	if err != nil {
		return err
	}
	data.From, data.Lines = at+1, lines[at:min(at+deskLines, len(lines))]
	if at > 0 {
		data.Before = address("/work", "show", show, "from", decimal(max(1, at+1-deskLines)))
	}
	if at+deskLines < len(lines) {
		data.After = address("/work", "show", show, "from", decimal(at+1+deskLines))
	}
	data.Empty = map[string]string{
		showAll:    "Your cases will be listed here, those with something to do first. A case comes to you when the police system names you as its advocate; if one is missing, ask whoever sends the cases to check the address that they have for you.",
		showDue:    "Nothing is due now. What falls due is listed here, with the next step.",
		showAlerts: "No case of yours has an open alert.",
		showUnsafe: "There is no case to whom nothing can be written now.",
	}[show]
	return s.show(c, http.StatusOK, "desk", data)
}

// lineNumber reads where a page of lines begins; the first where nothing is said.
func lineNumber(from string, lines int) (int, error) {
	if from == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(from)
	if err != nil || n < 1 || n > lines {
		return 0, fault.New(fault.NotFound, "The list is not as long as that.")
	}
	return n - 1, nil
}

func (l *caseLine) shown(show string) bool {
	switch show {
	case showAll:
		return true
	case showDue:
		return l.due
	case showAlerts:
		return l.alert
	case showUnsafe:
		return l.blocked
	}
	return false
}

// sortLines puts what has an alert first, then what is due (what lapses soonest
// before), then the rest, the latest change first.
func sortLines(lines []caseLine) {
	rank := func(l caseLine) int {
		switch {
		case l.alert:
			return 0
		case l.due:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(lines, func(a, b caseLine) int {
		if d := cmp.Compare(rank(a), rank(b)); d != 0 {
			return d
		}
		if rank(a) == 1 {
			return cmp.Or(a.lapses.Compare(b.lapses), cmp.Compare(a.Ref, b.Ref))
		}
		return cmp.Or(b.changed.Compare(a.changed), cmp.Compare(a.Ref, b.Ref))
	})
}

// caseLine puts a case into one line.
func (s *Pages) caseLine(v *survey.CaseView) caseLine {
	href := "/work/cases/" + v.ID
	l := caseLine{Href: href, Ref: v.Ref, About: about(v), Blocked: s.blocked(v), Step: "Open case", StepHref: href, changed: v.ChangedAt}
	l.blocked = l.Blocked != ""
	inv, due := s.current(v)
	switch {
	case v.Facts.Merged:
		l.State = "The case was joined to another; nothing more is asked here."
	case inv == nil:
		l.State = "Nothing to ask yet."
	default:
		l.Stage, l.Survey = string(inv.Stage), surveyWords(inv.Stage, inv.Round)
		l.State = s.states(v, inv)[0]
		if (inv.First.State == survey.MailSent || !inv.CardAt.IsZero()) && !due && !inv.Ended && len(inv.Answered) == 0 && inv.TakenBack.IsZero() && inv.RefusedAt.IsZero() {
			l.When = "Open until " + s.until(inv.ClosesAt)
		}
		if due {
			l.due, l.lapses = true, s.lapses(inv)
			l.Step, l.StepHref = "Answer for them", address(href, "survey", surveyValue(inv))+"#answer"
			l.When, l.Soon = "Answer by "+s.until(l.lapses), !l.lapses.After(s.Now().AddDate(0, 0, 3))
		}
	}
	if l.blocked && strings.Contains(strings.ToLower(l.State), l.Blocked) {
		l.Blocked = ""
	}
	return l
}

// about says in a few words what a case is.
func about(v *survey.CaseView) string {
	out := cmp.Or(v.Facts.Borough, v.Facts.BCU, v.Force)
	if w, ok := offenceWords[v.Facts.Offence]; ok {
		out += " · " + w
	}
	return out
}

// current is the survey that matters now, and whether its answer is for the
// advocate to give: nothing more will be written about it, and its time is not over.
func (s *Pages) current(v *survey.CaseView) (inv *survey.Invitation, due bool) {
	var best, next, last *survey.Invitation
	for i := range v.Invites {
		inv := &v.Invites[i]
		if overtaken(inv) {
			continue
		}
		switch {
		case s.dueForAdvocate(v, inv):
			if best == nil || s.lapses(inv).Before(s.lapses(best)) {
				best = inv
			}
		case inv.AnchorAt.After(s.Now()) || inv.First.State == survey.MailPlanned && inv.CardAt.IsZero():
			if next == nil || inv.AnchorAt.Before(next.AnchorAt) {
				next = inv
			}
		case last == nil || inv.AnchorAt.After(last.AnchorAt):
			last = inv
		}
	}
	switch {
	case best != nil:
		return best, true
	case last != nil && !last.Ended && (last.First.State == survey.MailSent || !last.CardAt.IsZero()) && len(last.Answered) == 0:
		return last, false // a mail or a card is out, and what it leads to is open
	case next != nil:
		return next, false
	}
	return last, false
}

func overtaken(v *survey.Invitation) bool {
	return v.First.State == survey.MailRefused && (v.First.Reason == survey.Superseded || v.First.Reason == survey.CaseMerged)
}

// answerable reports whether an advocate can answer in either mode.
func (s *Pages) answerable(v *survey.CaseView, inv *survey.Invitation) bool {
	return survey.CanAnswerFor(&v.Facts, inv, survey.ModeRelayed, s.Now()) || survey.CanAnswerFor(&v.Facts, inv, survey.ModeObserved, s.Now())
}

func (s *Pages) dueForAdvocate(v *survey.CaseView, inv *survey.Invitation) bool {
	if len(inv.Answered) > 0 || !inv.TakenBack.IsZero() || inv.Ended || !s.answerable(v, inv) || !s.Now().Before(s.lapses(inv)) {
		return false
	}
	if wait := time.Duration(s.Survey.Policy().Reminder.AfterHours) * time.Hour; !inv.CardAt.IsZero() && s.Now().Before(inv.CardAt.Add(wait)) {
		return false // as after a mail: they are given some days
	}
	switch inv.First.State {
	case survey.MailRefused, survey.MailFailed:
		return true
	case survey.MailSent:
		return inv.Reminder.State != survey.MailPlanned && inv.Reminder.State != survey.MailQueued
	default:
		return false
	}
}

// lapses is when the answer to an invitation is no longer of its time: when its
// link closes, or would have.
func (s *Pages) lapses(inv *survey.Invitation) time.Time {
	if !inv.ClosesAt.IsZero() {
		return inv.ClosesAt
	}
	return inv.LatestAt.Add(time.Duration(s.Survey.Policy().Stages[inv.Stage].OpenHours) * time.Hour)
}

// blocked says why nothing at all can be written to a person now, where there is
// or will be something to write.
func (s *Pages) blocked(v *survey.CaseView) string {
	for _, r := range unreachable {
		for i := range v.Invites {
			inv := &v.Invites[i]
			if s.lapses(inv).Before(s.Now()) {
				continue
			}
			if inv.First.State == survey.MailRefused && inv.First.Reason == r || inv.Reminder.State == survey.MailRefused && inv.Reminder.Reason == r && !inv.Ended {
				return reason(r)
			}
		}
	}
	switch {
	case !v.Flags.RiskAt.IsZero() || v.Facts.Held:
		return reason(survey.OnHold)
	case v.OptedOut:
		return reason(survey.ReasonOptedOut)
	}
	return ""
}

// states says in sentences how an invitation stands: first what matters most,
// then what was written and why not.
func (s *Pages) states(v *survey.CaseView, inv *survey.Invitation) []string {
	var out []string
	say := func(text string) { out = append(out, sentence(text)) }
	for _, mode := range []survey.Mode{survey.ModeSelf, survey.ModeRelayed, survey.ModeObserved} {
		for _, a := range inv.Answered {
			if a.Mode != mode {
				continue
			}
			word := map[survey.Mode]string{survey.ModeSelf: "answered by them", survey.ModeRelayed: "their words relayed", survey.ModeObserved: "your own view recorded"}[mode]
			if !a.Complete {
				word += ", in part,"
			}
			say(word + " on " + s.day(a.At))
		}
	}
	switch {
	case !inv.TakenBack.IsZero():
		say("they answered, and took their answers back on " + s.day(inv.TakenBack))
	case !inv.RefusedAt.IsZero():
		say("they said no on " + s.day(inv.RefusedAt))
	}
	if !inv.CardAt.IsZero() {
		say(s.handedOver(inv))
	}
	first := &inv.First
	switch first.State {
	case survey.MailNone:
		if inv.CardAt.IsZero() {
			say("falls due on " + s.day(inv.AnchorAt))
		}
	case survey.MailPlanned:
		if !first.DueAt.After(s.Now()) {
			say("mail is about to go out")
		} else if first.Reason != "" {
			say("mail goes out on " + s.moment(first.DueAt) + "; " + reason(first.Reason))
		} else {
			say("mail goes out on " + s.moment(first.DueAt))
		}
	case survey.MailQueued:
		say("mail is on its way")
	case survey.MailFailed:
		say(reason(survey.Undelivered))
	case survey.MailRefused:
		if first.Reason != survey.AlreadyAnswered || len(out) == 0 {
			say("no mail: " + reason(first.Reason))
		}
	case survey.MailSent:
		out = append(out, s.sent(inv)...)
	}
	if len(out) == 0 {
		say("nothing yet")
	}
	return out
}

// handedOver says what came of a card.
func (s *Pages) handedOver(inv *survey.Invitation) string {
	made := "card made on " + s.day(inv.CardAt)
	switch {
	case len(inv.Answered) > 0 || !inv.TakenBack.IsZero() || !inv.RefusedAt.IsZero():
		return made
	case inv.Ended && !inv.StartedAt.IsZero():
		return made + "; begun, and not finished in time"
	case inv.Ended:
		return made + ", and not used in time"
	case !inv.StartedAt.IsZero():
		made += "; begun, not finished yet"
	}
	return made + "; its code works until the end of " + s.until(inv.ClosesAt)
}

// sent says what came of a mail that went out.
func (s *Pages) sent(inv *survey.Invitation) []string {
	invited := "Invited on " + s.day(inv.First.SentAt)
	var first string
	switch {
	case len(inv.Answered) > 0 || !inv.TakenBack.IsZero() || !inv.RefusedAt.IsZero():
		return []string{invited + "."}
	case inv.Ended && !inv.StartedAt.IsZero():
		return []string{invited + "; begun, and not finished in time."}
	case inv.Ended:
		return []string{invited + ", and not answered in time."}
	case !inv.StartedAt.IsZero():
		first = invited + "; begun, not finished yet."
	default:
		first = invited + "; no answer yet."
	}
	open := "The link works until " + s.until(inv.ClosesAt) + "."
	r := &inv.Reminder
	switch r.State {
	case survey.MailPlanned:
		return []string{first, open, "A reminder goes out on " + s.moment(r.DueAt) + "."}
	case survey.MailSent:
		return []string{first, open, "Reminded on " + s.day(r.SentAt) + "."}
	case survey.MailRefused:
		return []string{first, open, "No reminder: " + reason(r.Reason) + "."}
	case survey.MailFailed:
		return []string{first, open, "The reminder came back."}
	case survey.MailQueued:
		return []string{first, open, "A reminder is on its way."}
	default:
		return []string{first, open}
	}
}

// alertsOf lists the alerts of some states that a visitor may see, the earliest due first.
func (s *Pages) alertsOf(ctx context.Context, v visitor, states ...loop.AlertState) ([]loop.Alert, error) {
	alerts, err := s.Loop.Alerts(ctx, v.viewer(), states...)
	if err != nil {
		return nil, err
	}
	alerts = slices.DeleteFunc(alerts, func(a loop.Alert) bool { return !v.sees(a.Force) })
	slices.SortStableFunc(alerts, func(a, b loop.Alert) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), a.RaisedAt.Compare(b.RaisedAt), cmp.Compare(a.ID, b.ID))
	})
	return alerts, nil
}

// sees reports whether a force is the visitor's; somebody without one sees every force.
func (v visitor) sees(force string) bool { return v.Force == "" || v.Force == force }
