package coding

import (
	"cmp"
	"slices"

	"victimvoice/analysis/codebook"
)

// actorKind says who a statement is about.
type actorKind uint8

const (
	nobodyNamed actorKind = iota
	services
	stalker
	kin
	others
	self
	singular // he or she
	plural   // they
)

// statement is a run of words with one subject: up to "and they", a dash, a
// contrast or a sentence's end.
type statement struct {
	first, last int32 // tokens
	subject     actorKind
	subjectAt   int32
	sentence    int32
	opinion     bool // what a relative or another outsider thinks
}

func (c *Coder) kindOf(tokens []token, i int) actorKind {
	id := tokens[i].stem
	if id == 0 {
		return nobodyNamed
	}
	m := &c.marks
	switch {
	case m.services.has(id):
		return services
	case m.stalker.has(id):
		return stalker
	case m.kin.has(id):
		if i > 0 && m.former.has(tokens[i-1].stem) {
			return stalker // an ex-partner
		}
		return kin
	case m.others.has(id):
		return others
	case m.self.has(id):
		return self
	case m.singular.has(id):
		return singular
	case m.plural.has(id):
		return plural
	}
	return nobodyNamed
}

// statements parts the tokens into statements and finds whom each is about. A
// pronoun stands for whom was named last; they stands for the services unless
// the statement before was about somebody else.
func (c *Coder) statements(s *space) {
	s.told = s.told[:0]
	named, namedIn := nobodyNamed, int32(0)
	sentence := int32(0)
	for i := range s.tokens {
		t := &s.tokens[i]
		if t.brk >= sentenceBreak {
			sentence++
		}
		if i == 0 || t.brk >= clauseBreak {
			opinion := len(s.told) > 0 && t.brk == clauseBreak && s.told[len(s.told)-1].opinion
			s.told = append(s.told, statement{first: int32(i), sentence: sentence, opinion: opinion})
		}
		st := &s.told[len(s.told)-1]
		st.last = int32(i)
		kind := c.kindOf(s.tokens, i)
		if kind == nobodyNamed {
			continue
		}
		if st.subject == nobodyNamed {
			st.subjectAt = int32(i)
			switch kind {
			case singular:
				st.subject = singular
				if named != nobodyNamed && sentence-namedIn <= 2 {
					st.subject = named
				}
			case plural:
				st.subject = services
				if n := len(s.told); n > 1 && (s.told[n-2].subject == kin || s.told[n-2].subject == others) && sentence-s.told[n-2].sentence <= 1 {
					st.subject = s.told[n-2].subject
				}
			default:
				st.subject = kind
			}
		}
		switch kind {
		case kin, others, stalker:
			for k := i + 1; k <= i+2 && k < len(s.tokens) && s.tokens[k].brk == noBreak; k++ {
				if c.marks.opinion.has(s.tokens[k].stem) {
					st.opinion = true
				}
			}
			named, namedIn = kind, sentence
		case services:
			named, namedIn = kind, sentence
		}
	}
}

// outsider reports whether a match tells what the stalker, family or another
// outsider did or thinks, rather than the services.
func (c *Coder) outsider(s *space, m *match) bool {
	at, _ := slices.BinarySearchFunc(s.told, m.first, func(st statement, first int32) int { return cmp.Compare(st.last, first) })
	if at == len(s.told) {
		return false
	}
	st := &s.told[at]
	if st.opinion {
		return true
	}
	if c.patterns[m.pattern].anyone {
		return false
	}
	for i := max(st.first, m.first-actorReach); i <= m.last; i++ {
		if c.marks.services.has(s.tokens[i].stem) {
			return false
		}
	}
	// "told by my sister": the doer stands behind
	for i := m.first; i < min(m.last+6, int32(len(s.tokens)-1)) && i <= st.last; i++ {
		if c.marks.by.has(s.tokens[i].stem) {
			for k := i + 1; k <= min(i+3, int32(len(s.tokens)-1)); k++ {
				switch c.kindOf(s.tokens, int(k)) {
				case kin, others, stalker:
					return true
				}
			}
		}
	}
	switch st.subject {
	case stalker, kin, others:
	default:
		return false
	}
	if st.subjectAt > m.first {
		return false // named within or after: whom it was done to
	}
	// "my daughter was told": she is the one it was done to
	for i := st.subjectAt + 1; i <= min(m.first, st.subjectAt+4); i++ {
		if c.marks.passive.has(s.tokens[i].stem) && st.subject != others {
			return false
		}
	}
	return true
}

