package charts

import (
	"html/template"
	"math"
	"strings"

	"victimvoice/analysis/figures"
)

// Funnel is a funnel plot: areas by how many people their figure rests on, with the
// limits that surround the figure of all of them.
type Funnel struct {
	ID, Title, Description string
	Axis, Base             string // what the two axes measure
	Size                   Size   // Full or Narrow
	Centre                 float64
	CentreName             string
	Limits                 []figures.FunnelLimit
	Dots                   []FunnelDot
}

// FunnelDot is one area shown.
type FunnelDot struct {
	Name    string
	Value   float64
	Base    int
	Outside string // figures.OutsideFar, OutsideNear or empty
	Meaning string // of one outside: figures.MeansImprovement, MeansConcern or MeansChange
}

// SVG draws the plot. All text is escaped. Areas outside the limits are named beside
// their mark, as far as names keep apart.
func (f Funnel) SVG() template.HTML { return f.drawn().svg() }

func (f Funnel) drawn() *drawing {
	d, width, height, left, right, top, bottom := &drawing{}, 720., 380., 44., 110., 40., 46.
	if f.Size != Full {
		width, height, left, right = 360, 320, 40, 62
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, l := range f.Limits {
		low, high = math.Min(low, float64(l.Base)), math.Max(high, float64(l.Base))
	}
	if low >= high {
		low, high = low-1, low+1
	}
	if len(f.Limits) == 0 {
		low, high = 0, 1
	}
	x := func(n float64) float64 { return left + (n-low)/(high-low)*(width-left-right) }
	y := func(v float64) float64 { return top + (100-min(max(v, 0), 100))/100*(height-top-bottom) }
	d.head(f.ID, f.Size, f.Title, f.describe(), width, height)
	d.put(`<text class="chart-quiet" x="6" y="14" fill="%s">%s</text>`, quiet, text(f.Axis))
	for _, v := range []float64{0, 25, 50, 75, 100} {
		class, stroke := "chart-grid", hairline
		if v == 0 {
			class, stroke = "chart-axis", quiet
		}
		d.put(`<line class="%s" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, class, num(left), num(width-right), num(y(v)), num(y(v)), stroke)
		label := num(v)
		if v == 100 {
			label += "%"
		}
		d.put(`<text class="chart-quiet" x="%s" y="%s" text-anchor="end" fill="%s">%s</text>`, num(left-6), num(y(v)+4), quiet, text(label))
	}
	f.limits(d, x, y, width-right)
	for _, n := range baseTicks(low, high) {
		d.put(`<line class="chart-axis" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, num(x(n)), num(x(n)), num(y(0)), num(y(0)+5), quiet)
		d.put(`<text class="chart-quiet" x="%s" y="%s" text-anchor="middle" fill="%s">%s</text>`, num(x(n)), num(y(0)+18), quiet, text(num(n)))
	}
	d.put(`<text class="chart-quiet" x="%s" y="%s" fill="%s">%s</text>`, num(left), num(height-8), quiet, text(f.Base))
	f.dots(d, x, y, width-right)
	return d
}

// limits draws the four curves and the centre, named at their right ends.
func (f Funnel) limits(d *drawing, x, y func(float64) float64, end float64) {
	if len(f.Limits) == 0 {
		return
	}
	last := f.Limits[len(f.Limits)-1]
	for _, c := range []struct {
		of   func(figures.FunnelLimit) float64
		dash string
	}{
		{func(l figures.FunnelLimit) float64 { return l.High998 }, "6 3"}, {func(l figures.FunnelLimit) float64 { return l.High95 }, "2 3"},
		{func(l figures.FunnelLimit) float64 { return l.Low95 }, "2 3"}, {func(l figures.FunnelLimit) float64 { return l.Low998 }, "6 3"},
	} {
		points := make([]string, 0, len(f.Limits))
		for _, l := range f.Limits {
			points = append(points, num(x(float64(l.Base)))+","+num(y(c.of(l))))
		}
		d.put(`<polyline class="chart-edge" points="%s" fill="none" stroke="%s" stroke-dasharray="%s"/>`, strings.Join(points, " "), bandEdge, c.dash)
	}
	centre := num(y(f.Centre))
	d.put(`<line class="chart-centre" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, num(x(float64(f.Limits[0].Base))), num(end), centre, centre, quiet)
	// Names at the right end keep a line's height from one another.
	at := y(last.High998) + 4
	for _, n := range []struct {
		v     float64
		words string
	}{{last.High998, "99.8%"}, {last.High95, "95%"}, {f.Centre, f.CentreName + " " + whole(f.Centre) + "%"}, {last.Low95, "95%"}, {last.Low998, "99.8%"}} {
		at = max(at, y(n.v)+4)
		d.put(`<text class="chart-quiet" x="%s" y="%s" fill="%s">%s</text>`, num(end+6), num(at), quiet, text(n.words))
		at += lineHeight - 2
	}
}

// dots marks the areas. Within the limits a point; outside, a filled circle or
// diamond, with its name.
func (f Funnel) dots(d *drawing, x, y func(float64) float64, end float64) {
	type box struct{ left, right, y float64 }
	var taken []box
	for _, p := range f.Dots {
		cx, cy := x(float64(p.Base)), y(p.Value)
		r := 3.
		if p.Outside != "" {
			r = 4.5
		}
		class, fill := "chart-point", quiet
		switch {
		case p.Outside == "":
		case p.Meaning == figures.MeansConcern:
			class, fill = "chart-concern", concern
		case p.Meaning == figures.MeansImprovement:
			class, fill = "chart-improvement", improvement
		default:
			class, fill = "chart-change", ink
		}
		if class == "chart-concern" {
			r *= 1.2
			d.put(`<path class="%s" d="M%s %sL%s %sL%s %sL%s %sZ" fill="%s"><title>%s</title></path>`, class, num(cx), num(cy-r), num(cx+r), num(cy), num(cx), num(cy+r), num(cx-r), num(cy), fill, text(p.Name))
		} else {
			d.put(`<circle class="%s" cx="%s" cy="%s" r="%s" fill="%s"><title>%s</title></circle>`, class, num(cx), num(cy), num(r), fill, text(p.Name))
		}
	}
	for _, p := range f.Dots {
		if p.Outside == "" {
			continue
		}
		name := cut(p.Name, 20)
		cx, cy, wide := x(float64(p.Base)), y(p.Value), 6.4*float64(len([]rune(name)))
		b := box{cx + 9, cx + 9 + wide, cy + 4}
		anchor := "start"
		if b.right > end { // there the limits have their names
			b, anchor = box{cx - 9 - wide, cx - 9, cy + 4}, "end"
		}
		clash := false
		for _, t := range taken {
			clash = clash || b.left < t.right && t.left < b.right && math.Abs(b.y-t.y) < lineHeight-2
		}
		if clash || b.left < 0 {
			continue // the table has it
		}
		taken = append(taken, b)
		at := b.left
		if anchor == "end" {
			at = b.right
		}
		d.halo(at, b.y, anchor, "chart-label", ink, "600", name)
	}
}

// describe is what is read out: the given words, then the areas outside.
func (f Funnel) describe() string {
	parts := []string{f.Description}
	for _, p := range f.Dots {
		if p.Outside != "" {
			parts = append(parts, p.Name+": "+whole(p.Value)+"% of "+num(float64(p.Base))+", outside the "+p.Outside+" limits.")
		}
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// baseTicks are three to six round numbers between two bases.
func baseTicks(low, high float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10(max(high-low, 1))))
	for _, k := range []float64{.2, .5, 1} {
		if (high-low)/(step*k) <= 6 {
			step *= k
			break
		}
	}
	step = max(step, 1)
	var out []float64
	for n := math.Ceil(low/step) * step; n <= high; n += step {
		out = append(out, n)
	}
	return out
}
