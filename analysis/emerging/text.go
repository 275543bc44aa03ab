package emerging

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is one word of a text, where it stands, and whether a stop comes before it.
type token struct {
	word       string // lower case, apostrophes made plain
	start, end int    // bytes
	apart      bool   // a sentence, a clause or a redacted passage ends before it
}

// tokens cuts a text into words. What redaction put in place of a passage stands
// between square brackets and is no word.
func tokens(text string) []token {
	var out []token
	apart := true
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '[':
			if end := strings.IndexByte(text[i:], ']'); end > 0 {
				i += end
			}
			apart = true
			i++
		case isWord(r):
			j := i
			for j < len(text) {
				r, size := utf8.DecodeRuneInString(text[j:])
				if !isWord(r) && !(isApostrophe(r) && j > i && j+size < len(text) && isWord(next(text[j+size:]))) {
					break
				}
				j += size
			}
			word := strings.ToLower(strings.ReplaceAll(text[i:j], "’", "'"))
			out = append(out, token{word, i, j, apart})
			i, apart = j, false
		default:
			apart = apart || !unicode.IsSpace(r) && r != '-'
			i += size
		}
	}
	return out
}

func next(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func isWord(r rune) bool       { return unicode.IsLetter(r) || unicode.IsMark(r) }
func isApostrophe(r rune) bool { return r == '\'' || r == '’' }

// spans calls back with every term of one to three words of a text, by its first and
// last token: within a clause, neither beginning nor ending with a word that says
// nothing by itself.
func spans(list []token, each func(first, last int)) {
	for i := range list {
		if idle(list[i].word) {
			continue
		}
		each(i, i)
		for n := i + 1; n < i+maxWords && n < len(list) && !list[n].apart; n++ {
			if !idle(list[n].word) {
				each(i, n)
			}
		}
	}
}

// grams is spans with the terms written out.
func grams(text string, each func(term string, first, last token)) {
	list := tokens(text)
	spans(list, func(first, last int) { each(termOf(list[first:last+1]), list[first], list[last]) })
}

func termOf(list []token) string {
	words := make([]string, len(list))
	for i := range list {
		words[i] = list[i].word
	}
	return strings.Join(words, " ")
}

// key is a term by the numbers of its words; 0 where it has fewer than three.
type key [maxWords]uint32

// tally counts who used each term, one count a person and group.
type tally struct {
	numbers map[string]uint32
	words   []string
	terms   map[key]*uses
}

// uses is how many of each group used a term, and who was counted last in each, from 1.
type uses struct {
	people, last [2]uint32
}

func newTally() *tally {
	return &tally{numbers: map[string]uint32{}, words: []string{""}, terms: map[key]*uses{}}
}

func (t *tally) number(word string) uint32 {
	n, ok := t.numbers[word]
	if !ok {
		n = uint32(len(t.words)) // #nosec G115 -- words of one comparison
		t.numbers[word], t.words = n, append(t.words, word)
	}
	return n
}

// each calls back with every term of a group's documents and whose it is.
func (t *tally) each(ctx context.Context, group []Document, found func(who int, k key)) error {
	var numbers []uint32
	for who, d := range group {
		if who%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for _, text := range d.Texts {
			list := tokens(text)
			numbers = numbers[:0]
			for i := range list {
				numbers = append(numbers, t.number(list[i].word))
			}
			spans(list, func(first, last int) {
				var k key
				copy(k[:], numbers[first:last+1])
				found(who, k)
			})
		}
	}
	return nil
}

// count adds a group, 0 or 1.
func (t *tally) count(ctx context.Context, side int, group []Document) error {
	return t.each(ctx, group, func(who int, k key) {
		u := t.terms[k]
		if u == nil {
			u = &uses{}
			t.terms[k] = u
		}
		if person := uint32(who) + 1; u.last[side] != person { // #nosec G115 -- people of one comparison
			u.people[side], u.last[side] = u.people[side]+1, person
		}
	})
}

// term writes a term out.
func (t *tally) term(k key) string {
	out := t.words[k[0]]
	for _, n := range k[1:] {
		if n != 0 {
			out += " " + t.words[n]
		}
	}
	return out
}

// idle reports whether a word says nothing at the edge of a term. Negators are not
// among them: "no update" is another thing than "update".
func idle(word string) bool {
	_, found := slices.BinarySearch(idleWords[:], word)
	return found || utf8.RuneCountInString(word) < 2
}

// idleWords are English, in order.
var idleWords = [...]string{
	"about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because", "been", "before", "being", "both", "but", "by",
	"can", "could", "did", "do", "does", "doing", "each", "even", "for", "from", "get", "got", "had", "has", "have", "having", "he", "he's", "her", "here", "hers", "him", "his", "how",
	"i'd", "i'll", "i'm", "i've", "if", "in", "into", "is", "it", "it's", "its", "itself", "just", "me", "more", "most", "much", "my", "myself",
	"of", "off", "on", "one", "only", "or", "other", "our", "out", "over", "own", "really", "said", "same", "she", "she's", "should", "so", "some", "still", "such",
	"than", "that", "that's", "the", "their", "them", "then", "there", "there's", "these", "they", "they're", "they've", "this", "those", "through", "to", "too", "up", "us",
	"very", "was", "we", "we've", "were", "what", "when", "where", "which", "while", "who", "why", "will", "with", "would", "you", "your",
}

// Line is a term where it stands in a text.
type Line struct {
	Before, Term, After string
}

// lineWords is how many words are shown on either side of a term.
const lineWords = 8

// Lines shows a term where it stands, one line a person and at most limit of them, from
// people spread evenly over the group. Where the group has fewer than MinGroup people
// there is none: so few could be told apart by their words.
func Lines(group []Document, term string, limit int) []Line {
	if len(group) < MinGroup || limit <= 0 {
		return nil
	}
	var all []Line
	for _, d := range group {
		if l, ok := lineIn(d, term); ok {
			all = append(all, l)
		}
	}
	if len(all) < MinPeople {
		return nil
	}
	out := make([]Line, 0, min(limit, len(all)))
	for i := range min(limit, len(all)) {
		out = append(out, all[i*len(all)/min(limit, len(all))])
	}
	return out
}

func lineIn(d Document, term string) (l Line, ok bool) {
	for _, text := range d.Texts {
		grams(text, func(t string, first, last token) {
			if ok || t != term {
				return
			}
			ok = true
			l = around(text, first.start, last.end)
		})
		if ok {
			return l, true
		}
	}
	return Line{}, false
}

// around cuts a line out of a text: the words before and after, with dots where there are more.
func around(text string, start, end int) Line {
	before, after := strings.Fields(text[:start]), strings.Fields(text[end:])
	l := Line{Term: text[start:end]}
	if n := len(before) - lineWords; n > 0 {
		before = append([]string{"…"}, before[n:]...)
	}
	if len(after) > lineWords {
		after = append(after[:lineWords:lineWords], "…")
	}
	l.Before, l.After = strings.Join(before, " "), strings.Join(after, " ")
	// A word that is glued to a stop or a hyphen stays glued.
	if r, _ := utf8.DecodeLastRuneInString(text[:start]); unicode.IsSpace(r) && l.Before != "" {
		l.Before += " "
	}
	if unicode.IsSpace(next(text[end:])) && l.After != "" {
		l.After = " " + l.After
	}
	return l
}
