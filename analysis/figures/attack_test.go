package figures

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// determined finds the withheld cells whose numbers follow from everything that is
// shown: each total is an equation over its withheld parts, and a cell is given away
// when the equations have one answer for it.
func determined(tb *table) []int32 {
	column := map[int32]int{}
	var cells []int32
	for i, h := range tb.hidden {
		if h && tb.base[i] > 0 {
			column[int32(i)] = len(cells)
			cells = append(cells, int32(i))
		}
	}
	var rows [][]float64
	for k := range tb.axes {
		stride := tb.stride[k]
		block := stride * len(tb.axes[k].nodes)
		for parent, children := range tb.axes[k].children {
			if len(children) == 0 {
				continue
			}
			for outer := 0; outer < len(tb.base); outer += block {
				for inner := range stride {
					row, some := make([]float64, len(cells)), false
					set := func(cell int, v float64) {
						if c, ok := column[int32(cell)]; ok {
							row[c], some = v, true
						}
					}
					set(outer+inner+parent*stride, -1)
					for _, c := range children {
						set(outer+inner+int(c)*stride, 1)
					}
					if some {
						rows = append(rows, row)
					}
				}
			}
		}
	}
	pivots := eliminate(rows, len(cells))
	var out []int32
	for r, c := range pivots {
		alone := true
		for j, v := range rows[r] {
			if j != c && math.Abs(v) > 1e-9 {
				alone = false
			}
		}
		if alone {
			out = append(out, cells[c])
		}
	}
	return out
}

// eliminate brings rows to reduced echelon form in place and gives the pivot column of each leading row.
func eliminate(rows [][]float64, columns int) (pivots []int) {
	r := 0
	for c := 0; c < columns && r < len(rows); c++ {
		best := r
		for i := r; i < len(rows); i++ {
			if math.Abs(rows[i][c]) > math.Abs(rows[best][c]) {
				best = i
			}
		}
		if math.Abs(rows[best][c]) < 1e-9 {
			continue
		}
		rows[r], rows[best] = rows[best], rows[r]
		lead := rows[r][c]
		for j := range rows[r] {
			rows[r][j] /= lead
		}
		for i := range rows {
			if f := rows[i][c]; i != r && f != 0 {
				for j := range rows[i] {
					rows[i][j] -= f * rows[r][j]
				}
			}
		}
		pivots = append(pivots, c)
		r++
	}
	return pivots
}

// attacked wants no cell under the threshold to follow from all that a table shows.
func attacked(t *testing.T, p *Panel, m *Measure, attr string) (withheld int) {
	t.Helper()
	tb, err := p.table(context.Background(), m, ModeSelf, attr)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range determined(tb) {
		if m.check(tb.counts(c)) != "" {
			t.Errorf("%s by %q: cell %d follows from what is shown", m.ID, attr, c)
		}
	}
	for i, h := range tb.hidden {
		if h && tb.base[i] > 0 {
			withheld++
		}
	}
	return withheld
}

// The same for what people told about themselves and other attributes, on fewer
// months and areas, in which more can be shown.
func TestEquationsGiveNothingAwayByAttribute(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		w := randomWorld(t, rand.New(rand.NewPCG(seed, 12)), 300+200*int(seed))
		for i := range w.cases {
			w.cases[i].Borough, w.cases[i].BCU = []string{"Ealing", "Hounslow"}[i%2], "West"
		}
		for i := range w.responses {
			w.responses[i].SubmittedAt = day(2026, time.Month(1+i%4), 10)
		}
		p := w.panel()
		for _, id := range []string{"core.informed", "theme.COM_UPDATES.any"} {
			m, _ := p.measure(id)
			for _, attr := range []string{DimAboutEthnicity, DimAbuse, DimOffence} {
				if n := attacked(t, p, &m, attr); n == 0 {
					t.Errorf("seed %d %s by %s: nothing is withheld, so nothing was attacked", seed, id, attr)
				}
			}
		}
	}
}

// Every total of the whole lattice, months, quarters, years, stages, areas and an
// attribute, taken together as equations, gives no cell under the threshold away.
func TestEquationsGiveNothingAway(t *testing.T) {
	t.Parallel()
	sizes := []int{150, 600, 1500}
	for seed := range uint64(len(sizes)) {
		p := randomWorld(t, rand.New(rand.NewPCG(seed, 11)), sizes[seed]).panel()
		for _, id := range []string{"core.informed", "theme.COM_UPDATES.any"} {
			m, _ := p.measure(id)
			attacked(t, p, &m, "")
		}
	}
}

// The attack itself works: a single withheld part of a shown total is found.
func TestAttackFindsASingleGap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many("Ealing", "West", "stalking-2a", day(2026, 3, 10), 20, 40)
	w.many("Hounslow", "West", "stalking-2a", day(2026, 3, 10), 20, 40)
	p := w.panel()
	m, _ := p.measure("core.informed")
	tb, err := p.table(context.Background(), &m, ModeSelf, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := determined(tb); len(got) != 0 {
		t.Fatalf("nothing is withheld, yet %v", got)
	}
	for i := range tb.hidden { // Ealing at report in March 2026, alone
		if tb.base[i] == 40 {
			tb.hidden[i] = true
			break
		}
	}
	if len(determined(tb)) == 0 {
		t.Error("a single gap was not found")
	}
}
