package workspace

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"victimvoice/internal/access"
	"victimvoice/loop"
	"victimvoice/survey"
)

// doneWords says what the last form did, by the code in the address: a page
// shows only what is written here.
var doneWords = map[string]string{ //nolint:gosec // G101: sentences about passwords, not passwords
	"session-over":        "Your session had ended, so nothing was saved. Sign in and do it again.",
	"signed-out":          "You have signed out.",
	"password-set":        "Your password is set. Sign in with it.",
	"password-changed":    "Your password is changed. You are signed out everywhere else.",
	"digest-chosen":       "Kept. It holds from the next period on; change it here whenever you like.",
	"taken":               "The alert is yours. Close it when you know what came of it.",
	"closed":              "The alert is closed.",
	"advice-revised":      "Kept as the next version of the table.",
	"draft-kept":          "The draft code is kept.",
	"draft-changed":       "The draft code is changed.",
	"word-agreed":         "Kept: the word is asked for before the first question from now on. It is not shown anywhere.",
	"word-removed":        "Taken away: no word is asked for any more.",
	"write-again":         "Recorded: they want mail again.",
	"stopped":             "Recorded: nothing is sent to them until you say that it is safe again.",
	"safe-again":          "Recorded: it is safe to write to them again.",
	"raised":              "The action is raised.",
	"changed":             "The action is saved.",
	"checked":             "The figure was compared before and after.",
	"published":           "Published. People who asked to be told will get a message over their safe route.",
	"choose-figure":       "An action starts from a figure. Choose one here, then “Raise an action from this figure”.",
	"disabled":            "The account is disabled and signed out everywhere.",
	"enabled":             "The account is open again.",
	"revoked":             "The key is revoked.",
	"data-published":      "Published. The table stands on the public page, and stays as it is.",
	"marked":              "It stands on the time axis of the charts now.",
	"rebased":             "The chart is re-based: its limits are drawn on either side apart.",
	"mark-taken-back":     "Taken back. It stays on record.",
	"coded":               "Kept. This is the next text.",
	"coded-last":          "Kept. That was the last of your texts.",
	"coded-alone":         "Kept.",
	"passed":              "Passed over: somebody else will read it. This is the next text.",
	"passed-last":         "Passed over: somebody else will read it. That was the last of your texts.",
	"no-texts":            "No text waits for you now.",
	"voided":              "The answers are emptied. That there were some stays on record.",
	"quotation-chosen":    "Chosen. Somebody else confirms it before it is shown.",
	"quotation-confirmed": "Confirmed. It is shown wherever its theme's figure is.",
	"quotation-declined":  "Kept from being shown. That it was chosen stays on record.",
}

// stageWords name the stages.
var stageWords = map[survey.Stage]string{
	survey.StageReport: "Report", survey.StageInvestigation: "Investigation", survey.StageClosure: "Closure", survey.StageWithdrawn: "Withdrawn",
}

// surveyWords names one survey of a case: its stage, and its round where there are several.
func surveyWords(stage survey.Stage, round int) string {
	if stage == survey.StageInvestigation || round > 1 {
		return fmt.Sprintf("%s %d", stageWords[stage], round)
	}
	return stageWords[stage]
}

// reasonWords say why a person is not asked, or not yet.
var reasonWords = map[survey.Reason]string{
	survey.NotSafe:            "no address is recorded as safe",
	survey.NotAdult:           "not recorded as an adult, only you can ask",
	survey.ReasonOptedOut:     "they asked for no more mail",
	survey.OnHold:             "contact is on hold for their safety",
	survey.TooLate:            "the time to write has passed",
	survey.Superseded:         "a later stage of the case took its place",
	survey.Spacing:            "held back so that mails do not come too close together",
	survey.NoContact:          "no email address is recorded",
	survey.ClosureNotNotified: "nobody has recorded telling them of the closure",
	survey.AlreadyAnswered:    "it is answered",
	survey.CaseMerged:         "the case was joined to another",
	survey.Undelivered:        "mail to their address came back",
	survey.NotYet:             "its time has not come yet",
	survey.Emptied:            "the answers to it were emptied; you can give theirs for them",
}

func reason(r survey.Reason) string {
	if w, ok := reasonWords[r]; ok {
		return w
	}
	return string(r)
}

// unreachable are the reasons for which nothing at all can be written to a person now.
var unreachable = []survey.Reason{survey.OnHold, survey.NotSafe, survey.ReasonOptedOut, survey.NoContact, survey.Undelivered, survey.NotAdult}

var offenceWords = map[string]string{
	"stalking-2a": "Stalking (2A)", "stalking-4a": "Stalking (4A)", "spo-breach": "Breach of a stalking protection order",
	"harassment": "Harassment", "other": "Other offence",
}

var outcomeWords = map[string]string{
	"charged": "charged", "cautioned": "cautioned", "convicted": "convicted", "acquitted": "acquitted",
	"nfa-evidential": "no further action, for want of evidence", "nfa-other": "no further action, for another reason", "transferred": "passed to another force",
}

var modeWords = map[survey.Mode]string{
	survey.ModeSelf: "The person themselves", survey.ModeRelayed: "Their words, relayed by an advocate", survey.ModeObserved: "An advocate's own view",
}

var consentWords = map[string]string{"in-person": "In person", "phone": "By phone", "video": "By video", "writing": "In writing"}

var dayWords = map[string]string{"mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday"}

