package synth

import (
	"fmt"
	"slices"
	"time"

	"victimvoice/survey"
)

// Force is the force that nearly every case belongs to; SmallForce the other one.
const (
	Force      = "Metropolitan Police"
	SmallForce = "City of London Police"
)

// Case is one case: what is true of it, and what the police system sends of it.
type Case struct {
	Index   int
	Ref     string
	Force   string
	Borough string
	BCU     string
	Offence string
	Abuse   bool // domestic abuse
	Adult   bool
	AgeBand string
	Sex     string

	Person   int    // number of the person; of a person with two cases that of the first
	Email    string // empty: none is recorded
	Safe     bool   // the address is recorded as safe, and when
	Language string // the person's own
	Advocate string // address; empty: none

	ReportedAt   time.Time
	WithdrewAt   time.Time // zero: did not withdraw
	DisengagedAt time.Time
	ClosedAt     time.Time // zero: open at the end of the world or beyond
	Outcome      string

	Events []Arrival // in order of arrival; none after the world's end
}

// Arrival is an event and when it reaches us, which may be long after it happened.
type Arrival struct {
	At    time.Time
	Event survey.Event
}

// area is a borough with its unit and its weight: residents in thousands, mid-2022, rounded.
type area struct {
	borough, bcu string
	weight       float64
}

var areas = []area{
	{"Hammersmith and Fulham", "Central West", 185}, {"Kensington and Chelsea", "Central West", 145}, {"Westminster", "Central West", 210},
	{"Kingston upon Thames", "South West", 170}, {"Merton", "South West", 215}, {"Richmond upon Thames", "South West", 195}, {"Wandsworth", "South West", 330},
	{"Bromley", "South", 330}, {"Croydon", "South", 395}, {"Sutton", "South", 210},
	{"Bexley", "South East", 250}, {"Greenwich", "South East", 290}, {"Lewisham", "South East", 300},
	{"Barking and Dagenham", "East", 220}, {"Havering", "East", 265}, {"Redbridge", "East", 310},
	{"Ealing", "West", 370}, {"Hillingdon", "West", 310}, {"Hounslow", "West", 290},
	{"Lambeth", "Central South", 315}, {"Southwark", "Central South", 310},
	{"Enfield", "North", 325}, {"Haringey", "North", 260},
	{"Hackney", "Central East", 260}, {"Tower Hamlets", "Central East", 325},
	{"Camden", "Central North", 215}, {"Islington", "Central North", 220},
	{"Barnet", "North West", 390}, {"Brent", "North West", 340}, {"Harrow", "North West", 260},
	{"Newham", "North East", 360}, {"Waltham Forest", "North East", 275},
}

// Languages and their shares among the people of the cases.
var languages = []share[string]{
	{"en", 87}, {"pl", 3}, {"ro", 2.6}, {"bn", 2}, {"pt", 1.8}, {"ur", 1.6}, {"ar", 1.6}, {"cy", 0.4},
}

// advocates is the fixed roster with its shares of the cases that have one.
var advocates = []share[string]{
	{"advocate1@example.org", 27}, {"advocate2@example.org", 17}, {"advocate3@example.org", 14}, {"advocate4@example.org", 12},
	{"advocate5@example.org", 10}, {"advocate6@example.org", 8}, {"advocate7@example.org", 7}, {"advocate8@example.org", 5},
}

// Advocates lists the addresses of the roster, busiest first.
func Advocates() []string {
	out := make([]string, len(advocates))
	for i, a := range advocates {
		out[i] = a.value
	}
	return out
}

var (
	offences = []share[string]{{"stalking-2a", 73.5}, {"stalking-4a", 26}, {"spo-breach", 0.5}}
	ages     = []share[string]{{"18-24", 17}, {"25-34", 35}, {"35-44", 27}, {"45-54", 12.5}, {"55-64", 6}, {"65-over", 2.5}}

	// withdrawalBands are the Deep Dive's bands of days from report to withdrawal, with its counts.
	withdrawalBands = []share[[2]float64]{
		{[2]float64{0, 2}, 30}, {[2]float64{2, 7}, 31}, {[2]float64{7, 14}, 22}, {[2]float64{14, 28}, 33}, {[2]float64{28, 91}, 30}, {[2]float64{91, 240}, 19},
	}

	withdrawReasons = []share[string]{{"not-willing", 62}, {"no-cj-outcome-wanted", 27}, {"moved-away", 3}, {"other", 8}}
)

// The shares of things that happen in a case.
const (
	shareAbuse      = 0.82
	shareAdult      = 0.96
	shareFemale     = 0.80
	shareAdvocate   = 0.40
	shareEmail      = 0.80
	shareSafe       = 0.70 // of all cases: an address, recorded as safe
	shareArrest     = 0.30 // suspect arrested or interviewed, had the case gone on
	shareRepeat     = 0.08 // a person of an earlier case
	shareDisengaged = 0.10
	withdrawBase    = 0.02 // on the logit scale; set so that 45% withdraw
)

