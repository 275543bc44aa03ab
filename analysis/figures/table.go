package figures

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"victimvoice/internal/fault"
	"victimvoice/survey/questionnaires"
)

const (
	// maxCells holds a table to what a page can wait for: past it, a coarser one is asked for.
	maxCells = 8 << 20
	// keptTables is how many tables are remembered between changes.
	keptTables = 64
)

// node is one value of an axis: a leaf (a month, a stage, a borough) or a total of others.
type node struct {
	level  uint8 // 0 leaf, then up
	parent int32 // -1 at the root
	key    string
	force  string // of an area: the force it lies in
	bcu    string
}

// axis is one dimension of a table with its totals; every node comes after its children.
type axis struct {
	nodes    []node
	children [][]int32
}

func (a *axis) add(n node) int32 {
	a.nodes = append(a.nodes, n)
	return int32(len(a.nodes) - 1) // #nosec G115 -- held by maxCells
}

func (a *axis) seal() {
	a.children = make([][]int32, len(a.nodes))
	for i, n := range a.nodes {
		if n.parent >= 0 {
			a.children[n.parent] = append(a.children[n.parent], int32(i)) // #nosec G115 -- as above
		}
	}
}

// Levels of the period and area axes.
const (
	levelMonth uint8 = iota
	levelQuarter
	levelYear
	levelEver
)

const (
	levelBorough uint8 = iota
	levelBCU
	levelForce
	levelEverywhere
)

// The axes of every table, in the order in which cells are numbered.
const (
	axisPeriod = iota
	axisStage
	axisArea
	axisAttr
	axisCount
)

// table is one measure over the whole lattice, with one further attribute or none:
// every cell and every total, and which of them are withheld.
type table struct {
	axes   [axisCount]axis
	stride [axisCount]int
	first  int // first month, since 2000
	num    []int32
	base   []int32
	sum    []float64
	square []float64
	links  [][]int32
	hidden []bool
	bare   []bool // where the base may not be told; nil: see kin

	// Of themes: the least and the greatest number of the coders of each cell, nought
	// where nothing is coded; and by coder what the sample drawn at random says of it,
	// over all periods and areas. Of the harmful-advice rate: the versions of the
	// polarity table that judged, without a sample.
	coder   [2][]uint16
	samples map[uint16]Tally
	coders  []string // by number
}

type tableKey struct {
	version             uint64
	measure, mode, attr string
}

type tableCache struct {
	mu       sync.Mutex
	entries  remembered[*table]
	kin      []kin
	kinned   remembered[*kinTables]
	measures []Measure
	advice   *questionnaires.Advice
}

// remembered is what was computed of the panel as it is. The caller holds the cache's lock.
type remembered[T any] map[tableKey]T

// put adds an entry. Those of an older state go, since nobody asks for them again, and
// all do where there are as many as are kept.
func (r *remembered[T]) put(key tableKey, of T, most int) {
	maps.DeleteFunc(*r, func(k tableKey, _ T) bool { return k.version != key.version })
	if *r == nil || len(*r) >= most {
		*r = make(map[tableKey]T, most)
	}
	(*r)[key] = of
}

// table gives a measure's table; the caller holds the read lock.
func (p *Panel) table(ctx context.Context, m *Measure, mode, attr string) (*table, error) {
	if k := p.kinOf(m); k != nil {
		all, err := p.kinTable(ctx, k, mode, attr)
		if err != nil {
			return nil, err
		}
		return all.tables[m.ID], nil
	}
	key := tableKey{p.version, m.ID, mode, attr}
	p.tables.mu.Lock()
	t, ok := p.tables.entries[key]
	p.tables.mu.Unlock()
	if ok {
		return t, nil
	}
	var margin *table
	if attr != "" {
		// Totals are decided without the attribute, so that every attribute's table shows the same ones.
		var err error
		if margin, err = p.table(ctx, m, mode, ""); err != nil {
			return nil, err
		}
	}
	t, err := p.count(ctx, m, mode, attr)
	if err != nil {
		return nil, err
	}
	t.suppress(m, margin)
	p.tables.mu.Lock()
	defer p.tables.mu.Unlock()
	p.tables.entries.put(key, t, keptTables)
	return t, nil
}