// read settles each match: what uses up whose words, whose act it is, and which
// way round it is meant.
func (c *Coder) read(s *space) {
	byPlace := func(a, b match) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(b.last, a.last), cmp.Compare(a.pattern, b.pattern), cmp.Compare(a.used, b.used))
	}
	slices.SortFunc(s.themes, byPlace)
	slices.SortFunc(s.marks, byPlace)
	s.chosen = s.chosen[:0]
	for i := range s.themes {
		m := &s.themes[i]
		p := &c.patterns[m.pattern]
		if p.role != theme || subsumed(s.themes, i) || c.outsider(s, m) {
			continue
		}
		if c.settle(s, m, p) {
			s.chosen = append(s.chosen, *m)
		}
	}
}

// subsumed reports whether another match rests on all the words of match i and
// more: the more that was said is what is meant.
func subsumed(all []match, i int) bool {
	m := &all[i]
	covers := func(o *match) bool {
		if o.first > m.first || o.last < m.last {
			return false
		}
		shifted := m.used << uint(m.first-o.first)
		return o.used&shifted == shifted && o.used != shifted
	}
	for k := i - 1; k >= 0 && m.first-all[k].first < maxSpan; k-- {
		if covers(&all[k]) {
			return true
		}
	}
	for k := i + 1; k < len(all) && all[k].first == m.first; k++ {
		if covers(&all[k]) {
			return true
		}
	}
	return false
}

// settle finds the polarity and the confidence of a match; false when it says
// nothing.
func (c *Coder) settle(s *space, m *match, p *pattern) bool {
	m.polarity, m.confidence, m.from = p.polarity, p.base, m.first
	span := int(m.last-m.first) + 1
	m.confidence -= gapLess * float64(span-p.words)
	start, _ := slices.BinarySearchFunc(s.marks, m.first-maxSpan, func(k match, first int32) int { return cmp.Compare(k.first, first) })
	negators, wished, mocked := 0, false, false
	counted := int32(-1) // last token of the last negator that counted
	for k := start; k < len(s.marks) && s.marks[k].first <= m.last; k++ {
		mark := &s.marks[k]
		if mark.last > m.last {
			continue
		}
		switch c.patterns[mark.pattern].role {
		case negator:
			if p.negated == codebook.Keep && mark.first < m.first || mark.first <= counted || overlaps(m, mark) || !reaches(s.tokens, mark, m, negatorReach, noBreak) || c.pseudo(s.marks, k) {
				continue
			}
			counted = mark.last
			negators++
			m.from = min(m.from, mark.first)
		case wish:
			if mark.first < m.first && reaches(s.tokens, mark, m, wishReach, wordBreak) {
				wished = true
			}
		}
	}
	if negators%2 == 1 {
		if p.negated == codebook.Drop {
			return false
		}
		m.polarity = m.polarity.Opposite()
		m.confidence -= negatedLess
	}
	if wished && p.negated != codebook.Keep {
		m.polarity = codebook.Negative
		m.confidence -= wishedLess
	}
	if m.polarity == codebook.Positive {
		if mocked = c.mocked(s, m); mocked {
			m.polarity = codebook.Negative
			m.confidence -= sarcasmLess
		}
	}
	m.confidence = max(m.confidence, 0.05)
	return true
}

// overlaps reports whether a mark uses a word that the match itself rests on.
func overlaps(m, mark *match) bool {
	for i := max(m.first, mark.first); i <= min(m.last, mark.last); i++ {
		if m.used&(1<<uint(i-m.first)) != 0 {
			return true
		}
	}
	return false
}

