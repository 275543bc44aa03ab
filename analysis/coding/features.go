package coding

import "unicode/utf8"

// family is a kind of feature that the learnt model goes by. Each is hashed
// apart, so that the same words in another role are another feature.
type family uint32

const (
	ofWord     family = iota + 1 // the stem
	ofLetters                    // three to five letters inside the word
	ofList                       // a word list of the codebook that holds it
	ofPair                       // two words side by side
	ofSkip                       // two words with one between
	ofListPair                   // the lists of two words side by side
	ofNegated                    // a word in a negator's reach
	ofSubject                    // a word and whom its statement is about
	ofOpening                    // the first word
	ofPattern                    // a phrase of the codebook, as it is written there
	ofPhrase                     // a phrase, as it is meant here
	ofBefore                     // a word of the statement before
	ofAfter                      // a word of the statement after
	ofFlag                       // what is true of the whole statement
	families
)

// weightOf says how much a feature of each family counts before anything is
// learnt: many small signs must not drown one clear one.
var weightOf = [families]float32{
	ofWord: 1, ofLetters: 0.3, ofList: 0.7, ofPair: 0.7, ofSkip: 0.5, ofListPair: 0.5, ofNegated: 0.7, ofSubject: 0.5,
	ofOpening: 0.5, ofPattern: 1, ofPhrase: 1.5, ofBefore: 0.3, ofAfter: 0.3, ofFlag: 1,
}

