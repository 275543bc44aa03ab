package coding

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"victimvoice/internal/fault"
)

// Coded is a text as people coded it.
type Coded struct {
	Text   string
	Labels []Label // only code and polarity are looked at
	Whose  string  // whose words it is: those of one person are never parted between fitting and scoring
	Drawn  bool    // drawn at random and read without the coder's labels: fit to score on
}

// Tuning is what comes of fitting thresholds to texts that people coded.
type Tuning struct {
	Texts  int `json:"texts"`  // all that could be used
	Drawn  int `json:"drawn"`  // of those, drawn at random
	People int `json:"people"` // whose words the drawn ones are

	Thresholds []Threshold `json:"thresholds"` // those that move, in the codebook's order

	// Before and After are over the drawn texts: by the thresholds as shipped, and
	// by thresholds fitted without the person whose text is scored.
	Before Scores `json:"before"`
	After  Scores `json:"after"`

	// Low and High hold the gain in F1 of theme and polarity, with 95% certainty.
	Low  float64 `json:"low"`
	High float64 `json:"high"`

	// Why says why the thresholds should stay as they are; empty: they should move.
	Why string `json:"why,omitempty"`
}

// Threshold is how likely a code must be to be given, before and after.
type Threshold struct {
	Code string  `json:"code"`
	Was  float64 `json:"was"`
	Is   float64 `json:"is"`
}

// Scores are micro F1, from 0 to 1.
type Scores struct {
	Themes float64 `json:"themes"`
	Labels float64 `json:"labels"` // theme and polarity
}

// What tuning asks for, and how far it goes.
const (
	TunePeople = 100 // people whose texts were drawn at random, at least
	tuneBears  = 10  // texts that bear a code, at least, for its threshold to move
	tuneReach  = 0.3 // how far a threshold may move
	tuneStep   = 0.02
	tunePrior  = 20  // texts at a half by which a code's F1 is held back
	tunePull   = 0.2 // what moving a threshold by 1 costs, in F1
	tuneParts  = 10  // of the people, each scored by thresholds that the others gave
	tuneDraws  = 1000
	tuneStrata = 5 // of how unsure the coder is
)

// With gives the same coder with other thresholds: number names them in its
// version. What is not told stays as it shipped. It is fault.Invalid where a code is
// not the model's or a threshold no probability.
func (c *Coder) With(number int, thresholds []Threshold) (*Coder, error) {
	if c.model == nil {
		return nil, fault.New(fault.Invalid, "a coder without a model has no thresholds")
	}
	m := *c.model
	m.head.Threshold = slices.Clone(c.model.head.Threshold)
	for _, t := range thresholds {
		i, ok := m.codes[t.Code]
		switch {
		case !ok:
			return nil, fault.New(fault.Invalid, "%q is not a code that the model knows", t.Code)
		case !(t.Is > 0 && t.Is < 1): // NaN is neither
			return nil, fault.New(fault.Invalid, "%s: a threshold lies between 0 and 1", t.Code)
		}
		m.head.Threshold[i] = t.Is
	}
	out := &Coder{
		book: c.book, vocab: c.vocab, patterns: c.patterns, index: c.index, marks: c.marks, names: c.names,
		model: &m, places: c.places, over: c.over, tuning: number,
	}
	out.scratch.limit = c.scratch.limit
	return out, nil
}

// stand is how one text stands to each code, whatever the thresholds.
type stand struct {
	given  []bool    // of each code and polarity: what people say
	likely []float64 // of each code; below 0: it cannot be given
	found  []bool    // of each code and polarity: what is given once the code is
	whose  string
	drawn  bool
	doubt  float64 // see Reading
	weight float64
}

