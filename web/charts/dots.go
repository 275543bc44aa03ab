package charts

import (
	"html/template"
	"math"
	"strconv"
)

// Dots is a chart of estimates with their intervals, one a line, on a scale on which
// "no difference" is marked.
type Dots struct {
	ID          string // as a Chart's
	Title       string
	Description string
	Axis        string // what the scale measures
	Size        Size   // Full or Narrow
	Log         bool   // ratios on a log scale, no difference at 1; else percentage points, no difference at 0
	Lines       []Dot
}

// Dot is one line: an estimate and its interval. A line without a number says why.
type Dot struct {
	Label            string
	Value, Low, High float64
	Words            string // the estimate in words, beside the line
	None             string // why there is no estimate; empty: there is one
}

// dotsFrame is the geometry of a chart of dots.
type dotsFrame struct {
	width, left, right, top, bottom, row float64
	above                                bool // labels stand over their lines, not before them
}

// DotsSVG draws the chart. All text is escaped.
func DotsSVG(c Dots) template.HTML { return c.drawn().svg() }

func (c Dots) drawn() *drawing {
	f := dotsFrame{width: 720, left: 248, right: 128, top: 34, bottom: 30, row: 27}
	if c.Size == Narrow {
		f = dotsFrame{width: 360, left: 8, right: 118, top: 34, bottom: 30, row: 44, above: true}
	}
	d := &drawing{}
	height := f.top + f.row*float64(max(len(c.Lines), 1)) + f.bottom
	s := c.scale(f)
	d.head(c.ID, c.Size, c.Title, c.Description, f.width, height)
	bottom := height - f.bottom
	for _, t := range s.ticks {
		x, stroke, kind := num(s.x(t)), hairline, "chart-grid"
		if t == s.none {
			stroke, kind = quiet, "chart-axis"
		}
		d.put(`<line class="%s" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"/>`, kind, x, x, num(f.top-6), num(bottom), stroke)
		d.put(`<text class="chart-quiet" x="%s" y="%s" text-anchor="middle" fill="%s">%s</text>`, x, num(bottom+16), quiet, text(s.name(t)))
	}
	d.put(`<text class="chart-quiet" x="%s" y="14" fill="%s">%s</text>`, num(min(f.left, 8)), quiet, text(c.Axis))
	for i := range c.Lines {
		d.dot(&c.Lines[i], f, s, f.top+f.row*float64(i))
	}
	return d
}

// dot draws one line of the chart, whose row begins at top.
func (d *drawing) dot(l *Dot, f dotsFrame, s dotScale, top float64) {
	y, label := top+f.row/2, top+f.row/2+4
	if f.above {
		y, label = top+31, top+14
	}
	d.halo(8, label, "start", "chart-label", ink, "", l.Label)
	if l.None != "" {
		d.halo(f.left+4, y+4, "start", "chart-quiet", quiet, "", l.None)
		return
	}
	low, high := s.hold(l.Low), s.hold(l.High)
	d.put(`<line class="chart-line" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s" stroke-width="1.5"/>`, num(s.x(low)), num(s.x(high)), num(y), num(y), ink)
	// An interval that leaves the scale ends in an arrow.
	if low > l.Low {
		d.put(`<path class="chart-change" d="M%s %sL%s %sV%sZ" fill="%s"/>`, num(s.x(low)-1), num(y), num(s.x(low)+5), num(y-4), num(y+4), ink)
	}
	if high < l.High {
		d.put(`<path class="chart-change" d="M%s %sL%s %sV%sZ" fill="%s"/>`, num(s.x(high)+1), num(y), num(s.x(high)-5), num(y-4), num(y+4), ink)
	}
	x := num(s.x(s.hold(l.Value)))
	if l.Low <= s.none && s.none <= l.High { // said by form, not by colour alone: open where the interval holds no difference
		d.put(`<circle class="chart-small-base" cx="%s" cy="%s" r="4" fill="%s" stroke="%s" stroke-width="1.5"/>`, x, num(y), paper, quiet)
	} else {
		d.put(`<circle class="chart-change" cx="%s" cy="%s" r="4.5" fill="%s"/>`, x, num(y), ink)
	}
	d.put(`<text class="chart-label" x="%s" y="%s" fill="%s">%s</text>`, num(f.width-f.right+10), num(y+4), ink, text(l.Words))
}

// dotScale places values between two ends.
type dotScale struct {
	low, high, none float64
	log             bool
	from, to        float64 // pixels
	ticks           []float64
}

func (s dotScale) x(v float64) float64 {
	low, high := s.low, s.high
	if s.log {
		v, low, high = math.Log(v), math.Log(low), math.Log(high)
	}
	return s.from + (v-low)/(high-low)*(s.to-s.from)
}

func (s dotScale) hold(v float64) float64 { return min(max(v, s.low), s.high) }

func (s dotScale) name(v float64) string {
	if s.log {
		switch v {
		case 0.5:
			return "½"
		case 0.25:
			return "¼"
		}
		if v < 1 {
			return "1/" + strconv.Itoa(int(math.Round(1/v)))
		}
		return strconv.Itoa(int(v))
	}
	if v > 0 {
		return "+" + num(v)
	}
	if v < 0 {
		return "−" + num(-v)
	}
	return "0"
}

// maxRatio holds the log scale: what lies beyond ends in an arrow.
const maxRatio = 64

// scale spans the intervals, and is as long on either side of no difference as what is
// furthest from it, so that the eye is not drawn to one side.
func (c *Dots) scale(f dotsFrame) dotScale {
	s := dotScale{log: c.Log, from: f.left + 10, to: f.width - f.right - 10}
	far := 0.
	for _, l := range c.Lines {
		for _, v := range []float64{l.Low, l.High, l.Value} {
			if c.Log && v > 0 && !math.IsInf(v, 0) {
				v = math.Log2(v)
			} else if c.Log {
				v = math.Log2(maxRatio)
			}
			if l.None == "" && !math.IsNaN(v) {
				far = max(far, math.Abs(v))
			}
		}
	}
	if c.Log {
		s.none = 1
		steps := min(max(math.Ceil(far), 1), math.Log2(maxRatio))
		s.low, s.high = math.Exp2(-steps), math.Exp2(steps)
		for k := -steps; k <= steps; k++ {
			s.ticks = append(s.ticks, math.Exp2(k))
		}
		return s
	}
	step := 5.
	for _, wider := range []float64{10, 25, 50} {
		if far > 3*step {
			step = wider
		}
	}
	n := min(max(math.Ceil(far/step), 1), math.Ceil(100/step))
	s.low, s.high = -n*step, n*step
	for k := -n; k <= n; k++ {
		s.ticks = append(s.ticks, k*step)
	}
	return s
}
