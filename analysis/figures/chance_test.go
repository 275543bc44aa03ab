package figures

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what simulations found into docs/methods.md")

// signalsByChance is the share of p′ charts that signal although nothing changes:
// shares of answers that are given by chance alone, on bases that vary as they do
// over the months of one stage.
func signalsByChance(rng *rand.Rand, charts, points, base int, share float64) float64 {
	x, n, v := make([]int, points), make([]int, points), make([]float64, points)
	signalling := 0
	for range charts {
		for i := range x {
			n[i], x[i] = base/2+rng.IntN(base+1), 0
			for range n[i] {
				if rng.Float64() < share {
					x[i]++
				}
			}
			v[i] = 100 * float64(x[i]) / float64(n[i])
		}
		if c, ok := Laney(x, n); ok && len(Signals(v, c)) > 0 {
			signalling++
		}
	}
	return float64(signalling) / float64(charts)
}

// How many signals chance alone gives on a page of many charts: simulated, held to
// what pages state, and printed in docs/methods.md.
func TestChanceOnAPageOfCharts(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(20261127, 5))
	const charts = 3000
	var b strings.Builder
	b.WriteString("| Points of a chart | Stated rate of one chart | Simulated: bases about 30 | Simulated: bases about 100 | Of 24 such charts, stated |\n|---|---|---|---|---|\n")
	for _, points := range []int{12, 16, 24, 36, 48} {
		stated := FalseAlarmRate(points)
		var found [2]float64
		for k, base := range []int{30, 100} {
			found[k] = signalsByChance(rng, charts, points, base, .45)
			if d := found[k] - stated; d > .03 || d < -.03 {
				t.Errorf("%d points on bases about %d: simulated %.3f, stated %.3f", points, base, found[k], stated)
			}
		}
		fmt.Fprintf(&b, "| %d | %.1f%% | %.1f%% | %.1f%% | %.1f |\n", points, 100*stated, 100*found[0], 100*found[1], 24*stated)
	}
	printed(t, "chance", b.String())
}

// printed holds a part of docs/methods.md, between two marks, to what a test found.
func printed(t *testing.T, name, want string) {
	t.Helper()
	const file = "../../docs/methods.md"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+": written by a test -->\n", "<!-- end of "+name+" -->"
	before, rest, ok := strings.Cut(string(raw), begin)
	inside, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("docs/methods.md has no place for %s", name)
	}
	switch {
	case inside == want:
	case *update:
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("docs/methods.md says\n%s\nand the simulation found\n%s\nrun with -update", inside, want)
	}
}
