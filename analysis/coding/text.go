package coding

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"github.com/clipperhouse/uax29/v2/words"
)

// A break says how deep the cut is between a word and the one before it.
type breakLevel uint8

const (
	noBreak       breakLevel = iota
	wordBreak                // "when", "because", a plain "and": ends a negator's reach
	commaBreak               // a comma, a colon, a bracket
	clauseBreak              // "and they", a dash: another statement begins
	contrastBreak            // "but", a semicolon: the opposite may be said
	sentenceBreak
)

// token is one word of the text as the matcher sees it.
type token struct {
	start, end int32 // bytes of the text
	lead       int32 // where the articles and intensifiers just before it begin
	stem, form int32 // ids of the vocabulary; 0 for a word that no phrase uses
	clause     int32 // counted over the text; a new one after any break
	brk        breakLevel
	part       *part // what the learnt model knows of the word
}

// passed is a filler: phrases look through it, the learnt model does not.
type passed struct {
	at   int32 // the token that it stands before
	part *part
}

// part is what a written word, or each half of a contraction, comes to.
type part struct {
	stem, form int32
	off        int32 // where the part begins in the written word
	kind       partKind
	word       string   // in small letters, its spelling mended
	hash       uint32   // of the stem, whether or not a phrase uses it
	grams      []uint32 // hashes of the letters inside the word
	lists      []uint32 // hashes of the codebook's word lists that hold it
	sum        []int32  // what the model makes of the word by itself; nil without a model
	size       float32  // the squared length of what went into sum
	tongue     tongue   // the languages that it speaks for
	around     [2]int32 // rows of the model for the word in the statement before and after
}

type partKind uint8

const (
	plainWord  partKind = iota
	fillerWord          // phrases look through it
	titleWord           // Mr, PC: a name may follow, and a stop after it ends nothing
)

// written is a cached word: raw as it stood in the text, and its parts.
type written struct {
	raw   string
	parts [2]part
	n     int
}

// vocabulary numbers the stems and exact forms that the codebook uses, and
// turns written words into those numbers. Other words are number 0, so that an
// unbounded language costs bounded memory.
type vocabulary struct {
	stems     map[string]int32
	forms     map[string]int32
	size      int32
	irregular map[string]string
	spellings map[string]string
	fillers   map[string]bool
	deletions map[string]int32 // a stem less one letter: finds misspellings
	names     map[int32]string // the stem of each number
	lists     map[int32][]uint32
	model     *Model   // nil: words are not weighed
	noWord    *written // stands for what is too long to be one

	// cache is a fixed table of pairs of places, the word met last in the first; a
	// third word in a pair replaces the second. It never grows and needs no lock.
	cache [cachePlaces]atomic.Pointer[written]
	seed  maphash.Seed
}

const (
	cachePlaces = 1 << 14

	// maxWordBytes is the longest written word that is looked up; longer ones are
	// no words, and would make the cache's size depend on the text.
	maxWordBytes = 64

	// minMisspelt is the shortest word in which one wrong letter is forgiven:
	// shorter ones are too often another word.
	minMisspelt = 7

	// digits is the form under which phrases ask for a number.
	digits = "9"
)

func newVocabulary() *vocabulary {
	return &vocabulary{
		stems: map[string]int32{}, forms: map[string]int32{},
		irregular: map[string]string{}, spellings: map[string]string{}, fillers: map[string]bool{},
		deletions: map[string]int32{}, names: map[int32]string{}, lists: map[int32][]uint32{}, seed: maphash.MakeSeed(),
	}
}

// stemID numbers the stem of a base word of the codebook.
func (v *vocabulary) stemID(word string) int32 {
	stem := v.stemOf(word)
	id := v.number(v.stems, stem)
	v.names[id] = stem
	return id
}

// formID numbers an exact form of the codebook.
func (v *vocabulary) formID(word string) int32 { return v.number(v.forms, word) }

func (v *vocabulary) number(in map[string]int32, key string) int32 {
	id, ok := in[key]
	if !ok {
		v.size++
		id = v.size
		in[key] = id
	}
	return id
}

