package charts

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"victimvoice/analysis/figures"
)

// lettered is a piece of text of a drawing with the room that it takes.
type lettered struct {
	words string
	box
}

// texts finds every text of a drawing but the letters inside marks.
func texts(t interface{ Fatal(...any) }, svg []byte) (out []lettered) {
	dec := xml.NewDecoder(bytes.NewReader(svg))
	var open *span
	skip, dy := 0, 0.0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			a := attributes(e.Attr)
			switch e.Name.Local {
			case "title", "desc":
				skip++
			case "g":
				_, _ = fmt.Sscanf(a["transform"], "translate(0 %g)", &dy)
			case "text":
				if a["class"] != "chart-letter" {
					size, _ := strconv.ParseFloat(a.or("font-size", "12"), 64)
					open = &span{x: a.num("x"), y: a.num("y") + dy, size: size, anchor: a["text-anchor"], bold: a["font-weight"] == "700"}
				}
			}
		case xml.CharData:
			if open != nil && skip == 0 {
				open.words += string(e)
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "title", "desc":
				skip--
			case "g":
				dy = 0
			case "text":
				if open != nil {
					out = append(out, lettered{open.words, textBox(open.words, open.anchor, open.x, open.y, open.size, false)})
				}
				open = nil
			}
		}
	}
}

// Over whatever series, with context lines close together, everything withheld here
// and there, signals and flags: no word lies on another, or leaves the frame.
func TestWordsKeepApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "points")
		size := rapid.SampledFrom([]Size{Full, Narrow, Small}).Draw(t, "size")
		level := rapid.Float64Range(0, 100).Draw(t, "level")
		c := series(n, 2021, rapid.IntRange(1, 12).Draw(t, "first"), func(i int) float64 {
			return min(max(level+rapid.Float64Range(-30, 30).Draw(t, "value"), 0), 100)
		})
		c.Size = size
		for i := range c.Points {
			switch rapid.IntRange(0, 5).Draw(t, "kind") {
			case 0:
				withhold(&c, i)
			case 1:
				signal(&c, i, i, rapid.SampledFrom([]string{"a", "bd", "abcd"}).Draw(t, "rules"), rapid.SampledFrom([]string{"improvement", "concern"}).Draw(t, "meaning"))
			}
			if rapid.IntRange(0, 9).Draw(t, "flag") == 0 {
				c.Flags = append(c.Flags, Flag{Period: c.Points[i].Period, Number: len(c.Flags) + 1})
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "lines") {
			c.Lines = append(c.Lines, Line{Value: rapid.Float64Range(0, 100).Draw(t, "line"), Label: "Satisfied, England and Wales, 2025:"})
		}
		found := texts(t, []byte(SVG(c)))
		f := frameOf(&c)
		for i, a := range found {
			if a.left < -1 || a.right > f.width+1 || a.top < -1 || a.bottom > f.height+1 {
				t.Fatalf("%q leaves the frame: %+v", a.words, a.box)
			}
			for _, b := range found[:i] {
				a, b := a.box, b.box
				a.top, a.bottom = a.top+1, a.bottom-1 // lines of text stand close
				if a.meets(b) {
					t.Fatalf("%q lies on another: %+v, %+v", found[i].words, a, b)
				}
			}
		}
	})
}

func files() map[string]File {
	out := map[string]File{}
	for name, c := range examples() {
		c.ID = name
		out[name] = fileOf(c)
	}
	for name, p := range pictures() {
		out[name] = fileOf(p)
	}
	return out
}

func fileOf(p Picture) File {
	return File{Picture: p, Heading: "How well have the police kept you informed? <Report>", Scope: "Answered by people themselves · Metropolitan Police", Notes: []string{
		"1: 14 March 2026, policy change: Update standard begins in every unit, with one named point of contact for everyone whose case is open longer than a fortnight",
		"Intervals (95%) are about precision alone: people chose to answer, and who did not is not in them.", "[c]: withheld, so that nobody can be told."}}
}

