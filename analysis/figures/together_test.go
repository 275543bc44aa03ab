package figures

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// hiddenCell names a withheld cell over several tables: the totals over an attribute
// are the same cells in all of them.
type hiddenCell struct {
	attr string
	cell int32
}

// sumOf is one total as an attacker sees it: withheld parts, the withheld total with
// the opposite sign, and what the shown ones leave for them.
type sumOf struct {
	terms     map[int]float64
	num, base float64
}

// known lays out every total of a measure's tables, without an attribute and with each
// of several, as sums over what is withheld anywhere.
func known(t *testing.T, p *Panel, m *Measure, attrs ...string) (sums []sumOf, cells []hiddenCell, tables map[string]*table) {
	t.Helper()
	column := map[hiddenCell]int{}
	tables = map[string]*table{}
	for _, attr := range append([]string{""}, attrs...) {
		tb, err := p.table(context.Background(), m, ModeSelf, attr)
		if err != nil {
			t.Fatal(err)
		}
		tables[attr] = tb
		width := len(tb.axes[axisAttr].nodes)
		for k := range tb.axes {
			stride := tb.stride[k]
			block := stride * len(tb.axes[k].nodes)
			for parent, children := range tb.axes[k].children {
				if len(children) == 0 {
					continue
				}
				for outer := 0; outer < len(tb.base); outer += block {
					for inner := range stride {
						s := sumOf{terms: map[int]float64{}}
						put := func(at int, sign float64) {
							if !tb.hidden[at] {
								s.num, s.base = s.num-sign*float64(tb.num[at]), s.base-sign*float64(tb.base[at])
								return
							}
							if tb.base[at] == 0 {
								return
							}
							h := hiddenCell{attr, int32(at)}
							if at%width == width-1 {
								h = hiddenCell{"", int32(at / width)}
							}
							c, ok := column[h]
							if !ok {
								c = len(cells)
								column[h], cells = c, append(cells, h)
							}
							s.terms[c] += sign
						}
						put(outer+inner+parent*stride, -1)
						for _, c := range children {
							put(outer+inner+int(c)*stride, 1)
						}
						if len(s.terms) > 0 {
							sums = append(sums, s)
						}
					}
				}
			}
		}
	}
	return sums, cells, tables
}

// narrowed bounds what every withheld number can be, from each sum in turn until
// nothing narrows: none is under nought.
func narrowed(sums []sumOf, n int, rest func(sumOf) float64) (low, high []float64) {
	low, high = make([]float64, n), make([]float64, n)
	for i := range high {
		high[i] = math.Inf(1)
	}
	for changed := true; changed; {
		changed = false
		for _, s := range sums {
			for c, k := range s.terms { // k·x = rest − Σ others
				least, most := rest(s), rest(s)
				for o, j := range s.terms {
					if o == c {
						continue
					}
					if j > 0 {
						least, most = least-j*high[o], most-j*low[o]
					} else {
						least, most = least-j*low[o], most-j*high[o]
					}
				}
				if k < 0 {
					least, most = -most, -least
				}
				if least > low[c]+1e-9 {
					low[c], changed = least, true
				}
				if most < high[c]-1e-9 {
					high[c], changed = most, true
				}
			}
		}
	}
	return low, high
}

// All of a measure's tables together, the one without an attribute and those with
// each, give no withheld cell away that is under the threshold: neither as equations
// nor by narrowing what each number can be.
func TestTablesTogetherGiveNothingAway(t *testing.T) {
	t.Parallel()
	withheld := 0
	for seed := range uint64(4) {
		w := randomWorld(t, rand.New(rand.NewPCG(seed, 31)), 250+250*int(seed))
		for i := range w.cases {
			w.cases[i].Borough, w.cases[i].BCU = []string{"Ealing", "Hounslow"}[i%2], "West"
			w.cases[i].Sex = []string{"female", "female", "male", ""}[i%4]
		}
		for i := range w.responses {
			w.responses[i].SubmittedAt = day(2026, time.Month(1+i%2), 10)
		}
		p := w.panel()
		for _, id := range []string{"core.informed", "dissemination.complete"} {
			m, _ := p.measure(id)
			attrs := []string{DimAbuse, DimSex, DimOffence}
			if !m.askings {
				attrs = append(attrs, DimAboutEthnicity)
			}
			sums, cells, tables := known(t, p, &m, attrs...)
			withheld += len(cells)
			e := &equations{columns: len(cells)}
			for _, s := range sums {
				e.know(s.terms)
			}
			low, high := narrowed(sums, len(cells), func(s sumOf) float64 { return s.num })
			for c, h := range cells {
				tb := tables[h.attr]
				if m.check(tb.counts(h.cell)) == "" {
					continue // withheld for another's sake
				}
				if e.gives(map[int]float64{c: 1}) {
					t.Errorf("seed %d %s: %+v follows from all tables together", seed, id, h)
				}
				if n := tb.num[h.cell]; few(int(n)) && low[c] == high[c] {
					t.Errorf("seed %d %s: that %+v is %d can be narrowed down", seed, id, h, n)
				}
			}
		}
	}
	if withheld == 0 {
		t.Error("nothing is withheld, so nothing was attacked")
	}
}

