package charts

import (
	"slices"
	"strings"
)

// The box of a flag: its side, and the least distance from one to the next.
const (
	flagSide = 16.0
	flagStep = flagSide + 2
)

// standing is a flag with its place: where its pole stands and where its box begins.
type standing struct {
	Flag
	pole, box float64
	boxed     bool // false: there was no room for its box, its pole stands alone
}

// placed gives the flags that stand over a period of the chart, in time order. Boxes
// never touch and never leave the frame: they are moved apart as labels beside the
// plot are. Where there is no room for all, breaks keep theirs, then the latest.
func (d *drawing) placed() []standing {
	var out []standing
	for _, f := range d.chart.Flags {
		if i := d.index(f.Period); i >= 0 {
			pole := d.x(i)
			if f.Break || f.Rebase {
				pole -= d.step() / 2
			}
			out = append(out, standing{Flag: f, pole: pole})
		}
	}
	slices.SortStableFunc(out, func(a, b standing) int { return strings.Compare(a.Period, b.Period) })
	left, right := d.frame.left-flagSide, d.plotRight()+flagSide
	room := int((right - left) / flagStep)
	for _, first := range []bool{true, false} {
		for i := len(out) - 1; i >= 0 && room > 0; i-- {
			if f := &out[i]; !f.boxed && (f.Break || f.Rebase) == first {
				f.boxed = true
				room--
			}
		}
	}
	floor := left
	for i := range out {
		if out[i].boxed {
			out[i].box = max(out[i].pole-flagSide/2, floor)
			floor = out[i].box + flagStep
		}
	}
	ceiling := right - flagSide
	for i := len(out) - 1; i >= 0; i-- {
		if out[i].boxed {
			out[i].box = min(out[i].box, ceiling)
			ceiling = out[i].box - flagStep
		}
	}
	return out
}

// flags stands a numbered flag over each period named, with a line down to the axis:
// dotted over a period, unbroken at a break, dashed where limits begin anew.
func (d *drawing) flags() {
	for _, f := range d.placed() {
		dash := ` stroke-dasharray="1 2"`
		switch {
		case f.Break:
			dash = ""
		case f.Rebase:
			dash = ` stroke-dasharray="5 3"`
		}
		if d.chart.Size == Small || !f.boxed {
			d.put(`<line class="chart-flag-pole" x1="%s" x2="%s" y1="%s" y2="%s" stroke="%s"%s/>`, num(f.pole), num(f.pole), num(d.frame.top), num(d.plotBottom()), quiet, dash)
			continue
		}
		y := d.frame.top - flagSide - 3
		d.put(`<path class="chart-flag-pole" d="M%s %sL%s %sV%s" fill="none" stroke="%s"%s/>`, num(f.box+flagSide/2), num(y+flagSide), num(f.pole), num(d.frame.top), num(d.plotBottom()), quiet, dash)
		d.put(`<rect class="chart-flag" x="%s" y="%s" width="16" height="16" rx="2" fill="%s" stroke="%s"/>`, num(f.box), num(y), paper, quiet)
		d.put(`<text class="chart-label" x="%s" y="%s" text-anchor="middle" font-size="11" font-weight="700">%s</text>`, num(f.box+flagSide/2), num(y+12), num(float64(f.Number)))
	}
}