// pictures are charts of the other kinds, with all that each can show.
func pictures() map[string]Picture {
	v := func(f float64) *float64 { return &f }
	funnel := Funnel{ID: "funnel", Title: "Areas", Description: "Two lie outside.", Axis: "% of people who answered", Base: "People in the base", Centre: 52, CentreName: "All"}
	for base := 10; base <= 400; base += 10 {
		half := 90 / math.Sqrt(float64(base))
		funnel.Limits = append(funnel.Limits, figures.FunnelLimit{Base: base, Low95: 52 - half, High95: 52 + half, Low998: 52 - 1.6*half, High998: 52 + 1.6*half})
	}
	funnel.Dots = []FunnelDot{
		{Name: "Central North", Value: 55, Base: 220}, {Name: "Kensington and Chelsea and Hammersmith", Value: 70, Base: 300, Outside: figures.OutsideFar, Meaning: figures.MeansImprovement},
		{Name: "South Area", Value: 40, Base: 390, Outside: figures.OutsideNear, Meaning: figures.MeansConcern}, {Name: "West", Value: 22, Base: 15, Outside: figures.OutsideNear, Meaning: figures.MeansChange},
	}
	return map[string]Picture{
		"a-funnel":        funnel,
		"an-empty-funnel": Funnel{ID: "e", Axis: "% of people who answered", Base: "People in the base"},
		"groups": Groups{ID: "groups", Title: "Groups", Unit: "%", Axis: "% of people who answered", Line: &Line{Value: 44, Label: "All"}, Rows: []Group{
			{Name: "Aged 16 to 17", Why: "[c] withheld"}, {Name: "Aged 18 to 24", Value: v(31), Low: v(20), High: v(44), Base: "61"}, {Name: "Kensington and Chelsea and much else besides", Value: v(100), Low: v(71), High: v(100), Small: true, Base: "1,204"}}},
		"moves": Moves{ID: "moves", Title: "Moves", Rows: []Move{
			{Group: "Report to investigation", Name: "Confidence", Up: 40, Same: 100, Down: 22}, {Group: "Report to investigation", Name: "Being taken seriously", Up: 1, Same: 0, Down: 200},
			{Group: "Investigation to closure", Name: "Confidence", Why: "[c] withheld"}}},
		"odds-ratios": Dots{ID: "odds", Title: "What goes with it", Log: true, Axis: "Odds ratio with 95% interval; 1: no difference", Lines: []Dot{
			{Label: "Lives with the other person", Value: 2.1, Low: 1.2, High: 3.9, Words: "2.1 (1.2–3.9)"}, {Label: "Domestic abuse", Value: 0.01, Low: 0.001, High: 90, Words: "0.01 (0.00–90)"},
			{Label: "Aged under 25", None: "[c] withheld"}}},
		"differences": Dots{ID: "points", Title: "Before", Axis: "Difference in percentage points", Lines: []Dot{{Label: "Not confident", Value: -12, Low: -20, High: -4, Words: "−12 (−20 to −4)"}}},
	}
}

// A file stands alone: well-formed, no style or script, its heading and notes drawn,
// no word on another.
func TestFileSVG(t *testing.T) {
	t.Parallel()
	for name, f := range files() {
		svg := f.SVG()
		if err := wellFormed(string(svg)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if m := forbidden.FindString(regexp.MustCompile(`>[^<]*<`).ReplaceAllString(string(svg), "><")); m != "" {
			t.Errorf("%s: %q", name, m)
		}
		for _, want := range []string{"&lt;Report&gt;", "Metropolitan Police", "policy change", "nobody can be told", "<desc"} {
			if !strings.Contains(string(svg), want) {
				t.Errorf("%s: %q is missing", name, want)
			}
		}
		found := texts(t, svg)
		for i := range found {
			for j := range found[:i] {
				a := found[i].box
				a.top, a.bottom = a.top+1, a.bottom-1
				if a.meets(found[j].box) {
					t.Errorf("%s: %q lies on %q", name, found[i].words, found[j].words)
				}
			}
		}
	}
}

// Every kind of chart is drawn as pixels, on the same ground and at twice the size.
// With VICTIMVOICE_TEST_IMAGES the pictures are kept there, to be looked at.
func TestFilePNG(t *testing.T) {
	t.Parallel()
	for name, f := range files() {
		raw, err := f.PNG()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		img, err := png.Decode(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := img.Bounds().Dx(); got != 1440 {
			t.Errorf("%s is %d wide", name, got)
		}
		dark := 0
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				if r, _, _, _ := img.At(x, y).RGBA(); r < 0x8000 {
					dark++
				}
			}
		}
		if r, g, b, a := img.At(1, 1).RGBA(); r+g+b+a != 4*0xffff {
			t.Errorf("%s has no ground of paper", name)
		}
		if dark < 2000 {
			t.Errorf("%s: only %d dark pixels", name, dark)
		}
		if dir := os.Getenv("VICTIMVOICE_TEST_IMAGES"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "chart-"+name+".png"), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What the raster does not know it refuses, rather than leave a mark out.
func TestRasterRefuses(t *testing.T) {
	t.Parallel()
	for _, inside := range []string{`<ellipse/>`, `<path d="M1 2C3 4"/>`, `<path d="m1 2"/>`, `<rect fill="red"/>`, `<g transform="scale(2)"/>`, `<polyline points="1"/>`, `<line stroke="#000000" stroke-dasharray="x"/>`, `<rect`} {
		if err := (&raster{}).draw([]byte(`<svg width="10" height="10">` + inside + `</svg>`)); err == nil {
			t.Errorf("%s was drawn", inside)
		}
	}
}
