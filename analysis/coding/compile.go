package coding

import (
	"cmp"
	"errors"
	"math/bits"
	"slices"
	"strconv"

	"victimvoice/analysis/codebook"
)

// set is a set of vocabulary numbers, one bit each.
type set []uint64

func (s set) has(id int32) bool {
	w := int(id >> 6)
	return id > 0 && w < len(s) && s[w]&(1<<(uint(id)&63)) != 0
}

func (s set) add(id int32) set {
	for int(id>>6) >= len(s) {
		s = append(s, 0)
	}
	s[id>>6] |= 1 << (uint(id) & 63)
	return s
}

// ids lists the set's members in order.
func (s set) ids() []int32 {
	var out []int32
	for w, rest := range s {
		if w == 0 {
			rest &^= 1 // 0 is no word
		}
		for ; rest != 0; rest &= rest - 1 {
			out = append(out, int32(w*64+bits.TrailingZeros64(rest)))
		}
	}
	return out
}

// role says what a match is used for.
type role uint8

const (
	theme role = iota
	negator
	pseudoNegator
	wish
	sarcasm
	neutral
)

// pattern is one sequence of a phrase, ready to match.
type pattern struct {
	role     role
	code     int // index into the codebook's codes, for a theme
	polarity codebook.Polarity
	negated  codebook.Negated
	anyone   bool
	base     float64 // confidence before anything tells against it
	elements []element
	words    int // elements that are words
	tail     int // words by which the evidence may run on to its clause's end
}

// element is one word of a pattern with the gap before it.
type element struct {
	any    set
	gap    int // words that may lie between this one and the one before
	far    bool
	opens  bool
	closes bool
}

// entry is one pattern in the index: it is tried where its rarest word occurs.
type entry struct {
	pattern int32
	anchor  int32 // the element that the word stands for
}

// marks are the word sets that the rules of meaning ask for.
type marks struct {
	contrast, terminator, conjunction, subject, pronoun    set
	services, stalker, kin, others, singular, plural, self set
	opinion, former, passive                               set
	by                                                     set
}

// Coder finds themes in text by one codebook. It is safe for concurrent use.
type Coder struct {
	book     *codebook.Codebook
	vocab    *vocabulary
	patterns []pattern
	index    [][]entry // by vocabulary number
	marks    marks
	names    []uint32 // the hash of each code's id
	model    *Model   // nil: phrases alone
	places   []int32  // of each of the model's codes in the codebook; -1 where it is not there
	over     []set    // for each code, one more than the numbers of those that give way to it
	tuning   int      // number of the thresholds; 0: as shipped
	scratch  pool
}

// New makes the coder that ships: the codebook's phrases, with what was learnt
// from labelled comments. A code that the model was not taught is found by its
// phrases alone.
func New(book *codebook.Codebook) (*Coder, error) {
	m, err := LoadModel()
	if err != nil {
		return nil, err
	}
	c, err := NewPhrases(book)
	if err != nil {
		return nil, err
	}
	c.use(m)
	return c, nil
}

// use takes a model into use, before anything is coded.
func (c *Coder) use(m *Model) {
	c.places = make([]int32, len(m.head.Codes))
	for i, id := range m.head.Codes {
		c.places[i] = -1
		for k, code := range c.book.Codes {
			if code.ID == id {
				c.places[i] = int32(k)
			}
		}
	}
	c.model, c.vocab.model = m, m
}

// NewPhrases compiles a codebook into a coder that goes by its phrases alone. It
// fails when the codebook is nil or holds a phrase
// of fillers alone, which could match nothing.
func NewPhrases(book *codebook.Codebook) (*Coder, error) {
	if book == nil {
		return nil, errors.New("a coder needs a codebook")
	}
	c := &Coder{book: book, vocab: newVocabulary()}
	lex := book.Lexicon
	for form, base := range lex.Irregular {
		c.vocab.irregular[form] = base
	}
	for form, meant := range lex.Spellings {
		c.vocab.spellings[form] = meant
	}
	for _, w := range lex.Fillers {
		c.vocab.fillers[w] = true
	}
	b := &compiler{coder: c, classes: map[string]set{}}
	// Numbers are given out in a fixed order, so that nothing depends on map order.
	names := make([]string, 0, len(lex.Classes))
	for name := range lex.Classes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.classes[name] = b.stems(lex.Classes[name])
		for _, id := range b.classes[name].ids() {
			c.vocab.lists[id] = append(c.vocab.lists[id], hashText(name))
		}
	}
	a := lex.Actors
	c.marks = marks{
		contrast: b.stems(lex.Contrasts), terminator: b.stems(lex.Terminators), conjunction: b.stems([]string{"and", "so"}),
		services: b.stems(a.Services), stalker: b.stems(a.Stalker), kin: b.stems(a.Kin), others: b.stems(a.Others),
		singular: b.stems(a.Singular), plural: b.stems(a.Plural), self: b.stems(a.Self), opinion: b.stems(a.Opinion),
		former: b.stems([]string{"ex", "former"}), passive: b.stems([]string{"be", "get"}), by: b.stems([]string{"by"}),
	}
	for _, s := range []set{c.marks.singular, c.marks.plural, c.marks.self} {
		for _, id := range s.ids() {
			c.marks.pronoun = c.marks.pronoun.add(id)
		}
	}
	c.marks.subject = b.stems([]string{"it", "there", "nobody", "noone", "no", "nothing", "everyone", "then"})
	for _, s := range []set{c.marks.pronoun, c.marks.services, c.marks.stalker, c.marks.kin} {
		for _, id := range s.ids() {
			c.marks.subject = c.marks.subject.add(id)
		}
	}
	for _, list := range []struct {
		role    role
		phrases []codebook.Phrase
	}{{negator, lex.Negators}, {pseudoNegator, lex.PseudoNegate}, {wish, lex.Wishes}, {sarcasm, lex.Sarcasm}, {neutral, lex.Neutral}} {
		for _, ph := range list.phrases {
			if err := b.phrase(list.role, 0, ph); err != nil {
				return nil, err
			}
		}
	}
	c.over = make([]set, len(book.Codes))
	for i, code := range book.Codes {
		c.names = append(c.names, hashText(code.ID))
		for k, other := range book.Codes {
			if slices.Contains(code.Over, other.ID) {
				c.over[i] = c.over[i].add(int32(k) + 1)
			}
		}
		for _, ph := range code.Phrases {
			if err := b.phrase(theme, i, ph); err != nil {
				return nil, err
			}
		}
	}
	b.buildIndex()
	c.vocab.seal()
	c.vocab.noWord = &written{n: 1}
	c.scratch.limit = maxKeptTokens
	return c, nil
}

