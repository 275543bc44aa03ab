package charts

import (
	"fmt"
	"html/template"
	"strings"
)

// Moves shows how the same people's answers moved: a bar a row, of those who moved
// down, stayed and moved up.
type Moves struct {
	ID, Title string
	Size      Size // Full or Narrow
	Rows      []Move
}

// Move is one row; rows of one group stand together under its name.
type Move struct {
	Group, Name    string
	Up, Same, Down int
	Why            string // why there are no numbers
}

// SVG draws the bars. All text is escaped. Down stands on the left, up on the right,
// each with its share in words beside, so that nothing is said by colour alone.
func (m Moves) SVG() template.HTML { return m.drawn().svg() }

func (m Moves) drawn() *drawing {
	d, width, left, right, row, drop := &drawing{}, 720., 170., 90., 24., 0.
	if m.Size != Full {
		width, left, right, row, drop = 360, 14, 14, 40, 9
	}
	const top, heading = 34., 30.
	height, last := top+10, ""
	for _, r := range m.Rows {
		if r.Group != last {
			height, last = height+heading, r.Group
		}
		height += row
	}
	d.head(m.ID, m.Size, m.Title, m.describe(), width, height)
	plot := width - left - right
	d.put(`<text class="chart-quiet" x="%s" y="18" fill="%s">Moved down</text>`, num(left), quiet)
	d.put(`<text class="chart-quiet" x="%s" y="18" text-anchor="middle" fill="%s">The same</text>`, num(left+plot/2), quiet)
	d.put(`<text class="chart-quiet" x="%s" y="18" text-anchor="end" fill="%s">Moved up</text>`, num(left+plot), quiet)
	at := top
	last = ""
	for _, r := range m.Rows {
		if r.Group != last {
			d.put(`<text class="chart-label" x="6" y="%s" font-weight="600" fill="%s">%s</text>`, num(at+18), ink, text(r.Group))
			at, last = at+heading, r.Group
		}
		mid := at + row/2 + drop
		if m.Size == Full {
			d.put(`<text class="chart-label" x="%s" y="%s" text-anchor="end" fill="%s">%s</text>`, num(left-10), num(mid+4), ink, text(cut(r.Name, 24)))
		} else {
			d.put(`<text class="chart-label" x="%s" y="%s" fill="%s">%s</text>`, num(left), num(mid-12), ink, text(cut(r.Name, 46)))
		}
		m.bar(d, r, left, plot, mid)
		at += row
	}
	return d
}

func (m Moves) bar(d *drawing, r Move, left, plot, mid float64) {
	base := r.Up + r.Same + r.Down
	if r.Why != "" || base == 0 {
		d.put(`<text class="chart-quiet" x="%s" y="%s" fill="%s">%s</text>`, num(left), num(mid+4), quiet, text(r.Why))
		return
	}
	of := func(n int) float64 { return float64(n) / float64(base) }
	x := left
	for _, part := range []struct {
		n           int
		class, fill string
		letter      string
	}{{r.Down, "chart-concern", concern, "chart-letter"}, {r.Same, "chart-band", band, "chart-quiet"}, {r.Up, "chart-improvement", improvement, "chart-letter"}} {
		w := of(part.n) * plot
		if part.n > 0 {
			d.put(`<rect class="%s" x="%s" y="%s" width="%s" height="16" fill="%s"/>`, part.class, num(x), num(mid-8), num(max(w-1, .5)), part.fill)
		}
		if w >= 30 {
			fill := paper
			if part.letter == "chart-quiet" {
				fill = quiet
			}
			d.put(`<text class="%s" x="%s" y="%s" text-anchor="middle" font-size="11" fill="%s">%s</text>`, part.letter, num(x+w/2), num(mid+4), fill, text(whole(100*of(part.n))+"%"))
		}
		x += w
	}
	if m.Size == Full {
		d.put(`<text class="chart-quiet" x="%s" y="%s" fill="%s">%s</text>`, num(left+plot+8), num(mid+4), quiet, text("of "+num(float64(base))))
	}
}

// describe is what is read out: each row in words.
func (m Moves) describe() string {
	var parts []string
	for _, r := range m.Rows {
		base := r.Up + r.Same + r.Down
		if r.Why != "" || base == 0 {
			parts = append(parts, fmt.Sprintf("%s, %s: %s.", r.Group, r.Name, r.Why))
			continue
		}
		of := func(n int) string { return whole(100*float64(n)/float64(base)) + "%" }
		parts = append(parts, fmt.Sprintf("%s, %s: of %d people %s moved up, %s stayed, %s moved down.", r.Group, r.Name, base, of(r.Up), of(r.Same), of(r.Down)))
	}
	return strings.Join(parts, " ")
}