// The narrowing works: two withheld parts of which one is shown elsewhere to be none.
func TestBoundsNarrow(t *testing.T) {
	t.Parallel()
	low, high := narrowed([]sumOf{{terms: map[int]float64{0: 1, 1: 1}, num: 3}, {terms: map[int]float64{1: 1, 2: 1}, num: 0}}, 3, func(s sumOf) float64 { return s.num })
	if low[0] != 3 || high[0] != 3 {
		t.Errorf("%v to %v", low, high)
	}
}

// Comparisons, funnel plots and who is not heard are made of published figures alone:
// each number in them is one, and none stands where one of them is withheld.
func TestDerivedPagesShowPublishedFiguresAlone(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	shown, withheld := 0, 0
	for seed := range uint64(6) {
		p := randomWorld(t, rand.New(rand.NewPCG(seed, 41)), 100+240*int(seed)).panel()
		published := map[[2]int]bool{}
		numbers := func(measure string, q Query) []Point {
			q.Measure = measure
			points := ask(t, p, q).Points
			for _, pt := range points {
				if pt.Share != nil {
					published[[2]int{pt.Numerator, pt.Base}] = true
				}
			}
			return points
		}
		for _, dim := range []string{DimBCU, DimBorough, DimOffence, DimAbuse, DimYear, DimQuarter} {
			points := numbers("core.informed", Query{By: []string{dim}})
			for i := range points {
				for k := range i {
					c, err := p.Compare(ctx, Query{Measure: "core.informed"}, dim, points[i].Key[dim], points[k].Key[dim])
					if err != nil {
						t.Fatal(err)
					}
					open := points[i].Share != nil && points[k].Share != nil
					if (c.Difference != nil) != open || c.First.Base != points[i].Base || c.Second.Numerator != points[k].Numerator || !open && c.Words != "" {
						t.Fatalf("seed %d by %s: %+v of %+v and %+v", seed, dim, c, points[i], points[k])
					}
					if open {
						shown++
					} else {
						withheld++
					}
				}
			}
		}
		numbers("core.informed", Query{})
		for _, level := range []string{DimBCU, DimBorough} {
			f, err := p.Funnel(ctx, Query{Measure: "core.informed"}, level)
			if err != nil {
				t.Fatal(err)
			}
			if f.Centre.Share == nil && f.Limits != nil {
				t.Errorf("seed %d: limits about a withheld centre", seed)
			}
			for _, a := range f.Areas {
				if a.Share != nil && !published[[2]int{a.Numerator, a.Base}] || a.Share == nil && (a.Outside != "" || a.Base != 0 || a.Above) {
					t.Errorf("seed %d: %+v is not what is published", seed, a)
				}
			}
		}
		for _, dim := range []string{DimBCU, DimAbuse, DimOffence, DimSex} {
			u, err := p.Unheard(ctx, Query{}, dim)
			if err != nil {
				t.Fatal(err)
			}
			complete := numbers("dissemination.complete", Query{By: []string{dim}})
			for i, row := range u.Groups {
				if row.Suppressed != complete[i].Suppressed || row.Complete != complete[i].Numerator || row.Recorded != complete[i].Base {
					t.Errorf("seed %d: %+v, published %+v", seed, row, complete[i])
				}
				if row.Reason != "" && (row.Invited != 0 || row.Apart != nil || row.Heard.Share != 0) {
					t.Errorf("seed %d: a withheld group holds %+v", seed, row)
				}
				if row.Apart != nil && Primary(u.All.Complete-row.Complete, u.All.Recorded-row.Recorded) != "" {
					t.Errorf("seed %d: the others of %+v could not be published", seed, row)
				}
			}
		}
	}
	if shown == 0 || withheld == 0 {
		t.Errorf("%d shown, %d withheld", shown, withheld)
	}
}

// The response rates and the steps of the dissemination count some of the same people:
// where two of them are shown for one cell, neither the partial answers nor those whose
// consent was withdrawn follow as fewer than five.
func TestResponseAndStepsGiveNothingAway(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	shown, withheld := 0, 0
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 51))
		w := randomWorld(t, rng, 200+150*int(seed))
		for i := range w.cases { // a few partial answers, and now and then a consent withdrawn
			if rng.IntN(3) > 0 && w.cases[i].Asks[0].Disposition == StartedPartial {
				w.cases[i].Asks[0].Disposition = Completed
			}
			if rng.IntN(40) == 0 {
				w.cases[i].Asks[0].Disposition = ConsentWithdrawn
			}
		}
		p := w.panel()
		for _, attr := range []string{"", DimAbuse, DimOffence} {
			tables := map[string]*table{}
			for _, id := range []string{"response.rr1", "response.rr2", "dissemination.partial", "dissemination.complete"} {
				m, _ := p.measure(id)
				tb, err := p.table(ctx, &m, ModeSelf, attr)
				if err != nil {
					t.Fatal(err)
				}
				tables[id] = tb
			}
			for a, first := range tables {
				for b, second := range tables {
					for i := range first.base {
						if first.hidden[i] || second.hidden[i] {
							withheld++
							continue
						}
						shown++
						if d := first.num[i] - second.num[i]; few(int(d)) {
							t.Fatalf("seed %d by %q: %s less %s gives %d people", seed, attr, a, b, d)
						}
					}
				}
			}
		}
	}
	if shown == 0 || withheld == 0 {
		t.Errorf("%d shown, %d withheld", shown, withheld)
	}
}