// count scans the columns into a fresh table.
func (p *Panel) count(ctx context.Context, m *Measure, mode, attr string) (*table, error) {
	low, high := p.months(m.askings)
	t := &table{first: low}
	t.axes[axisPeriod] = periodAxis(low, high)
	t.axes[axisStage] = stageAxis()
	var leaf []int32
	t.axes[axisArea], leaf = p.areaAxis()
	values, at := p.attribute(attr)
	t.axes[axisAttr] = attrAxis(values)
	cells := 1
	for k := axisCount - 1; k >= 0; k-- {
		t.stride[k] = cells
		if cells *= len(t.axes[k].nodes); cells > maxCells {
			return nil, fault.New(fault.TooLarge, "this table has more cells than can be counted at once: ask without %s, or for fewer areas", cmp.Or(attr, "boroughs"))
		}
	}
	t.num, t.base = make([]int32, cells), make([]int32, cells)
	if m.Averages() {
		t.sum, t.square = make([]float64, cells), make([]float64, cells)
	}
	t.links = make([][]int32, m.links())
	for i := range t.links {
		t.links[i] = make([]int32, cells)
	}
	if m.coded != nil {
		t.coder[0], t.coder[1] = make([]uint16, cells), make([]uint16, cells)
		t.samples, t.coders = map[uint16]Tally{}, slices.Clone(p.codings.coders.names)
	}
	if m.judges != nil {
		t.coder[0], t.coder[1], t.coders = make([]uint16, cells), make([]uint16, cells), m.judges.names()
	}
	var err error
	if m.askings {
		err = p.countAskings(ctx, m, t, leaf, at)
	} else {
		err = p.countResponses(ctx, m, t, mode, leaf, at)
	}
	if err != nil {
		return nil, err
	}
	t.rollUp()
	return t, nil
}

// months is the span of months that a kind of row covers.
func (p *Panel) months(askings bool) (low, high int) {
	low, high = -1, -1
	note := func(m int16) {
		if m < 0 {
			return
		}
		if low < 0 || int(m) < low {
			low = int(m)
		}
		high = max(high, int(m))
	}
	if askings {
		for _, asks := range p.cases.asks {
			for _, a := range asks {
				note(a.month)
			}
		}
	} else {
		for _, m := range p.responses.month {
			note(m)
		}
	}
	return max(low, 0), max(high, 0)
}

const checkEvery = 1 << 16 // rows between looks at whether the asker has gone

func (p *Panel) countResponses(ctx context.Context, m *Measure, t *table, mode string, leaf []int32, attr func(response, caseRow int32) int) error {
	r, row := &p.responses, m.rows(p)
	modeNumber, _ := indexOf(modes(), mode)
	var own map[sitting]struct{}
	if mode != ModeSelf {
		own = p.ownAnswers()
	}
	area := p.cases.area
	for i := range r.flags {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if r.flags[i]&(flagLive|flagComplete) != flagLive|flagComplete || r.mode[i] != modeNumber {
			continue
		}
		n := int32(i) // #nosec G115 -- row numbers are int32
		b, score := row(n)
		if b&bitBase == 0 {
			continue
		}
		c := r.caseRow[i]
		if own != nil {
			if _, answered := own[sitting{c, r.stage[i], r.round[i]}]; answered {
				continue
			}
		}
		at := (int(r.month[i])-t.first)*t.stride[axisPeriod] + int(r.stage[i])*t.stride[axisStage] + int(leaf[area[c]])*t.stride[axisArea] + attr(n, c)
		t.add(at, b, score)
		if m.coded != nil {
			t.addCoder(at, n, m.coded, r)
		}
		if m.judges != nil {
			t.addJudge(at, r.month[i], m.judges)
		}
	}
	return nil
}

// addCoder notes who coded a response's words and, where they were drawn at random
// and a person has coded them too, how the two agree.
func (t *table) addCoder(at int, row int32, side *codedSide, r *responseColumns) {
	low, high := r.coder[0][row], r.coder[1][row]
	t.coder[0][at], t.coder[1][at] = leastCoder(t.coder[0][at], low), max(t.coder[1][at], high)
	if r.drawn[row] && low == high {
		sample := t.samples[low]
		sample.Add(CodedPair{Machine: side.is(r.found[0][row], r.found[1][row]), Human: side.is(r.positive[row], r.negative[row])})
		t.samples[low] = sample
	}
}