// Case makes one case by its number. It depends on the options' seed, end and
// months, and on no other case.
func (w *World) Case(i int) Case {
	d := w.dice(streamEvents, uint64(i))
	c := Case{Index: i, Force: Force, Person: i, ReportedAt: w.reportTime(d)}
	c.Ref = fmt.Sprintf("SYN-%06d/%02d", 100000+i, c.ReportedAt.Year()%100)
	if d.chance(0.004) {
		c.Force, c.Borough, c.BCU = SmallForce, "City of London", "City of London"
	}
	a := areas[d.weigh(areaWeights())]
	if c.Force == Force {
		c.Borough, c.BCU = a.borough, a.bcu
	}
	c.Offence = draw(d, offences)
	c.Abuse = d.chance(shareAbuse)
	repeat := i > 0 && d.chance(shareRepeat)
	if repeat {
		c.Person = d.IntN(i)
	}
	w.person(&c)
	if d.chance(shareAdvocate) {
		c.Advocate = draw(d, advocates)
	}
	if c.Email != "" {
		c.Safe = d.chance(shareSafe / shareEmail)
	}
	w.fate(d, &c, repeat)
	c.Events = w.events(d, &c)
	return c
}

func areaWeights() []float64 {
	out := make([]float64, len(areas))
	for i, a := range areas {
		out[i] = a.weight
	}
	return out
}

// person gives a case what belongs to its person, whichever case it is.
func (w *World) person(c *Case) {
	d := w.dice(streamPerson, uint64(c.Person))
	c.Adult = d.chance(shareAdult)
	c.AgeBand = "under-18"
	if age := draw(d, ages); c.Adult {
		c.AgeBand = age
	}
	c.Sex = "male"
	if d.chance(shareFemale) {
		c.Sex = "female"
	}
	c.Language = draw(d, languages)
	if d.chance(shareEmail) {
		c.Email = fmt.Sprintf("person%05d@example.org", c.Person)
	}
}

// fate decides how the case goes. The odds of withdrawing follow the signs of
// the Deep Dive's model, less strong, since nothing here is measured so finely.
func (w *World) fate(d dice, c *Case, repeat bool) {
	arrest := d.chance(shareArrest)
	x := withdrawBase
	if arrest {
		x -= 1.3
	}
	if c.Offence == "stalking-4a" {
		x += 0.5
	}
	if c.Abuse {
		x += 0.25
	}
	switch c.AgeBand {
	case "35-44", "45-54":
		x -= 0.5
	}
	if repeat {
		x -= 0.8
	}
	if d.chance(logistic(x)) {
		band := draw(d, withdrawalBands)
		c.WithdrewAt = c.ReportedAt.Add(d.between(time.Duration(band[0]*float64(day))+time.Hour, time.Duration(band[1]*float64(day))))
		c.Outcome = "nfa-other"
		c.ClosedAt = c.WithdrewAt.Add(d.between(6*time.Hour, 4*day) + d.after(9*day))
		return
	}
	odds := []share[string]{{"nfa-evidential", 46}, {"nfa-other", 28.5}, {"charge", 16.4}, {"cautioned", 1.9}, {"transferred", 2}, {"", 5.2}}
	if arrest { // whoever is arrested is charged more often
		odds[0].weight, odds[1].weight, odds[2].weight = 37, 16, 38
	} else {
		odds[0].weight, odds[1].weight, odds[2].weight = 50, 34, 7.5
	}
	if d.chance(shareDisengaged / 0.55) {
		c.DisengagedAt = c.ReportedAt.Add(d.between(9*day, 80*day))
		odds[2].weight /= 4
	}
	c.Outcome = draw(d, odds)
	switch c.Outcome {
	case "":
		return // goes on
	case "charge":
		charged := c.ReportedAt.Add(d.between(2*day, 30*day) + d.after(30*day))
		c.Outcome, c.ClosedAt = "charged", charged.Add(d.between(day, 20*day))
		if d.chance(0.6) { // the case stays open until the court's result
			c.Outcome, c.ClosedAt = "convicted", charged.Add(d.between(60*day, 400*day))
			if d.chance(0.25) {
				c.Outcome = "acquitted"
			}
		}
	case "nfa-evidential", "nfa-other":
		c.ClosedAt = c.ReportedAt.Add(d.between(3*day, 28*day))
		if !d.chance(0.51) { // so that 42% of all these are closed within four weeks, those who stopped responding included
			c.ClosedAt = c.ReportedAt.Add(28*day + d.after(70*day))
		}
	default:
		c.ClosedAt = c.ReportedAt.Add(10*day + d.after(60*day))
	}
	if c.ClosedAt.Before(c.DisengagedAt) {
		c.ClosedAt = c.DisengagedAt.Add(d.between(2*day, 20*day))
	}
}

