package charts

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"victimvoice/analysis/figures"
)

// Whatever funnel or journey is drawn: well-formed, without style or script, and read out.
func TestAnyFunnelOrMoves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`"><script>alert(1)</script>`, `' onload='x`, "a\x00b", "Kensington and Chelsea"}))
		f := Funnel{ID: words.Draw(t, "id"), Title: words.Draw(t, "title"), Centre: rapid.Float64Range(0, 100).Draw(t, "centre"), CentreName: words.Draw(t, "all"), Size: rapid.SampledFrom([]Size{Full, Narrow}).Draw(t, "size")}
		base := rapid.IntRange(1, 1e6).Draw(t, "first")
		for range rapid.IntRange(0, 90).Draw(t, "limits") {
			base += rapid.IntRange(1, 1000).Draw(t, "step")
			f.Limits = append(f.Limits, figures.FunnelLimit{Base: base, Low998: 10, Low95: 20, High95: 60, High998: 70})
		}
		for range rapid.IntRange(0, 40).Draw(t, "dots") {
			f.Dots = append(f.Dots, FunnelDot{Name: words.Draw(t, "name"), Value: rapid.Float64Range(0, 100).Draw(t, "v"), Base: base,
				Outside: rapid.SampledFrom([]string{"", figures.OutsideNear, figures.OutsideFar}).Draw(t, "outside"), Meaning: rapid.SampledFrom([]string{figures.MeansConcern, figures.MeansImprovement, figures.MeansChange}).Draw(t, "meaning")})
		}
		m := Moves{ID: f.ID, Title: f.Title, Size: f.Size}
		for range rapid.IntRange(0, 20).Draw(t, "moves") {
			count := rapid.IntRange(0, 500)
			m.Rows = append(m.Rows, Move{Group: words.Draw(t, "group"), Name: words.Draw(t, "name"), Up: count.Draw(t, "up"), Same: count.Draw(t, "same"), Down: count.Draw(t, "down"), Why: rapid.SampledFrom([]string{"", "[c] withheld"}).Draw(t, "why")})
		}
		for _, svg := range []string{string(f.SVG()), string(m.SVG())} {
			if err := wellFormed(svg); err != nil {
				t.Fatalf("%v in %s", err, svg)
			}
			if found := forbidden.FindString(regexp.MustCompile(`>[^<]*<`).ReplaceAllString(svg, "><")); found != "" {
				t.Fatalf("%q in the markup: %s", found, svg)
			}
			if !strings.Contains(svg, `role="img"`) || !strings.Contains(svg, "<title id=") || !strings.Contains(svg, "<desc id=") {
				t.Fatal("nothing to read out")
			}
		}
	})
}

func TestBaseTicks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ low, high float64 }{{0, 1}, {10, 11}, {100, 290}, {13, 99}, {1000, 250000}} {
		got := baseTicks(tt.low, tt.high)
		if len(got) < 1 || len(got) > 8 {
			t.Errorf("%v: %v", tt, got)
		}
	}
}
