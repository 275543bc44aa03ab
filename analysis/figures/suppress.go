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

// ReasonWithheld is why a figure is not published, in words that go with [c]. Which of
// the rules below it was is told to nobody: that a base is under ten, or that everyone
// said the same, is what the rule keeps back, and to tell the one from the other
// narrows down what can be behind a neighbour.
const ReasonWithheld = "few people are behind it, or behind a figure that it would give away"

// ReasonNone is why there is no figure at all.
const ReasonNone = "no one has answered"

// The rules by which figures are withheld, as the code tells them apart.
const (
	ReasonBase      = "fewer than 10 people are in the base"
	ReasonFew       = "fewer than 5 people are on one side of the figure"
	ReasonUnanimous = "everyone, or no one, on a base under 30"
	ReasonLinked    = "withheld so that a related figure does not give this one away"
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

// nest is a table of cells some of which are totals of others. It is what the
// secondary suppression looks at.
type nest struct {
	base   []int32
	hidden []bool
	fixed  []bool                    // decided elsewhere: never changed here; nil: none
	unsafe func(cells ...int32) bool // whether the sum of these cells could not be published itself
	// Whether everyone, or no one, in these cells is counted, and not in all of the
	// total: whoever is told of the total then knows it of each of them. nil: not asked.
	alike func(total int32, cells ...int32) bool
}

// family is a total and the cells that add up to it.
type family struct {
	parent   int32
	children []int32
}

// protect adds the secondary suppression to one family: hidden marks what is
// already withheld, and more is marked until no published total minus its published
// parts gives a withheld figure away.
//
//   - A published total has no withheld part, or at least two whose sum could
//     itself be published, and says more than that all in them are alike.
//   - A withheld total has at least one withheld part, or its parts would add up to it;
//     and those count somebody where it does, or the shown ones would count as many.
//
// The next part to be withheld is the one with the smallest base, which costs least;
// where nothing is left to withhold, the total goes. Empty cells (base 0) are known
// to be empty and hide nothing. It reports whether anything changed: families of one
// table overlap, so all of them are gone through again until nothing does.
//
// A heuristic in the manner of hierarchical cell suppression (A. Hundepool et al.,
// "Statistical Disclosure Control", Wiley 2012, chapter 4). It makes every sum safe
// on its own; it does not bound what several sums give together.
func (t *nest) protect(f family) (changed bool) {
	if t.base[f.parent] == 0 {
		return false
	}
	withheld := make([]int32, 0, 8)
	for _, c := range f.children {
		if t.hidden[c] && t.base[c] > 0 {
			withheld = append(withheld, c)
		}
	}
	if t.hidden[f.parent] {
		if len(withheld) > 0 && (t.alike == nil || !t.alike(f.parent, withheld...)) {
			return false
		}
		c, ok := t.cheapest(f.children)
		if ok {
			t.hidden[c] = true
		}
		return ok
	}
	for len(withheld) > 0 && (len(withheld) == 1 || t.unsafe(withheld...) || t.alike != nil && t.alike(f.parent, withheld...)) {
		c, ok := t.cheapest(f.children)
		if !ok {
			if t.fixed != nil && t.fixed[f.parent] {
				return changed
			}
			t.hidden[f.parent] = true
			return true
		}
		t.hidden[c] = true
		withheld = append(withheld, c)
		changed = true
	}
	return changed
}

// cheapest is the published cell with the smallest base, which may still be withheld.
func (t *nest) cheapest(cells []int32) (best int32, ok bool) {
	for _, c := range cells {
		if t.hidden[c] || t.base[c] == 0 || t.fixed != nil && t.fixed[c] {
			continue
		}
		if !ok || t.base[c] < t.base[best] {
			best, ok = c, true
		}
	}
	return best, ok
}
