package figures

import (
	"fmt"
	"math"
	"testing"
)

// equations are what an attacker knows: sums of numbers that are not shown. Each
// number is a column; each sum a row of coefficients, kept in reduced echelon form.
type equations struct {
	columns int
	rows    [][]float64
	lead    []int
}

// reduce takes out of a sum what the known sums say of it.
func (e *equations) reduce(f map[int]float64) []float64 {
	v := make([]float64, e.columns)
	for c, x := range f {
		v[c] += x
	}
	for i, row := range e.rows {
		if k := v[e.lead[i]]; math.Abs(k) > 1e-9 {
			for c := range v {
				v[c] -= k * row[c]
			}
		}
	}
	return v
}

// know adds a sum whose value is shown.
func (e *equations) know(f map[int]float64) {
	v := e.reduce(f)
	best := 0
	for c := range v {
		if math.Abs(v[c]) > math.Abs(v[best]) {
			best = c
		}
	}
	if math.Abs(v[best]) < 1e-9 {
		return
	}
	lead := v[best]
	for c := range v {
		v[c] /= lead
	}
	for _, row := range e.rows {
		if k := row[best]; math.Abs(k) > 1e-12 {
			for c := range row {
				row[c] -= k * v[c]
			}
		}
	}
	e.rows, e.lead = append(e.rows, v), append(e.lead, best)
}

// gives reports whether a sum follows from those known.
func (e *equations) gives(f map[int]float64) bool {
	for _, x := range e.reduce(f) {
		if math.Abs(x) > 1e-7 {
			return false
		}
	}
	return true
}

func TestEquations(t *testing.T) {
	t.Parallel()
	e := &equations{columns: 4}
	e.know(map[int]float64{0: 1, 1: 1, 2: 1})
	e.know(map[int]float64{0: 1, 1: 1})
	if !e.gives(map[int]float64{2: 1}) || e.gives(map[int]float64{0: 1}) || e.gives(map[int]float64{3: 1}) {
		t.Error("the rest of a total follows from it and its other parts, and nothing else does")
	}
}

// The nine ways in which a pair of answers can go, besides those outside the pairs.
const (
	pairUpWithin = iota // up, and on one side all the way: both positive
	pairUpBelow         // the same, both not positive
	pairGained
	pairSameAbove
	pairSameBelow
	pairDownWithin
	pairDownBelow
	pairLost
	restBeforeYes
	restBeforeNo
	restAfterYes
	restAfterNo
	pairWays
)

type attack struct {
	sys             *equations
	sensitive       map[string]map[int]float64
	shown, withheld int
}

// journeyAttack lays out what one question at one pair of stages shows, with what the
// stages' own all-time figures show, as sums over the leaves of the tree of areas.
func journeyAttack(jt *journeyTable, main *table) attack {
	leaves := map[int][]int{}
	for i := range jt.axis.nodes {
		if len(jt.axis.children[i]) == 0 {
			leaves[i] = []int{i}
		}
		for _, c := range jt.axis.children[i] {
			leaves[i] = append(leaves[i], leaves[int(c)]...)
		}
	}
	sum := func(node int, ways ...int) map[int]float64 {
		f := map[int]float64{}
		for _, l := range leaves[node] {
			for _, w := range ways {
				f[l*pairWays+w] = 1
			}
		}
		return f
	}
	a := attack{sys: &equations{columns: len(jt.axis.nodes) * pairWays}, sensitive: map[string]map[int]float64{}}
	up, same, down := []int{pairUpWithin, pairUpBelow, pairGained}, []int{pairSameAbove, pairSameBelow}, []int{pairDownWithin, pairDownBelow, pairLost}
	both := []int{pairUpWithin, pairSameAbove, pairDownWithin}
	neither := []int{pairUpBelow, pairSameBelow, pairDownBelow}
	ever := len(main.axes[axisPeriod].nodes) - 1
	for i := range jt.axis.nodes {
		c := &jt.cells[i]
		if c.base > 0 && !jt.hidden[0][i] {
			a.shown++
			for _, ways := range [][]int{up, same, down} {
				a.sys.know(sum(i, ways...))
			}
			if !jt.hidden[1][i] {
				for _, ways := range [][]int{both, {pairGained}, {pairLost}, neither} {
					a.sys.know(sum(i, ways...))
				}
			}
		} else if c.base > 0 {
			a.withheld++
		}
		for k, stage := range []string{jt.step.From, jt.step.To} {
			n, _ := stageNumber(stage)
			at := ever*main.stride[axisPeriod] + int(n)*main.stride[axisStage] + i*main.stride[axisArea]
			yes, no := append([]int{pairLost, restBeforeYes}, both...), append([]int{pairGained, restBeforeNo}, neither...)
			if k == 1 {
				yes, no = append([]int{pairGained, restAfterYes}, both...), append([]int{pairLost, restAfterNo}, neither...)
			}
			if !main.hidden[at] {
				a.sys.know(sum(i, yes...))
				a.sys.know(sum(i, no...))
			}
		}
		// Small numbers of people that nobody may work out.
		for name, part := range map[string]struct {
			n    int
			ways []int
		}{"up": {c.up, up}, "same": {c.same, same}, "down": {c.down, down}, "gained": {c.gained, []int{pairGained}}, "lost": {c.lost, []int{pairLost}},
			"both": {c.both, both}, "neither": {c.neither, neither}, "rest before, yes": {c.restPositive[0], []int{restBeforeYes}}, "rest before, no": {c.rest[0] - c.restPositive[0], []int{restBeforeNo}},
			"rest after, yes": {c.restPositive[1], []int{restAfterYes}}, "rest after, no": {c.rest[1] - c.restPositive[1], []int{restAfterNo}}} {
			if few(part.n) {
				a.sensitive[fmt.Sprintf("%d %s at %s", part.n, name, jt.axis.nodes[i].key)] = sum(i, part.ways...)
			}
		}
	}
	return a
}
