package codebook

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Limits of the phrase language. They keep a slip of the pen in an edited
// codebook from making the coder slow.
const (
	MaxGap          = 12  // words that a ~ may pass over
	MaxElements     = 16  // elements in one sequence
	MaxAlternatives = 512 // sequences that one phrase may stand for
)

// digits stands in a phrase for any number written in digits.
const digits = "9"

// Phrase is one line of the codebook: a way of saying something.
type Phrase struct {
	Source    string
	Polarity  Polarity
	Negated   Negated
	Anyone    bool // the subject need not be a service: the theme is about the victim
	Weak      bool // likely, not sure: lowers the label's confidence
	Sequences []Sequence
}

// Negated says what a negator does to a phrase.
type Negated uint8

// What a negator does.
const (
	Flip Negated = iota // turns the polarity round
	Drop                // leaves nothing to code: not late is not yet early
	Keep                // changes nothing: the phrase says already what is meant
)

// Sequence is one alternative of a phrase: elements that follow one another.
type Sequence struct {
	Elements []Element

	// Tail lets the evidence run on to the end of its clause, when that is no more
	// than so many words away: "told to move" to "told to move back to my parents".
	Tail int
}

// Element is one place in a sequence. A gap stands alone; any other element is
// one word of the text.
type Element struct {
	Words   []string // base words: any inflection
	Exact   []string // this very form
	Classes []string // words of these lists
	Gap     int      // when above 0: up to so many words of any kind
	Far     bool     // the gap may pass over clause and sentence ends
	Opens   bool     // stands at the start of a clause
	Closes  bool     // stands at the end of a clause
}

// IsGap reports whether the element stands for words of any kind.
func (e Element) IsGap() bool { return e.Gap > 0 }

// ParsePhrase reads one phrase of the codebook's language:
//
//	update          any inflection of the word (updates, updated)
//	=updates        this form and no other
//	9               a number in digits
//	letter|email    one of these words
//	@officer        one word of the list of that name
//	me?             may be left out
//	~3              up to three words between, within the clause or over a comma
//	~~6             up to six words between, over any boundary
//	~3 at the end   the evidence runs on to the end of its clause if that is so near
//	(a b|c)         one of these sequences: in brackets, bars part sequences
//	%advised        one line of the macro of that name
//	^ and $         the start and the end of a clause
//	!drop           not coded when negated, rather than turned round
//	!keep           a negator before it changes nothing
//	!anyone         the subject need not be a service
//	!weak           likely rather than sure
//
// Fillers of the lexicon, such as articles, may be written or left out alike.
// classes reports whether a word list of that name exists. The errors are plain:
// [Parse] gathers them into a fault with the place of each.
func ParsePhrase(source string, macros map[string]string, classes func(string) bool) (Phrase, error) {
	return parsePhrase(source, macros, classes)
}

func parsePhrase(source string, macros map[string]string, classes func(string) bool) (Phrase, error) {
	phrase := Phrase{Source: strings.Join(strings.Fields(source), " ")}
	text, err := expandMacros(phrase.Source, macros, 0)
	if err != nil {
		return Phrase{}, err
	}
	var body []string
	for _, f := range strings.Fields(text) {
		switch f {
		case "!drop":
			phrase.Negated = Drop
		case "!keep":
			phrase.Negated = Keep
		case "!anyone":
			phrase.Anyone = true
		case "!weak":
			phrase.Weak = true
		default:
			if strings.HasPrefix(f, "!") {
				return Phrase{}, fmt.Errorf("%s is no mark: use !drop, !keep, !anyone or !weak", f)
			}
			body = append(body, f)
		}
	}
	r := &phraseReader{text: strings.Join(body, " "), classes: classes}
	raw, err := r.alternatives(0)
	if err != nil {
		return Phrase{}, err
	}
	if r.pos != len(r.text) {
		return Phrase{}, fmt.Errorf("%q is not expected here", r.text[r.pos:])
	}
	sequences := make([]Sequence, len(raw))
	for i, elements := range raw {
		if sequences[i], err = tidy(elements); err != nil {
			return Phrase{}, err
		}
	}
	phrase.Sequences = sequences
	return phrase, nil
}

