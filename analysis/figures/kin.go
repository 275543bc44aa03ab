package figures

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
	"strings"
)

// kin is measures that count the same people: of some, the others' numbers give theirs,
// as the options of a question do of which everybody chooses one. What is withheld of
// them is therefore decided together, on all their tables at once.
//
// Everybody who is counted falls in one class, and every number that a member
// publishes, what it counts and what that is out of, is the sum of some classes.
type kin struct {
	id      string
	members []string  // ids
	classes []Measure // nobody sees them: who is in the class, out of everyone
	of      []kinSets // of each member
}

// kinSets are the classes, as bits, that a member counts and that it is out of.
type kinSets struct{ num, base uint64 }

// How gladly a number is withheld for another's sake: the least first.
const (
	rankClass    = iota // it is not published anyhow
	rankCount           // what a measure counts
	rankResponse        // the response rates say more than the steps between them
	rankBase            // without it no measure of it is shown
)

// amount is one number of kin over the whole lattice, and where it is withheld.
type amount struct {
	nest
	set   uint64 // of classes
	rank  int
	value []int32
}

// relation says that an amount is the sum of others.
type relation struct {
	whole int
	parts []int
}

// kinTables are the tables of kin with what was decided of each amount.
type kinTables struct {
	tables  map[string]*table // by member
	amounts []amount
}

// kinOf gives the kin of a measure; nil where it stands alone.
func (p *Panel) kinOf(m *Measure) *kin {
	p.tables.mu.Lock()
	defer p.tables.mu.Unlock()
	i := slices.IndexFunc(p.tables.kin, func(k kin) bool { return slices.Contains(k.members, m.ID) })
	if i < 0 {
		return nil
	}
	return &p.tables.kin[i]
}

// allKin finds the kin among measures: the askings, and the options of each question
// of which people choose one.
func (p *Panel) allKin(all []Measure) (out []kin) {
	asks := kin{id: "askings"}
	classOf := map[string]int{}
	var members []Measure
	for _, m := range all {
		if m.askings {
			asks.members, members = append(asks.members, m.ID), append(members, m)
		}
	}
	asks.of = make([]kinSets, len(members))
	for d := dispPending; d <= dispWithdrawn; d++ {
		signature := make([]byte, len(members))
		for k := range members {
			b, _ := members[k].rows(p)(int32(d))
			signature[k] = byte(b & (bitBase | bitNum))
		}
		n, known := classOf[string(signature)]
		if !known {
			n = len(asks.classes)
			classOf[string(signature)] = n
			asks.classes = append(asks.classes, Measure{askings: true})
		}
		for k, b := range signature {
			if b&byte(bitBase) != 0 {
				asks.of[k].base |= 1 << n
			}
			if b&byte(bitNum) != 0 {
				asks.of[k].num |= 1 << n
			}
		}
		before := asks.classes[n].rows
		asks.classes[n].rows = func(p *Panel) rowFunc {
			return func(i int32) (uint16, float64) {
				if i == int32(d) {
					return bitBase | bitNum, 0
				}
				if before != nil {
					return before(p)(i)
				}
				return bitBase, 0
			}
		}
	}
	out = append(out, asks)
	for _, c := range p.schema.columns {
		if c.multi || c.scored {
			continue
		}
		options := kin{id: c.item}
		for _, m := range all {
			if strings.HasPrefix(m.ID, c.item+".code.") {
				options.members = append(options.members, m.ID)
			}
		}
		if len(options.members) < 2 {
			continue
		}
		for k := range options.members {
			options.of = append(options.of, kinSets{num: 1 << k, base: 1<<len(options.members) - 1})
		}
		out = append(out, options)
	}
	return out
}

// kinTable counts and suppresses the tables of kin; the caller holds the read lock.
func (p *Panel) kinTable(ctx context.Context, k *kin, mode, attr string) (*kinTables, error) {
	key := tableKey{p.version, k.id, mode, attr}
	p.tables.mu.Lock()
	done, ok := p.tables.kinned[key]
	p.tables.mu.Unlock()
	if ok {
		return done, nil
	}
	var margin *kinTables
	if attr != "" {
		var err error
		if margin, err = p.kinTable(ctx, k, mode, ""); err != nil {
			return nil, err
		}
	}
	out := &kinTables{tables: map[string]*table{}}
	take := func(set uint64, rank int, value []int32, t *table, unsafe func(cells ...int32) bool) *amount {
		i := slices.IndexFunc(out.amounts, func(a amount) bool { return a.set == set })
		if i < 0 {
			i = len(out.amounts)
			out.amounts = append(out.amounts, amount{nest: nest{base: t.base, hidden: make([]bool, len(value)), unsafe: unsafe}, set: set, rank: rank, value: value})
			return &out.amounts[i]
		}
		a := &out.amounts[i]
		a.rank = max(a.rank, rank)
		before := a.unsafe
		a.unsafe = func(cells ...int32) bool { return before(cells...) || unsafe(cells...) }
		return a
	}
	var any *table
	for i, id := range k.members {
		m, _ := p.measure(id)
		t, err := p.count(ctx, &m, mode, attr)
		if err != nil {
			return nil, err
		}
		out.tables[id], any = t, t
		rank := rankCount
		if strings.HasPrefix(id, "response.") {
			rank = rankResponse
		}
		take(k.of[i].num, rank, t.num, t, func(cells ...int32) bool { return m.check(t.counts(cells...)) != "" }).alike = t.alike
		take(k.of[i].base, rankBase, t.base, t, t.smallBase)
	}
	for i := range k.classes {
		if slices.ContainsFunc(out.amounts, func(a amount) bool { return a.set == 1<<i }) {
			continue // a member counts it
		}
		t, err := p.count(ctx, &k.classes[i], mode, attr)
		if err != nil {
			return nil, err
		}
		take(1<<i, rankClass, t.num, t, func(cells ...int32) bool { return few(t.counts(cells...).num) })
	}
	out.suppress(any, margin)
	for i, id := range k.members {
		out.decide(out.tables[id], k.of[i])
	}
	p.tables.mu.Lock()
	defer p.tables.mu.Unlock()
	p.tables.kinned.put(key, out, keptTables/4)
	return out, nil
}

