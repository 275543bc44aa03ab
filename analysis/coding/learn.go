package coding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math"
	"slices"

	"victimvoice/analysis/codebook"
	"victimvoice/analysis/corpus"
	"victimvoice/analysis/linear"
)

// How the shipped model is learnt.
const (
	learnFolds   = 6      // parts whose scores come from the others, to learn the last word from
	learnRows    = 250000 // rows that the table keeps at most: all, as it is
	learnCost    = 1.0
	learnPlus    = 2.0 // an error on a label that is there costs so much more
	learnMinRows = 3
	learnEpochs  = 40
	learnRatio   = 0.5 // how much a sign's reach goes by how unevenly it falls
)

// lesson is a comment as it is learnt from.
type lesson struct {
	comment *corpus.Comment
	units   []linear.Row
	spans   [][2]int
	doc     linear.Row
	fold    int // -1: an example, only ever learnt from
}

// Learn learns a model from labelled comments, and from examples of one label
// each, beside the phrases of a codebook. The same input gives the same model.
func Learn(book *codebook.Codebook, comments, examples []corpus.Comment) (*Model, error) {
	t, err := newTeacher(book, comments, examples)
	if err != nil {
		return nil, err
	}
	return t.learn()
}

// teacher holds what is learnt from.
type teacher struct {
	book    *codebook.Codebook
	codes   map[string]int
	lessons []lesson
	gain    map[uint32]float32 // of each feature's family
	sources string
}

func newTeacher(book *codebook.Codebook, comments, examples []corpus.Comment) (*teacher, error) {
	c, err := NewPhrases(book)
	if err != nil {
		return nil, err
	}
	t := &teacher{book: book, codes: map[string]int{}, gain: map[uint32]float32{}, sources: Sources(book, comments, examples)}
	for i, id := range book.IDs() {
		t.codes[id] = i
	}
	for i := range comments {
		if err := t.see(c, &comments[i], foldOf(comments[i].ID)); err != nil {
			return nil, err
		}
	}
	for i := range examples {
		if err := t.see(c, &examples[i], -1); err != nil {
			return nil, err
		}
	}
	if len(comments) < learnFolds {
		return nil, errors.New("there are too few comments to learn from")
	}
	return t, nil
}

func foldOf(id string) int {
	h := fnv.New32a()
	_, _ = io.WriteString(h, id)
	return int(h.Sum32()>>8) % learnFolds
}