// stemOf brings a lower-case word to the form shared by its inflections.
func (v *vocabulary) stemOf(word string) string {
	if base, ok := v.irregular[word]; ok {
		word = base
	}
	if len(word) < 3 {
		return word
	}
	env := snowballstem.NewEnv(word)
	english.Stem(env)
	return env.Current()
}

// seal prepares the search for misspellings, once all words are numbered.
func (v *vocabulary) seal() {
	for stem, id := range v.stems {
		if len(stem) < minMisspelt-2 {
			continue
		}
		for i := 1; i < len(stem); i++ {
			key := stem[:i] + stem[i+1:]
			if other, ok := v.deletions[key]; ok && other != id {
				v.deletions[key] = 0 // two words are as near: neither is meant for sure
				continue
			}
			v.deletions[key] = id
		}
	}
}

// misspelt gives the one stem that the word is a slip of the finger away from:
// a letter too few, too many, wrong or swapped, the first letter being right.
func (v *vocabulary) misspelt(word, stem string) int32 {
	if len(word) < minMisspelt {
		return 0
	}
	if id := v.deletions[stem]; id != 0 {
		return id // a letter too few
	}
	for i := 1; i < len(stem); i++ {
		key := stem[:i] + stem[i+1:]
		if id := v.stems[key]; id != 0 && len(key) >= minMisspelt-2 {
			return id // a letter too many
		}
		if id := v.deletions[key]; id != 0 {
			return id // a letter wrong, or two swapped
		}
	}
	return 0
}

// read gives the parts of a word as it stands in the text.
func (v *vocabulary) read(raw string) *written {
	if len(raw) > maxWordBytes {
		return v.noWord
	}
	at := maphash.String(v.seed, raw) % cachePlaces &^ 1
	first, second := &v.cache[at], &v.cache[at+1]
	was := first.Load()
	if was != nil && was.raw == raw {
		return was
	}
	if w := second.Load(); w != nil && w.raw == raw {
		first.Store(w)
		second.Store(was)
		return w
	}
	w := &written{raw: strings.Clone(raw)}
	w.parts, w.n = v.analyse(w.raw)
	for i := range w.parts[:w.n] {
		v.describe(&w.parts[i])
	}
	w.parts[0].tongue |= tongueOf(normalise(w.raw))
	first.Store(w)
	second.Store(was)
	return w
}

// contractions without an apostrophe, which many people leave out.
var bare = map[string]string{
	"cannot": "can", "cant": "can", "wont": "will", "shant": "shall", "aint": "be", "dont": "do", "doesnt": "does", "didnt": "did",
	"isnt": "is", "wasnt": "was", "werent": "were", "arent": "are", "havent": "have", "hasnt": "has", "hadnt": "had",
	"couldnt": "could", "wouldnt": "would", "shouldnt": "should", "neednt": "need",
}

// shortened forms whose first half is not the word itself.
var shortened = map[string]string{"ca": "can", "wo": "will", "sha": "shall", "ai": "be"}

func (v *vocabulary) analyse(raw string) ([2]part, int) {
	word := normalise(raw)
	if word == "" {
		return [2]part{}, 1
	}
	if word[0] >= '0' && word[0] <= '9' {
		return [2]part{{stem: v.stems[digits], form: v.forms[word], word: digits}}, 1
	}
	if head, ok := bare[word]; ok {
		return [2]part{v.plain(head, 0), v.plain("not", int32(len(raw)-lastBytes(raw, 2)))}, 2
	}
	if i := strings.IndexByte(word, '\''); i > 0 && i < len(word)-1 {
		head, tail := word[:i], word[i+1:]
		switch {
		case tail == "t" && strings.HasSuffix(head, "n"):
			if head = strings.TrimSuffix(head, "n"); head == "" {
				return [2]part{v.plain("not", 0)}, 1 // torn from its verb
			}
			if whole, ok := shortened[head]; ok {
				head = whole
			}
			at := apostrophe(raw)
			if at > 0 && (raw[at-1] == 'n' || raw[at-1] == 'N') {
				at--
			}
			return [2]part{v.plain(head, 0), v.plain("not", int32(at))}, 2
		case tail == "d" || tail == "s" || tail == "ll" || tail == "ve" || tail == "re" || tail == "m":
			p := v.plain(head, 0)
			if p.kind == fillerWord {
				p.kind = plainWord
			}
			return [2]part{p}, 1
		}
		word = head + tail
	}
	word = strings.Trim(word, "'")
	return [2]part{v.plain(word, 0)}, 1
}