// expandMacros writes macros out in braces, their lines parted by semicolons; one
// macro may use another.
func expandMacros(text string, macros map[string]string, depth int) (string, error) {
	if !strings.Contains(text, "%") {
		return text, nil
	}
	if depth > 5 {
		return "", errors.New("macros are nested too deep")
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '%')
		if i < 0 {
			b.WriteString(text)
			break
		}
		b.WriteString(text[:i])
		text = text[i+1:]
		n := 0
		for n < len(text) && (text[n] >= 'a' && text[n] <= 'z' || text[n] == '_') {
			n++
		}
		body, ok := macros[text[:n]]
		if !ok {
			return "", fmt.Errorf("there is no macro %%%s", text[:n])
		}
		var lines []string
		for line := range strings.Lines(body) {
			if line = strings.Join(strings.Fields(line), " "); line != "" {
				lines = append(lines, line)
			}
		}
		if len(lines) == 0 {
			return "", errors.New("the macro is empty")
		}
		b.WriteString("{" + strings.Join(lines, ";") + "}")
		text = text[n:]
	}
	return expandMacros(b.String(), macros, depth+1)
}

// phraseReader reads sequences, multiplying alternatives out as it goes.
type phraseReader struct {
	text    string
	pos     int
	classes func(string) bool
}

// alternatives reads sequences up to the closing mark or the end. What parts
// them depends on where they stand: nothing at the top, a bar in brackets, a
// semicolon in the braces of a macro. Where a bar does not part sequences it
// parts words.
func (r *phraseReader) alternatives(open byte) ([][]Element, error) {
	var part byte
	switch open {
	case '(':
		part = '|'
	case '{':
		part = ';'
	}
	var all [][]Element
	for {
		seqs, err := r.sequence(open)
		if err != nil {
			return nil, err
		}
		all = append(all, seqs...)
		if len(all) > MaxAlternatives {
			return nil, fmt.Errorf("it stands for more than %d phrases", MaxAlternatives)
		}
		if part != 0 && r.pos < len(r.text) && r.text[r.pos] == part {
			r.pos++
			continue
		}
		return mergeWords(all), nil
	}
}

// mergeWords joins alternatives of one plain word each into one set of words,
// so that brackets around words cost no more than bars between them.
func mergeWords(all [][]Element) [][]Element {
	var out [][]Element
	set := -1
	for _, seq := range all {
		if len(seq) != 1 || seq[0].IsGap() || seq[0].Opens || seq[0].Closes {
			out = append(out, seq)
			continue
		}
		if set < 0 {
			set = len(out)
			out = append(out, []Element{{}})
		}
		e := &out[set][0]
		e.Words = append(e.Words, seq[0].Words...)
		e.Exact = append(e.Exact, seq[0].Exact...)
		e.Classes = append(e.Classes, seq[0].Classes...)
	}
	return out
}

func (r *phraseReader) sequence(open byte) ([][]Element, error) {
	out := [][]Element{{}}
	for {
		for r.pos < len(r.text) && r.text[r.pos] == ' ' {
			r.pos++
		}
		if r.pos == len(r.text) {
			if open != 0 {
				return nil, errors.New("a closing bracket is missing")
			}
			return out, nil
		}
		var parts [][]Element
		switch c := r.text[r.pos]; c {
		case ')', '}', '|', ';':
			return out, nil
		case '(', '{':
			r.pos++
			inner, err := r.alternatives(c)
			if err != nil {
				return nil, err
			}
			if r.pos == len(r.text) || r.text[r.pos] != closing[c] {
				return nil, errors.New("a closing bracket is missing")
			}
			r.pos++
			parts = inner
		default:
			element, err := r.element(open == '(')
			if err != nil {
				return nil, err
			}
			parts = [][]Element{{element}}
		}
		if r.pos < len(r.text) && r.text[r.pos] == '?' {
			r.pos++
			parts = append(parts, []Element{})
		}
		if len(out)*len(parts) > MaxAlternatives {
			return nil, fmt.Errorf("it stands for more than %d phrases", MaxAlternatives)
		}
		next := make([][]Element, 0, len(out)*len(parts))
		for _, head := range out {
			for _, tail := range parts {
				next = append(next, append(append([]Element{}, head...), tail...))
			}
		}
		out = next
	}
}

