// Package charts owns the pictures of figures: control charts over time as SVG,
// made on the server. It draws what it is given and computes nothing but places.
//
// A chart stands alone: every mark has presentation attributes for a light ground,
// so that a downloaded file looks as it did, and a class, so that a page's
// stylesheet ([Stylesheet]) can turn it for dark, printed and forced colours. There
// is no style attribute and no script. Nothing is said by colour alone: improvement
// is a filled circle, concern a filled diamond, each with the letter of its rule.
package charts

import (
	_ "embed" // the stylesheet
	"html/template"
	"math"
	"slices"
	"strings"

	"victimvoice/analysis/figures"
)

// Size is the frame a chart is drawn for. Text is the same size in all of them, so a
// page chooses by the room it has, rather than shrinking one.
type Size uint8

// The sizes.
const (
	Full   Size = iota // 720 × 330: a page's main chart, with intervals and labels
	Narrow             // 360 × 280: the same for a phone
	Small              // 300 × 150: one of many
)

// Chart is one control chart over time.
type Chart struct {
	ID          string // unique on the page; letters, digits and dashes
	Title       string // what it shows: read out, and not drawn
	Description string // what it says, in a sentence or two: read out, and not drawn
	Unit        string // "%" after each number; empty for a score
	Axis        string // what the axis measures, drawn over it: "% of people who answered"
	Size        Size
	Points      []Point // in time order, gaps included
	Centre      *float64
	CentreName  string // "Mean" where empty
	Centres     []Span // in place of one centre line, where the series is broken
	Flags       []Flag
	Lines       []Line
}

// Point is one period's figure. Values are 0 to 100.
type Point struct {
	Period     string // "2026-03", "2026-Q1" or "2026"
	Value      *float64
	Low, High  *float64 // the interval
	Corrected  *float64 // of a theme: allowing for the coder's errors
	Band       *figures.Limit
	Suppressed bool
	Small      bool   // rests on few people
	Signal     string // letters of the rules
	Meaning    string // figures.MeansImprovement, MeansConcern or MeansChange
}

// Flag marks something that happened: a policy, a new questionnaire, a re-based
// chart. Its number is drawn; what it says is for the list under the chart.
type Flag struct {
	Period string
	Number int
	Text   string
	Break  bool // the series is broken before this period: what stands on either side is not to be compared
	Rebase bool // limits are drawn anew from this period on; the figures themselves can be compared
}

// Span is a centre line from one period to another, both included.
type Span struct {
	From, To string
	Value    float64
}

// Line is a context line: another survey's figure, with whose it is.
type Line struct {
	Value float64
	Label string
}

// Of makes the chart of a result that holds one series over time. id must be unique
// on the page.
func Of(id string, r figures.Result, size Size) Chart {
	c := Chart{ID: id, Title: r.Measure.Title, Size: size, Unit: "%", Axis: "% of people who answered"}
	switch {
	case r.Measure.Asks():
		c.Axis = "% of people asked or to be asked"
	case r.Measure.Averages():
		c.Unit, c.Axis = "", "Score, 0 (worst) to 100 (best)"
	}
	for i, pt := range r.Points {
		p := Point{Period: pt.Period, Value: pt.Share, Low: pt.Low, High: pt.High, Suppressed: pt.Suppressed, Small: pt.Small, Signal: pt.Signal, Meaning: pt.Meaning}
		if r.Trend != nil && r.Trend.Limits != nil {
			p.Band = r.Trend.Limits[i]
		}
		if pt.Corrected != nil {
			p.Corrected = &pt.Corrected.Share
		}
		c.Points = append(c.Points, p)
	}
	if r.Trend != nil {
		c.Centre = r.Trend.Centre
		for _, s := range r.Trend.Signals {
			c.Description += s.Words + " "
		}
		c.Description = strings.TrimSpace(c.Description + r.Trend.Note)
		for i, b := range r.Trend.Breaks {
			c.Flags = append(c.Flags, Flag{Period: b.Period, Number: i + 1, Text: b.Words, Break: !b.Rebased, Rebase: b.Rebased})
		}
		for _, s := range r.Trend.Segments {
			if s.Centre != nil {
				c.Centres = append(c.Centres, Span{s.From, s.To, *s.Centre})
			}
		}
	}
	if r.Coding != nil {
		c.Axis = "% of people who wrote, as counted"
		if slices.ContainsFunc(c.Points, func(p Point) bool { return p.Corrected != nil }) {
			c.Axis += " (× corrected)"
		}
	}
	return c
}

