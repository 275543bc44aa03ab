package figures

const (
	// MinBase is the least base on which a figure is published.
	MinBase = 10
	// SmallBase is the base below which a figure is flagged small, and on which
	// 0% and 100% are not published: they would speak for every single person.
	SmallBase = 30
	// MinCell is the least number of people on either side of a share, unless none.
	MinCell = 5
)

// Why a figure is not published, in words that go with [c].
const (
	ReasonBase      = "fewer than 10 people are in the base"
	ReasonFew       = "fewer than 5 people are on one side of the figure"
	ReasonUnanimous = "everyone, or no one, on a base under 30"
	ReasonSecondary = "withheld so that a total does not give another figure away"
	ReasonLinked    = "withheld so that a related figure does not give this one away"
	ReasonNone      = "no one has answered"
)

// Primary says why a share of num in base is not published; empty when it may be.
// A base of nought is not disclosive (and not a figure): it gives the empty string.
func Primary(num, base int) string {
	rest := base - num
	switch {
	case base <= 0:
		return ""
	case base < MinBase:
		return ReasonBase
	case (num == 0 || rest == 0) && base < SmallBase:
		return ReasonUnanimous
	case num > 0 && num < MinCell, rest > 0 && rest < MinCell:
		return ReasonFew
	}
	return ""
}

// Small reports whether a published figure is to be flagged as resting on few people.
func Small(base int) bool { return base > 0 && base < SmallBase }

// cell is one figure among others that add up to totals.
type cell struct {
	num, base int
}

// family is a total and the cells that add up to it: nodes of the same table.
type family struct {
	parent   int32
	children []int32
}

// protect adds the secondary suppression: hidden marks, by node, what the primary
// rule withholds, and comes back with more marked until no published total minus its
// published parts gives a withheld figure away. For each family
//
//   - a published total has no withheld part, or at least two whose sum could
//     itself be published;
//   - a withheld total has at least one withheld part, or the parts would add up to it.
//
// The next part to be withheld is the one with the smallest base, which costs least;
// where nothing is left to withhold, the total goes. Empty cells (base 0) are known
// to be empty and hide nothing. The outcome depends on the numbers alone, so a table
// asked for in another shape is protected in the same way.
//
// A heuristic in the manner of hierarchical cell suppression (A. Hundepool et al.,
// "Statistical Disclosure Control", Wiley 2012, chapter 4): each sum alone is safe;
// what several sums give together is bounded apart.
func protect(families []family, hidden []bool, base []int32, unsafe func(sum []int32) bool) {
	for changed := true; changed; {
		changed = false
		for _, f := range families {
			if protectFamily(f, hidden, base, unsafe) {
				changed = true
			}
		}
	}
}

func protectFamily(f family, hidden []bool, base []int32, unsafe func(sum []int32) bool) (changed bool) {
	if base[f.parent] == 0 {
		return false
	}
	withheld := make([]int32, 0, 8)
	next := func() (int32, bool) {
		best := int32(-1)
		for _, c := range f.children {
			if !hidden[c] && base[c] > 0 && (best < 0 || base[c] < base[best]) {
				best = c
			}
		}
		return best, best >= 0
	}
	for _, c := range f.children {
		if hidden[c] && base[c] > 0 {
			withheld = append(withheld, c)
		}
	}
	if hidden[f.parent] {
		if len(withheld) > 0 {
			return false
		}
		c, ok := next()
		if !ok {
			return false
		}
		hidden[c] = true
		return true
	}
	for len(withheld) > 0 && (len(withheld) == 1 || unsafe(withheld)) {
		c, ok := next()
		if !ok {
			hidden[f.parent] = true
			return true
		}
		hidden[c] = true
		withheld = append(withheld, c)
		changed = true
	}
	return changed
}