// writer numbers a case's events and says when each arrives.
type writer struct {
	d   dice
	c   *Case
	out []Arrival
}

// arrives is how long an event takes to reach us: mostly an hour or two, some
// with the next extract, a few very late.
func (s *writer) arrives() time.Duration {
	switch r := s.d.Float64(); {
	case r < 0.75:
		return s.d.after(90 * time.Minute)
	case r < 0.97:
		return s.d.between(3*time.Hour, 20*time.Hour)
	default:
		return s.d.between(2*day, 24*day)
	}
}

func (s *writer) add(t survey.EventType, at time.Time, fill func(*survey.Event)) *survey.Event {
	e := survey.Event{
		EventID: fmt.Sprintf("syn-%06d-%02d", s.c.Index, len(s.out)+1), CaseRef: s.c.Ref, Type: t,
		OccurredAt: at.Truncate(time.Second), Force: s.c.Force,
	}
	if fill != nil {
		fill(&e)
	}
	s.out = append(s.out, Arrival{At: e.OccurredAt.Add(s.arrives()), Event: e})
	return &s.out[len(s.out)-1].Event
}

func ptr[T any](v T) *T { return &v }

// contact is how the person may be written to, as it was recorded at an instant.
func (w *World) contact(d dice, c *Case, email string, at time.Time) *survey.Contact {
	if email == "" {
		return nil
	}
	k := &survey.Contact{Email: email, Language: c.Language}
	if !c.Safe {
		if d.chance(0.6) {
			k.EmailSafe = ptr(false)
		}
		return k
	}
	k.EmailSafe, k.SafeConfirmedAt = ptr(true), ptr(at.Truncate(time.Second))
	switch r := d.Float64(); {
	case c.ReportedAt.After(w.opts.End.AddDate(0, -8, 0)) && r < 0.65:
		k.SafeFrom, k.SafeTo = "00:00", "23:59" // so that what is due now can be written at any hour
	case r < 0.75: // any day, the policy's hours
	case r < 0.88:
		k.SafeDays, k.SafeFrom, k.SafeTo = []string{"mon", "tue", "wed", "thu", "fri"}, "09:00", "17:00"
	case r < 0.95:
		k.SafeFrom, k.SafeTo = "17:30", "21:30"
	default:
		k.SafeDays, k.SafeFrom, k.SafeTo = []string{"sat", "sun"}, "10:00", "16:00"
	}
	return k
}

// events writes everything that happens in the case, in the order it arrives.
func (w *World) events(d dice, c *Case) []Arrival {
	s := &writer{d: d, c: c}
	ended := c.WithdrewAt
	if ended.IsZero() {
		ended = c.ClosedAt
	}
	if ended.IsZero() {
		ended = w.opts.End.Add(day)
	}

	reported := s.add(survey.Reported, c.ReportedAt, func(e *survey.Event) {
		e.Borough, e.Offence, e.DomesticAbuse, e.Adult = c.Borough, c.Offence, ptr(c.Abuse), ptr(c.Adult)
		e.AgeBand, e.Sex, e.Advocate = c.AgeBand, c.Sex, c.Advocate
		e.PersonRef = fmt.Sprintf("N%06d", 500000+c.Person)
		e.Contact = w.contact(d, c, c.Email, c.ReportedAt)
		if d.chance(0.25) {
			e.Advocate = "" // comes to the case some days later
		}
	})
	if c.Advocate != "" && reported.Advocate == "" {
		s.add(survey.AdvocateChanged, c.ReportedAt.Add(d.between(2*time.Hour, 12*day)), func(e *survey.Event) { e.Advocate = c.Advocate })
	}
	if d.chance(0.02) {
		w.correct(s, c)
	}
	w.progress(s, c, ended)
	w.ending(s, c)
	w.contactChanges(s, c)
	if d.chance(0.008) && c.Index > 0 {
		s.add(survey.CasesMerged, c.ReportedAt.Add(d.between(2*day, 40*day)), func(e *survey.Event) {
			e.Into = fmt.Sprintf("SYN-%06d/%02d", 100000+d.IntN(c.Index), c.ReportedAt.Year()%100)
		})
	}

	out := slices.DeleteFunc(s.out, func(a Arrival) bool { return a.At.After(w.opts.End) })
	slices.SortStableFunc(out, func(a, b Arrival) int { return a.At.Compare(b.At) })
	return out
}