func (v *vocabulary) plain(word string, off int32) part {
	if meant, ok := v.spellings[word]; ok {
		word = meant
	}
	p := part{off: off, form: v.forms[word], word: word}
	switch {
	case v.fillers[word]:
		p.kind = fillerWord
		return p
	case titles[word]:
		p.kind = titleWord
	}
	stem := v.stemOf(word)
	p.stem = v.stems[stem]
	if p.stem == 0 && p.form == 0 {
		p.stem = v.misspelt(word, stem)
	}
	return p
}

// titles stand before names. A full stop after one ends no sentence, and the
// capitalised words that follow are the name of the same person.
var titles = map[string]bool{
	"mr": true, "mrs": true, "ms": true, "miss": true, "dr": true, "pc": true, "pcso": true, "dc": true, "ds": true, "di": true, "dci": true,
	"dcs": true, "sgt": true, "sergeant": true, "insp": true, "inspector": true, "det": true, "detective": true, "constable": true, "wpc": true, "tdc": true, "tdi": true, "st": true, "officer": true,
}

// normalise lowers the case, makes apostrophes plain and leaves out marks that
// cannot be seen. A word of plain lower-case letters is given back as it is.
func normalise(raw string) string {
	simple := true
	for i := 0; i < len(raw); i++ {
		if c := raw[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' || c < ' ' {
			simple = false
			break
		}
	}
	if simple {
		return raw
	}
	return plainLatin(strings.Map(func(r rune) rune {
		switch {
		case r == '’' || r == '‘' || r == 'ʼ' || r == '＇' || r == '`':
			return '\''
		case r == utf8.RuneError || unicode.In(r, unicode.Cf, unicode.Mn, unicode.Cc):
			return -1
		case r >= '！' && r <= '～': // wide forms stand in the order of the narrow ones
			r -= '！' - '!'
		}
		return unicode.ToLower(r)
	}, raw))
}

// apostrophe gives the byte at which the word's apostrophe stands, or its end.
func apostrophe(raw string) int {
	for i, r := range raw {
		switch r {
		case '\'', '’', '‘', 'ʼ', '＇':
			return i
		}
	}
	return len(raw)
}

// lastBytes gives how many bytes the last n runes take.
func lastBytes(s string, n int) int {
	size := 0
	for ; n > 0 && size < len(s); n-- {
		_, w := utf8.DecodeLastRuneInString(s[:len(s)-size])
		size += w
	}
	return size
}

