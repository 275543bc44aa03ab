package survey

import (
	"slices"
	"time"
)

var weekdayCodes = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// NextSafe is the first instant at or after t at which it is safe to write to
// this person, by the days and hours they gave (the policy's hours where they
// gave none), in the policy's zone. A window whose end is not after its start
// runs over midnight and belongs to the day it starts on. Days and hours are of
// the wall clock, so both clock changes keep them: on the day of a change a
// window is an hour shorter or longer, and a start that the clock skips begins
// when the clock goes on.
func (p *Policy) NextSafe(t time.Time, c *ContactFacts) time.Time {
	from, to := p.hoursOf(c)
	local := t.In(p.loc)
	// From the evening before, in case its window is still open, to a week on.
	for day := -1; day <= 8; day++ {
		d := time.Date(local.Year(), local.Month(), local.Day()+day, 12, 0, 0, 0, p.loc)
		if len(c.Days) > 0 && !slices.Contains(c.Days, weekdayCodes[d.Weekday()]) {
			continue
		}
		start := time.Date(d.Year(), d.Month(), d.Day(), 0, from, 0, 0, p.loc)
		end := time.Date(d.Year(), d.Month(), d.Day(), 0, to, 0, 0, p.loc)
		if to <= from {
			end = time.Date(d.Year(), d.Month(), d.Day()+1, 0, to, 0, 0, p.loc)
		}
		if t.Before(end) {
			if t.After(start) {
				return t.UTC()
			}
			return start.UTC()
		}
	}
	return t.UTC() // not reached: every week has one of the named days
}

// hoursOf gives the safe hours in minutes after midnight. Where only one end is
// given, the other is the policy's, but never so that the window grows over midnight.
func (p *Policy) hoursOf(c *ContactFacts) (from, to int) {
	from, _ = clockMinutes(p.SafeFrom)
	to, _ = clockMinutes(p.SafeTo)
	if c.From != "" {
		from, _ = clockMinutes(c.From)
	}
	if c.To != "" {
		to, _ = clockMinutes(c.To)
	}
	switch {
	case c.From != "" && c.To == "" && to <= from:
		to = 24 * 60
	case c.From == "" && c.To != "" && to <= from:
		from = 0
	}
	return from, to
}
