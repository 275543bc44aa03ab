// Package coding owns the coder: which themes a victim's words show, in which
// polarity, and the very words that show it.
//
// A text is parted into words and clauses, each word is brought to its stem, and
// the codebook's phrases are looked up by their rarest word. Each match is then
// read in its place: whether something negates it, whether it is only wished
// for, whether it is meant as sarcasm, and whose act it tells of, since only
// what services do is coded. Of what remains one label a code and polarity is
// given, with the bytes of the text it rests on.
//
// Nothing is learnt and nothing is random: the same text and codebook give the
// same labels always.
package coding

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"

	"victimvoice/analysis/codebook"
)

// Label is one theme found in a text.
type Label struct {
	Code       string  `json:"code"`
	Polarity   string  `json:"polarity"` // "positive" or "negative", from the victim's side
	Evidence   string  `json:"evidence"` // text[Start:End]
	Start      int     `json:"start"`    // bytes of the text, half-open
	End        int     `json:"end"`
	Confidence float64 `json:"confidence"` // 0 to 1: how often such a label is right

	Reasons []string `json:"reasons,omitempty"` // what speaks for it, strongest first; only from [Coder.Explain]
}

// match is one pattern found at one place.
type match struct {
	pattern     int32
	first, last int32  // tokens
	used        uint64 // tokens matched by words of the pattern, from first on
	from        int32  // the evidence's first token, with the negator if there is one
	polarity    codebook.Polarity
	confidence  float64
}

// maxSpan is how many tokens a match may cover: the bits of match.used.
const maxSpan = 64

// maxKeptTokens is the largest working space that is kept for the next text; a
// larger one is left to the garbage collector.
const maxKeptTokens = 4096

// Reach of the rules of meaning, in words.
const (
	negatorReach = 7  // how far before a phrase a negator may stand
	wishReach    = 14 // how far after "I wish" a phrase may stand
	actorReach   = 24 // how far back in its clause a subject is looked for
)

// space is the working space of one call.
type space struct {
	tokens   []token
	passed   []passed
	themes   []match
	marks    []match
	told     []statement
	units    []unit
	scores   scores
	verdicts []verdict
	weights  []float64
	best     []int32 // per code and polarity, the place in themes of its best match
	chosen   []match
}

type pool struct {
	sync.Pool
	limit int
}

func (p *pool) take() *space {
	if s, ok := p.Get().(*space); ok {
		return s
	}
	return &space{}
}

func (p *pool) give(s *space) {
	if cap(s.tokens) <= p.limit && cap(s.themes) <= p.limit && cap(s.marks) <= p.limit && cap(s.units) <= p.limit {
		p.Put(s)
	}
}

// Code finds the themes of a text. Labels come in the order of their evidence,
// then of their codes; a text with nothing to code gives an empty list, never
// nil. Any bytes are accepted. Offsets lie inside the text and on rune
// boundaries.
func (c *Coder) Code(text string) []Label { return c.Read(text).Labels }

// Reading is all that the coder makes of a text.
type Reading struct {
	Labels []Label `json:"labels"`
	Unsure []Label `json:"unsure,omitempty"` // as likely not there as there: for a person to judge

	// Language is the code of the language that the text is in where that is not
	// English, "und" where it is none of the eight: it is left for a person, since
	// English rules would only guess.
	Language string `json:"language,omitempty"`

	// Doubt is how near the coder came to saying something else: the distance in
	// probability of the nearest code from its threshold, or of a text from looking
	// like one with anything to code, or of a label's polarity from even. 1: nothing is near.
	Doubt float64 `json:"-"`
}

// Read finds the themes of a text, as [Coder.Code] does, and those that it would
// not give without a person's word.
func (c *Coder) Read(text string) Reading {
	s := c.scratch.take()
	defer c.scratch.give(s)
	c.segment(text, s)
	r := Reading{Labels: []Label{}, Doubt: 1}
	if len(s.tokens) == 0 {
		return r
	}
	if l := s.language(); l != "" && l != "en" {
		r.Language = l
		return r
	}
	c.look(s, text)
	if c.model == nil {
		for i := range s.chosen {
			r.Labels = append(r.Labels, c.byPhrase(s, text, &s.chosen[i]))
			r.Doubt = min(r.Doubt, math.Abs(s.chosen[i].confidence-0.5))
		}
	} else {
		c.decide(s, text, &r)
	}
	order(r.Labels)
	order(r.Unsure)
	return r
}