// Sources is a hash of all that a model is learnt from: the codebook's word lists and phrases,
// the comments and the examples, and the settings of the learner.
func Sources(book *codebook.Codebook, comments, examples []corpus.Comment) string {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, modelFormat, learnFolds, learnRows, learnCost, learnPlus, learnMinRows, learnEpochs, learnRatio, weightOf, signs, themeSigns, sideSigns, gateSigns)
	for _, name := range slices.Sorted(maps.Keys(book.Lexicon.Classes)) {
		_, _ = fmt.Fprintln(h, name, book.Lexicon.Classes[name])
	}
	for _, code := range book.Codes {
		_, _ = fmt.Fprintln(h, code.ID)
		for _, p := range code.Phrases {
			_, _ = fmt.Fprintln(h, p.Source, p.Polarity)
		}
	}
	for _, c := range slices.Concat(comments, examples) {
		_, _ = fmt.Fprintf(h, "%q %q\n", c.ID, c.Text)
		for _, l := range c.Labels {
			_, _ = fmt.Fprintln(h, l.Code, l.Polarity, l.Start, l.End)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// see prepares one comment.
func (t *teacher) see(c *Coder, com *corpus.Comment, fold int) error {
	for _, l := range com.Labels {
		if _, ok := t.codes[l.Code]; !ok {
			return fmt.Errorf("%s: %s is not a code of codebook %s", com.ID, l.Code, t.book.Version)
		}
	}
	var s space
	c.segment(com.Text, &s)
	c.find(&s)
	c.statements(&s)
	c.read(&s)
	c.features(&s, com.Text)
	out := lesson{comment: com, fold: fold}
	for i := range s.units {
		u := &s.units[i]
		var row linear.Row
		add := func(key uint32, f family) {
			t.gain[key] = weightOf[f]
			row = append(row, linear.Feature{Key: key, Value: weightOf[f]})
		}
		for _, p := range s.passed[u.passed[0]:u.passed[1]] {
			p.part.alone(add)
		}
		for k := u.first; k <= u.last; k++ {
			s.tokens[k].part.alone(add)
		}
		for _, f := range u.keys {
			add(f.key, f.fam)
		}
		out.doc = append(out.doc, row...)
		for side, other := range [2]int{i - 1, i + 1} {
			if other >= 0 && other < len(s.units) {
				f := [2]family{ofBefore, ofAfter}[side]
				for k := s.units[other].first; k <= s.units[other].last; k++ {
					add(mix(f, s.tokens[k].part.hash, 0), f)
				}
			}
		}
		out.units = append(out.units, scaled(row))
		out.spans = append(out.spans, [2]int{int(s.tokens[u.first].start), int(s.tokens[u.last].end)})
	}
	out.doc = scaled(out.doc)
	t.lessons = append(t.lessons, out)
	return nil
}

// scaled brings a row to length 1. It is counted as it is counted in score:
// each feature for itself.
func scaled(row linear.Row) linear.Row {
	var size float32
	for _, f := range row {
		size += f.Value * f.Value
	}
	out := make(linear.Row, len(row))
	per := float32(scaleOf(size))
	for i, f := range row {
		out[i] = linear.Feature{Key: f.Key, Value: f.Value * per}
	}
	return out
}

// tableFrom learns the table from the lessons outside a fold.
func (t *teacher) tableFrom(without int) *linear.Table {
	n := len(t.codes)
	var unitRows, docs []linear.Row
	units := make([][]int8, unitColumns(n))
	texts := make([][]int8, n+1)
	for i := range t.lessons {
		l := &t.lessons[i]
		if l.fold == without && without >= 0 {
			continue
		}
		has := t.labels(l, nil)
		docs = append(docs, l.doc)
		for k := range n {
			texts[k] = append(texts[k], yes(has[2*k] || has[2*k+1]))
		}
		texts[n] = append(texts[n], yes(len(l.comment.Labels) > 0))
		for k, row := range l.units {
			in := t.labels(l, &l.spans[k])
			unitRows = append(unitRows, row)
			var pos, neg, some bool
			for j := range n {
				a, b := in[2*j], in[2*j+1]
				units[3*j] = append(units[3*j], target(a, has[2*j]))
				units[3*j+1] = append(units[3*j+1], target(b, has[2*j+1]))
				units[3*j+2] = append(units[3*j+2], target(a || b, has[2*j] || has[2*j+1]))
				pos, neg, some = pos || a, neg || b, some || has[2*j] || has[2*j+1]
			}
			side := int8(0)
			if pos != neg {
				side = yes(pos)
			}
			units[3*n] = append(units[3*n], side)
			units[3*n+1] = append(units[3*n+1], target(pos || neg, some))
		}
	}
	o := linear.Options{C: learnCost, Positive: learnPlus, MinRows: learnMinRows, Epochs: learnEpochs, Ratio: learnRatio}
	w := linear.Join(linear.Learn(unitRows, units, o), linear.Learn(docs, texts, o))
	return linear.Compress(w, learnRows, func(key uint32) float32 { return t.gain[key] })
}

func yes(b bool) int8 {
	if b {
		return 1
	}
	return -1
}

// target says nothing of a statement that doesn't show a label which its comment
// has: it may show it too.
func target(here, somewhere bool) int8 {
	switch {
	case here:
		return 1
	case somewhere:
		return 0
	}
	return -1
}

// labels tells which labels a comment bears, or with a span which of them show
// there: half of the evidence or half of the span is shared.
func (t *teacher) labels(l *lesson, span *[2]int) []bool {
	out := make([]bool, 2*len(t.codes))
	for _, g := range l.comment.Labels {
		if span != nil {
			both := min(g.End, span[1]) - max(g.Start, span[0])
			if both <= 0 || 2*both < min(g.End-g.Start, span[1]-span[0]) {
				continue
			}
		}
		out[2*t.codes[g.Code]+polarityPlace(g.Polarity)] = true
	}
	return out
}

// trial is a comment as it was read by a model that had not seen it.
type trial struct {
	given []bool
	p     []float64
	unit  []int32 // the statement that speaks most for each label
	gate  [gateSigns]float64
	open  float64
}

func (t *teacher) model(table *linear.Table) *Model {
	n := len(t.codes)
	m := &Model{table: *table, head: modelHead{
		Format: modelFormat, Codebook: t.book.Version, Sources: t.sources, Comments: len(t.lessons), Codes: t.book.IDs(),
		Theme: make([]float64, themeSigns+n+1), Side: make([]float64, sideSigns+n+1), Threshold: make([]float64, n), Gate: make([]float64, gateSigns+1), Trim: []float64{0.5, 6, 3},
	}}
	m.number()
	return m
}

func (t *teacher) learn() (*Model, error) {
	n := len(t.codes)
	var (
		themes, sides samples
		knowns        = map[int][]known{} // by lesson, one for each code
	)
	spaces := map[int]*space{}
	models := map[int]*Model{}
	coders := map[int]*Coder{}
	for fold := range learnFolds {
		c, err := NewPhrases(t.book)
		if err != nil {
			return nil, err
		}
		m := t.model(t.tableFrom(fold))
		c.use(m)
		models[fold], coders[fold] = m, c
		for i := range t.lessons {
			l := &t.lessons[i]
			if l.fold != fold {
				continue
			}
			s := &space{}
			c.segment(l.comment.Text, s)
			c.look(s, l.comment.Text)
			spaces[i] = s
			has := t.labels(l, nil)
			for k := range n {
				var kn known
				c.know(s, m, k, &kn)
				knowns[i] = append(knowns[i], kn)
				pos, neg := has[2*k], has[2*k+1]
				themes.add(kn.theme[:], k, n, pos || neg)
				if pos != neg {
					sides.add(kn.side[:], k, n, pos)
				}
			}
		}
	}
	m := t.model(t.tableFrom(-1))
	m.head.Theme, m.head.Side = themes.fit(themeSigns, n), sides.fit(sideSigns, n)
	// The gate, from the same unseen readings.
	trials := map[int]*trial{}
	at := slices.Sorted(maps.Keys(knowns))
	for _, i := range at {
		tr := &trial{given: t.labels(&t.lessons[i], nil)}
		for k, kn := range knowns[i] {
			for _, v := range m.verdicts(&kn, k) {
				tr.p, tr.unit = append(tr.p, v.p), append(tr.unit, v.unit)
			}
		}
		trials[i] = tr
	}
	var gx [][]float64
	var gy []bool
	for _, i := range at {
		tr, s := trials[i], spaces[i]
		for k := range s.verdicts {
			s.verdicts[k].p = tr.p[k]
		}
		coders[t.lessons[i].fold].gateSignsOf(s, models[t.lessons[i].fold], &tr.gate)
		gx, gy = append(gx, slices.Clone(tr.gate[:])), append(gy, len(t.lessons[i].comment.Labels) > 0)
	}
	gate := linear.FitLogistic(gx, gy, func(int) float64 { return 1 })
	m.head.Gate = gate.W
	list := make([]*trial, 0, len(at))
	for k, i := range at {
		trials[i].open = gate.P(gx[k])
		list = append(list, trials[i])
	}
	m.thresholds(list)
	return m, nil
}

// samples is what a logistic regression is fitted to.
type samples struct {
	x [][]float64
	y []bool
}

// add adds what is known of one of n codes in one text, and whether it is so.
func (s *samples) add(f []float64, code, n int, yes bool) {
	row := make([]float64, len(f)+n)
	copy(row, f)
	row[len(f)+code] = 1
	s.x, s.y = append(s.x, row), append(s.y, yes)
}

// fit gives the weights of so many signs, of each of n codes, and the constant.
func (s *samples) fit(signs, n int) []float64 {
	if len(s.x) == 0 {
		return make([]float64, signs+n+1)
	}
	return linear.FitLogistic(s.x, s.y, func(i int) float64 {
		if i < signs {
			return 1
		}
		return 4 // what is only true of one code is learnt from little
	}).W
}

// thresholds sets how likely a code must be, both polarities taken together, to
// be given, and how likely beside the likelier its other polarity must be to be
// given too, where it shows in another statement:
// so that over the unseen readings the sum of the micro F1 of themes and of
// labels, and of half the share of polarities told rightly, is best. A code's own threshold is held near the common one, since it is
// found from few comments.
func (m *Model) thresholds(trials []*trial) {
	m.head.GateFrom = gateFor(trials)
	n := len(m.head.Codes)
	tally := func(k int, from, second float64) (c counts) {
		for _, tr := range trials {
			a, b := tr.p[2*k], tr.p[2*k+1]
			ga, gb := tr.given[2*k], tr.given[2*k+1]
			if tr.unit[2*k] == tr.unit[2*k+1] {
				c.add(ga, gb, tr.open >= m.head.GateFrom && a+b >= from, a, b, never)
			} else {
				c.add(ga, gb, tr.open >= m.head.GateFrom && a+b >= from, a, b, second)
			}
		}
		return c
	}
	grid := func(from, to float64) (out []float64) {
		for v := from; v <= to; v += 0.02 {
			out = append(out, math.Round(v*100)/100)
		}
		return out
	}
	best, common, second := -1.0, 0.4, 0.4
	for _, v := range grid(0.2, 0.8) {
		for _, w := range []float64{0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1} {
			var sum counts
			for k := range n {
				sum = sum.plus(tally(k, v, w))
			}
			if f := sum.f(0); f > best {
				best, common, second = f, v, w
			}
		}
	}
	m.head.Second = second
	for k := range n {
		m.head.Threshold[k] = common
		top := math.Inf(-1)
		for _, v := range grid(max(common-0.2, 0.1), common+0.2) {
			if f := tally(k, v, second).f(20) - 0.2*math.Abs(v-common); f > top {
				top, m.head.Threshold[k] = f, v
			}
		}
	}
	m.head.Unsure = math.Round(common*400) / 1000
}

// never is a share that no probability reaches of another.
const never = 1e9

// counts adds up what a code's threshold would lead to.
type counts struct{ givenThemes, foundThemes, rightThemes, given, found, right, same float64 }

func (c *counts) add(givenA, givenB, open bool, a, b, second float64) {
	if givenA || givenB {
		c.givenThemes++
	}
	for _, g := range [2]bool{givenA, givenB} {
		if g {
			c.given++
		}
	}
	if !open {
		return
	}
	c.foundThemes++
	if givenA || givenB {
		c.rightThemes++
		if givenA == (a >= b || a >= second*b) && givenB == (b > a || b >= second*a) {
			c.same++
		}
	}
	if a >= b || a >= second*b {
		c.found++
		if givenA {
			c.right++
		}
	}
	if b > a || b >= second*a {
		c.found++
		if givenB {
			c.right++
		}
	}
}

func (c counts) plus(o counts) counts {
	return counts{c.givenThemes + o.givenThemes, c.foundThemes + o.foundThemes, c.rightThemes + o.rightThemes, c.given + o.given, c.found + o.found, c.right + o.right, c.same + o.same}
}

// f gives the sum of both F1 and of half the share of themes whose polarity is
// right, each held towards a half by so many comments.
func (c counts) f(prior float64) float64 {
	one := func(given, found, right float64) float64 { return (2*right + prior/2) / (given + found + prior) }
	return one(c.givenThemes, c.foundThemes, c.rightThemes) + one(c.given, c.found, c.right) + (c.same+prior/2)/(c.rightThemes+prior+1)/2
}

// aloneShare is the share of texts with nothing to code that are to be left
// alone, over unseen readings.
const aloneShare = 0.85

// gateFor finds the lowest opening at which texts with nothing to code are
// mostly shut out.
func gateFor(trials []*trial) float64 {
	var empty []float64
	for _, tr := range trials {
		if !slices.Contains(tr.given, true) {
			empty = append(empty, tr.open)
		}
	}
	if len(empty) == 0 {
		return 0
	}
	slices.SortFunc(empty, cmp.Compare)
	at := int(aloneShare * float64(len(empty)))
	return math.Nextafter(empty[min(at, len(empty)-1)], 2)
}
