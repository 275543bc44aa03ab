package charts

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func dotExamples() map[string]Dots {
	ratios := Dots{ID: "drivers", Title: "What goes with withdrawing", Description: "Made up for a test.", Axis: "Odds ratio, 95% interval", Log: true, Lines: []Dot{
		{Label: "Not kept informed well", Value: 1.9, Low: 1.2, High: 3.1, Words: "1.9 (1.2–3.1)"},
		{Label: "Stalking with fear or distress (4A)", Value: 0.4, Low: 0.06, High: 1.7, Words: "0.4 (0.06–1.7)"},
		{Label: "Aged 35 to 54", None: "fewer than 30 people with it"},
		{Label: "Female", Value: 30, Low: 3, High: math.Inf(1), Words: "30 (3 and more)"},
	}}
	narrow := ratios
	narrow.Size = Narrow
	points := Dots{ID: "points", Title: "Before they withdrew", Axis: "Percentage points", Lines: []Dot{
		{Label: "Low confidence", Value: 8.2, Low: 2.5, High: 13.7, Words: "+8 (+3 to +14)"}, {Label: "Poor updates", Value: -2, Low: -7, High: 4, Words: "−2 (−7 to +4)"}}}
	return map[string]Dots{"dots": ratios, "dots-narrow": narrow, "dots-points": points, "dots-none": {ID: "none", Log: true}}
}

func TestDotsGolden(t *testing.T) {
	t.Parallel()
	for name, c := range dotExamples() {
		got := lines(string(DotsSVG(c)))
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
			t.Errorf("%s differs; look at it and run with -update", file)
		}
	}
}

// Whatever is drawn is well formed, lies inside its frame and has a dark rule.
func TestAnyDots(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(` (x|cx|x1|x2)="([^"]*)"`)
	dark, _, _ := strings.Cut(Stylesheet(), "@media (forced-colors")
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64Range(0, 200), rapid.SampledFrom([]float64{0, 1, math.Inf(1), 1e-9, 1e9}))
		c := Dots{ID: rapid.String().Draw(t, "id"), Title: `"><script>`, Size: rapid.SampledFrom([]Size{Full, Narrow}).Draw(t, "size"), Log: rapid.Bool().Draw(t, "log")}
		for range rapid.IntRange(0, 12).Draw(t, "lines") {
			c.Lines = append(c.Lines, Dot{Label: rapid.String().Draw(t, "label"), Value: value.Draw(t, "value"), Low: value.Draw(t, "low"), High: value.Draw(t, "high"), Words: rapid.String().Draw(t, "words")})
		}
		svg := string(DotsSVG(c))
		decoder := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v: %s", err, svg)
			}
		}
		for _, m := range number.FindAllStringSubmatch(svg, -1) {
			if v, err := strconv.ParseFloat(m[2], 64); err != nil || v < 0 || v > 720 {
				t.Fatalf("%s=%q lies outside", m[1], m[2])
			}
		}
		for _, m := range regexp.MustCompile(`class="([^"]+)"`).FindAllStringSubmatch(svg, -1) {
			for class := range strings.FieldsSeq(m[1]) {
				if class != "chart-full" && class != "chart-narrow" && !regexp.MustCompile(`\.`+class+`\b`).MatchString(dark) {
					t.Fatalf(".%s has no dark rule", class)
				}
			}
		}
	})
}