// look does all that comes between segmenting and deciding.
func (c *Coder) look(s *space, text string) {
	c.find(s)
	s.chosen = s.chosen[:0]
	c.statements(s)
	c.read(s)
	if c.model != nil {
		c.features(s, text)
	}
	c.choose(s)
	if c.model != nil {
		c.model.score(s)
		c.judge(s, c.model)
	}
}

func order(labels []Label) {
	slices.SortFunc(labels, func(a, b Label) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), strings.Compare(a.Code, b.Code), strings.Compare(a.Polarity, b.Polarity))
	})
}

// byPhrase makes a label of a phrase alone.
func (c *Coder) byPhrase(s *space, text string, m *match) Label {
	start, end := c.span(s, m)
	return Label{
		Code: c.book.Codes[c.patterns[m.pattern].code].ID, Polarity: string(m.polarity),
		Evidence: text[start:end], Start: start, End: end, Confidence: m.confidence,
	}
}

// span gives the bytes that a phrase rests on.
func (c *Coder) span(s *space, m *match) (start, end int) {
	return int(s.tokens[m.from].lead), int(s.tokens[runOn(s.tokens, m.last, c.patterns[m.pattern].tail)].end)
}

// decide gives the labels that are likely enough, and sets aside those that are
// not quite.
func (c *Coder) decide(s *space, text string, r *Reading) {
	m := c.model
	gate := c.codable(s, m)
	for i := range m.head.Codes {
		pair, likelier, ok := c.pair(s, i)
		r.Doubt = min(r.Doubt, c.doubt(s, gate, i))
		if !ok {
			continue
		}
		given := pair[0].p+pair[1].p >= m.head.Threshold[i] && c.opens(s, gate, i, likelier)
		for p, v := range pair {
			switch {
			case given && c.also(pair, likelier, p):
				r.Labels = append(r.Labels, c.byModel(s, text, i, p, v))
			case !given && p == likelier, v.p >= m.head.Unsure:
				r.Unsure = append(r.Unsure, c.byModel(s, text, i, p, v))
			}
		}
	}
	for i := range s.chosen { // codes that the model was not taught
		p := &c.patterns[s.chosen[i].pattern]
		if _, ok := m.codes[c.book.Codes[p.code].ID]; !ok {
			r.Labels = append(r.Labels, c.byPhrase(s, text, &s.chosen[i]))
		}
	}
}

// pair gives both polarities of a code and the likelier one; false: the code is
// so unlikely that not even a person is asked.
func (c *Coder) pair(s *space, i int) (pair []verdict, likelier int, ok bool) {
	pair = s.verdicts[2*i : 2*i+2]
	if pair[1].p > pair[0].p {
		likelier = 1
	}
	return pair, likelier, pair[0].unit >= 0 && pair[0].p+pair[1].p >= c.model.head.Unsure
}

// opens reports whether the text looks like one with anything to code, for one code.
func (c *Coder) opens(s *space, gate float64, i, likelier int) bool {
	from := c.model.head.GateFrom
	return gate >= from || gate >= from-phraseOpens && c.said(s, i, likelier)
}

// doubt gives how near one code came to being said otherwise; see [Reading].Doubt.
func (c *Coder) doubt(s *space, gate float64, i int) float64 {
	pair, likelier, ok := c.pair(s, i)
	sum := pair[0].p + pair[1].p
	away := math.Abs(sum - c.model.head.Threshold[i])
	switch {
	case pair[0].unit < 0:
		return 1
	case !ok || sum < c.model.head.Threshold[i]:
		return away
	case !c.opens(s, gate, i, likelier):
		return c.model.head.GateFrom - gate
	}
	return min(away, pair[likelier].p/sum-0.5)
}

// also reports whether a polarity is given where its code is.
func (c *Coder) also(pair []verdict, likelier, p int) bool {
	return p == likelier || pair[0].unit != pair[1].unit && pair[p].p >= c.model.head.Second*pair[likelier].p
}

// phraseOpens is how much less a text must look like one with anything to code
// for a label that a sure phrase bears out.
const phraseOpens, surePhrase = 0.25, 0.75

// said reports whether a sure phrase says what the model does.
func (c *Coder) said(s *space, i, p int) bool {
	place := c.places[i]
	if place < 0 {
		return false
	}
	ph := c.phraseOf(s, int(place), polarityAt(p))
	return ph != nil && ph.confidence >= surePhrase
}