// correct makes the report wrong in one thing and sends the right one later.
func (w *World) correct(s *writer, c *Case) {
	right := s.out[0].Event // told again as it should have been, at the time it was made
	right.EventID, right.Type, right.Corrects = fmt.Sprintf("%s-c", right.EventID), survey.Corrected, right.EventID
	s.out = append(s.out, Arrival{At: c.ReportedAt.Add(s.d.between(time.Hour, 9*day)), Event: right})
	wrong := &s.out[0].Event
	switch {
	case s.d.chance(0.5) && c.Force == Force:
		wrong.Borough = pick(s.d, areas).borough
	case s.d.chance(0.5):
		wrong.DomesticAbuse = ptr(!c.Abuse)
	default:
		wrong.Offence = "harassment"
	}
}

// progress writes the milestones of the investigation.
func (w *World) progress(s *writer, c *Case, ended time.Time) {
	d := s.d
	milestone := func(name string, at time.Time) bool {
		if !at.Before(ended) {
			return false
		}
		s.add(survey.Progressed, at, func(e *survey.Event) { e.Milestone = name })
		return true
	}
	charged := c.Outcome == "charged" || c.Outcome == "convicted" || c.Outcome == "acquitted"
	at := c.ReportedAt.Add(d.between(2*time.Hour, day) + d.after(6*day))
	if d.chance(0.16) || charged {
		if milestone("arrest", at) {
			milestone("interview", at.Add(d.between(time.Hour, day)))
			if d.chance(0.6) {
				milestone("bail", at.Add(d.between(20*time.Hour, 30*time.Hour)))
			}
		}
	} else if d.chance(0.2) {
		milestone("interview", at.Add(d.between(day, 14*day)))
	}
	if charged {
		c := c.ReportedAt.Add(d.between(at.Sub(c.ReportedAt)+day, max(at.Sub(c.ReportedAt)+2*day, min(ended.Sub(c.ReportedAt)-12*time.Hour, 90*day))))
		milestone("cps-referral", c.Add(-d.between(6*time.Hour, 20*time.Hour)))
		milestone("charge", c)
	}
	if d.chance(0.05) {
		milestone("order", c.ReportedAt.Add(d.between(5*day, 60*day)))
	}
}

// ending writes withdrawal, closure, what the person was told, and reopening.
func (w *World) ending(s *writer, c *Case) {
	d := s.d
	if !c.WithdrewAt.IsZero() {
		s.add(survey.Withdrew, c.WithdrewAt, func(e *survey.Event) { e.Reason = draw(d, withdrawReasons) })
	}
	if !c.DisengagedAt.IsZero() {
		s.add(survey.Disengaged, c.DisengagedAt, nil)
	}
	if c.ClosedAt.IsZero() || c.ClosedAt.After(w.opts.End) {
		return
	}
	s.add(survey.Closed, c.ClosedAt, func(e *survey.Event) { e.Outcome = c.Outcome })
	told := c.ClosedAt
	switch r := d.Float64(); {
	case r < 0.80:
		told = told.Add(d.between(10*time.Minute, 5*day))
	case r < 0.90:
		told = told.Add(d.between(8*day, 45*day))
	default:
		told = time.Time{} // never recorded
	}
	if !told.IsZero() {
		s.add(survey.ClosureNotified, told, nil)
	}
	if d.chance(0.02) {
		again := c.ClosedAt.Add(d.between(12*day, 120*day))
		s.add(survey.Reopened, again, nil)
		if d.chance(0.7) {
			end := again.Add(d.between(20*day, 120*day))
			s.add(survey.Closed, end, func(e *survey.Event) { e.Outcome = "nfa-evidential" })
			s.add(survey.ClosureNotified, end.Add(d.between(time.Hour, 4*day)), nil)
		}
	}
}

// contactChanges writes new addresses, requests for silence and safeguarding holds.
func (w *World) contactChanges(s *writer, c *Case) {
	d := s.d
	if c.Email != "" && d.chance(0.05) {
		at := c.ReportedAt.Add(d.between(3*day, 150*day))
		s.add(survey.ContactChanged, at, func(e *survey.Event) {
			changed := *c
			changed.Safe = d.chance(0.5)
			e.Contact = w.contact(d, &changed, fmt.Sprintf("person%05d.new@example.org", c.Person), at)
		})
	}
	if d.chance(0.015) {
		s.add(survey.OptedOut, c.ReportedAt.Add(d.between(time.Hour, 90*day)), nil)
	}
	if d.chance(0.03) {
		placed := c.ReportedAt.Add(d.between(time.Hour, 60*day))
		s.add(survey.HoldPlaced, placed, nil)
		if d.chance(0.6) {
			s.add(survey.HoldLifted, placed.Add(d.between(2*day, 40*day)), nil)
		}
	}
	if c.Advocate != "" && d.chance(0.05) {
		next := draw(d, advocates)
		s.add(survey.AdvocateChanged, c.ReportedAt.Add(d.between(20*day, 200*day)), func(e *survey.Event) { e.Advocate = next })
	}
}
