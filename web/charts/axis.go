package charts

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// tick is one label of the time axis: what stands in the first row, and the year
// under it where it is new.
type tick struct {
	at         int
	name, year string
}

// periods draws the time axis. Labels stand at calendar steps (every month, every
// second, third, sixth, or Januaries alone), the finest that keeps them apart.
func (d *drawing) periods() {
	bottom := d.plotBottom()
	if d.chart.Size == Small {
		d.ends()
		return
	}
	ticks := d.ticks()
	for i := range d.chart.Points {
		d.put(`<line class="chart-axis" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, num(d.x(i)), num(d.x(i)), num(bottom), num(bottom+3), quiet)
	}
	for _, t := range ticks {
		x := num(d.x(t.at))
		d.put(`<line class="chart-axis" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, x, x, num(bottom), num(bottom+6), quiet)
		row := bottom + 18
		if t.name != "" {
			d.put(`<text class="chart-quiet" x="%s" y="%s" text-anchor="middle" fill="%s">%s</text>`, x, num(row), quiet, text(t.name))
			row += lineHeight
		}
		if t.year != "" {
			d.put(`<text class="chart-quiet" x="%s" y="%s" text-anchor="middle" fill="%s">%s</text>`, x, num(row), quiet, text(t.year))
		}
	}
}

// ends labels the first and last period alone: all that a small chart has room for.
func (d *drawing) ends() {
	p := d.chart.Points
	if len(p) == 0 {
		return
	}
	y := num(d.plotBottom() + 16)
	d.put(`<text class="chart-quiet" x="%s" y="%s" fill="%s">%s</text>`, num(d.frame.left), y, quiet, text(shortPeriod(p[0].Period)))
	if len(p) > 1 {
		d.put(`<text class="chart-quiet" x="%s" y="%s" text-anchor="end" fill="%s">%s</text>`, num(d.plotRight()), y, quiet, text(shortPeriod(p[len(p)-1].Period)))
	}
}

// ticks chooses the labels of the time axis.
func (d *drawing) ticks() []tick {
	const nameWidth, yearWidth = 30, 38
	for _, every := range []int{1, 2, 3, 6, 12, 24, 60, 120} {
		var out []tick
		year := ""
		for i, p := range d.chart.Points {
			n, name, y := calendar(p.Period)
			if y == "" {
				out = append(out, tick{at: i, name: name}) // not a period we know: its own name
				continue
			}
			if n%every != 0 {
				continue
			}
			t := tick{at: i, name: name}
			if every >= 12 {
				t.name = ""
			}
			if y != year {
				t.year, year = y, y
			}
			out = append(out, t)
		}
		if tidy(out, d.step(), nameWidth, yearWidth) {
			return out
		}
	}
	return nil
}

// tidy reports whether labels keep their distance, in either row.
func tidy(ticks []tick, step, nameWidth, yearWidth float64) bool {
	lastName, lastYear := math.Inf(-1), math.Inf(-1)
	for _, t := range ticks {
		x := float64(t.at) * step
		if t.name != "" {
			if x-lastName < nameWidth {
				return false
			}
			lastName = x
		}
		if t.year != "" {
			if x-lastYear < yearWidth {
				return false
			}
			lastYear = x
		}
	}
	return true
}

// calendar places a period: months since year nought (of its first month), its short
// name and its year. A year's name is empty. What is no period has no year.
func calendar(period string) (months int, name, year string) {
	if t, err := time.Parse("2006-01", period); err == nil {
		return 12*t.Year() + int(t.Month()) - 1, t.Format("Jan"), period[:4]
	}
	y, err := strconv.Atoi(strings.SplitN(period, "-", 2)[0])
	if err != nil {
		return 0, period, ""
	}
	switch {
	case len(period) == 7 && period[5] == 'Q' && period[6] >= '1' && period[6] <= '4':
		return 12*y + 3*int(period[6]-'1'), period[5:], period[:4]
	case len(period) == 4:
		return 12 * y, "", period
	}
	return 0, period, ""
}

// shortPeriod is a period in a few letters: "Mar 2026", "Q1 2026", "2026".
func shortPeriod(period string) string {
	_, name, year := calendar(period)
	return strings.TrimSpace(name + " " + year)
}

// put writes formatted markup. Every text that comes from outside has gone through
// text or safeID before it gets here.
func (d *drawing) put(format string, args ...any) { fmt.Fprintf(&d.b, format, args...) }

// num writes a number shortly, at a tenth of a pixel.
func num(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10+0, 'f', -1, 64)
}

// text makes words safe for the inside of an element or a quoted attribute, and drops
// what XML does not allow at all.
func text(s string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\ufffe' || r == '\uffff' {
			return ' '
		}
		return r
	}, s))
}

// safeID keeps an id to what needs no escaping anywhere; other characters become their number.
func safeID(s string) string {
	var b strings.Builder
	b.WriteString("chart-")
	for _, r := range s {
		if r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-') {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "_%x", r)
		}
	}
	return b.String()
}

func first(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}