// Tune fits each code's threshold to texts that people coded, and says how much
// better that is. Texts in another language are left out. The coder must be as it
// shipped: its thresholds have seen none of the texts.
//
// Texts that people were given because the coder was unsure of them, or that are
// unlike others, are not what texts are like. They count by how rare they are:
// among texts of which the coder is as unsure, as much as those drawn at random.
func (c *Coder) Tune(texts []Coded) (Tuning, error) {
	if c.model == nil || c.tuning != 0 {
		return Tuning{}, fault.New(fault.Invalid, "only the coder as it shipped is tuned")
	}
	var t Tuning
	var stands []stand
	people := map[string]bool{}
	for i := range texts {
		s, ok := c.stand(&texts[i])
		if !ok {
			continue
		}
		stands = append(stands, s)
		if s.drawn {
			t.Drawn++
			people[s.whose] = true
		}
	}
	t.Texts, t.People = len(stands), len(people)
	if t.People < TunePeople {
		t.Why = fmt.Sprintf("people have coded texts of %d persons that were drawn at random; at least %d are needed to tell whether other thresholds are better", t.People, TunePeople)
		return t, nil
	}
	shipped := c.model.head.Threshold
	before, after := make([]counts, 0, t.Drawn), make([]counts, 0, t.Drawn)
	var whose []string
	for part := range tuneParts {
		in := func(s *stand) bool { return partOfWhose(s.whose) == part }
		fitted := c.fit(stands, func(s *stand) bool { return !in(s) })
		for i := range stands {
			if s := &stands[i]; s.drawn && in(s) {
				before = append(before, s.all(shipped))
				after = append(after, s.all(fitted))
				whose = append(whose, s.whose)
			}
		}
	}
	for k, v := range c.fit(stands, func(*stand) bool { return true }) {
		if v != shipped[k] {
			t.Thresholds = append(t.Thresholds, Threshold{Code: c.model.head.Codes[k], Was: shipped[k], Is: v})
		}
	}
	t.Before, t.After = scoresOf(before), scoresOf(after)
	t.Low, t.High = gain(before, after, whose)
	switch {
	case len(t.Thresholds) == 0:
		t.Why = "no threshold would be better elsewhere"
	case t.Low <= 0:
		t.Why = "on texts that they were not fitted on, other thresholds are not better for sure"
	}
	return t, nil
}

// stand reads a text and gives how it stands; false: it is of no use.
func (c *Coder) stand(text *Coded) (stand, bool) {
	n := len(c.model.head.Codes)
	out := stand{given: make([]bool, 2*n), likely: make([]float64, n), found: make([]bool, 2*n), whose: text.Whose, drawn: text.Drawn, doubt: 1}
	for _, l := range text.Labels {
		if i, ok := c.model.codes[l.Code]; ok {
			out.given[2*i+polarityPlace(l.Polarity)] = true
		}
	}
	s := c.scratch.take()
	defer c.scratch.give(s)
	c.segment(text.Text, s)
	for k := range out.likely {
		out.likely[k] = -1
	}
	if len(s.tokens) == 0 {
		return out, true
	}
	if l := s.language(); l != "" && l != "en" {
		return out, false
	}
	c.look(s, text.Text)
	gate := c.codable(s, c.model)
	for i := range n {
		pair, likelier, ok := c.pair(s, i)
		out.doubt = min(out.doubt, c.doubt(s, gate, i))
		if !ok {
			continue
		}
		for p := range pair {
			out.found[2*i+p] = c.also(pair, likelier, p)
		}
		if c.opens(s, gate, i, likelier) {
			out.likely[i] = pair[0].p + pair[1].p
		}
	}
	return out, true
}

// one counts what one code's threshold leads to in the text.
func (s *stand) one(k int, threshold float64) (n counts) {
	a, b := s.given[2*k], s.given[2*k+1]
	fa, fb := s.likely[k] >= threshold && s.found[2*k], s.likely[k] >= threshold && s.found[2*k+1]
	n.givenThemes, n.foundThemes, n.rightThemes = number(a || b), number(fa || fb), number((a || b) && (fa || fb))
	n.given, n.found, n.right = number(a)+number(b), number(fa)+number(fb), number(a && fa)+number(b && fb)
	n.same = n.rightThemes * number(a == fa && b == fb)
	return n
}