// byModel makes a label of a verdict. Its evidence is the phrase, where one says
// the same in the same statement, else the telling words of the statement.
func (c *Coder) byModel(s *space, text string, i, p int, v verdict) Label {
	first, last := c.stretch(s, c.model, i, p, v.unit)
	start, end := int(s.tokens[first].lead), int(s.tokens[last].end)
	if place := c.places[i]; place >= 0 {
		if ph := c.phraseOf(s, int(place), polarityAt(p)); ph != nil && c.unitAt(s, ph.first) == int(v.unit) {
			a, b := c.span(s, ph)
			start, end = c.together(start, end, a, b)
		}
	}
	return Label{
		Code: c.model.head.Codes[i], Polarity: string(polarityAt(p)), Evidence: text[start:end], Start: start, End: end,
		Confidence: math.Round(v.p*1000) / 1000,
	}
}

// together settles between the telling words and a phrase.
func (c *Coder) together(start, end, a, b int) (int, int) {
	return min(start, a), max(end, b)
}

// runOn gives the last token of the clause that a match ends in when it is no
// more than tail words away, else the match's own last token: evidence should not
// stop just short of the end of what was said.
func runOn(tokens []token, last int32, tail int) int32 {
	for i := 1; i <= tail+1; i++ {
		next := int(last) + i
		if next == len(tokens) || tokens[next].brk != noBreak {
			return int32(next - 1)
		}
	}
	return last
}

// find matches every pattern, themes apart from the marks that change meaning.
func (c *Coder) find(s *space) {
	s.themes, s.marks = s.themes[:0], s.marks[:0]
	for i := range s.tokens {
		t := &s.tokens[i]
		c.findAt(s, i, t.stem)
		if t.form != 0 {
			c.findAt(s, i, t.form)
		}
	}
}

func (c *Coder) findAt(s *space, at int, id int32) {
	if id == 0 {
		return
	}
	for _, e := range c.index[id] {
		p := &c.patterns[e.pattern]
		m, ok := c.match(s.tokens, p, int(e.anchor), at)
		if !ok {
			continue
		}
		m.pattern = e.pattern
		if p.role == theme || p.role == neutral {
			s.themes = append(s.themes, m)
		} else {
			s.marks = append(s.marks, m)
		}
	}
}

// match tries a pattern whose element anchor stands at token at.
func (c *Coder) match(tokens []token, p *pattern, anchor, at int) (match, bool) {
	if !fits(tokens, &p.elements[anchor], at) {
		return match{}, false
	}
	var places [codebook.MaxElements]int32
	places[anchor] = int32(at)
	if !before(tokens, p.elements, anchor, at, &places) || !after(tokens, p.elements, anchor, at, &places) {
		return match{}, false
	}
	m := match{first: places[0], last: places[p.words-1]}
	if m.last-m.first >= maxSpan {
		return match{}, false
	}
	for _, place := range places[:p.words] {
		m.used |= 1 << uint(place-m.first)
	}
	return m, true
}

// fits reports whether a token can stand for an element.
func fits(tokens []token, e *element, at int) bool {
	t := &tokens[at]
	if !e.any.has(t.stem) && !e.any.has(t.form) {
		return false
	}
	if e.opens && t.brk == noBreak {
		return false
	}
	return !e.closes || at+1 == len(tokens) || tokens[at+1].brk != noBreak
}

// passable reports whether a phrase may go on from one token to the next, t:
// words side by side in the phrase must stand so in the text, save for such words
// as "when" and "but" that the phrase itself names; a gap may pass a comma, a far
// gap anything.
func passable(t *token, e *element) bool {
	switch {
	case e.far:
		return true
	case e.gap > 0:
		return t.brk <= commaBreak
	default:
		return t.brk != commaBreak && t.brk != clauseBreak && t.brk != sentenceBreak
	}
}

// before matches the elements left of k, the nearest fitting word first.
func before(tokens []token, elements []element, k, at int, places *[codebook.MaxElements]int32) bool {
	if k == 0 {
		return true
	}
	e := &elements[k] // its gap lies before it
	for i := at; i > 0 && at-i <= e.gap; i-- {
		if !passable(&tokens[i], e) {
			return false
		}
		if fits(tokens, &elements[k-1], i-1) {
			places[k-1] = int32(i - 1)
			if before(tokens, elements, k-1, i-1, places) {
				return true
			}
		}
	}
	return false
}

// after matches the elements right of k, the nearest fitting word first.
func after(tokens []token, elements []element, k, at int, places *[codebook.MaxElements]int32) bool {
	if k+1 == len(elements) {
		return true
	}
	e := &elements[k+1]
	for i := at + 1; i < len(tokens) && i-at-1 <= e.gap; i++ {
		if !passable(&tokens[i], e) {
			return false
		}
		if fits(tokens, e, i) {
			places[k+1] = int32(i)
			if after(tokens, elements, k+1, i, places) {
				return true
			}
		}
	}
	return false
}
