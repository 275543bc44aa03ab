package survey

import (
	"cmp"
	"slices"
	"time"
)

// compareEvents is the one order of a case's events: by time, then type, then
// event id, so that arrival does not matter.
func compareEvents(a, b CaseEvent) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
}

// effective gives the events as corrections leave them, in order. A correction
// is a full event that takes the place of the one it names, and keeps its type;
// one that corrects a correction takes the place of that; of two for the same
// event the later in order counts. A correction whose event has not arrived
// waits, and says nothing until then.
func effective(events []CaseEvent) []CaseEvent {
	corrections := map[string]CaseEvent{}
	for _, e := range events {
		if e.Type != Corrected {
			continue
		}
		if old, ok := corrections[e.Corrects]; !ok || compareEvents(old, e) < 0 {
			corrections[e.Corrects] = e
		}
	}
	out := make([]CaseEvent, 0, len(events))
	for _, e := range events {
		if e.Type == Corrected {
			continue
		}
		eventType := e.Type
		for range corrections { // at most as many steps as there are corrections: a circle ends
			next, ok := corrections[e.ID]
			if !ok {
				break
			}
			e = next
		}
		e.Type = eventType
		out = append(out, e)
	}
	slices.SortFunc(out, compareEvents)
	return out
}

// Fold tells a case from its events, whatever order they came in.
func Fold(events []CaseEvent) Facts {
	var f Facts
	spell := func() *Spell {
		if len(f.Spells) == 0 {
			f.Spells = append(f.Spells, Spell{})
		}
		return &f.Spells[len(f.Spells)-1]
	}
	for _, e := range effective(events) {
		f.attributes(e)
		switch e.Type {
		case Reported:
			if f.ReportedAt.IsZero() {
				f.ReportedAt = e.At
				spell() // the first spell begins whatever came before its report
				f.Spells[0].From = e.At
			}
		case Progressed:
			if e.Milestone == "charge" || e.Milestone == "charged" {
				f.Charged = true
			}
		case Withdrew:
			if s := spell(); s.WithdrewAt.IsZero() {
				s.WithdrewAt = e.At
			}
			f.Reason = e.Reason
		case Disengaged:
			f.Disengaged = true
		case Closed:
			if s := spell(); s.ClosedAt.IsZero() {
				s.ClosedAt = e.At
			}
			f.Outcome = e.Outcome
			switch e.Outcome {
			case "charged", "convicted", "acquitted":
				f.Charged = true
			}
		case ClosureNotified:
			if s := spell(); s.NotifiedAt.IsZero() {
				s.NotifiedAt = e.At
			}
		case Reopened:
			spell().To = e.At
			f.Spells = append(f.Spells, Spell{From: e.At})
			f.Outcome, f.Disengaged = "", false
		case OptedOut:
			f.OptedOutAt = e.At
		case HoldPlaced:
			f.Held = true
		case HoldLifted:
			f.Held = false
		case CasesMerged:
			f.Merged = true
		case AdvocateChanged:
			f.Advocate = e.Advocate // none named: the case has no advocate now
		}
	}
	return f
}

// attributes takes over what an event says of the case, whatever its type.
func (f *Facts) attributes(e CaseEvent) {
	take := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	if e.Borough != "" {
		f.Borough, f.BCU = e.Borough, e.BCU
	}
	take(&f.Offence, e.Offence)
	take(&f.Advocate, e.Advocate)
	take(&f.Person, e.Person)
	take(&f.AgeBand, e.AgeBand)
	take(&f.Sex, e.Sex)
	if e.DomesticAbuse != nil {
		f.DomesticAbuse = e.DomesticAbuse
	}
	if e.Adult != nil {
		f.Adult = e.Adult
	}
	if e.Contact == nil {
		return
	}
	if e.Contact.Address != "" || f.Contact == nil {
		// Another address starts afresh: it is not safe until it is confirmed by itself.
		c := *e.Contact
		f.Contact = &c
		if c.Address != "" {
			f.ContactEvent = e.ID
		}
		return
	}
	c := *f.Contact
	if e.Contact.Safe != nil {
		c.Safe = e.Contact.Safe
	}
	if !e.Contact.ConfirmedAt.IsZero() {
		c.ConfirmedAt = e.Contact.ConfirmedAt
	}
	take(&c.Language, e.Contact.Language)
	take(&c.From, e.Contact.From)
	take(&c.To, e.Contact.To)
	if len(e.Contact.Days) > 0 {
		c.Days = e.Contact.Days
	}
	f.Contact = &c
}

// Now gives the current spell; the zero Spell before any event.
func (f *Facts) Now() Spell {
	if len(f.Spells) == 0 {
		return Spell{}
	}
	return f.Spells[len(f.Spells)-1]
}

// EndedAt is when this spell of the case came to an end for the person: the
// earlier of withdrawal and closure; zero while it is open.
func (s Spell) EndedAt() time.Time {
	switch {
	case s.WithdrewAt.IsZero():
		return s.ClosedAt
	case s.ClosedAt.IsZero() || s.WithdrewAt.Before(s.ClosedAt):
		return s.WithdrewAt
	default:
		return s.ClosedAt
	}
}