// leastCoder is the lesser number, nought being none.
func leastCoder(a, b uint16) uint16 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// sitting names what a person is asked: a case at a stage and round.
type sitting struct {
	caseRow      int32
	stage, round uint8
}

// ownAnswers is what victims have answered themselves, as far as an advocate has
// answered it too: there the victim's own answer wins.
func (p *Panel) ownAnswers() map[sitting]struct{} {
	r := &p.responses
	also, own := map[sitting]struct{}{}, map[sitting]struct{}{}
	for i, f := range r.flags {
		if f&flagLive != 0 && r.mode[i] != 0 {
			also[sitting{r.caseRow[i], r.stage[i], r.round[i]}] = struct{}{}
		}
	}
	for i, f := range r.flags {
		if f&flagLive != 0 && r.mode[i] == 0 {
			s := sitting{r.caseRow[i], r.stage[i], r.round[i]}
			if _, ok := also[s]; ok {
				own[s] = struct{}{}
			}
		}
	}
	return own
}

func (p *Panel) countAskings(ctx context.Context, m *Measure, t *table, leaf []int32, attr func(response, caseRow int32) int) error {
	row, c := m.rows(p), &p.cases
	for i, asks := range c.asks {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		n := int32(i) // #nosec G115 -- row numbers are int32
		for _, a := range asks {
			b, _ := row(int32(a.disposition))
			if b&bitBase == 0 {
				continue
			}
			at := (int(a.month)-t.first)*t.stride[axisPeriod] + int(a.stage)*t.stride[axisStage] + int(leaf[c.area[i]])*t.stride[axisArea] + attr(-1, n)
			t.add(at, b, 0)
		}
	}
	return nil
}

func (t *table) add(at int, b uint16, score float64) {
	t.base[at]++
	if b&bitNum != 0 {
		t.num[at]++
	}
	if t.sum != nil {
		t.sum[at] += score
		t.square[at] += score * score
	}
	for k := range t.links {
		if b&(bitLink<<k) != 0 {
			t.links[k][at]++
		}
	}
}

// rollUp fills every total from its parts, axis by axis.
func (t *table) rollUp() {
	for k := range t.axes {
		roll(t, k, t.num)
		roll(t, k, t.base)
		roll(t, k, t.sum)
		roll(t, k, t.square)
		for _, l := range t.links {
			roll(t, k, l)
		}
		t.rollCoders(k)
	}
}

// rollCoders is roll for the coders, of which a total has the least and the greatest.
func (t *table) rollCoders(k int) {
	low, high := t.coder[0], t.coder[1]
	stride, block := t.stride[k], t.stride[k]*len(t.axes[k].nodes)
	for n, nd := range t.axes[k].nodes {
		if nd.parent < 0 {
			continue
		}
		for outer := 0; outer < len(low); outer += block {
			from, to := outer+n*stride, outer+int(nd.parent)*stride
			for i := range stride {
				low[to+i] = leastCoder(low[to+i], low[from+i])
				high[to+i] = max(high[to+i], high[from+i])
			}
		}
	}
}

func roll[N int32 | float64](t *table, k int, v []N) {
	if v == nil {
		return
	}
	stride, block := t.stride[k], t.stride[k]*len(t.axes[k].nodes)
	for n, nd := range t.axes[k].nodes {
		if nd.parent < 0 {
			continue
		}
		for outer := 0; outer < len(v); outer += block {
			from, to := v[outer+n*stride:][:stride], v[outer+int(nd.parent)*stride:][:stride]
			for i := range from {
				to[i] += from[i]
			}
		}
	}
}

func (t *table) counts(cells ...int32) counts {
	c := counts{links: make([]int, len(t.links))}
	for _, i := range cells {
		c.num += int(t.num[i])
		c.base += int(t.base[i])
		if t.sum != nil {
			c.sum += t.sum[i]
		}
		for k := range t.links {
			c.links[k] += int(t.links[k][i])
		}
	}
	return c
}