func (s *stand) all(thresholds []float64) (n counts) {
	for k, v := range thresholds {
		n = n.plus(s.one(k, v))
	}
	return n
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (c counts) times(w float64) counts {
	return counts{w * c.givenThemes, w * c.foundThemes, w * c.rightThemes, w * c.given, w * c.found, w * c.right, w * c.same}
}

// fit finds the best thresholds for some of the texts.
func (c *Coder) fit(stands []stand, use func(*stand) bool) []float64 {
	var in []*stand
	for i := range stands {
		if use(&stands[i]) {
			in = append(in, &stands[i])
		}
	}
	weigh(in)
	out := slices.Clone(c.model.head.Threshold)
	for k, shipped := range c.model.head.Threshold {
		bears := 0
		for _, s := range in {
			if s.given[2*k] || s.given[2*k+1] {
				bears++
			}
		}
		if bears < tuneBears {
			continue
		}
		best := math.Inf(-1)
		for step := -math.Round(tuneReach / tuneStep); step <= math.Round(tuneReach/tuneStep); step++ {
			v := shipped
			if step != 0 {
				v = math.Round((shipped+step*tuneStep)*1000) / 1000
			}
			if v < c.model.head.Unsure || v >= 1 {
				continue // from Unsure on a label is at least a person's to judge
			}
			var n counts
			for _, s := range in {
				n = n.plus(s.one(k, v).times(s.weight))
			}
			if f := n.f(tunePrior) - tunePull*math.Abs(v-shipped); f > best {
				best, out[k] = f, v
			}
		}
	}
	return out
}

// weigh gives each text its weight, so that texts of which the coder is as unsure
// weigh together what those drawn at random among them do.
func weigh(in []*stand) {
	var doubts []float64
	for _, s := range in {
		if s.drawn {
			doubts = append(doubts, s.doubt)
		}
	}
	slices.Sort(doubts)
	stratum := func(s *stand) int {
		at, _ := slices.BinarySearch(doubts, s.doubt)
		return min(at*tuneStrata/max(len(doubts), 1), tuneStrata-1)
	}
	var all, drawn [tuneStrata]float64
	for _, s := range in {
		k := stratum(s)
		all[k]++
		drawn[k] += number(s.drawn)
	}
	for _, s := range in {
		k := stratum(s)
		s.weight = drawn[k] / all[k] * float64(len(in)) / float64(max(len(doubts), 1))
	}
}

func partOfWhose(whose string) int {
	h := fnv.New32a()
	_, _ = io.WriteString(h, "tune "+whose)
	return int(h.Sum32()>>8) % tuneParts
}

func scoresOf(texts []counts) Scores {
	var n counts
	for _, c := range texts {
		n = n.plus(c)
	}
	return n.scores()
}

func (c counts) scores() Scores {
	f := func(given, found, right float64) float64 {
		if given+found == 0 {
			return 0
		}
		return 2 * right / (given + found)
	}
	return Scores{Themes: f(c.givenThemes, c.foundThemes, c.rightThemes), Labels: f(c.given, c.found, c.right)}
}

// gain gives the interval of how much better after is than before, from draws of
// the people with replacement.
func gain(before, after []counts, whose []string) (low, high float64) {
	type both struct{ before, after counts }
	each := map[string]both{}
	for i, w := range whose {
		b := each[w]
		each[w] = both{b.before.plus(before[i]), b.after.plus(after[i])}
	}
	names := slices.Sorted(maps.Keys(each))
	rng := rand.New(rand.NewPCG(30, 1)) //nolint:gosec // G404: the same draws for everybody who looks
	gains := make([]float64, tuneDraws)
	for i := range gains {
		var sum both
		for range names {
			b := each[names[rng.IntN(len(names))]]
			sum = both{sum.before.plus(b.before), sum.after.plus(b.after)}
		}
		gains[i] = sum.after.scores().Labels - sum.before.scores().Labels
	}
	slices.SortFunc(gains, cmp.Compare[float64])
	return gains[tuneDraws/40], gains[tuneDraws-1-tuneDraws/40]
}
