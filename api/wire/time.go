package wire

import (
	"fmt"
	"time"
)

const (
	timeExample = "2026-03-02T09:30:00Z"
	wantedTime  = "a time is written " + timeExample
	wantedLocal = "a time is written " + timeExample + ", 2026-03-02 09:30 or 02/03/2026 09:30"
)

// Time reads an RFC 3339 time and gives it in UTC. When it can't, problem says
// what would be right.
func Time(s string) (t time.Time, problem string) {
	c, rest, ok := isoDate(s)
	if !ok || len(rest) < 6 || (rest[0] != 'T' && rest[0] != 't') {
		return t, wantedTime
	}
	if rest, ok = c.clock(rest[1:]); !ok || len(rest) < 3 || rest[0] != ':' {
		return t, wantedTime
	}
	if c.second, ok = number(rest[1:3]); !ok {
		return t, wantedTime
	}
	rest = rest[3:]
	if len(rest) > 0 && rest[0] == '.' {
		n := 1
		for scale := 100_000_000; n < len(rest) && rest[n] >= '0' && rest[n] <= '9'; n, scale = n+1, scale/10 {
			c.nano += int(rest[n]-'0') * scale
		}
		if n == 1 {
			return t, wantedTime
		}
		rest = rest[n:]
	}
	if rest == "" {
		return t, "has no offset from UTC; " + wantedTime + " or with +01:00 for British Summer Time"
	}
	var offset int
	switch {
	case rest == "Z" || rest == "z":
	case len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':':
		h, ok1 := number(rest[1:3])
		m, ok2 := number(rest[4:6])
		if !ok1 || !ok2 || h > 23 || m > 59 {
			return t, "the offset from UTC does not exist; " + wantedTime
		}
		offset = h*3600 + m*60
		if rest[0] == '-' {
			offset = -offset
		}
	default:
		return t, wantedTime
	}
	if problem = c.check(); problem != "" {
		return t, problem
	}
	return c.utc().Add(-time.Duration(offset) * time.Second), ""
}

// LocalTime reads an RFC 3339 time, or one without an offset as people write
// them, 2006-01-02 15:04 or 02/01/2006 15:04, which it takes to be local time in
// loc. A local time that the clock change skips or gives twice is a problem: only
// the sender knows what was meant.
func LocalTime(s string, loc *time.Location) (t time.Time, problem string) {
	c, rest, ok := isoDate(s)
	british := !ok
	if british {
		c, rest, ok = britishDate(s)
	} else if len(rest) > 0 && rest[0] != ' ' {
		t, problem = Time(s)
		if problem == wantedTime {
			problem = wantedLocal
		}
		return t, problem
	}
	if !ok || len(rest) == 0 || rest[0] != ' ' {
		return t, wantedLocal
	}
	if rest, ok = c.clock(rest[1:]); !ok || rest != "" {
		return t, wantedLocal
	}
	if problem = c.check(); problem != "" {
		if british && c.month > 12 {
			problem += "; the day comes first"
		}
		return t, problem
	}
	// A wall clock can mean what it reads under the offset in force shortly before or
	// shortly after; each reading counts if it shows that very wall clock in loc.
	wall := c.utc()
	_, before := wall.Add(-24 * time.Hour).In(loc).Zone()
	_, after := wall.Add(24 * time.Hour).In(loc).Zone()
	early := wall.Add(-time.Duration(before) * time.Second)
	late := wall.Add(-time.Duration(after) * time.Second)
	earlyFits, lateFits := shows(early, wall, loc), shows(late, wall, loc)
	switch {
	case earlyFits && lateFits && !early.Equal(late):
		return t, fmt.Sprintf("this local time happens twice, as the clocks go back; give an offset: %s or %s",
			early.In(loc).Format(time.RFC3339), late.In(loc).Format(time.RFC3339))
	case earlyFits:
		return early, ""
	case lateFits:
		return late, ""
	}
	return t, "this local time does not exist, as the clocks go forward over it; check it or give an offset"
}

func shows(t, wall time.Time, loc *time.Location) bool {
	_, offset := t.In(loc).Zone()
	return t.Add(time.Duration(offset) * time.Second).Equal(wall)
}

// civil is a date and time of day as written, not yet known to exist.
type civil struct{ year, month, day, hour, minute, second, nano int }

func isoDate(s string) (c civil, rest string, ok bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return c, "", false
	}
	return dated(s[0:4], s[5:7], s[8:10], s[10:])
}

func britishDate(s string) (c civil, rest string, ok bool) {
	if len(s) < 10 || s[2] != '/' || s[5] != '/' {
		return c, "", false
	}
	return dated(s[6:10], s[3:5], s[0:2], s[10:])
}

func dated(year, month, day, rest string) (c civil, _ string, ok bool) {
	var ok1, ok2, ok3 bool
	c.year, ok1 = number(year)
	c.month, ok2 = number(month)
	c.day, ok3 = number(day)
	return c, rest, ok1 && ok2 && ok3
}

// clock reads hours and minutes.
func (c *civil) clock(s string) (rest string, ok bool) {
	if len(s) < 5 || s[2] != ':' {
		return "", false
	}
	var ok1, ok2 bool
	c.hour, ok1 = number(s[0:2])
	c.minute, ok2 = number(s[3:5])
	return s[5:], ok1 && ok2
}

func number(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// check says what of the time does not exist; empty when all of it does.
func (c *civil) check() string {
	switch {
	case c.year == 0:
		return "the year 0000 does not exist"
	case c.month < 1 || c.month > 12:
		return fmt.Sprintf("month %02d does not exist", c.month)
	case c.day < 1:
		return "day 00 does not exist"
	case c.day > time.Date(c.year, time.Month(c.month)+1, 0, 0, 0, 0, 0, time.UTC).Day():
		return fmt.Sprintf("%d %s %d does not exist", c.day, time.Month(c.month), c.year)
	case c.hour > 23:
		return fmt.Sprintf("hour %02d does not exist; midnight is 00:00 of the next day", c.hour)
	case c.minute > 59:
		return fmt.Sprintf("minute %02d does not exist", c.minute)
	case c.second > 59:
		return fmt.Sprintf("second %02d does not exist here; a leap second is written 59", c.second)
	}
	return ""
}

func (c *civil) utc() time.Time {
	return time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, c.nano, time.UTC)
}
