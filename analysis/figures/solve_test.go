package figures

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"victimvoice/internal/bounds"
)

var (
	populations = flag.Int("attack-populations", 3, "how many random populations are attacked: two to fifteen seconds each")
	firstSeed   = flag.Int("attack-from", 0, "the first of them")
)

// attackFamily is measures that count the same people: whoever is in one class counts
// alike in each of them. What they show is attacked together.
type attackFamily struct {
	name     string
	measures []string
	attrs    []string
	classes  [][]uint16 // of each class, what one of its people adds to each measure
	// Of each class, as a measure that no page has: nobody may work out that 1 to 4 are in it.
	secret []Measure
}

// placed is one cell of the lattice by name.
type placed struct{ attr, period, stage, level, area, value string }

// leafCells are the finest cells, of one attribute or none, that a cell is made of.
type leafCells []int32

// leavesOf gives the finest cells of a cell of a table.
func leavesOf(tb *table, cell int) (out leafCells) {
	nodes := [axisCount][]int{}
	for k := range tb.axes {
		at := cell / tb.stride[k] % len(tb.axes[k].nodes)
		var walk func(n int)
		walk = func(n int) {
			if len(tb.axes[k].children[n]) == 0 {
				nodes[k] = append(nodes[k], n)
			}
			for _, c := range tb.axes[k].children[n] {
				walk(int(c))
			}
		}
		walk(at)
	}
	for _, a := range nodes[axisPeriod] {
		for _, b := range nodes[axisStage] {
			for _, c := range nodes[axisArea] {
				for _, d := range nodes[axisAttr] {
					out = append(out, int32(a*tb.stride[axisPeriod]+b*tb.stride[axisStage]+c*tb.stride[axisArea]+d*tb.stride[axisAttr]))
				}
			}
		}
	}
	return out
}

// placeOf names a cell of a table as the keys of points do.
func placeOf(tb *table, attr string, cell int) placed {
	at := func(k int) node { return tb.axes[k].nodes[cell/tb.stride[k]%len(tb.axes[k].nodes)] }
	period, stage, area, value := at(axisPeriod), at(axisStage), at(axisArea), at(axisAttr)
	p := placed{attr: attr, period: period.key}
	if stage.level == 0 {
		p.stage = stage.key
	}
	if area.level < levelEverywhere {
		p.level, p.area = []string{DimBorough, DimBCU, DimForce}[area.level], area.key
	}
	if attr != "" && value.level == 0 {
		p.value = value.key
	}
	return p
}

// everyQuery asks for all that the lattice has of a measure, in every attribute given.
func everyQuery(measure string, attrs []string) (out []Query) {
	for _, period := range []string{"", DimMonth, DimQuarter, DimYear} {
		for _, stage := range []string{"", DimStage} {
			for _, area := range []string{"", DimForce, DimBCU, DimBorough} {
				for _, attr := range append([]string{""}, attrs...) {
					by := slices.DeleteFunc([]string{period, stage, area, attr}, func(d string) bool { return d == "" })
					out = append(out, Query{Measure: measure, By: by})
				}
			}
		}
	}
	return out
}

// published is all that is told of a measure: a point for each cell that has one. Pages,
// files, the archive and the API are made of these points and of nothing else.
func published(t *testing.T, p *Panel, measure string, attrs []string) map[placed]Point {
	t.Helper()
	out := map[placed]Point{}
	for _, q := range everyQuery(measure, attrs) {
		r := ask(t, p, q)
		for i := range r.Points {
			pt := r.Points[i]
			pl := placed{period: pt.Period, stage: pt.Key[DimStage]}
			for _, d := range q.By {
				switch groupOf(d) {
				case groupArea:
					pl.level, pl.area = d, pt.Key[d]
				case groupAttribute:
					pl.attr, pl.value = d, pt.Key[d]
				}
			}
			out[pl] = pt
		}
	}
	return out
}