// Base names what the coder was made of: the version of the codebook and the
// model, as "1.0.0+m3f2a91c4". Another model gives other labels for the same codebook.
func (c *Coder) Base() string {
	if c.model == nil || c.model.id == "" {
		return c.book.Version
	}
	return c.book.Version + "+m" + c.model.id
}

// Version tells one coder from every other that may give other labels: its base
// and the number of its thresholds, as "1.0.0+m3f2a91c4.t2".
func (c *Coder) Version() string {
	if c.tuning == 0 {
		return c.Base()
	}
	return c.Base() + ".t" + strconv.Itoa(c.tuning)
}

type compiler struct {
	coder   *Coder
	classes map[string]set
}

func (b *compiler) stems(words []string) set {
	var s set
	for _, w := range words {
		s = s.add(b.coder.vocab.stemID(w))
	}
	return s
}

// Confidence that a phrase of so many words starts with, before negation, gaps
// and the rest tell against it. The values order labels by how much was matched;
// they are not yet measured frequencies.
const (
	oneWord, twoWords, moreWords = 0.70, 0.80, 0.88
	furtherWord                  = 0.02
	weakLess                     = 0.20
	negatedLess                  = 0.01
	wishedLess                   = 0.10
	sarcasmLess                  = 0.15
	gapLess                      = 0.01 // for each word passed over
)

func (b *compiler) phrase(r role, code int, ph codebook.Phrase) error {
	for _, seq := range ph.Sequences {
		p := pattern{role: r, code: code, polarity: ph.Polarity, negated: ph.Negated, anyone: ph.Anyone, tail: seq.Tail}
		gap, far, opens := 0, false, false
		for _, e := range seq.Elements {
			if e.IsGap() {
				gap, far = gap+e.Gap, far || e.Far
				continue
			}
			el := element{gap: gap, far: far, opens: e.Opens || opens, closes: e.Closes}
			for _, w := range e.Words {
				if !b.coder.vocab.fillers[w] {
					el.any = el.any.add(b.coder.vocab.stemID(w))
				}
			}
			for _, w := range e.Exact {
				el.any = el.any.add(b.coder.vocab.formID(w))
			}
			for _, name := range e.Classes {
				for _, id := range b.classes[name].ids() {
					el.any = el.any.add(id)
				}
			}
			if len(el.any) == 0 { // a filler: the text has none either
				opens = el.opens
				continue
			}
			p.elements = append(p.elements, el)
			gap, far, opens = 0, false, false
		}
		if p.words = len(p.elements); p.words == 0 {
			return errors.New("the phrase " + ph.Source + " is of fillers alone")
		}
		p.elements[0].gap = 0
		switch p.words {
		case 1:
			p.base = oneWord
		case 2:
			p.base = twoWords
		default:
			p.base = min(moreWords+furtherWord*float64(p.words-3), 0.96)
		}
		if ph.Weak {
			p.base -= weakLess
		}
		b.coder.patterns = append(b.coder.patterns, p)
	}
	return nil
}

// buildIndex hangs each pattern on its rarest element. How rare a word is, is
// told by how many patterns use it: the common words of the language are also
// the common words of the phrases.
func (b *compiler) buildIndex() {
	c := b.coder
	uses := make([]int, c.vocab.size+1)
	for _, p := range c.patterns {
		for _, e := range p.elements {
			for _, id := range e.any.ids() {
				uses[id]++
			}
		}
	}
	c.index = make([][]entry, c.vocab.size+1)
	for i, p := range c.patterns {
		best, least := 0, -1
		for k, e := range p.elements {
			sum := 0
			for _, id := range e.any.ids() {
				sum += uses[id]
			}
			if least < 0 || sum < least {
				best, least = k, sum
			}
		}
		for _, id := range p.elements[best].any.ids() {
			c.index[id] = append(c.index[id], entry{pattern: int32(i), anchor: int32(best)})
		}
	}
	for _, list := range c.index {
		slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.pattern, b.pattern) })
	}
}
