package charts

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever groups are drawn: well-formed, without style or script, and each is read out.
func TestAnyGroups(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`"><script>alert(1)</script>`, `' onload='x`, "a\x00b", "Breach of a stalking protection order, and more"}))
		g := Groups{ID: words.Draw(t, "id"), Title: words.Draw(t, "title"), Unit: "%", Size: rapid.SampledFrom([]Size{Full, Narrow}).Draw(t, "size")}
		if rapid.Bool().Draw(t, "line") {
			g.Line = &Line{Value: 40, Label: words.Draw(t, "label")}
		}
		for range rapid.IntRange(0, 40).Draw(t, "rows") {
			r := Group{Name: words.Draw(t, "name"), Why: "[c] withheld"}
			if rapid.Bool().Draw(t, "shown") {
				r = Group{Name: r.Name, Value: ptr(rapid.Float64Range(0, 100).Draw(t, "v")), Low: ptr(0.), High: ptr(100.), Small: rapid.Bool().Draw(t, "small"), Base: "41"}
			}
			g.Rows = append(g.Rows, r)
		}
		svg := string(g.SVG())
		if err := wellFormed(svg); err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		if m := forbidden.FindString(regexp.MustCompile(`>[^<]*<`).ReplaceAllString(svg, "><")); m != "" {
			t.Fatalf("%q in the markup: %s", m, svg)
		}
		if !strings.Contains(svg, `role="img"`) || !strings.Contains(svg, "<desc") {
			t.Fatal("nothing to read out")
		}
	})
}