// lpAttack is one family of one panel under attack.
type lpAttack struct {
	t       *testing.T
	family  attackFamily
	known   bounds.Known
	numbers map[string][][]int // attribute: leaf cell: class: number; nil where the leaf is shown to be empty
	tables  map[string]map[string]*table
	// Classes of leaves that nobody is in as one published figure says by itself: 0% or 100%
	// on 30 people and more, or that no one has answered at all.
	empty map[int]bool
	shown int
}

func newAttack(t *testing.T, p *Panel, f attackFamily) *lpAttack {
	t.Helper()
	a := &lpAttack{t: t, family: f, numbers: map[string][][]int{}, tables: map[string]map[string]*table{}, empty: map[int]bool{}}
	for _, id := range f.measures {
		m, ok := p.measure(id)
		if !ok {
			t.Fatalf("%s is no measure", id)
		}
		a.tables[id] = map[string]*table{}
		for _, attr := range append([]string{""}, f.attrs...) {
			tb, err := p.table(context.Background(), &m, ModeSelf, attr)
			if err != nil {
				t.Fatal(err)
			}
			a.tables[id][attr] = tb
		}
	}
	for _, attr := range append([]string{""}, f.attrs...) {
		tb := a.tables[f.measures[0]][attr]
		a.numbers[attr] = make([][]int, len(tb.base))
		for _, leaf := range leavesOf(tb, len(tb.base)-1) { // of the total of totals: every leaf
			for range f.classes {
				a.numbers[attr][leaf] = append(a.numbers[attr][leaf], a.known.Number())
			}
		}
		if attr == "" {
			continue
		}
		// Each table with an attribute counts the same people as the one without.
		width := len(tb.axes[axisAttr].nodes)
		for leaf, classes := range a.numbers[""] {
			for c, n := range classes {
				s := bounds.Sum{n: -1}
				for v := range width - 1 {
					s[a.numbers[attr][leaf*width+v][c]] = 1
				}
				a.known.Equal(s, 0)
			}
		}
	}
	for k, id := range f.measures {
		a.learn(k, published(t, p, id, f.attrs))
	}
	return a
}

// sum adds up, over leaves, the classes that a test picks.
func (a *lpAttack) sum(attr string, leaves leafCells, pick func(class int) bool) bounds.Sum {
	s := bounds.Sum{}
	for _, l := range leaves {
		for c, n := range a.numbers[attr][l] {
			if pick(c) {
				s[n]++
			}
		}
	}
	return s
}

func (a *lpAttack) counts(measure int, bit uint16) func(class int) bool {
	return func(class int) bool { return a.family.classes[class][measure]&bit != 0 }
}

func (a *lpAttack) rest(measure int) func(class int) bool {
	return func(class int) bool { return a.family.classes[class][measure]&(bitBase|bitNum) == bitBase }
}

// learn takes over what the points of one measure say.
func (a *lpAttack) learn(measure int, points map[placed]Point) {
	for attr, tb := range a.tables[a.family.measures[measure]] {
		for cell := range tb.base {
			pl := placeOf(tb, attr, cell)
			if attr != "" && pl.value == "" {
				continue // the same cell is shown without the attribute
			}
			leaves := leavesOf(tb, cell)
			base, num := a.sum(attr, leaves, a.counts(measure, bitBase)), a.sum(attr, leaves, a.counts(measure, bitNum))
			switch pt := points[pl]; {
			case pt.Suppressed:
				low, high := 1., math.Inf(1)
				switch pt.Reason { // if it told which rule it was
				case ReasonBase:
					high = MinBase - 1
				case ReasonUnanimous:
					low, high = MinBase, SmallBase-1
				case ReasonFew, ReasonLinked:
					low = MinBase
				}
				a.known.Between(base, low, high)
			case pt.Share == nil:
				a.known.Equal(base, 0)
				a.empties(attr, leaves, func(int) bool { return true })
			default:
				a.shown++
				a.known.Equal(base, float64(pt.Base))
				if a.tables[a.family.measures[measure]][""].sum != nil {
					a.known.Equal(num, *pt.Share*float64(pt.Base)/100)
					continue
				}
				a.known.Equal(num, float64(pt.Numerator))
			}
			if pt := points[pl]; pt.Share != nil && tb.sum == nil && pt.Base >= SmallBase {
				if pt.Numerator == 0 {
					a.empties(attr, leaves, a.counts(measure, bitNum))
				}
				if pt.Numerator == pt.Base {
					a.empties(attr, leaves, a.rest(measure))
				}
			}
		}
	}
}