// closing gives the mark that closes an opened one.
var closing = map[byte]byte{'(': ')', '{': '}'}

// element reads one word, set of words, gap or clause mark. In brackets a bar
// ends it, elsewhere a bar goes on with another word of the set.
func (r *phraseReader) element(barEnds bool) (Element, error) {
	start := r.pos
	for r.pos < len(r.text) && !strings.ContainsRune(" (){};?", rune(r.text[r.pos])) && (!barEnds || r.text[r.pos] != '|') {
		r.pos++
	}
	word := r.text[start:r.pos]
	switch {
	case word == "":
		return Element{}, fmt.Errorf("%q is not expected here", r.text[r.pos:])
	case word == "^":
		return Element{Opens: true}, nil
	case word == "$":
		return Element{Closes: true}, nil
	case word[0] == '~':
		e := Element{Far: strings.HasPrefix(word, "~~")}
		n, err := strconv.Atoi(strings.TrimLeft(word, "~"))
		if err != nil || n < 1 || n > MaxGap {
			return Element{}, fmt.Errorf("%s is no gap: write ~1 to ~%d", word, MaxGap)
		}
		e.Gap = n
		return e, nil
	}
	var e Element
	for _, w := range strings.Split(word, "|") {
		switch {
		case strings.HasPrefix(w, "@"):
			if !r.classes(w[1:]) {
				return Element{}, fmt.Errorf("there is no word list %s", w)
			}
			e.Classes = append(e.Classes, w[1:])
		case strings.HasPrefix(w, "=") && validWord(w[1:]):
			e.Exact = append(e.Exact, w[1:])
		case validWord(w):
			e.Words = append(e.Words, w)
		default:
			return Element{}, fmt.Errorf("%q is not a lower-case word", w)
		}
	}
	return e, nil
}

// tidy folds clause marks into the words beside them, takes a gap at the end for
// the tail it is, and checks that something is left to look for.
func tidy(elements []Element) (Sequence, error) {
	var seq Sequence
	opens := false
	for _, e := range elements {
		last := len(seq.Elements) - 1
		bare := len(e.Words)+len(e.Exact)+len(e.Classes) == 0 && !e.IsGap()
		switch {
		case bare && e.Opens:
			opens = true
			continue
		case bare && e.Closes:
			if last < 0 || seq.Elements[last].IsGap() {
				return seq, errors.New("$ must follow a word")
			}
			seq.Elements[last].Closes = true
			continue
		case opens && e.IsGap():
			return seq, errors.New("^ must stand before a word")
		case e.IsGap() && last >= 0 && seq.Elements[last].IsGap():
			g := &seq.Elements[last]
			g.Gap, g.Far = min(g.Gap+e.Gap, MaxGap), g.Far || e.Far
			continue
		}
		e.Opens, opens = opens, false
		seq.Elements = append(seq.Elements, e)
	}
	if last := len(seq.Elements) - 1; last >= 0 && seq.Elements[last].IsGap() {
		seq.Tail = seq.Elements[last].Gap
		seq.Elements = seq.Elements[:last]
	}
	switch {
	case len(seq.Elements) == 0:
		return seq, errors.New("there is no word in it")
	case seq.Elements[0].IsGap():
		return seq, errors.New("a gap must not come first")
	case len(seq.Elements) > MaxElements:
		return seq, fmt.Errorf("it is longer than %d words", MaxElements)
	}
	return seq, nil
}

// validWord accepts what the segmenter can produce: lower-case letters, with no
// apostrophe, since contractions are parted before matching.
func validWord(w string) bool {
	if w == "" {
		return false
	}
	if w == digits {
		return true
	}
	for _, r := range w {
		if r < 'a' || r > 'z' {
			return false
		}
	}
	return true
}