// ruleWords say why an alert was raised, and no more.
var ruleWords = map[string]string{
	"much-less-safe":  "They feel much less safe because of what the police have done",
	"very-unsafe":     "They feel very unsafe now",
	"got-worse":       "It has got worse since they reported it",
	"advice-danger":   "Advice from the police made them worry about more danger, or was harmful",
	"danger-words":    "Words of theirs may speak of danger right now",
	"self-harm-words": "Words of theirs may speak of harming themselves",
}

func rule(id string) string {
	if w, ok := ruleWords[id]; ok {
		return w
	}
	return id
}

var alertOutcomeWords = map[string]string{
	loop.OutcomeContacted: "Reached over the agreed safe route", loop.OutcomeSafetyPlan: "Reached, and a safety plan made or renewed",
	loop.OutcomeReferred: "Handed to a specialist service", loop.OutcomeEmergency: "Emergency services were called",
	loop.OutcomeNoSafeRoute: "No safe way to reach them", loop.OutcomeAlreadyKnown: "Known, and being dealt with",
	loop.OutcomeNoConcern: "Read, and nothing to act on", loop.OutcomeTakenBack: "The answers were taken back",
}

var statusWords = map[loop.ActionStatus]string{
	loop.Noted: "Noted", loop.Investigating: "Being looked into", loop.Planned: "Planned", loop.Done: "Done", loop.Checked: "Checked", loop.NoAction: "No action",
}

var roleNames = map[access.Role]string{
	access.Advocate: "advocate", access.Commissioner: "commissioner", access.Administrator: "administrator", access.Analyst: "analyst",
}

func roleWords(roles []access.Role) string {
	var out []string
	for _, r := range roles {
		out = append(out, roleNames[r])
	}
	return strings.Join(out, ", ")
}

var roleHints = map[access.Role]string{
	access.Advocate:      "Sees their own cases, answers on people's behalf, settles their alerts.",
	access.Commissioner:  "Sees figures, raises and publishes actions. Sees no case.",
	access.Administrator: "Runs the service, and takes alerts as the victim-care team. Reads nobody's answers.",
	access.Analyst:       "Sees and exports figures, says what texts are about. Sees no case.",
}

var scopeWords = map[access.Scope]string{
	access.EventsWrite: "Send case events", access.BouncesWrite: "Report mail that came back", access.FiguresGet: "Read figures", access.RowsExport: "Export pseudonymous rows",
}

var verdictWords = map[string]string{
	loop.MovedUp: "The figure is higher than before", loop.MovedDown: "The figure is lower than before",
	loop.NoChange: "No change detectable yet", loop.BaseTooLow: "Too few answers on either side of the date to tell yet", loop.NotSuitable: "A score such as this has no interval to compare by",
	loop.CoderChanged: "Not comparable: before and after were not counted by the same version of the codebook, model or polarity table",
}

// sentence begins a message with a capital and ends it with a stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return s
	}
	r, n := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(r)) + s[n:]
	if last, _ := utf8.DecodeLastRuneInString(s); !strings.ContainsRune(".!?…", last) {
		s += "."
	}
	return s
}

// lowerFirst lets a message go on after a colon.
func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToLower(r)) + s[n:]
}

func decimal(n int) string { return strconv.Itoa(n) }

// whole rounds as the charts do, halves away from nought.
func whole(v float64) string { return strconv.Itoa(int(math.Round(v))) }

// percent writes a share as whole per cent.
func percent(v float64) string { return whole(v) + "%" }

// address makes a path with query values, given as name and value in turn.
func address(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// day, moment and date write times as people here read them.
func (s *Pages) zone() *time.Location { return s.Survey.Policy().Location() }

// day is "Mon 23 Nov", with the year where it is not this one.
func (s *Pages) day(t time.Time) string {
	l, now := t.In(s.zone()), s.Now().In(s.zone())
	if l.Year() != now.Year() {
		return l.Format("2 Jan 2006")
	}
	return l.Format("Mon 2 Jan")
}

// until is the last day of a time that ends at t: a card's ends at midnight.
func (s *Pages) until(t time.Time) string { return s.day(t.Add(-time.Millisecond)) }

// moment is a day with its time.
func (s *Pages) moment(t time.Time) string { return s.day(t) + ", " + t.In(s.zone()).Format("15:04") }

// date is "23 November 2026"; empty for a time that is not set.
func (s *Pages) date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(s.zone()).Format("2 January 2006")
}

// today is the day that it is here, as dates are stored.
func (s *Pages) today() string { return s.Now().In(s.zone()).Format(time.DateOnly) }

// dateWords puts a stored date into words; what is no date stays as it is.
func dateWords(stored string) string {
	t, err := time.Parse(time.DateOnly, stored)
	if err != nil {
		return stored
	}
	return t.Format("2 January 2006")
}

// due says when something is to be done by, and whether that is past.
func (s *Pages) due(t time.Time) (words string, late bool) {
	now := s.Now()
	days := daysBetween(now.In(s.zone()), t.In(s.zone()))
	clock := t.In(s.zone()).Format("15:04")
	switch {
	case t.Before(now):
		return "Overdue since " + s.moment(t), true
	case days == 0:
		return "Due today by " + clock, false
	case days == 1:
		return "Due tomorrow by " + clock, false
	}
	return "Due " + s.day(t) + " by " + clock, false
}

// daysBetween counts midnights between two times of one zone.
func daysBetween(a, b time.Time) int {
	from := time.Date(a.Year(), a.Month(), a.Day(), 0, 0, 0, 0, time.UTC)
	to := time.Date(b.Year(), b.Month(), b.Day(), 0, 0, 0, 0, time.UTC)
	return int(to.Sub(from) / (24 * time.Hour))
}

// plural writes a count with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return decimal(n) + " " + many
}