// segment parts the text into tokens with the breaks between them.
func (c *Coder) segment(text string, s *space) []token {
	s.passed = s.passed[:0]
	var (
		tokens   = s.tokens[:0]
		pending  = sentenceBreak // the deepest break since the last word
		clause   int32
		lead     = int32(-1) // where the fillers just before began
		afterOne bool        // the last word was a title or an initial
		naming   bool        // a name may follow
		spaced   = true      // a blank stood just before
	)
	emit := func(start, end int, p *part) {
		if pending < clauseBreak && c.opensStatement(tokens, p.stem) {
			pending = clauseBreak
		}
		switch {
		case c.marks.contrast.has(p.stem):
			pending = max(pending, contrastBreak)
		case c.marks.terminator.has(p.stem):
			pending = max(pending, wordBreak)
		}
		if pending > noBreak {
			clause++
		}
		at := int32(start)
		if lead >= 0 && pending == noBreak {
			at = lead
		}
		tokens = append(tokens, token{start: int32(start), end: int32(end), lead: at, stem: p.stem, form: p.form, clause: clause, brk: pending, part: p})
		pending, lead = noBreak, -1
	}
	iter := words.FromString(text)
	for iter.Next() {
		raw, start := iter.Value(), iter.Start()
		first, _ := utf8.DecodeRuneInString(raw)
		if !unicode.IsLetter(first) && !unicode.IsDigit(first) {
			pending = max(pending, c.punctuation(text, raw, start, afterOne, spaced, len(tokens) == 0))
			spaced = unicode.IsSpace(first)
			if pending >= sentenceBreak {
				naming = false
			}
			continue
		}
		end := iter.End()
		read := c.vocab.read(raw)
		parts, n := &read.parts, read.n
		name := naming && (unicode.IsUpper(first) || bracketed(text, start, end)) && len(tokens) > 0 && pending == noBreak && parts[0].kind != titleWord
		afterOne = n == 1 && parts[0].kind == titleWord || end-start == 1 && first != 'I' && unicode.IsUpper(first)
		spaced = false
		if name && parts[0].stem != 0 && c.marks.pronoun.has(parts[0].stem) {
			name = false
		}
		if name {
			tokens[len(tokens)-1].end = int32(end) // part of the name: PC Okafor is one person
			continue
		}
		naming = n == 1 && parts[0].kind == titleWord
		for i := range n {
			from, to := start+int(parts[i].off), end
			if i+1 < n {
				to = start + int(parts[i+1].off)
			}
			if parts[i].kind == fillerWord {
				if lead < 0 {
					lead = int32(from)
				}
				s.passed = append(s.passed, passed{at: int32(len(tokens)), part: &parts[i]})
				continue
			}
			emit(from, to, &parts[i])
		}
	}
	s.tokens = tokens
	return tokens
}

// bracketed reports whether a word is what redaction left of a name: [name].
func bracketed(text string, start, end int) bool {
	return start > 0 && text[start-1] == '[' && end < len(text) && text[end] == ']'
}

// opensStatement reports whether a subject just after "and" or "so" begins a
// statement of its own: in "they rang and I answered" a not before rang does not
// reach answered.
func (c *Coder) opensStatement(tokens []token, stem int32) bool {
	return len(tokens) > 0 && c.marks.conjunction.has(tokens[len(tokens)-1].stem) && c.marks.subject.has(stem)
}

// punctuation gives the break that a stretch between words makes.
func (c *Coder) punctuation(text, raw string, start int, afterOne, spaced, first bool) breakLevel {
	if first {
		return sentenceBreak
	}
	r, _ := utf8.DecodeRuneInString(raw)
	switch r {
	case '.', '…':
		if afterOne && len(raw) == 1 {
			return noBreak // Mr. Hill, J. Smith
		}
		return sentenceBreak
	case '!', '?', '。', '！', '？', '؟':
		return sentenceBreak
	case '\n', '\r', '\u0085', '\u2028', '\u2029':
		return newline(text, start, start+len(raw))
	case ';':
		return contrastBreak
	case '–', '—', '•', '·':
		return clauseBreak
	case '-', '*':
		if spaced {
			return clauseBreak
		}
	case ',', ':', '(', ')', '/', '،', '&', '+':
		if r == '/' {
			return noBreak
		}
		return commaBreak
	}
	return noBreak
}

// newline tells a line that was wrapped from one that was ended: the wrapped
// line goes on with a small letter.
func newline(text string, start, end int) breakLevel {
	rest := strings.TrimLeft(text[end:min(len(text), end+16)], " \t")
	next, _ := utf8.DecodeRuneInString(rest)
	prev, _ := utf8.DecodeLastRuneInString(strings.TrimRight(text[max(0, start-16):start], " \t"))
	if unicode.IsLower(next) && prev != '\n' && (unicode.IsLetter(prev) || prev == ',') {
		return noBreak
	}
	return sentenceBreak
}