// suppress decides what of the table is withheld. With an attribute, the totals
// over it are what the table without it says.
//
// How many people are in the base is decided first and by itself: several measures
// have one base, and where it is withheld it is so in all of them, or what one
// withholds for another's sake a second would show.
func (t *table) suppress(m *Measure, margin *table) {
	t.bare, t.hidden = make([]bool, len(t.base)), make([]bool, len(t.base))
	bases := nest{base: t.base, hidden: t.bare, unsafe: t.smallBase}
	n := nest{base: t.base, hidden: t.hidden, unsafe: func(cells ...int32) bool { return m.check(t.counts(cells...)) != "" }}
	if !m.Averages() {
		n.alike = t.alike
	}
	for i, base := range t.base {
		t.bare[i] = base > 0 && base < MinBase
	}
	if margin != nil {
		bases.fixed = t.fixMargin(t.base, t.bare, margin.bare)
	}
	t.protect(&bases)
	for i, base := range t.base {
		t.hidden[i] = base > 0 && (t.bare[i] || n.unsafe(int32(i))) // #nosec G115 -- held by maxCells
	}
	if margin != nil {
		n.fixed = t.fixMargin(t.base, t.hidden, margin.hidden)
	}
	t.protect(&n)
}

// smallBase reports whether cells together have too small a base to be told.
func (t *table) smallBase(cells ...int32) bool {
	var base int32
	for _, c := range cells {
		base += t.base[c]
	}
	return base > 0 && base < MinBase
}

// alike reports whether everyone in some cells, or no one, is counted, and not so in
// their total.
func (t *table) alike(total int32, cells ...int32) bool {
	var num, base int32
	for _, c := range cells {
		num, base = num+t.num[c], base+t.base[c]
	}
	return num == 0 && t.num[total] > 0 || num == base && t.num[total] < t.base[total]
}

// protect adds the secondary suppression over all axes until nothing changes.
func (t *table) protect(n *nest) {
	for changed := true; changed; {
		changed = false
		for k := range t.axes {
			changed = t.protectAxis(k, n) || changed
		}
	}
}

// fixMargin takes the margin's decisions over: for the totals, and for a value that
// alone makes up its total and so is the total under another name.
func (t *table) fixMargin(base []int32, hidden, margin []bool) []bool {
	fixed := make([]bool, len(base))
	root := len(t.axes[axisAttr].nodes) - 1
	for i := range margin {
		first := i * (root + 1)
		total := first + root
		fixed[total], hidden[total] = true, margin[i]
		for c := first; c < total; c++ {
			if base[c] > 0 && base[c] == base[total] {
				fixed[c], hidden[c] = true, margin[i]
			}
		}
	}
	return fixed
}

func (t *table) protectAxis(k int, n *nest) (changed bool) {
	a, stride := &t.axes[k], t.stride[k]
	block := stride * len(a.nodes)
	buffer := make([]int32, 0, 64)
	for parent, children := range a.children {
		if len(children) == 0 {
			continue
		}
		for outer := 0; outer < len(t.base); outer += block {
			for inner := range stride {
				at := outer + inner
				f := family{parent: int32(at + parent*stride), children: buffer[:0]} // #nosec G115 -- held by maxCells
				if n.base[f.parent] == 0 {
					continue
				}
				touched := n.hidden[f.parent]
				for _, c := range children {
					cell := at + int(c)*stride
					f.children = append(f.children, int32(cell)) // #nosec G115 -- as above
					touched = touched || n.hidden[cell]
				}
				buffer = f.children
				if touched && n.protect(f) {
					changed = true
				}
			}
		}
	}
	return changed
}

// periodAxis covers the months from low to high with their quarters and years.
func periodAxis(low, high int) (a axis) {
	months := high - low + 1
	quarters := high/3 - low/3 + 1
	years := high/12 - low/12 + 1
	for m := low; m <= high; m++ {
		a.add(node{level: levelMonth, key: monthKey(m), parent: int32(months + m/3 - low/3)}) // #nosec G115 -- at most 4,800 months
	}
	for q := low / 3; q <= high/3; q++ {
		a.add(node{level: levelQuarter, key: quarterKey(q), parent: int32(months + quarters + q/4 - low/12)}) // #nosec G115 -- as above
	}
	for y := low / 12; y <= high/12; y++ {
		a.add(node{level: levelYear, key: yearKey(y), parent: int32(months + quarters + years)}) // #nosec G115 -- as above
	}
	a.add(node{level: levelEver, parent: -1})
	a.seal()
	return a
}

