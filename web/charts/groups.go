package charts

import (
	"html/template"
	"math"
	"strings"
)

// Groups is one figure of several groups side by side: a row each, with its interval.
type Groups struct {
	ID          string // unique on the page; letters, digits and dashes
	Title       string // what it shows: read out, and not drawn
	Description string // what it says: read out, and not drawn
	Unit        string // "%" after each number; empty for a score
	Axis        string // what the axis measures, drawn over it
	Size        Size   // Full or Narrow
	Rows        []Group
	Line        *Line // one figure to set them against, such as London's
}

// Group is one row. Values are 0 to 100; without one, Why says why in a few words.
type Group struct {
	Name             string
	Value, Low, High *float64
	Small            bool
	Base             string // how many people, as it is to be written
	Why              string // "[c] withheld", "no answers"
}

// groupFrame is the geometry of one size: rows on a desk have their name beside the
// plot, on a phone above it.
type groupFrame struct {
	width, left, right, top, row, drop float64
	name                               int // most characters of a name
}

func groupFrameOf(s Size) groupFrame {
	if s == Full {
		return groupFrame{720, 250, 96, 52, 26, 0, 38}
	}
	return groupFrame{360, 14, 84, 52, 42, 10, 44}
}

// SVG draws the groups. All text is escaped.
func (g Groups) SVG() template.HTML { return g.drawn().svg() }

func (g Groups) drawn() *drawing {
	d, f := &drawing{}, groupFrameOf(g.Size)
	if g.Line != nil {
		f.top += lineHeight // the line is named over the scale
	}
	height := f.top + f.row*float64(len(g.Rows)) + 14
	x := func(v float64) float64 { return f.left + min(max(v, 0), 100)/100*(f.width-f.left-f.right) }
	d.head(g.ID, g.Size, g.Title, g.describe(), f.width, height)
	if g.Axis != "" {
		d.put(`<text class="chart-quiet" x="6" y="14" fill="%s">%s</text>`, quiet, text(g.Axis))
	}
	for _, v := range []float64{0, 25, 50, 75, 100} {
		class, stroke := "chart-grid", hairline
		if v == 0 {
			class, stroke = "chart-axis", quiet
		}
		d.put(`<line class="%s" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, class, num(x(v)), num(x(v)), num(f.top-8), num(height-8), stroke)
		label := num(v)
		if v == 100 {
			label += g.Unit
		}
		d.put(`<text class="chart-quiet" x="%s" y="%s" text-anchor="middle" fill="%s">%s</text>`, num(x(v)), num(f.top-14), quiet, text(label))
	}
	if g.Line != nil {
		at := num(x(g.Line.Value))
		d.put(`<line class="chart-centre" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"><title>%s</title></line>`, at, at, num(f.top-8), num(height-8), quiet, text(g.Line.Label))
		d.put(`<line class="chart-centre" x1="9" x2="9" y1="19" y2="31" stroke="%s"/>`, quiet)
		d.put(`<text class="chart-quiet" x="16" y="29" fill="%s">%s</text>`, quiet, text(g.Line.Label+" "+whole(g.Line.Value)+g.Unit))
	}
	for i, r := range g.Rows {
		mid := f.top + f.row*(float64(i)+.5) + f.drop
		if g.Size == Full {
			d.put(`<text class="chart-label" x="%s" y="%s" text-anchor="end" fill="%s">%s</text>`, num(f.left-10), num(mid+4), ink, text(cut(r.Name, f.name)))
		} else {
			d.put(`<text class="chart-label" x="%s" y="%s" fill="%s">%s</text>`, num(f.left), num(mid-13), ink, text(cut(r.Name, f.name)))
		}
		g.row(d, r, mid, x, f)
	}
	return d
}

func (g Groups) row(d *drawing, r Group, mid float64, x func(float64) float64, f groupFrame) {
	y, end := num(mid), num(f.width-f.right+10)
	if r.Value == nil {
		d.put(`<text class="chart-quiet" x="%s" y="%s" fill="%s">%s</text>`, end, num(mid+4), quiet, text(r.Why))
		return
	}
	if r.Low != nil && r.High != nil {
		d.put(`<line class="chart-interval" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s" stroke-width="2"/>`, num(x(*r.Low)), num(x(*r.High)), y, y, bandEdge)
	}
	fill, class, stroke := ink, "chart-change", ""
	if r.Small {
		fill, class, stroke = paper, "chart-small-base", ` stroke="`+quiet+`" stroke-width="1.5"`
	}
	d.put(`<circle class="%s" cx="%s" cy="%s" r="4" fill="%s"%s/>`, class, num(x(*r.Value)), y, fill, stroke)
	words := whole(*r.Value) + g.Unit
	if r.Base != "" {
		words += " of " + r.Base
	}
	d.put(`<text class="chart-label" x="%s" y="%s" fill="%s">%s</text>`, end, num(mid+4), ink, text(words))
}

// describe is what is read out: the given words, then each row.
func (g Groups) describe() string {
	parts := []string{}
	if g.Description != "" {
		parts = append(parts, g.Description)
	}
	if g.Line != nil {
		parts = append(parts, g.Line.Label+": "+whole(g.Line.Value)+g.Unit+".")
	}
	for _, r := range g.Rows {
		words := r.Why
		if r.Value != nil {
			words = whole(*r.Value) + g.Unit
		}
		parts = append(parts, r.Name+": "+words+".")
	}
	return strings.Join(parts, " ")
}

// cut shortens a name that has no room; the table beside has it in full.
func cut(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return strings.TrimSpace(string(r[:most-1])) + "…"
}

// head opens a picture with what it is called and what it says.
func (d *drawing) head(id string, size Size, title, description string, width, height float64) {
	id = safeID(id)
	d.id, d.said, d.width, d.height = id, description, width, height
	d.put(`<svg xmlns="http://www.w3.org/2000/svg" class="chart %s" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-labelledby="%s-title %s-desc" font-family="%s" font-size="%s" fill="%s">`,
		[]string{"chart-full", "chart-narrow", "chart-small"}[size], num(width), num(height), num(width), num(height), id, id, fonts, num(textSize), ink)
	d.put(`<title id="%s-title">%s</title><desc id="%s-desc">%s</desc>`, id, text(title), id, text(description))
	d.put(`<rect class="chart-paper" width="%s" height="%s" fill="%s"/>`, num(width), num(height), paper)
	d.inside = d.b.Len()
}

// svg closes a picture.
func (d *drawing) svg() template.HTML {
	return template.HTML(d.b.String() + "</svg>") // #nosec G203 -- made here, every text escaped by text()
}

func whole(v float64) string { return num(math.Round(v)) }