//go:embed charts.css
var stylesheet string

// Stylesheet gives the rules that turn a page's charts for dark grounds, print and
// forced colours.
func Stylesheet() string { return stylesheet }

// The light palette. Lines and marks have 3:1 on paper, text 4.5:1.
const (
	ink         = "#14181d"
	paper       = "#ffffff"
	quiet       = "#5b6470"
	hairline    = "#d9dcdf"
	band        = "#eef0f2"
	bandEdge    = "#9aa1a9"
	improvement = "#2166ac"
	concern     = "#b35806"
)

const (
	textSize   = 12.0
	lineHeight = 15.0
	fonts      = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
)

// frame is the geometry of a size.
type frame struct {
	width, height            float64
	left, right, top, bottom float64 // margins round the plot
	intervals, words         bool    // whether intervals and margin words are drawn
	ticks                    []float64
}

func frameOf(c *Chart) frame {
	if c.Size == Small {
		return frame{300, 150, 36, 50, 14, 24, false, false, []float64{0, 50, 100}}
	}
	f := frame{720, 330, 44, 104, 40, 46, true, true, []float64{0, 25, 50, 75, 100}}
	if c.Size == Narrow {
		f = frame{360, 280, 40, 72, 40, 44, false, false, []float64{0, 25, 50, 75, 100}}
	}
	key := lineHeight * float64(len(c.Lines)) // the lines are named over the plot and its flags
	f.height, f.top = f.height+key, f.top+key
	return f
}

// SVG draws the chart. All text is escaped.
func SVG(c Chart) template.HTML { return c.drawn().svg() }

func (c Chart) drawn() *drawing {
	d := &drawing{chart: c, frame: frameOf(&c)}
	d.head(c.ID, c.Size, c.Title, d.description(), d.frame.width, d.frame.height)
	d.body()
	return d
}

// body draws all that is inside the frame. Words that may be moved come last: they
// keep clear of those that may not.
func (d *drawing) body() {
	d.limits()
	d.grid()
	d.context()
	d.centre()
	d.flags()
	if d.frame.intervals {
		d.intervals()
	}
	d.line()
	d.corrected()
	d.marks()
	d.labels()
	d.gaps()
	d.letters()
	d.nothing()
	d.periods()
}

type drawing struct {
	chart Chart
	frame frame
	b     strings.Builder
	taken []box // where words stand that others must keep clear of

	id, said      string // as head was told
	width, height float64
	inside        int // where in b what is drawn begins, after the head
}

// x is where a period stands: half a step in from either end, so that marks don't
// sit on the edge.
func (d *drawing) x(i int) float64 {
	return d.frame.left + (float64(i)+.5)*d.step()
}

func (d *drawing) step() float64 {
	return (d.frame.width - d.frame.left - d.frame.right) / float64(max(len(d.chart.Points), 1))
}

func (d *drawing) y(v float64) float64 {
	v = min(max(v, 0), 100)
	return d.frame.top + (100-v)/100*(d.frame.height-d.frame.top-d.frame.bottom)
}

func (d *drawing) plotRight() float64  { return d.frame.width - d.frame.right }
func (d *drawing) plotBottom() float64 { return d.frame.height - d.frame.bottom }

// description is what is read out: the given words, the span, and the flags.
func (d *drawing) description() string {
	var parts []string
	if d.chart.Description != "" {
		parts = append(parts, d.chart.Description)
	}
	if i := d.last(); i >= 0 {
		p := d.chart.Points
		parts = append(parts, "From "+figures.PeriodWords(p[0].Period)+" to "+figures.PeriodWords(p[len(p)-1].Period)+"; latest published, "+figures.PeriodWords(p[i].Period)+": "+d.value(*p[i].Value)+".")
	} else {
		parts = append(parts, "Nothing is published in this chart.")
	}
	for _, f := range d.chart.Flags {
		parts = append(parts, "Flag "+num(float64(f.Number))+", "+figures.PeriodWords(f.Period)+": "+f.Text+".")
	}
	return strings.Join(parts, " ")
}