// reaches reports whether a mark before a match, or in its gaps, bears on it: no
// further off than reach words and with no break deeper than limit between.
func reaches(tokens []token, mark, m *match, reach int32, limit breakLevel) bool {
	if mark.first > m.first {
		return true
	}
	if m.first-mark.last-1 > reach {
		return false
	}
	for i := mark.last + 1; i <= m.first; i++ {
		if tokens[i].brk > limit {
			return false
		}
	}
	return true
}

// pseudo reports whether a negator is part of a turn of phrase that negates
// nothing: "not only", "no doubt".
func (c *Coder) pseudo(marks []match, at int) bool {
	n := &marks[at]
	for k := at; k >= 0 && n.first-marks[k].first < maxSpan; k-- {
		if c.patterns[marks[k].pattern].role == pseudoNegator && marks[k].last >= n.last {
			return true
		}
	}
	for k := at + 1; k < len(marks) && marks[k].first == n.first; k++ {
		if c.patterns[marks[k].pattern].role == pseudoNegator && marks[k].last >= n.last {
			return true
		}
	}
	return false
}

// mocked reports whether the match's sentence is meant sarcastically.
func (c *Coder) mocked(s *space, m *match) bool {
	first, last := m.first, m.last
	for first > 0 && s.tokens[first].brk < sentenceBreak && m.first-first < maxSpan {
		first--
	}
	for last+1 < int32(len(s.tokens)) && s.tokens[last+1].brk < sentenceBreak && last-m.last < maxSpan {
		last++
	}
	at, _ := slices.BinarySearchFunc(s.marks, first, func(k match, first int32) int { return cmp.Compare(k.first, first) })
	for ; at < len(s.marks) && s.marks[at].first <= last; at++ {
		if c.patterns[s.marks[at].pattern].role == sarcasm && !overlaps(m, &s.marks[at]) {
			return true
		}
	}
	return false
}

// givesWay reports whether the same words already say something more specific:
// an advocate who never rang back is not an officer who cannot be reached.
func (c *Coder) givesWay(s *space, m *match) bool {
	own := int32(c.patterns[m.pattern].code) + 1
	for i := range s.chosen {
		o := &s.chosen[i]
		if c.over[c.patterns[o.pattern].code].has(own) && o.from <= m.last && m.from <= o.last {
			return true
		}
	}
	return false
}

// choose keeps the best match a code and polarity, and of two matches that read
// the same words of a code both ways only the surer.
func (c *Coder) choose(s *space) {
	n := 2 * len(c.book.Codes)
	if cap(s.best) < n {
		s.best = make([]int32, n)
	}
	s.best = s.best[:n]
	for i := range s.best {
		s.best[i] = -1
	}
	slot := func(m *match) int {
		i := 2 * c.patterns[m.pattern].code
		if m.polarity == codebook.Negative {
			i++
		}
		return i
	}
	for i := range s.chosen {
		k := slot(&s.chosen[i])
		if b := s.best[k]; b < 0 || s.chosen[i].confidence > s.chosen[b].confidence {
			s.best[k] = int32(i)
		}
	}
	for k := 0; k < n; k += 2 {
		a, b := s.best[k], s.best[k+1]
		if a < 0 || b < 0 {
			continue
		}
		x, y := &s.chosen[a], &s.chosen[b]
		if x.first > y.last || y.first > x.last {
			continue
		}
		if x.confidence >= y.confidence {
			s.best[k+1] = -1
		} else {
			s.best[k] = -1
		}
	}
	for k, a := range s.best {
		if a >= 0 && c.givesWay(s, &s.chosen[a]) {
			s.best[k] = -1
		}
	}
	kept := 0
	for i := range s.chosen {
		if s.best[slot(&s.chosen[i])] == int32(i) {
			s.chosen[kept] = s.chosen[i]
			kept++
			if kept == n {
				break
			}
		}
	}
	s.chosen = s.chosen[:kept]
}