// empties notes that nobody is in some classes, in no part of the leaves.
func (a *lpAttack) empties(attr string, leaves leafCells, pick func(class int) bool) {
	for n := range a.sum(attr, leaves, pick) {
		a.empty[n] = true
	}
	if attr != "" {
		return
	}
	for other, numbers := range a.numbers {
		width := len(numbers) / len(a.numbers[""])
		for _, l := range leaves {
			for v := range width {
				for c, n := range numbers[int(l)*width+v] {
					a.empty[n] = a.empty[n] || other != "" && pick(c)
				}
			}
		}
	}
}

// covered reports whether nobody is counted because published figures of 0% or 100% on 30
// people and more say so, each by itself, of every part in which anyone has answered.
func (a *lpAttack) covered(s bounds.Sum) bool {
	for n := range s {
		if !a.empty[n] {
			return false
		}
	}
	return true
}

// run solves for the bounds of all that nobody may work out and tells what is determined.
func (a *lpAttack) run(p *Panel) (attacked int, found []string) {
	a.t.Helper()
	var sums []bounds.Sum
	var names []string
	add := func(s bounds.Sum, format string, args ...any) {
		sums, names = append(sums, s), append(names, fmt.Sprintf(format, args...))
	}
	for k, id := range a.family.measures {
		m, _ := p.measure(id)
		for attr, tb := range a.tables[id] {
			for cell := range tb.base {
				base, num := int(tb.base[cell]), int(tb.num[cell])
				pl := placeOf(tb, attr, cell)
				if m.check(tb.counts(int32(cell))) == "" || attr != "" && pl.value == "" {
					continue
				}
				leaves := leavesOf(tb, cell)
				yes, no := a.sum(attr, leaves, a.counts(k, bitNum)), a.sum(attr, leaves, a.rest(k))
				if base < MinBase {
					add(yes.Plus(no, 1), "%s at %+v: that %d answered", id, pl, base)
				}
				if m.Averages() || Primary(num, base) == "" {
					continue
				}
				for _, side := range []struct {
					n int
					s bounds.Sum
				}{{num, yes}, {base - num, no}} {
					if side.n < MinCell && !a.covered(side.s) {
						add(side.s, "%s at %+v: %d of %d", id, pl, side.n, base)
					}
				}
			}
		}
	}
	for c := range a.family.secret {
		for _, attr := range append([]string{""}, a.family.attrs...) {
			tb, err := p.count(context.Background(), &a.family.secret[c], ModeSelf, attr)
			if err != nil {
				a.t.Fatal(err)
			}
			for cell, n := range tb.num {
				if pl := placeOf(tb, attr, cell); few(int(n)) && (attr == "" || pl.value != "") {
					add(a.sum(attr, leavesOf(tb, cell), func(class int) bool { return class == c }), "class %d at %+v: %d", c, pl, n)
				}
			}
		}
	}
	r, err := a.known.Solve()
	if err != nil {
		a.t.Fatalf("%s: what is published contradicts itself: %v", a.family.name, err)
	}
	for i, is := range r.Determined(sums) {
		if is {
			found = append(found, names[i])
		}
	}
	if off := r.Off(); off > 1e-5 {
		a.t.Fatalf("%s: the arithmetic is off by %g", a.family.name, off)
	}
	return len(sums), found
}

// shareFamily is one share by itself: people are counted or only in the base.
func shareFamily(id string, attrs ...string) attackFamily {
	return attackFamily{name: id, measures: []string{id}, attrs: attrs, classes: [][]uint16{{bitBase | bitNum}, {bitBase}}}
}