// last is the last published point; -1 without one.
func (d *drawing) last() int {
	for i := len(d.chart.Points) - 1; i >= 0; i-- {
		if d.chart.Points[i].Value != nil {
			return i
		}
	}
	return -1
}

func (d *drawing) value(v float64) string { return num(math.Round(v)) + d.chart.Unit }

func (d *drawing) grid() {
	f := d.frame
	for _, v := range f.ticks {
		y, stroke, class := d.y(v), hairline, "chart-grid"
		if v == 0 {
			stroke, class = quiet, "chart-axis"
		}
		d.put(`<line class="%s" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, class, num(f.left), num(d.plotRight()), num(y), num(y), stroke)
		label := num(v)
		if v == 100 {
			label = d.value(v)
		}
		d.put(`<text class="chart-quiet" x="%s" y="%s" text-anchor="end" fill="%s">%s</text>`, num(f.left-6), num(y+4), quiet, text(label))
	}
	if d.chart.Axis != "" && d.chart.Size != Small {
		d.put(`<text class="chart-quiet" x="6" y="14" fill="%s">%s</text>`, quiet, text(d.chart.Axis))
	}
}

// limits draws the band point by point, in steps: where bases differ, so do limits.
// It is broken where nothing is published, and where the series is.
func (d *drawing) limits() {
	half := d.step() / 2
	for i := 0; i < len(d.chart.Points); {
		if d.chart.Points[i].Band == nil {
			i++
			continue
		}
		j := i
		var high, low []string
		for ; j < len(d.chart.Points) && d.chart.Points[j].Band != nil && (j == i || !d.anew(j)); j++ {
			l := d.chart.Points[j].Band
			a, b := num(d.x(j)-half), num(d.x(j)+half)
			high = append(high, a+","+num(d.y(l.High)), b+","+num(d.y(l.High)))
			low = append(low, a+","+num(d.y(l.Low)), b+","+num(d.y(l.Low)))
		}
		back := slices.Clone(low)
		slices.Reverse(back)
		d.put(`<polygon class="chart-band" points="%s" fill="%s"/>`, strings.Join(slices.Concat(high, back), " "), band)
		for _, edge := range [][]string{high, low} {
			d.put(`<polyline class="chart-edge" points="%s" fill="none" stroke="%s" stroke-dasharray="2 3"/>`, strings.Join(edge, " "), bandEdge)
		}
		i = j
	}
}

// context draws other surveys' figures as dotted lines. They are named over the plot,
// where no point and no limit is.
func (d *drawing) context() {
	for i, l := range d.chart.Lines {
		y := d.y(l.Value)
		d.put(`<line class="chart-context" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s" stroke-dasharray="1 4" stroke-linecap="round" stroke-width="1.5"/>`, num(d.frame.left), num(d.plotRight()), num(y), num(y), quiet)
		if d.chart.Size != Small {
			at := 14 + lineHeight*float64(i+1)
			d.put(`<line class="chart-context" x1="6" x2="24" y1="%s" y2="%s" stroke="%s" stroke-dasharray="1 4" stroke-linecap="round" stroke-width="1.5"/>`, num(at-4), num(at-4), quiet)
			d.put(`<text class="chart-quiet" x="30" y="%s" fill="%s">%s</text>`, num(at), quiet, text(l.Label+" "+d.value(l.Value)))
		}
	}
}

func (d *drawing) centre() {
	for _, s := range d.chart.Centres {
		from, to := d.index(s.From), d.index(s.To)
		if from < 0 || to < 0 {
			continue
		}
		half, y := d.step()/2, num(d.y(s.Value))
		d.put(`<line class="chart-centre" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, num(d.x(from)-half), num(d.x(to)+half), y, y, quiet)
	}
	if d.chart.Centre == nil || len(d.chart.Centres) > 0 {
		return
	}
	y := num(d.y(*d.chart.Centre))
	d.put(`<line class="chart-centre" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, num(d.frame.left), num(d.plotRight()), y, y, quiet)
}

// intervals draws each figure's 95% interval as a thin upright line.
func (d *drawing) intervals() {
	for i, p := range d.chart.Points {
		if p.Low != nil && p.High != nil {
			x := num(d.x(i))
			d.put(`<line class="chart-interval" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, x, x, num(d.y(*p.Low)), num(d.y(*p.High)), bandEdge)
		}
	}
}

// line joins published points; it is broken where one is missing.
func (d *drawing) line() {
	var run []string
	flush := func() {
		if len(run) > 1 {
			d.put(`<polyline class="chart-line" points="%s" fill="none" stroke="%s" stroke-width="1.5" stroke-linejoin="round"/>`, strings.Join(run, " "), ink)
		}
		run = run[:0]
	}
	for i, p := range d.chart.Points {
		if p.Value == nil {
			flush()
			continue
		}
		if d.broken(i) {
			flush()
		}
		run = append(run, num(d.x(i))+","+num(d.y(*p.Value)))
	}
	flush()
}

// roomy reports whether a letter fits into each mark.
func (d *drawing) roomy() bool { return d.chart.Size == Full && d.step() >= 17 }

func (d *drawing) marks() {
	for i, p := range d.chart.Points {
		if p.Value == nil {
			continue
		}
		x, y := d.x(i), d.y(*p.Value)
		switch {
		case p.Signal != "":
			d.signal(x, y, p)
		case p.Small:
			d.put(`<circle class="chart-small-base" cx="%s" cy="%s" r="2.8" fill="%s" stroke="%s" stroke-width="1.2"/>`, num(x), num(y), paper, quiet)
		case d.chart.Size != Small || i == d.last():
			d.put(`<circle class="chart-point" cx="%s" cy="%s" r="2.6" fill="%s"/>`, num(x), num(y), quiet)
		}
	}
}

// corrected crosses a theme's shares that allow for the coder's errors. No line joins
// them: limits and signals are of the counted shares.
func (d *drawing) corrected() {
	if d.chart.Size == Small {
		return
	}
	const arm = 3.2
	for i, p := range d.chart.Points {
		if p.Value == nil || p.Corrected == nil {
			continue
		}
		x, y := d.x(i), d.y(*p.Corrected)
		for _, way := range []float64{arm, -arm} {
			d.put(`<line class="chart-corrected" x1="%s" y1="%s" x2="%s" y2="%s" stroke="%s" stroke-width="1.4"/>`, num(x-arm), num(y-way), num(x+arm), num(y+way), ink)
		}
	}
}

func (d *drawing) signal(x, y float64, p Point) {
	r := 4.2
	switch {
	case d.roomy():
		r = 7.5
	case d.chart.Size == Small:
		r = 3.2
	}
	switch p.Meaning {
	case figures.MeansConcern:
		r *= 1.2 // a diamond looks smaller than a circle of its height
		d.put(`<path class="chart-concern" d="M%s %sL%s %sL%s %sL%s %sZ" fill="%s"/>`, num(x), num(y-r), num(x+r), num(y), num(x), num(y+r), num(x-r), num(y), concern)
	case figures.MeansImprovement:
		d.put(`<circle class="chart-improvement" cx="%s" cy="%s" r="%s" fill="%s"/>`, num(x), num(y), num(r), improvement)
	default:
		d.put(`<circle class="chart-change" cx="%s" cy="%s" r="%s" fill="%s"/>`, num(x), num(y), num(r), ink)
	}
	if d.roomy() {
		d.put(`<text class="chart-letter" x="%s" y="%s" text-anchor="middle" font-size="10" font-weight="700" fill="%s">%s</text>`, num(x), num(y+3.4), paper, text(first(p.Signal)))
	}
}

// letters names the rules beside runs of signal points where they don't fit inside:
// once a run, over its highest or under its lowest point.
func (d *drawing) letters() {
	if d.roomy() || d.chart.Size == Small {
		return
	}
	p := d.chart.Points
	for i := 0; i < len(p); {
		j := i
		for j < len(p) && p[i].Signal != "" && p[j].Value != nil && p[j].Signal != "" && p[j].Meaning == p[i].Meaning {
			j++
		}
		if j == i {
			i++
			continue
		}
		d.letter(i, j)
		i = j
	}
}

func (d *drawing) letter(i, j int) {
	p := d.chart.Points
	var all string
	at := i
	above := d.chart.Centre == nil || *p[i].Value >= *d.chart.Centre
	for k := i; k < j; k++ {
		for _, r := range p[k].Signal {
			if !strings.ContainsRune(all, r) {
				all += string(r)
			}
		}
		if above == (*p[k].Value > *p[at].Value) && *p[k].Value != *p[at].Value {
			at = k
		}
	}
	rules := strings.Split(all, "")
	slices.Sort(rules)
	fill, class := improvement, "chart-improvement"
	switch p[i].Meaning {
	case figures.MeansConcern:
		fill, class = concern, "chart-concern"
	case figures.MeansImprovement:
	default:
		fill, class = ink, "chart-change"
	}
	words, mark := strings.Join(rules, " "), d.y(*p[at].Value)
	x := d.x(at)
	half := textWidth(words, textSize, true) / 2
	x = min(max(x, d.frame.left+half), d.plotRight()-half)
	var places []box
	var ys []float64
	for step := range 8 {
		for _, up := range []bool{above, !above} {
			y := mark - 9 - float64(step)*lineHeight
			if !up {
				y = mark + 18 + float64(step)*lineHeight
			}
			if y >= d.frame.top+8 && y <= d.plotBottom()-4 {
				places, ys = append(places, textBox(words, "middle", x, y, textSize, true)), append(ys, y)
			}
		}
	}
	if i, clear := d.free(places...); clear { // else the table has the letters
		d.halo(x, ys[i], "middle", class, fill, "700", words)
	}
}

// margin is one label to the right of the plot, at the height of what it names.
type margin struct {
	y, weight     float64
	bold          bool
	class, fill   string
	words, number string
}

// nothing says why a chart without a figure is empty.
func (d *drawing) nothing() {
	if d.last() >= 0 {
		return
	}
	words := "No answers yet"
	if slices.ContainsFunc(d.chart.Points, func(p Point) bool { return p.Suppressed }) {
		words = "Too few answers to show"
	}
	x, y := (d.frame.left+d.plotRight())/2, (d.frame.top+d.plotBottom())/2+4
	d.taken = append(d.taken, textBox(words, "middle", x, y, textSize, false))
	d.halo(x, y, "middle", "chart-quiet", quiet, "", words)
}

// labels names the lines beside the plot, moved apart where they would touch.
func (d *drawing) labels() {
	var list []margin
	if i := d.last(); i >= 0 {
		p := d.chart.Points[i]
		m := margin{y: d.y(*p.Value), bold: true, class: "chart-label", fill: ink, number: d.value(*p.Value), weight: 2}
		if d.frame.words {
			m.words = " " + shortPeriod(p.Period)
		}
		list = append(list, m)
	}
	if c := d.chart.Centre; c != nil && d.chart.Size != Small {
		m := margin{y: d.y(*c), class: "chart-quiet", fill: quiet, number: d.value(*c), weight: 1}
		m.number = orMean(d.chart.CentreName) + " " + m.number
		list = append(list, m)
	}
	if d.frame.words {
		for i := len(d.chart.Points) - 1; i >= 0; i-- {
			if l := d.chart.Points[i].Band; l != nil {
				// A limit at the end of the scale can't be passed: it is no limit to name.
				for _, v := range []float64{l.High, l.Low} {
					if v > 0 && v < 100 {
						list = append(list, margin{y: d.y(v), class: "chart-quiet", fill: quiet, number: "Limit " + d.value(v)})
					}
				}
				break
			}
		}
	}
	apart(list, d.frame.top, d.plotBottom())
	for _, m := range list {
		weight := ""
		if m.bold {
			weight = ` font-weight="700"`
		}
		rest := ""
		if m.words != "" {
			rest = `<tspan class="chart-quiet" font-weight="400" fill="` + quiet + `">` + text(m.words) + `</tspan>`
		}
		d.put(`<text class="%s" x="%s" y="%s" fill="%s"%s>%s%s</text>`, m.class, num(d.plotRight()+6), num(m.y+4), m.fill, weight, text(m.number), rest)
	}
}

func orMean(s string) string {
	if s == "" {
		return "Mean"
	}
	return s
}

// apart moves labels so that none is nearer to the next than a line, as little as
// can be, keeping their order and staying between top and bottom.
func apart(list []margin, top, bottom float64) {
	slices.SortStableFunc(list, func(a, b margin) int {
		switch {
		case a.y < b.y:
			return -1
		case a.y > b.y:
			return 1
		}
		return 0
	})
	for range 40 {
		moved := false
		for i := 1; i < len(list); i++ {
			if gap := list[i].y - list[i-1].y; gap < lineHeight-.01 {
				push := lineHeight - gap
				// The figure itself stays nearest to its mark.
				share := .5 + (list[i-1].weight-list[i].weight)/8
				list[i-1].y -= push * (1 - share)
				list[i].y += push * share
				moved = true
			}
		}
		if !moved {
			break
		}
	}
	// Whatever still touches, or has left the plot, goes down from the top and then up from the bottom.
	floor, ceiling := top, bottom
	for i := range list {
		list[i].y = max(list[i].y, floor)
		floor = list[i].y + lineHeight
	}
	for i := len(list) - 1; i >= 0; i-- {
		list[i].y = min(list[i].y, ceiling)
		ceiling = list[i].y - lineHeight
	}
}

// gaps writes [c] over the axis where a figure is withheld: once a run where they are close.
func (d *drawing) gaps() {
	const wide = 20
	if d.chart.Size == Small {
		for i, p := range d.chart.Points {
			if p.Suppressed {
				d.put(`<line class="chart-gap" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, num(d.x(i)), num(d.x(i)), num(d.plotBottom()-4), num(d.plotBottom()), quiet)
			}
		}
		return
	}
	for i := 0; i < len(d.chart.Points); i++ {
		if !d.chart.Points[i].Suppressed {
			continue
		}
		j := i
		for j+1 < len(d.chart.Points) && d.chart.Points[j+1].Suppressed {
			j++
		}
		if d.step() >= wide {
			d.gap(i, i)
			continue
		}
		d.gap(i, j)
		i = j
	}
}

// gap marks withheld periods i to j: a bracket along the axis where there are several.
func (d *drawing) gap(i, j int) {
	y := d.plotBottom() - 3
	if j > i {
		d.put(`<path class="chart-gap" d="M%s %sV%sH%sV%s" fill="none" stroke="%s"/>`, num(d.x(i)), num(y-4), num(y), num(d.x(j)), num(y-4), quiet)
	}
	x := (d.x(i) + d.x(j)) / 2
	var places []box
	for _, up := range []float64{5, 5 + lineHeight} {
		places = append(places, textBox("[c]", "middle", x, y-up, textSize, false))
	}
	at, clear := d.free(places...)
	if !clear { // neighbours have the words
		d.put(`<line class="chart-gap" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, num(x), num(x), num(y-4), num(y), quiet)
		return
	}
	d.halo(x, y-5-float64(at)*lineHeight, "middle", "chart-quiet", quiet, "", "[c]")
}

// broken reports whether the series is broken before a point.
func (d *drawing) broken(i int) bool {
	return slices.ContainsFunc(d.chart.Flags, func(f Flag) bool { return f.Break && f.Period == d.chart.Points[i].Period })
}

// anew reports whether limits begin anew at a point.
func (d *drawing) anew(i int) bool {
	return slices.ContainsFunc(d.chart.Flags, func(f Flag) bool { return (f.Break || f.Rebase) && f.Period == d.chart.Points[i].Period })
}

func (d *drawing) index(period string) int {
	return slices.IndexFunc(d.chart.Points, func(p Point) bool { return p.Period == period })
}

// halo writes text with an edge of paper, so that lines behind it don't cut it up.
func (d *drawing) halo(x, y float64, anchor, class, fill, weight, words string) {
	if weight != "" {
		weight = ` font-weight="` + weight + `"`
	}
	d.put(`<text class="chart-halo %s" x="%s" y="%s" text-anchor="%s" fill="%s" stroke="%s" stroke-width="3" stroke-linejoin="round" paint-order="stroke"%s>%s</text>`, class, num(x), num(y), anchor, fill, paper, weight, text(words))
}
