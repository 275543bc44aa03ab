package charts

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"victimvoice/analysis/figures"
)

var update = flag.Bool("update", false, "write the golden files anew")

func ptr(v float64) *float64 { return &v }

// series makes a chart of n months from the given first, with a shift up at the end.
func series(n, firstYear, firstMonth int, value func(i int) float64) Chart {
	c := Chart{ID: "core-informed", Title: "Kept informed, report stage", Description: "Made up for a test.", Unit: "%", Axis: "% of people who answered"}
	centre := 0.0
	for i := range n {
		centre += value(i) / float64(n)
	}
	for i := range n {
		m := firstMonth - 1 + i
		half := 11 + 3*math.Sin(float64(i)*1.7)
		v := value(i)
		c.Points = append(c.Points, Point{Period: fmt.Sprintf("%d-%02d", firstYear+m/12, m%12+1), Value: ptr(v), Low: ptr(math.Max(0, v-half*.8)), High: ptr(math.Min(100, v+half*.8)),
			Band: &figures.Limit{Low: math.Max(0, centre-half), High: math.Min(100, centre+half)}})
	}
	c.Centre = &centre
	return c
}

func wave(i int) float64 { return 46 + 5*math.Sin(float64(i)*2.1) + 3*math.Cos(float64(i)*.9) }

func withhold(c *Chart, at ...int) {
	for _, i := range at {
		c.Points[i] = Point{Period: c.Points[i].Period, Suppressed: true}
	}
}

func signal(c *Chart, from, to int, letters, meaning string) {
	for i := from; i <= to; i++ {
		c.Points[i].Signal, c.Points[i].Meaning = letters, meaning
	}
}

func examples() map[string]Chart {
	full := series(24, 2024, 12, func(i int) float64 {
		if i >= 16 {
			return wave(i) + 14
		}
		return wave(i)
	})
	signal(&full, 16, 23, "b", figures.MeansImprovement)
	full.Points[20].Signal = "ab"
	withhold(&full, 5)
	full.Points[9].Small = true
	full.Flags = []Flag{{Period: "2026-03", Number: 1, Text: "Update standard begins in every unit"}, {Period: "2026-04", Number: 2, Text: "Questionnaire report/2"}}
	full.Lines = []Line{{Value: 77, Label: "Satisfied where kept informed, England and Wales, 2025:"}}

	long := series(48, 2022, 11, func(i int) float64 {
		if i >= 40 {
			return wave(i) - 13
		}
		return wave(i)
	})
	signal(&long, 40, 47, "b", figures.MeansConcern)
	signal(&long, 12, 12, "a", figures.MeansImprovement)
	*long.Points[12].Value = 66
	withhold(&long, 24, 25, 26, 33)
	long.Flags = []Flag{{Period: "2024-02", Number: 1, Text: "New contact centre"}}

	narrow := long
	narrow.Size = Narrow
	small := full
	small.Size = Small
	small.ID = "small"

	short := series(7, 2026, 1, wave)
	short.Centre = nil
	for i := range short.Points {
		short.Points[i].Band = nil
	}
	short.Points[6].Small = true

	quarters := series(16, 2023, 1, func(i int) float64 { return 88 + 6*math.Sin(float64(i)) })
	for i := range quarters.Points {
		quarters.Points[i].Period = fmt.Sprintf("%d-Q%d", 2023+i/4, i%4+1)
	}
	signal(&quarters, 3, 3, "d", figures.MeansChange)
	signal(&quarters, 10, 10, "a", figures.MeansConcern)

	years := Chart{ID: "years", Title: "By year", Unit: "%", Points: []Point{{Period: "2023", Value: ptr(41), Low: ptr(30), High: ptr(53)}, {Period: "2024", Suppressed: true}, {Period: "2025"}, {Period: "2026", Value: ptr(0), Low: ptr(0), High: ptr(9), Small: true}}}

	broken := series(30, 2024, 1, func(i int) float64 {
		if i >= 14 {
			return wave(i) - 14
		}
		return wave(i)
	})
	for i := 14; i < 30; i++ {
		l := *broken.Points[i].Band
		broken.Points[i].Band = &figures.Limit{Low: l.Low - 14, High: l.High - 14, NearLow: l.NearLow - 14, NearHigh: l.NearHigh - 14}
	}
	broken.Flags = []Flag{{Period: "2025-03", Number: 1, Text: "from March 2025 on, words were coded by version 2, before by 1", Break: true}}
	broken.Centres = []Span{{"2024-01", "2025-02", 46}, {"2025-03", "2026-06", 32}}
	broken.Centre = ptr(32)

	score := series(18, 2025, 5, wave)
	score.Unit, score.Axis = "", "Score, 0 (worst) to 100 (best)"

	return map[string]Chart{"full": full, "long": long, "narrow": narrow, "small": small, "short": short, "quarters": quarters, "years": years, "score": score, "broken": broken,
		"empty": {ID: "empty", Title: "Nothing yet", Unit: "%"}, "one": {ID: "one", Title: "One point", Unit: "%", Points: []Point{{Period: "2026-03", Value: ptr(50), Low: ptr(40), High: ptr(60)}}},
		"withheld": {ID: "withheld", Title: "All withheld", Unit: "%", Points: []Point{{Period: "2026-03", Suppressed: true}, {Period: "2026-04", Suppressed: true}}}}
}