// choiceFamily is a question of which people choose one answer: all its options.
func choiceFamily(p *Panel, prefix string, attrs ...string) attackFamily {
	f := attackFamily{name: prefix, attrs: attrs}
	for _, m := range p.Measures() {
		if strings.HasPrefix(m.ID, prefix) {
			f.measures = append(f.measures, m.ID)
		}
	}
	for k := range f.measures {
		class := slices.Repeat([]uint16{bitBase}, len(f.measures))
		class[k] |= bitNum
		f.classes = append(f.classes, class)
	}
	return f
}

// askingFamily is the response rates and the steps of the dissemination.
func askingFamily(p *Panel, attrs ...string) attackFamily {
	f := attackFamily{name: "askings", attrs: attrs}
	seen := map[string]bool{}
	for _, m := range p.Measures() {
		if m.askings {
			f.measures = append(f.measures, m.ID)
		}
	}
	for d := dispPending; d <= dispWithdrawn; d++ {
		var class []uint16
		for _, id := range f.measures {
			m, _ := p.measure(id)
			b, _ := m.rows(p)(int32(d))
			class = append(class, b&(bitBase|bitNum))
		}
		if key := fmt.Sprint(class); !seen[key] {
			seen[key] = true
			f.classes = append(f.classes, class)
			f.secret = append(f.secret, Measure{askings: true, rows: func(p *Panel) rowFunc {
				return func(i int32) (uint16, float64) {
					for k, id := range f.measures {
						m, _ := p.measure(id)
						if b, _ := m.rows(p)(i); b&(bitBase|bitNum) != class[k] {
							return bitBase, 0
						}
					}
					return bitBase | bitNum, 0
				}
			}})
		}
	}
	return f
}

// themeFamily is a theme's three rates: words with it on both sides, on one, on none.
func themeFamily(code string, attrs ...string) attackFamily {
	f := attackFamily{name: code, attrs: attrs, measures: []string{"theme." + code + ".positive", "theme." + code + ".negative", "theme." + code + ".any"}}
	for side := range uint16(4) {
		positive, negative := side&1*bitNum, side>>1*bitNum
		f.classes = append(f.classes, []uint16{bitBase | positive, bitBase | negative, bitBase | positive | negative})
	}
	return f
}

// attackWorld is a small population: three months over two quarters, two stages, three
// boroughs in two units, in which few and many answer.
func attackWorld(t testing.TB, rng *rand.Rand, n int) *world {
	w := newWorld(t)
	boroughs := [][2]string{{"Ealing", "West"}, {"Hounslow", "West"}, {"Hackney", "Central East"}}
	dispositions := []Disposition{Completed, Completed, Completed, NoResponse, NoResponse, Undelivered, NotSafe, Refused, StartedPartial, Started, ConsentWithdrawn, Ineligible}
	told := []string{"officer", "officer", "officer", "letter-or-email", "letter-or-email", "found-out", "advocate", "other"}
	lean := rng.Float64()
	for range n {
		b := boroughs[min(rng.IntN(5)/2, 2)]
		key := w.oneCase(b[0], b[1], []string{"stalking-2a", "stalking-4a"}[rng.IntN(2)])
		c := &w.cases[len(w.cases)-1]
		c.DomesticAbuse, c.Sex = int8(rng.IntN(5)/2)-1, []string{"female", "female", "female", "male"}[rng.IntN(4)]
		at := day(2026, time.Month(2+rng.IntN(3)), 10)
		form := []string{"report/1", "closure/1"}[rng.IntN(2)]
		stage, _, _ := strings.Cut(form, "/")
		d := dispositions[min(rng.IntN(len(dispositions)), rng.IntN(len(dispositions)))]
		c.Asks = []AskRow{{Stage: stage, Round: 1, DueAt: at, SentAt: at, Disposition: d}}
		if d != Completed && rng.IntN(2) == 0 {
			continue
		}
		answers := map[string]string{"core.informed": "not-very-well"}
		if rng.Float64() < lean {
			answers["core.informed"] = "very-well"
		}
		if stage == "report" {
			answers["report.contact"], answers["report.next"] = "one", []string{"agree", "disagree"}[rng.IntN(2)]
		} else {
			answers["close.told"] = told[min(rng.IntN(len(told)), rng.IntN(len(told)))]
		}
		r := w.answer(key, form, ModeSelf, at, answers)
		var labels []ThemeLabel
		for _, side := range []string{"positive", "negative"} {
			if rng.IntN(3) == 0 {
				labels = append(labels, ThemeLabel{"COM_UPDATES", side})
			}
		}
		w.themes = append(w.themes, ThemeRow{ResponseID: r.ID, Item: "open.well", ChangedAt: at, Labels: labels})
	}
	return w
}