// suppress decides of every amount what is withheld, on tables laid out like one of
// them: by itself over the lattice, then with the others in each cell, until nothing
// changes.
func (k *kinTables) suppress(like *table, margin *kinTables) {
	for i := range k.amounts {
		a := &k.amounts[i]
		for c, n := range a.base {
			a.hidden[c] = n > 0 && a.unsafe(int32(c)) // #nosec G115 -- held by maxCells
		}
		if margin != nil {
			a.fixed = like.fixMargin(a.base, a.hidden, margin.amounts[i].hidden)
		}
	}
	relations := k.relations()
	settled := make([]int, len(like.base)) // how many were withheld in each cell when nothing there gave another away
	for changed := true; changed; {
		changed = false
		for i := range k.amounts {
			for axis := range like.axes {
				changed = like.protectAxis(axis, &k.amounts[i].nest) || changed
			}
		}
		for cell := range like.base {
			changed = k.protectCell(relations, int32(cell), &settled[cell]) || changed // #nosec G115 -- held by maxCells
		}
	}
}

// relations lists how amounts add up: each is the sum of its classes, and of any
// smaller amount and the classes that it has besides.
func (k *kinTables) relations() (out []relation) {
	class := map[int]int{}
	for i := range k.amounts {
		if s := k.amounts[i].set; s&(s-1) == 0 && s != 0 {
			class[bits.TrailingZeros64(s)] = i
		}
	}
	classes := func(r relation, set uint64) relation {
		for ; set != 0; set &= set - 1 {
			r.parts = append(r.parts, class[bits.TrailingZeros64(set)])
		}
		return r
	}
	for w := range k.amounts {
		whole := k.amounts[w].set
		if whole&(whole-1) == 0 {
			continue
		}
		out = append(out, classes(relation{whole: w}, whole))
		for i := range k.amounts {
			if part := k.amounts[i].set; part&^whole == 0 && part != whole && part&(part-1) != 0 {
				out = append(out, classes(relation{w, []int{i}}, whole&^part))
			}
		}
	}
	return out
}

// protectCell is nest.protect within one cell, over what its amounts add up to. What
// is withheld stays so, so that a cell with as many withheld as when it was settled is
// settled still.
func (k *kinTables) protectCell(relations []relation, cell int32, settled *int) (changed bool) {
	hidden := 0
	for i := range k.amounts {
		if k.amounts[i].hidden[cell] {
			hidden++
		}
	}
	if hidden == *settled || hidden == len(k.amounts) {
		return false
	}
	for {
		// Where there is least to choose from, first: what goes there may serve elsewhere too.
		choice, least := -1, 0
		for _, r := range relations {
			best, choices := k.endangered(r, cell)
			if best >= 0 && (choice < 0 || choices < least) {
				choice, least = best, choices
			}
		}
		if choice < 0 {
			*settled = hidden
			return changed
		}
		k.amounts[choice].hidden[cell], changed = true, true
		hidden++
	}
}

// endangered looks whether a sum gives what is withheld in it away, and says which
// amount is to be withheld too, and of how many that could be; -1: none.
func (k *kinTables) endangered(r relation, cell int32) (best, choices int) {
	whole := &k.amounts[r.whole]
	withheld, sum := 0, 0
	for _, i := range r.parts {
		if a := &k.amounts[i]; a.hidden[cell] {
			withheld++
			sum += int(a.value[cell])
		}
	}
	if whole.hidden[cell] {
		if withheld > 0 {
			return -1, 0
		}
		return k.missedLeast(r.parts, cell)
	}
	if withheld == 0 || withheld > 1 && !few(sum) && (whole.rank != rankBase || Primary(sum, int(whole.value[cell])) == "") {
		return -1, 0
	}
	if best, choices = k.missedLeast(r.parts, cell); best < 0 {
		best, choices = k.missedLeast([]int{r.whole}, cell)
	}
	return best, choices
}

// missedLeast finds, of the amounts that are shown, the one to withhold.
func (k *kinTables) missedLeast(from []int, cell int32) (best, choices int) {
	best = -1
	for _, i := range from {
		a := &k.amounts[i]
		if a.hidden[cell] || a.value[cell] == 0 || a.fixed != nil && a.fixed[cell] {
			continue
		}
		choices++
		if best < 0 || cmp.Or(cmp.Compare(a.rank, k.amounts[best].rank), cmp.Compare(a.value[cell], k.amounts[best].value[cell])) < 0 {
			best = i
		}
	}
	return best, choices
}

// decide writes what is withheld into the table of a member with these sets: whatever of its two
// numbers may not be shown.
func (k *kinTables) decide(t *table, sets kinSets) {
	t.hidden = make([]bool, len(t.base))
	for _, a := range k.amounts {
		if a.set != sets.num && a.set != sets.base {
			continue
		}
		for c, h := range a.hidden {
			t.hidden[c] = t.hidden[c] || h && t.base[c] > 0
		}
	}
}