// lines puts each element on a line of its own, so that a change shows where it is.
func lines(svg string) string { return strings.ReplaceAll(svg, "><", ">\n<") + "\n" }

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, c := range examples() {
		got := lines(string(SVG(c)))
		file := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from its golden file; look at it, then run with -update", name)
		}
	}
}

func wellFormed(svg string) error {
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

var forbidden = regexp.MustCompile(`(?i)style=|<script|\son\w+=|javascript:|<style|NaN|Inf`)

// Whatever is drawn is well-formed, has no style or script, and stays in its frame.
func TestAnyChart(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(` (x|cx|x1|x2)="(-?[0-9.]+)"`)
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`"><script>alert(1)</script>`, `' onload='x`, "a\x00b", "]]>"}))
		value := rapid.Custom(func(t *rapid.T) *float64 {
			if rapid.Bool().Draw(t, "missing") {
				return nil
			}
			return ptr(rapid.Float64Range(0, 100).Draw(t, "v"))
		})
		c := Chart{ID: words.Draw(t, "id"), Title: words.Draw(t, "title"), Description: words.Draw(t, "desc"), Unit: rapid.SampledFrom([]string{"%", ""}).Draw(t, "unit"), Axis: words.Draw(t, "axis"),
			Size: rapid.SampledFrom([]Size{Full, Narrow, Small}).Draw(t, "size"), Centre: value.Draw(t, "centre")}
		for i := range rapid.IntRange(0, 60).Draw(t, "points") {
			p := Point{Period: fmt.Sprintf("%d-%02d", 2020+i/12, i%12+1), Value: value.Draw(t, "value"), Low: value.Draw(t, "low"), High: value.Draw(t, "high")}
			if rapid.Bool().Draw(t, "odd period") {
				p.Period = words.Draw(t, "period")
			}
			p.Suppressed = p.Value == nil && rapid.Bool().Draw(t, "withheld")
			p.Signal = rapid.SampledFrom([]string{"", "", "a", "bd", "<"}).Draw(t, "signal")
			p.Meaning = rapid.SampledFrom([]string{figures.MeansImprovement, figures.MeansConcern, figures.MeansChange}).Draw(t, "meaning")
			if rapid.Bool().Draw(t, "limits") {
				p.Band = &figures.Limit{Low: 10, High: 90}
			}
			c.Points = append(c.Points, p)
		}
		for range rapid.IntRange(0, 4).Draw(t, "flags") {
			c.Flags = append(c.Flags, Flag{Period: "2021-03", Number: rapid.IntRange(1, 99).Draw(t, "number"), Text: words.Draw(t, "text")})
		}
		c.Lines = append(c.Lines, Line{Value: rapid.Float64Range(0, 100).Draw(t, "line"), Label: words.Draw(t, "label")})
		svg := string(SVG(c))
		if err := wellFormed(svg); err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		// Words may say anything; markup may not. Take the words away, then look.
		markup := regexp.MustCompile(`>[^<]*<`).ReplaceAllString(svg, "><")
		if m := forbidden.FindString(markup); m != "" {
			t.Fatalf("%q in the markup: %s", m, markup)
		}
		f := frameOf(&c)
		for _, m := range number.FindAllStringSubmatch(svg, -1) {
			var x float64
			_, _ = fmt.Sscan(m[2], &x)
			if x < 0 || x > f.width {
				t.Fatalf("%s lies outside the frame", m[0])
			}
		}
	})
}

func TestLabelsKeepApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "labels")
		list := make([]margin, n)
		for i := range list {
			list[i] = margin{y: rapid.Float64Range(40, 284).Draw(t, "y"), weight: float64(rapid.IntRange(0, 2).Draw(t, "weight"))}
		}
		apart(list, 40, 284)
		for i := range list {
			if list[i].y < 39 || list[i].y > 285 {
				t.Fatalf("label at %.1f", list[i].y)
			}
			if i > 0 && list[i].y-list[i-1].y < lineHeight-.1 {
				t.Fatalf("labels at %.1f and %.1f", list[i-1].y, list[i].y)
			}
		}
	})
}

func TestIDsAreUnique(t *testing.T) {
	t.Parallel()
	a, b := string(SVG(Chart{ID: "one"})), string(SVG(Chart{ID: "two words"}))
	for _, id := range []string{`id="chart-one-title"`, `id="chart-one-desc"`, `aria-labelledby="chart-one-title chart-one-desc"`} {
		if !strings.Contains(a, id) {
			t.Errorf("%s is missing", id)
		}
	}
	if !strings.Contains(b, `id="chart-two_20words-title"`) {
		t.Error("a blank in an id was not replaced")
	}
}

// Every class that a chart uses with a colour has its turn on a dark ground.
func TestStylesheetKnowsEveryClass(t *testing.T) {
	t.Parallel()
	dark, _, _ := strings.Cut(Stylesheet(), "@media (forced-colors")
	for name, c := range examples() {
		for _, m := range regexp.MustCompile(`class="([^"]+)"`).FindAllStringSubmatch(string(SVG(c)), -1) {
			for class := range strings.FieldsSeq(m[1]) {
				if class != "chart-full" && class != "chart-narrow" && class != "chart-small" && !regexp.MustCompile(`\.`+class+`\b`).MatchString(dark) {
					t.Errorf("%s: .%s has no dark rule", name, class)
				}
			}
		}
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	share, low, high, centre := 61.5, 50.0, 70.0, 55.0
	r := figures.Result{Measure: figures.Measure{ID: "core.informed", Title: "Kept informed", Kind: figures.KindShare},
		Points: []figures.Point{{Period: "2026-01", Share: &share, Low: &low, High: &high, Base: 40, Numerator: 25, Signal: "a", Meaning: figures.MeansImprovement}, {Period: "2026-02", Suppressed: true, Reason: "few"}},
		Trend:  &figures.Trend{Method: "p′", Centre: &centre, Limits: []*figures.Limit{{Low: 40, High: 60}, nil}, Signals: []figures.Sign{{Words: "January 2026 lies above the control limit (rule a)."}}, Note: "A note."}}
	c := Of("x", r, Full)
	if c.Unit != "%" || len(c.Points) != 2 || *c.Points[0].Value != share || c.Points[0].Band == nil || c.Points[1].Band != nil || !c.Points[1].Suppressed || *c.Centre != centre {
		t.Errorf("%+v", c)
	}
	if c.Description != "January 2026 lies above the control limit (rule a). A note." {
		t.Errorf("description %q", c.Description)
	}
	svg := string(SVG(c))
	for _, want := range []string{"latest published, January 2026: 62%", "[c]", "Mean 55%"} {
		if !strings.Contains(svg, want) {
			t.Errorf("%q is missing", want)
		}
	}
	r.Measure.Kind = figures.KindIndex
	if c := Of("x", r, Small); c.Unit != "" {
		t.Errorf("an index is no percentage: %q", c.Unit)
	}
}