func stageAxis() (a axis) {
	names := stages()
	for _, s := range names {
		a.add(node{key: s, parent: int32(len(names))}) // #nosec G115 -- four stages
	}
	a.add(node{level: 1, parent: -1})
	a.seal()
	return a
}

func attrAxis(values []string) (a axis) {
	for _, v := range values {
		a.add(node{key: v, parent: int32(len(values))}) // #nosec G115 -- held by maxCells
	}
	a.add(node{level: 1, parent: -1})
	a.seal()
	return a
}

// areaAxis lays the areas seen so far into a tree, borough under BCU under force,
// in the order of their names. leaf gives, for each of the panel's areas, its node.
func (p *Panel) areaAxis() (a axis, leaf []int32) {
	c := &p.cases
	type named struct {
		force, bcu, borough string
		area                int
	}
	list := make([]named, len(c.areas))
	for i, pl := range c.areas {
		list[i] = named{c.forces.names[pl.force], c.bcus.names[pl.bcu], c.boroughs.names[pl.borough], i}
	}
	slices.SortFunc(list, func(x, y named) int {
		return cmp.Or(cmp.Compare(x.force, y.force), cmp.Compare(x.bcu, y.bcu), cmp.Compare(x.borough, y.borough))
	})
	leaf = make([]int32, len(list))
	for _, l := range list {
		leaf[l.area] = a.add(node{level: levelBorough, key: orUnknown(l.borough), force: orUnknown(l.force), bcu: orUnknown(l.bcu)})
	}
	last := int32(-1)
	for i, l := range list {
		if i == 0 || l.force != list[i-1].force || l.bcu != list[i-1].bcu {
			last = a.add(node{level: levelBCU, key: orUnknown(l.bcu), force: orUnknown(l.force), bcu: orUnknown(l.bcu)})
		}
		a.nodes[i].parent = last
	}
	first, bcus := len(list), len(a.nodes)
	for i := first; i < bcus; i++ {
		if i == first || a.nodes[i].force != a.nodes[i-1].force {
			last = a.add(node{level: levelForce, key: a.nodes[i].force, force: a.nodes[i].force})
		}
		a.nodes[i].parent = last
	}
	forces, root := bcus, int32(len(a.nodes)) // #nosec G115 -- at most 65,536 names
	for i := forces; i < int(root); i++ {
		a.nodes[i].parent = root
	}
	a.add(node{level: levelEverywhere, parent: -1})
	a.seal()
	return a, leaf
}

// unknownValue is how an attribute that is not recorded shows.
const unknownValue = "unknown"

func orUnknown(s string) string { return cmp.Or(s, unknownValue) }

// attribute lays an attribute's values out as an axis, in the order of their names
// with the unrecorded last, whatever order they turned up in. at gives where a row
// stands on it. Without an attribute the axis has its root alone.
func (p *Panel) attribute(attr string) (values []string, at func(response, caseRow int32) int) {
	c := &p.cases
	var d *dict
	var col []uint16
	none := unknownValue
	switch attr {
	case DimOffence:
		d, col = &c.offences, c.offence
	case DimOutcome:
		d, col, none = &c.outcomes, c.outcome, "none recorded"
	case DimAge:
		d, col = &c.ages, c.age
	case DimSex:
		d, col = &c.sexes, c.sex
	case DimAbuse:
		return []string{"no", "yes", unknownValue}, func(_, row int32) int { return (int(c.abuse[row]) + 2) % 3 }
	case DimQuestionnaire:
		return slices.Clone(p.schema.formIDs), func(response, _ int32) int { return int(p.responses.form[response]) }
	default:
		if n, ok := p.abouts.place[AboutItem(attr)]; ok {
			return p.abouts.attribute(n, c.about)
		}
		return nil, func(int32, int32) int { return 0 }
	}
	values = slices.Sorted(slices.Values(d.names[1:]))
	place := make([]int, len(d.names))
	for n, name := range d.names {
		place[n], _ = slices.BinarySearch(values, name)
	}
	place[0] = len(values)
	return append(values, none), func(_, row int32) int { return place[col[row]] }
}