// hashText gives the 32-bit FNV-1a hash of a string.
func hashText(s string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// mix joins a family and two hashes into one (each finished as MurmurHash3 does).
func mix(f family, a, b uint32) uint32 {
	h := uint32(f) * 0x9e3779b1
	h ^= a + 0x9e3779b9 + h<<6 + h>>2
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	h ^= h >> 16
	h ^= b + 0x9e3779b9 + h<<6 + h>>2
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

// minGram and maxGram are how many letters of a word are hashed together.
const minGram, maxGram = 3, 5

// describe fills in what the learnt model goes by in a word.
func (v *vocabulary) describe(p *part) {
	if p.word == "" {
		return
	}
	stem, ok := v.names[p.stem]
	if !ok || p.stem == 0 {
		stem = v.stemOf(p.word)
	}
	p.hash = hashText(stem)
	p.tongue = tongueOf(p.word)
	p.lists = v.lists[p.stem]
	if p.kind != fillerWord && utf8.RuneCountInString(p.word) > minGram {
		padded := []rune("^" + p.word + "$")
		for n := minGram; n <= maxGram; n++ {
			for i := 0; i+n <= len(padded); i++ {
				p.grams = append(p.grams, mix(ofLetters, hashText(string(padded[i:i+n])), 0))
			}
		}
	}
	if v.model != nil {
		v.model.weigh(p)
	}
}

// alone calls add for each feature of a word by itself.
func (p *part) alone(add func(key uint32, f family)) {
	if p.hash == 0 {
		return
	}
	add(mix(ofWord, p.hash, 0), ofWord)
	for _, g := range p.grams {
		add(g, ofLetters)
	}
	for _, l := range p.lists {
		add(mix(ofList, l, 0), ofList)
	}
}

// unit is one statement as the learnt model sees it. Words by themselves are
// not among its keys: they are weighed once and kept with the word.
type unit struct {
	first, last int32 // tokens
	passed      [2]int32
	keys        []feature
}

// feature is one sign, and the token where it shows; -1: the whole statement.
type feature struct {
	key uint32
	at  int32
	fam family
	row int32 // of the model; -1 for none
}

// Flags of a statement.
const (
	flagNegator = iota + 1
	flagWish
	flagSarcasm
	flagQuestion
	flagShort
)

// features gathers for each statement what the learnt model goes by. find,
// statements and read come before it.
func (c *Coder) features(s *space, text string) {
	n := len(s.told)
	for cap(s.units) < n {
		s.units = append(s.units[:cap(s.units)], unit{})
	}
	s.units = s.units[:n]
	fill, mark := int32(0), 0
	for i := range s.told {
		st, u := &s.told[i], &s.units[i]
		u.first, u.last, u.keys = st.first, st.last, u.keys[:0]
		u.passed[0] = fill
		for int(fill) < len(s.passed) && (s.passed[fill].at <= st.last || i == n-1) {
			fill++
		}
		u.passed[1] = fill
		for mark < len(s.marks) && s.marks[mark].first < st.first {
			mark++
		}
		c.signs(s, u, st, mark)
		if end := int(s.tokens[st.last].end); end < len(text) && text[end] == '?' {
			u.flag(flagQuestion)
		}
		if st.last-st.first < 3 {
			u.flag(flagShort)
		}
	}
	c.phraseSigns(s)
}

func (u *unit) add(f family, a, b uint32, at int32) {
	u.keys = append(u.keys, feature{key: mix(f, a, b), at: at, fam: f})
}

func (u *unit) flag(which uint32) { u.add(ofFlag, which, 0, -1) }

// signs gathers the words of one statement; its marks begin at mark.
func (c *Coder) signs(s *space, u *unit, st *statement, mark int) {
	negated := int32(-1) // tokens up to here stand in a negator's reach
	before, beforeThat := uint32(1), uint32(0)
	var lists []uint32
	for k := st.first; k <= st.last; k++ {
		t := &s.tokens[k]
		if t.brk > noBreak {
			negated = -1
		}
		for ; mark < len(s.marks) && s.marks[mark].first == k; mark++ {
			switch c.patterns[s.marks[mark].pattern].role {
			case negator:
				if !c.pseudo(s.marks, mark) {
					negated = max(negated, s.marks[mark].last+negatorReach)
					u.flag(flagNegator)
				}
			case wish:
				u.flag(flagWish)
			case sarcasm:
				u.flag(flagSarcasm)
			}
		}
		p := t.part
		u.add(ofPair, before, p.hash, k)
		if beforeThat != 0 {
			u.add(ofSkip, beforeThat, p.hash, k)
		}
		for _, l := range p.lists {
			for _, o := range lists {
				u.add(ofListPair, o, l, k)
			}
			if k <= negated {
				u.add(ofNegated, l, 1, k)
			}
		}
		if k <= negated {
			u.add(ofNegated, p.hash, 0, k)
		}
		u.add(ofSubject, uint32(st.subject), p.hash, k)
		beforeThat, before, lists = before, p.hash, p.lists
	}
	u.add(ofPair, before, 2, st.last)
	u.add(ofSubject, uint32(st.subject), 0, -1)
	u.add(ofOpening, s.tokens[st.first].part.hash, uint32(st.subject), st.first)
}

// phraseSigns adds the codebook's phrases, whatever became of them.
func (c *Coder) phraseSigns(s *space) {
	each := func(list []match, f family, sign func(m *match, p *pattern) (uint32, bool)) {
		for k := range list {
			m := &list[k]
			b, ok := sign(m, &c.patterns[m.pattern])
			if !ok {
				continue
			}
			a := c.names[c.patterns[m.pattern].code]
			for i := c.unitAt(s, m.first); i < len(s.units) && s.units[i].first <= m.last; i++ {
				s.units[i].add(f, a, b, max(m.first, s.units[i].first))
			}
		}
	}
	each(s.themes, ofPattern, func(_ *match, p *pattern) (uint32, bool) {
		return side(string(p.polarity)), p.role == theme
	})
	each(s.chosen, ofPhrase, func(m *match, _ *pattern) (uint32, bool) { return side(string(m.polarity)), true })
}

func side(polarity string) uint32 {
	if polarity == "positive" {
		return 1
	}
	return 2
}

// unitAt gives the statement that a token stands in.
func (c *Coder) unitAt(s *space, token int32) int {
	lo, hi := 0, len(s.units)
	for lo < hi {
		if mid := (lo + hi) / 2; s.units[mid].last < token {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