func attackFamilies(p *Panel) []attackFamily {
	return []attackFamily{
		shareFamily("core.informed", DimAbuse, DimSex, DimOffence),
		choiceFamily(p, "close.told.code."),
		askingFamily(p),
		themeFamily("COM_UPDATES", DimSex),
		shareFamily("index.communication", DimAbuse),
	}
}

// Everything that pages, files, the archive and the API tell of a small population, as
// sums over what is withheld, solved for the bounds of each number that nobody may
// work out: none of them is determined.
func TestNothingWithheldIsDetermined(t *testing.T) {
	t.Parallel()
	shown, attacked := map[string]int{}, map[string]int{}
	// Always with two in which everyone at a stage says the same, and some of the parts are empty.
	seeds := []int{16, 30}
	for seed := *firstSeed; seed < *firstSeed+*populations; seed++ {
		if !slices.Contains(seeds, seed) {
			seeds = append(seeds, seed)
		}
	}
	for _, seed := range seeds {
		rng := rand.New(rand.NewPCG(uint64(seed), 61))
		p := attackWorld(t, rng, 60+rng.IntN(200)*(1+seed%3)).panel()
		for _, f := range attackFamilies(p) {
			a := newAttack(t, p, f)
			n, found := a.run(p)
			shown[f.name], attacked[f.name] = shown[f.name]+a.shown, attacked[f.name]+n
			for i, what := range found {
				if i == 4 {
					t.Errorf("... and %d more", len(found)-i)
					break
				}
				t.Errorf("seed %d: %s can be worked out", seed, what)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(attacked)) {
		t.Logf("%s: %d figures shown, %d numbers attacked", name, shown[name], attacked[name])
		if shown[name] == 0 || attacked[name] == 0 {
			t.Errorf("%s: too few to tell", name)
		}
	}
}

// The attack works: with the rule for each cell alone, and nothing withheld for
// another's sake, every family is broken.
func TestAttackBreaksPrimarySuppression(t *testing.T) {
	t.Parallel()
	p := attackWorld(t, rand.New(rand.NewPCG(2, 61)), 300).panel()
	ctx := context.Background()
	for _, f := range attackFamilies(p) {
		for _, id := range f.measures {
			m, _ := p.measure(id)
			for _, attr := range append([]string{""}, f.attrs...) {
				tb, err := p.table(ctx, &m, ModeSelf, attr)
				if err != nil {
					t.Fatal(err)
				}
				for i := range tb.hidden { // it is the remembered table that answers
					tb.hidden[i] = m.check(tb.counts(int32(i))) != ""
				}
			}
		}
		if _, found := newAttack(t, p, f).run(p); len(found) == 0 {
			t.Errorf("%s: nothing was found out", f.name)
		}
	}
}

// Every figure that is withheld reads the same, whichever rule it was.
func TestWithheldFiguresReadTheSame(t *testing.T) {
	t.Parallel()
	p := attackWorld(t, rand.New(rand.NewPCG(1, 61)), 200).panel()
	withheld := 0
	for _, f := range attackFamilies(p) {
		for _, id := range f.measures {
			for at, pt := range published(t, p, id, f.attrs) {
				key := pt.Key
				pt.Key, pt.Period = nil, ""
				if pt.Suppressed && !reflect.DeepEqual(pt, Point{Suppressed: true, Reason: ReasonWithheld}) {
					t.Errorf("%s at %+v %v tells of itself %+v", id, at, key, pt)
				}
				if pt.Suppressed {
					withheld++
				}
			}
		}
	}
	if withheld == 0 {
		t.Error("nothing is withheld")
	}
}
