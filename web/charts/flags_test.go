package charts

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// Whatever happened, and however often, boxes never touch and never leave the frame,
// every pole stands, and breaks keep their box as long as there is room for one.
func TestFlagsKeepApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "points")
		c := Chart{Size: rapid.SampledFrom([]Size{Full, Narrow}).Draw(t, "size")}
		for i := range n {
			c.Points = append(c.Points, Point{Period: fmt.Sprintf("%d-%02d", 2020+i/12, i%12+1)})
		}
		flags := rapid.IntRange(0, 50).Draw(t, "flags")
		for i := range flags {
			at := rapid.IntRange(0, n-1).Draw(t, "at")
			c.Flags = append(c.Flags, Flag{Period: c.Points[at].Period, Number: i + 1, Rebase: rapid.Bool().Draw(t, "rebase")})
		}
		d := &drawing{chart: c, frame: frameOf(&c)}
		placed := d.placed()
		if len(placed) != flags {
			t.Fatalf("%d poles for %d flags", len(placed), flags)
		}
		last, boxed, lost := -1e9, 0, false
		for _, f := range placed {
			if !f.boxed {
				lost = lost || f.Rebase
				continue
			}
			boxed++
			if f.box < 0 || f.box+flagSide > d.frame.width {
				t.Fatalf("a box at %.1f leaves the frame of %.0f", f.box, d.frame.width)
			}
			if f.box-last < flagStep-.01 {
				t.Fatalf("boxes at %.1f and %.1f", last, f.box)
			}
			last = f.box
		}
		if lost {
			for _, f := range placed {
				if f.boxed && !f.Rebase {
					t.Fatal("a note has a box and a re-base has none")
				}
			}
		}
		if room := 14; boxed < min(flags, room) {
			t.Fatalf("%d boxes of %d flags", boxed, flags)
		}
	})
}
